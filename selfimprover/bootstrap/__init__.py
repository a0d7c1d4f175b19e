"""The composition root: the only place that builds real objects from the settings."""

from selfimprover.bootstrap.app import App, open_app

__all__ = ["App", "open_app"]
