"""The live database."""
