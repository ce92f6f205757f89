"""How the text of pg_dump is read."""
