"""The whole night: it knows only interfaces."""

from selfimprover.night.by_hand import dismissal, may_try_again, publish_one, try_again
from selfimprover.night.flow import Night
from selfimprover.night.parts import Limits, Mode, NightParts, ProjectParts, Publishing

__all__ = [
    "Limits",
    "Mode",
    "Night",
    "NightParts",
    "ProjectParts",
    "Publishing",
    "dismissal",
    "may_try_again",
    "publish_one",
    "try_again",
]
