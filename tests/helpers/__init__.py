"""Shared by the tests: servers, dumps, drills."""
