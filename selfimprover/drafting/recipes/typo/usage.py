"""How often a project writes a name or a word: what tells a slip from a word that is meant, and from its definition."""

import os
import re
from collections import Counter
from pathlib import Path

from selfimprover.drafting.recipes.spelling import WORD, Slip
from selfimprover.drafting.recipes.standard import vocabulary
from selfimprover.errors import RefusedError

_TEXTS = (
    *(".py", ".pyi", ".pyx", ".ipynb", ".md", ".rst", ".txt", ".toml", ".cfg", ".ini", ".yaml", ".yml", ".json"),
    *(".html", ".jinja", ".jinja2", ".j2", ".sql", ".in", ".lock"),
)
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})
_NAME = re.compile(r"[^\W\d]\w*")
_MAX_BYTES = 1_000_000


class Usage:
    """Counts over the texts of a tree: whole names in all of them; words of names in Python files and their paths."""

    def __init__(self, tree: Path) -> None:
        self._names: Counter[str] = Counter()
        self._words: Counter[str] = Counter()
        for folder, subfolders, files in os.walk(tree, followlinks=False):
            subfolders[:] = [name for name in subfolders if name not in _SKIPPED and name[0] != "."]
            for file in files:
                if file.endswith(_TEXTS):
                    self._count(Path(folder, file))

    def refuse_meant(self, name: str, slip: Slip) -> None:
        """Raises ``RefusedError`` unless ``name`` and its word are written once only, and the right word is known."""
        if self._names[name] != 1:
            raise RefusedError(f"the project writes {name} {self._names[name]} times: it may be the name that is meant")
        if slip.wrong in vocabulary() or self._words[slip.wrong] != 1:
            raise RefusedError(
                f"{slip.wrong!r} is a word that Python or the project uses elsewhere, so it may be meant"
            )
        if slip.right not in vocabulary() and self._words[slip.right] <= 1:
            raise RefusedError(
                f"{slip.right!r} is written nowhere but in its definition, which may be what is misspelt"
            )

    def _count(self, file: Path) -> None:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > _MAX_BYTES:
            return
        names = _NAME.findall(file.read_text(encoding="utf-8", errors="replace"))
        self._names.update(names)
        if file.suffix == ".py":
            self._words.update(word.lower() for name in [*names, file.stem] for word in WORD.findall(name))
