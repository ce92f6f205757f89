"""Verdicts and reports."""
