"""Taking backups: dumped, encrypted, brought to their place, and the old ones removed."""
