"""Whether every changed file can still be read as what its name says."""

import json
import tomllib
import warnings

from selfimprover.domain import Check, CheckStatus, Draft
from selfimprover.parsing import compiled
from selfimprover.verification.results import count, plain


def parses(draft: Draft) -> Check:
    """Whether every changed file is still readable as what its name says.

    A file that was not readable before either is left out: it may be meant for another version of the language.
    """
    looked_at = 0
    for edit in draft.changes:
        suffix = edit.path.rpartition(".")[2]
        if edit.after is None or (edit.before is not None and _fault(suffix, edit.before)):
            continue
        looked_at += suffix in {"py", "json", "toml"}
        if fault := _fault(suffix, edit.after):
            return Check(name="parses", status=CheckStatus.FAILED, detail=f"{edit.path} does not parse: {fault}")
    return Check(name="parses", status=CheckStatus.PASSED, detail=f"{count(looked_at, 'changed file')} parsed")


def _fault(suffix: str, text: str) -> str:
    try:
        if suffix == "py":
            _compile(text)
        elif suffix == "json":
            json.loads(text)
        elif suffix == "toml":
            tomllib.loads(text)
    except SyntaxError as error:
        return f"{error.msg} (line {error.lineno})"
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return plain(str(error) or type(error).__name__)
    return ""


def _compile(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled(text, "<draft>")
