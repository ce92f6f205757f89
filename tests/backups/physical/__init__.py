"""Tests of what physical backups say of themselves, and of what is wrong with them."""
