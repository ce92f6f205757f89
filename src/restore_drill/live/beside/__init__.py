"""A new database beside the live one: made like it, marked, watched, dropped."""
