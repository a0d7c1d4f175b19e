"""Documentation that is written from the code, or that must not contradict it."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import BaseModel

from selfimprover.settings import model

ROOT = Path(__file__).parents[2]


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


write_configuration = _load(ROOT / "docs" / "write_configuration.py")


def test_the_page_on_configuration_is_written_from_the_model() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

    assert page == write_configuration.page(), "run .venv/bin/python docs/write_configuration.py"


def sections() -> list[type[BaseModel]]:
    found = [kind for kind in vars(model).values() if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return [kind for kind in found if kind.__module__ == model.__name__ and kind not in {model.Settings, model.Section}]


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.__name__)
def test_every_key_says_what_it_means(section: type[BaseModel]) -> None:
    assert set(write_configuration._docstrings(section)) == set(section.model_fields)


def test_the_example_shows_every_key() -> None:
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    keys = {
        name
        for section in sections()
        for name, field in section.model_fields.items()
        if write_configuration._model_of(field.annotation) is None
    }

    assert {key for key in keys if not re.search(rf"\b{key}\b", text)} == set()
    assert tomllib.loads(text)["publish"]["mode"] == "observe"


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *ROOT.glob("*/*.md")]), ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []
