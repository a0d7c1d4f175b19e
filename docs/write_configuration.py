"""Writes docs/configuration.md from the settings model, so that the page cannot tell anything else.

.venv/bin/python docs/write_configuration.py
"""

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from selfimprover.settings import model
from selfimprover.settings.load import SECRET_FILES

_GIB = 1 << 30
PAGE = Path(__file__).with_name("configuration.md")

HEAD = """\
# Configuration

*Written from the settings model by `docs/write_configuration.py`; a test keeps it true.*

One TOML file: the one named by `--config`, else by `SELFIMPROVER_CONFIG`, else `./config.toml`, else
`/etc/selfimprover/config.toml`. `selfimprover init` writes one for this machine, `config.example.toml` shows every key.
Relative paths start at the folder of the file. A misspelt key, section or variable is refused with the nearest one that
exists.

Every key outside `[[projects]]` that is no list or table can also be set as a variable `SELFIMPROVER_SECTION__KEY`,
which comes before the file. Secrets can also be files, in `$CREDENTIALS_DIRECTORY` (systemd's `LoadCredential=`) or
`/run/secrets` (containers): {secrets}.

The daemon reads the file again at SIGHUP; where it is wrong then, the old one stays in force, and `selfimprover status`
says why. `[state] dir` and `[memory] url` take a restart.

## From observing to pull requests

1. **`mode = "observe"`** is what `init` writes. Each night does everything up to the proof; diffs are kept, nothing is
   written to the forge. Read `selfimprover report` in the morning, `selfimprover findings show ID` for the evidence and
   the diff. `selfimprover findings publish ID` opens the pull request of one fix that you want, also beside a running
   daemon; `findings dismiss ID --reason …` ends one for good.
2. **`mode = "draft"`** when a week of nights proposed what you would have merged: each proven fix becomes a draft pull
   request, at most `new_pull_requests_per_night` a night and `open_pull_requests` at once.
3. **`mode = "ready"`** when drafts only ever waited for you to mark them ready.

After each change let the daemon read the file: `systemctl reload selfimprover`, or send it SIGHUP. The way back is the
same.
"""


def page() -> str:
    """The whole page."""
    secrets = ", ".join(f"`{name}`" for name in SECRET_FILES)
    sections = "\n".join(_sections(model.Settings, ""))
    return f"{HEAD.format(secrets=secrets)}\n{sections}"


def _sections(settings: type[BaseModel], above: str) -> Iterator[str]:
    """A section of the page for every section of the file."""
    for name, field in settings.model_fields.items():
        section = _model_of(field.annotation)
        if section is None or section is model.Price:
            continue
        path = f"{above}{name}"
        head = f"[[{path}]]" if name == "projects" else f"[{path}]"
        yield f"## `{head}`\n\n{inspect.getdoc(section)}\n\n{_table(section)}"
        yield from _sections(section, f"{path}.")


def _table(section: type[BaseModel]) -> str:
    told = _docstrings(section)
    rows = [
        f"| `{name}` | {_default(field)} | {told[name]} |"
        for name, field in section.model_fields.items()
        if _model_of(field.annotation) in {None, model.Price}
    ]
    return "\n".join(["| key | default | |", "|---|---|---|", *rows]) + "\n"


def _docstrings(section: type[BaseModel]) -> Mapping[str, str]:
    """Key → the string that stands below it in the code."""
    (tree,) = ast.parse(inspect.getsource(section)).body
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    for statement, below in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            match below:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    found[statement.target.id] = " ".join(text.split()).replace("|", "\\|")
    return found


def _default(field: FieldInfo) -> str:
    if field.is_required():
        choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        return "required: " + " or ".join(f"`{_toml(choice)}`" for choice in choices) if choices else "required"
    value = field.default
    return "" if value is None else f"`{_toml(value)}`"


def _toml(value: Any) -> str:
    match value:
        case timedelta():
            minutes = int(value.total_seconds()) // 60
            return _toml(f"{minutes}m" if minutes % 60 else f"{minutes // 60}h")
        case tuple():
            return "[" + ", ".join(_toml(one) for one in value) + "]"
        case int() if value >= _GIB and value % _GIB == 0:
            return _toml(f"{value // _GIB}G")
        case ZoneInfo():
            return _toml(str(value))
    return json.dumps(value)


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """The section that a key holds, if it does."""
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in {NoneType, SecretStr}:
            return kind
    return None


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
