"""A static site over histories: status now, calendar, trends, findings, and a badge each."""

OUT = "drill-dashboard"
"""Folder that it is written into where none is named."""
