"""Many databases: the inventory."""
