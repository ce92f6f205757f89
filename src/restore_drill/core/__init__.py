"""What all parts use: errors, units, deadlines, the run's record."""
