"""How rows get into `datasets`: the builder, its streams, and the ways to call them."""
