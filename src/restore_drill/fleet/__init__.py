"""Many databases, many machines: an inventory, one drill for each, and one verdict."""
