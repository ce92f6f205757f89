"""Tests of recoveries of physical backups."""
