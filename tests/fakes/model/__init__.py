"""A scripted model's server: real HTTP on loopback, exact answers, and the misbehaviour of real ones."""

from tests.fakes.model.answers import answer, calling, completion, error, page
from tests.fakes.model.server import DRIP, DROP, FLOOD, HANG, Asked, ModelServer, cut, model_server

__all__ = [
    "DRIP",
    "DROP",
    "FLOOD",
    "HANG",
    "Asked",
    "ModelServer",
    "answer",
    "calling",
    "completion",
    "cut",
    "error",
    "model_server",
    "page",
]
