"""The corpus of physical backups: healthy ones that must stay green, and damaged ones."""
