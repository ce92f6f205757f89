"""Physical backups of a server: what they are and say of themselves, before one is started."""
