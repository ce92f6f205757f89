"""Every way to restore a dump, forced, and held to what psql and pg_restore make of it."""
