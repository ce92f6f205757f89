"""Where the WAL of a physical backup is kept: folders, Barman, pgBackRest, other machines."""
