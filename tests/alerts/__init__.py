"""Alerts after the drills of a workflow run."""
