"""Tests of fleets: many databases, many machines."""
