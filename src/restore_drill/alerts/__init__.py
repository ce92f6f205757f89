"""Alerts: how a drill ended, for the people who must know; none of them changes a verdict."""
