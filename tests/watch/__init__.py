"""History and status."""
