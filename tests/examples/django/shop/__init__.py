"""A team's Django application, in small."""
