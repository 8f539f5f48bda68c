"""Everything that speaks HTTP to the hub."""
