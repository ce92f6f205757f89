"""Reports of a run over many databases."""
