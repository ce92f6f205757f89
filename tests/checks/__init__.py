"""Criteria: their files, waivers and freshness."""
