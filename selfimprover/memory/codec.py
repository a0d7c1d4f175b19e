"""Classes of ``domain`` as JSON text and back."""

from collections.abc import Hashable
from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

T = TypeVar("T")


@lru_cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast("Any", kind))


def encode(value: object) -> str:
    """JSON text of a dataclass of ``domain``."""
    return _adapter(cast("Hashable", type(value))).dump_json(value).decode()


def decode(kind: type[T], text: str) -> T:
    """The dataclass that ``encode`` wrote."""
    value: T = _adapter(cast("Hashable", kind)).validate_json(text)
    return value
