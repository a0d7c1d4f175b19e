"""Whether a change would reach over the network where its file did not before: that takes a person.

A net and no wall, like ``verification.reach``: names and addresses are looked at, not what code does with them.
"""

import ast
import re
from collections.abc import Iterator, Sequence

from selfimprover.domain import Edit
from selfimprover.drafting.functions import parse_text
from selfimprover.drafting.recipes.source import is_test

_MODULES = frozenset(
    (
        *("socket", "socketserver", "ssl", "ftplib", "smtplib", "poplib", "imaplib", "nntplib", "telnetlib", "xmlrpc"),
        *("webbrowser", "wsgiref", "urllib.request", "http.client", "http.server"),  # of Python
        *("requests", "httpx", "aiohttp", "urllib3", "httplib2", "pycurl", "websocket", "websockets", "paramiko"),
        *("dns", "boto3", "botocore", "grpc"),
    )
)
_CALLS = frozenset({"open_connection", "create_connection", "create_datagram_endpoint", "sock_connect", "urlopen"})
_ADDRESS = re.compile(r"\b(?:https?|wss?|ftp)://(?P<host>[^\s/'\"?#]+)", re.IGNORECASE)


def reached(edits: Sequence[Edit]) -> tuple[str, ...]:
    """What the edits bring in to reach over the network, one sentence for the model each.

    Addresses may well be data of a test; code may name no host that its file did not name.
    """
    faults: list[str] = []
    for edit in edits:
        if edit.after is None or not edit.path.endswith((".py", ".pyi")):
            continue
        before, after = set(_means(edit.before or "")), set(_means(edit.after))
        if not is_test(edit.path):
            before |= set(_hosts(edit.before or ""))
            after |= set(_hosts(edit.after))
        faults += [f"{edit.path} brings in {what}: a change may not reach over the network" for what in after - before]
    return tuple(sorted(faults))


def _means(text: str) -> Iterator[str]:
    module = parse_text(text)
    for node in ast.walk(module) if module else ():
        if isinstance(node, ast.Import):
            yield from (f"the module {alias.name}" for alias in node.names if _is_network(alias.name))
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
            yield from (f"the module {name}" for name in names if _is_network(name))
        elif isinstance(node, ast.Attribute) and node.attr in _CALLS:
            yield f"{node.attr}()"


def _is_network(module: str) -> bool:
    parts = module.split(".")
    return any(".".join(parts[:count]) in _MODULES for count in range(1, len(parts) + 1))


def _hosts(text: str) -> Iterator[str]:
    """The hosts that a text names in any way: an address in a comment is no reason to name another one in code."""
    yield from (f"the address of {found['host'][:100]}" for found in _ADDRESS.finditer(text))
