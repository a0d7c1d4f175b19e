"""Which of a repository's workflows would run with secrets on code that a model wrote: pure, over their texts.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from selfimprover.forges.github.pulls import BRANCHES

_EXAMPLE = f"{BRANCHES}fix-0123456789ab"
_SECRET = re.compile(r"\bsecrets\s*(?:\.\s*|\[\s*['\"])([A-Za-z_]\w*)")
_GIVEN = "GITHUB_TOKEN"
_WRITES = re.compile(r"^\s*(?:permissions:\s*write-all|[a-z-]+:\s*write)\s*(?:#.*)?$", re.MULTILINE)
_IGNORE = f"branches-ignore: ['{BRANCHES}**'] under on.push"
_SKIP = f"if: ${{{{ !startsWith(github.head_ref, '{BRANCHES}') }}}} to its jobs"


def warnings(workflows: Mapping[str, str], base: str) -> tuple[str, ...]:
    """One sentence for each workflow that gives secrets or write access to branches or pull requests of ours.

    ``workflows``: path → text; ``base``: the branch that our pull requests are for. A fork's pull request gets no
    secrets; ours come from the same repository, and do.
    """
    return tuple(warning for path, text in sorted(workflows.items()) if (warning := _warning(path, text, base)))


def _warning(path: str, text: str, base: str) -> str | None:
    given = _given(text)
    if not given:
        return None
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return f"{path} cannot be read, and uses {given}: look at what it runs on"
    events = _events(document)
    if "push" in events and _matches(events["push"], _EXAMPLE):
        return f"{path} runs on every push to {BRANCHES}… with {given}: add {_IGNORE}"
    for name in ("pull_request", "pull_request_target"):
        if name in events and _matches(events[name], base):
            return f"{path} runs on our pull requests ({name}) with {given}: add {_SKIP}"
    return None


def _given(text: str) -> str:
    """What the workflow lets its steps have."""
    names = sorted(set(_SECRET.findall(text)) - {_GIVEN})
    parts = [f"the secrets {', '.join(names[:5])}"] if names else []
    if re.search(r"^\s*secrets:\s*inherit\b", text, re.MULTILINE):
        parts.append("all secrets (inherit)")
    if _WRITES.search(text):
        parts.append("a token that may write")
    return " and ".join(parts)


def _events(document: Any) -> dict[str, Any]:
    """Event → its filters. YAML 1.1 reads the key ``on`` as true."""
    if not isinstance(document, dict):
        return {}
    on = document.get("on", document.get(True))
    if isinstance(on, dict):
        return {str(name): filters for name, filters in on.items()}
    return {str(name): None for name in ([on] if isinstance(on, str) else on or ())}


def _matches(filters: Any, branch: str) -> bool:
    if not isinstance(filters, dict):
        return True
    if "branches" in filters:
        return _chosen(filters["branches"], branch)
    if "branches-ignore" in filters:
        return not _chosen(filters["branches-ignore"], branch)
    return not ({"tags", "tags-ignore"} & set(filters))  # only tags then


def _chosen(patterns: Any, branch: str) -> bool:
    """The last pattern that matches decides; one with ``!`` takes back."""
    chosen = False
    for pattern in [patterns] if isinstance(patterns, str) else _texts(patterns):
        if re.fullmatch(_regex(pattern.removeprefix("!")), branch):
            chosen = not pattern.startswith("!")
    return chosen


def _texts(values: Any) -> Iterable[str]:
    return [str(value) for value in values] if isinstance(values, list) else []


def _regex(pattern: str) -> str:
    parts = re.split(r"(\*\*|\*)", pattern)
    return "".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)
