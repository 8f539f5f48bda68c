"""What a rollout is: the standard library alone, no I/O."""
