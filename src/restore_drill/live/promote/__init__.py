"""The restored database takes the live one's name: loss, swap, journal, way back."""
