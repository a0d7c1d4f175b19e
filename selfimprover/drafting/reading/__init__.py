"""Reads a project's plain files for a model: frames, definitions, callers, conventions. Never imports project code."""
