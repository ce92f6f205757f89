"""Prices of cards."""

revision = "9b27de"
down_revision = "3f1c0a"
