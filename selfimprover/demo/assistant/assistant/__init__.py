"""A small e-mail assistant."""
