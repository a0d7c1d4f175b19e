"""The whole night: it knows only interfaces."""

from selfimprover.night.by_hand import dismissal, joining, may_try_again, publish_one, splitting, try_again
from selfimprover.night.fixing import READY, was_refused
from selfimprover.night.flow import Night
from selfimprover.night.parts import Limits, Mode, NightParts, ProjectParts, Publishing
from selfimprover.night.tending import made_ready, may_be_ready

__all__ = [
    "READY",
    "Limits",
    "Mode",
    "Night",
    "NightParts",
    "ProjectParts",
    "Publishing",
    "dismissal",
    "joining",
    "made_ready",
    "may_be_ready",
    "may_try_again",
    "publish_one",
    "splitting",
    "try_again",
    "was_refused",
]
