"""Finds the configuration and turns every mistake in it into one clear line."""

import os
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from selfimprover.errors import UsageError
from selfimprover.settings.model import Llm, Settings, nearest

_PLACES = (Path("config.toml"), Path("/etc/selfimprover/config.toml"))
SECRET_FILES = ("llm__api_key", "github__token", "notify__webhook", "notify__heartbeat_url")
"""Secrets that may be files, by their names: section, two underscores, key."""
_SECRET_KEYS = {name.split("__")[1] for name in SECRET_FILES}
_PREFIX = "SELFIMPROVER_"
_NOT_SETTINGS = frozenset({"SELFIMPROVER_CONFIG"})
_SQLITE = "sqlite:///"
_PATHS = (("state", "dir"), ("github", "private_key_file"))


def load(path: Path | None = None) -> tuple[Settings, Path]:
    """The settings in force and the file they came from; relative paths in it start at its folder.

    Raises ``UsageError`` for a missing or unreadable file, a misspelt key or variable, or a value of the wrong form.
    """
    file = _find(path)
    document = _read(file)
    _check_variables(os.environ)
    _add_secret_files(document, os.environ)
    _resolve_paths(document, file.absolute().parent)
    return _settings(document, file), file


def load_llm(path: Path | None = None) -> Llm:
    """The section ``[llm]`` alone, found as ``load`` finds it; where there is no file, from variables and secret files.

    For what brings its own projects along. Raises ``UsageError`` as ``load`` does; other sections are not looked at.
    """
    file = _look_for(path)
    whole = {} if file is None else _read(file)
    _check_variables(os.environ)
    document = {"llm": whole["llm"]} if "llm" in whole else {}
    _add_secret_files(document, os.environ)
    return _settings({"llm": document["llm"]} if "llm" in document else {}, file or _PLACES[0]).llm


def _settings(document: Mapping[str, Any], file: Path) -> Settings:
    try:
        return Settings(**document)
    except SettingsError as error:
        mend = 'write lists as JSON, such as ["a", "b"]'
        raise UsageError(str(error).splitlines()[0], where="environment", mend=mend) from error
    except ValidationError as error:
        # A misspelt key explains the missing one, so it comes first.
        first = min(error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden")
        raise _explain(first, file) from None


def _find(path: Path | None) -> Path:
    if (file := _look_for(path)) is not None:
        return file
    places = " or ".join(str(place) for place in _PLACES)
    mend = "copy config.example.toml to config.toml, or name a file with --config"
    raise UsageError(f"no configuration found at {places}", mend=mend)


def _look_for(path: Path | None) -> Path | None:
    """The file that is named, which need not exist, else the first that is where one may be."""
    if path is None and os.environ.get("SELFIMPROVER_CONFIG"):
        path = Path(os.environ["SELFIMPROVER_CONFIG"])
    return path or next((place for place in _PLACES if place.is_file()), None)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        mend = "check the path given by --config or SELFIMPROVER_CONFIG"
        raise UsageError(f"it cannot be read: {error.strerror}", where=f"config {file}", mend=mend) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"it is not valid TOML: {error}", where=f"config {file}", mend="correct that line") from error


def _check_variables(environment: Mapping[str, str]) -> None:
    known = sorted({*_NOT_SETTINGS, *_variables(Settings, _PREFIX)})
    for name in sorted(environment):
        if name.startswith(_PREFIX) and name not in known:
            raise UsageError(f"{name} is not known; {nearest(name, known)}", where="environment", mend=f"unset {name}")


def _variables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """The names of the variables that may set a scalar key outside the projects."""
    for name, field in model.model_fields.items():
        if name == "projects":
            continue
        kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        sections = [kind for kind in kinds if issubclass(kind, BaseModel)]
        if sections:
            yield from _variables(sections[0], f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"


def _add_secret_files(document: MutableMapping[str, Any], environment: Mapping[str, str]) -> None:
    """Secrets as files: of systemd's credentials folder, or where containers mount theirs."""
    folder = Path(environment.get("CREDENTIALS_DIRECTORY") or "/run/secrets")
    for name in SECRET_FILES:
        file = folder / name
        section, key = name.split("__")
        try:
            value = file.read_text(encoding="utf-8").strip() if file.is_file() else None
        except OSError as error:
            mend = "give this user the right to read it"
            raise UsageError(f"it cannot be read: {error.strerror}", where=f"secret {file}", mend=mend) from error
        if value is not None:
            document.setdefault(section, {})[key] = value


def _resolve_paths(document: MutableMapping[str, Any], folder: Path) -> None:
    for section, key in _PATHS:
        _resolve(document.get(section), key, folder)
    memory = document.get("memory")
    if isinstance(memory, dict) and isinstance(memory.get("url"), str) and memory["url"].startswith(_SQLITE):
        memory["url"] = _SQLITE + _absolute(memory["url"].removeprefix(_SQLITE), folder)
    projects = document.get("projects")
    for project in projects if isinstance(projects, list) else ():
        if isinstance(project, dict):
            for section in ("telemetry", "repository"):
                _resolve(project.get(section), "path", folder)
            _resolve_all(project.get("verify"), "expose", folder)


def _resolve(section: object, key: str, folder: Path) -> None:
    if isinstance(section, dict) and isinstance(section.get(key), str):
        section[key] = _absolute(section[key], folder)


def _resolve_all(section: object, key: str, folder: Path) -> None:
    if isinstance(section, dict) and isinstance(section.get(key), list):
        section[key] = [_absolute(item, folder) if isinstance(item, str) else item for item in section[key]]


def _absolute(path: str, folder: Path) -> str:
    try:
        return str(folder / Path(path).expanduser())
    except RuntimeError as error:
        raise UsageError(f"{path!r} names a user that does not exist", mend="write the whole path") from error


def _explain(error: ErrorDetails, file: Path) -> UsageError:
    place = ".".join(str(part) for part in error["loc"])
    variable = _PREFIX + "__".join(str(part).upper() for part in error["loc"])
    where = f"environment {variable}" if variable in os.environ else f"config {file}" + (f": {place}" if place else "")
    match error["type"]:
        case "extra_forbidden":
            known = _siblings(error["loc"])
            return UsageError(
                f"{error['loc'][-1]!r} is not known; {nearest(str(error['loc'][-1]), known)}", where=where
            )
        case "missing":
            return UsageError("it is missing", where=where, mend="add it; config.example.toml shows how")
        case _:
            what = error["msg"].removeprefix("Value error, ")
            given = error["input"]
            secret = error["loc"] and error["loc"][-1] in _SECRET_KEYS
            shown = f" (given: {given!r})" if isinstance(given, str | int | float) and not secret else ""
            return UsageError(what + shown, where=where)


def _siblings(location: tuple[int | str, ...]) -> list[str]:
    """The keys that exist where an unknown one was written."""
    model: Any = Settings
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        candidates = [annotation, *get_args(annotation)]
        model = next(kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel))
    return list(model.model_fields)
