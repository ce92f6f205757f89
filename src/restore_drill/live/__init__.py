"""A live database: surveyed, restored beside, promoted or reset in place, and the way back."""
