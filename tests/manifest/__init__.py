"""Manifests of backups."""
