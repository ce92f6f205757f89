"""What is proved of a restored Redis: its keys, their content and TTLs, against what was taken."""
