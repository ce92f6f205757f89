"""Facts of a restored database."""
