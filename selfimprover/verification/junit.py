"""Reads the JUnit XML that a test run left. The file is written by the code under test: it is hostile.

Format as pytest writes it (``junit_family=xunit2``): ``testcase`` elements with ``classname`` and ``name``, and a
``failure``, ``error`` or ``skipped`` element inside where it did not pass.
"""

import os
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

_MAX_BYTES = 20_000_000
MAX_TEXT = 20_000
MAX_TEXTS = 200
"""How many characters of a failure, and of how many failures, are kept."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a test run says of itself: how often each test id, ``classname::name``, had each result.

    An id may well occur more than once: the format does not forbid it.
    """

    passed: Counter[str]
    failed: Counter[str]
    skipped: Counter[str]
    texts: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What the first failure of each test printed, as far as the report says it."""

    @property
    def executed(self) -> int:
        """Tests that passed or failed; a skipped test shows nothing."""
        return self.passed.total() + self.failed.total()


def read_report(path: Path) -> Report | None:
    """The report, or ``None`` if there is none that can be read safely."""
    try:
        # the tests could write here: a link or a FIFO in place of the report must neither lead away nor wait
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return parse_report(file.read(_MAX_BYTES + 1))


def parse_report(content: bytes) -> Report | None:
    """The report in ``content``; ``None`` if it is too large, is no XML, or declares a document type or entities."""
    if len(content) > _MAX_BYTES:
        return None
    try:
        text = content.decode("utf-8")  # in any other encoding a declaration could hide from the search
    except UnicodeDecodeError:
        return None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    cases = _Cases()
    parser = ET.XMLParser(target=cases)  # noqa: S314 - no document type, so no entity that could expand
    try:
        parser.feed(text)
        parser.close()
    except (ET.ParseError, ValueError):
        return None
    return Report(cases.passed, cases.failed, cases.skipped, cases.texts)


class _Cases:
    """Counts test cases as the parser meets them, so that no tree is built of what may be millions of elements."""

    def __init__(self) -> None:
        self.passed: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.texts: dict[str, str] = {}
        self._id = ""
        self._inside: set[str] = set()
        self._text: list[str] | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "testcase":
            self._id = f"{attributes.get('classname', '')}::{attributes.get('name', '')}"
            self._inside = set()
        elif tag in {"failure", "error", "skipped"}:
            self._inside.add(tag)
            self._text = [] if tag != "skipped" and len(self.texts) < MAX_TEXTS else None

    def end(self, tag: str) -> None:
        if tag in {"failure", "error"} and self._text is not None:
            self.texts.setdefault(self._id, "".join(self._text)[-MAX_TEXT:])
        self._text = None
        if tag != "testcase":
            return
        if self._inside & {"failure", "error"}:
            self.failed[self._id] += 1
        elif "skipped" in self._inside:
            self.skipped[self._id] += 1
        else:
            self.passed[self._id] += 1

    def data(self, text: str) -> None:
        """What a failure says; what the tests printed besides is of no use here."""
        if self._text is not None:
            self._text.append(text)

    def close(self) -> None:
        """Asked for by the parser."""
