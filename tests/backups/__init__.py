"""Reading backups."""
