"""The engine of the restore drill: it knows nothing of pytest."""
