"""A static site over histories: status now, calendar, trends, findings, and a badge each."""
