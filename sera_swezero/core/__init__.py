"""What a rollout is. This folder imports only the standard library and does no I/O."""
