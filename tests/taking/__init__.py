"""Taking backups: encrypted, to a place, and which old ones are kept."""
