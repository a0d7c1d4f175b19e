"""The long-running service: its clock, its signals, and one night after the other."""

from selfimprover.daemon.service import KEPT_BACK, Service

__all__ = ["KEPT_BACK", "Service"]
