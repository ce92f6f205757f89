"""After the drill: history, status, cleaning up."""
