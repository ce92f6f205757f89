"""A live database: snapshot, marker, hold, rollback."""
