"""Places of other machines: what lies there, and its bytes. Nothing here knows what a backup is."""
