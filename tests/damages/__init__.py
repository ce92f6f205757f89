"""Damages, of copies and of the corpus."""
