"""Loaded as a plugin of pytest."""
