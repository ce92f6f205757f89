"""The engine of the restore drill: it knows nothing of pytest."""

__version__ = "1.0.0.dev0"
