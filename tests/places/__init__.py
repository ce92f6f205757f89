"""Tests of backups that lie on other machines."""
