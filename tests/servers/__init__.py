"""Servers: embedded, in containers, behind walls."""
