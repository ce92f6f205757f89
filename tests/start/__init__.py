"""The ways in that an own repository begins with."""
