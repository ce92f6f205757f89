"""Options, environment and criteria file."""
