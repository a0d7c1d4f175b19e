"""Loaded by every Python as it starts."""
