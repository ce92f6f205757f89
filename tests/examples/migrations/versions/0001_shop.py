"""The shop."""

revision = "3f1c0a"
down_revision = None
