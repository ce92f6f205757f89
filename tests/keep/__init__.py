"""Servers that stay up after their drill."""
