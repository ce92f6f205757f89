"""Tests of drills on the workers of a fleet."""
