"""Request bodies, checked strictly against the models that githubkit generated from GitHub's own description."""

import json
import re
from typing import Any

from pydantic import BaseModel, ValidationError

from tests.fakes.github.answers import ApiError, Json

_CODES = {"missing": "missing_field"}
_TAG = re.compile(r".*\[.*|[A-Z]\w+|str|int|bool|datetime")
"""A part of a place that names a type, not a field."""


def checked(raw: bytes, names: tuple[str, ...]) -> Any:
    """The parsed body if one of the models takes it; 400 for no JSON, 422 with ``errors[]`` for the wrong one."""
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise ApiError(400, "Problems parsing JSON") from None
    if not isinstance(body, dict):
        raise ApiError(400, "Body should be a JSON object")
    problems: list[Json] = []
    for name in names:
        try:
            _model(name).model_validate_json(raw or b"{}", strict=True, extra="forbid")
        except ValidationError as error:
            found = [one for one in error.errors() if "literal[<UNSET>]" not in one["loc"]]
            problems = problems or [_problem(name, one["type"], one["loc"], one["msg"]) for one in found]
        else:
            return body
    if not names:
        return body
    what = "\n\n".join(str(problem["message"]) for problem in problems)
    raise ApiError(422, f"Invalid request.\n\n{what}", problems)


def _problem(name: str, kind: str, place: tuple[int | str, ...], message: str) -> Json:
    field = ".".join(str(part) for part in place if not _TAG.fullmatch(str(part)))
    return {"resource": name, "field": field, "code": _CODES.get(kind, "invalid"), "message": f"{field}: {message}"}


def _model(name: str) -> type[BaseModel]:
    from githubkit_schemas.v2026_03_10 import models

    found: type[BaseModel] = getattr(models, name)
    return found
