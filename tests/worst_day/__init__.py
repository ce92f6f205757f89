"""Tests that follow the pages of docs/worst-day."""
