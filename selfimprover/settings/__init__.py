"""The configuration: its model, and how it is loaded."""

from selfimprover.settings.load import load, load_llm
from selfimprover.settings.model import Llm, Project, Settings

__all__ = ["Llm", "Project", "Settings", "load", "load_llm"]
