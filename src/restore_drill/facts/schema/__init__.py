"""Definitions of objects, made comparable."""
