"""After the drill: history, status, left-overs."""
