"""Options, variables, `.env` and the criteria file."""
