"""Proof of a draft: a copy of the tree, a sandbox, checks."""
