"""Selecting the newest backup."""
