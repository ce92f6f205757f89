"""Alerts: how the drills of a workflow run ended, for the people who must know."""
