"""Encrypted and wrapped backups."""
