"""The live server: who it is, what it can lock and hold, and who is at work on it."""
