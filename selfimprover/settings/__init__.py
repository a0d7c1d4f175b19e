"""The configuration: its model, and how it is loaded."""

from selfimprover.settings.load import load
from selfimprover.settings.model import Project, Settings

__all__ = ["Project", "Settings", "load"]
