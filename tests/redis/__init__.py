"""The Redis stage."""
