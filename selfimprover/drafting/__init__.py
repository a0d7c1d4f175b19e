"""Drafts of fixes: deterministic recipes."""
