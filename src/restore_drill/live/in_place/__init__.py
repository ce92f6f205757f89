"""A live database that is reset in place: snapshot, hold, decision, rollback."""
