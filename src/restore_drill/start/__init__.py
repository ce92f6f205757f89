"""Beginning with the drill: in a user's own repository, and in a shell."""
