"""The copy in which tests run: everything of the project, nothing of git, and gone afterwards."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprover.errors import SelfImproverError
from selfimprover.verification.copying import copy_tree
from selfimprover.verification.workspace import workspace


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    return tmp_path / "tree"


async def test_a_workspace_is_gone_afterwards_whatever_the_tests_did_to_it(tree: Path) -> None:
    async with workspace(tree) as place:
        (place.tree / "sub").mkdir()
        (place.tree / "sub/file").write_text("")
        (place.tree / "sub").chmod(0)

    assert not place.tree.parent.exists()


async def test_what_is_brought_along_cannot_be_written_by_the_run(tree: Path) -> None:
    async with workspace(tree) as place:
        outside = [place.tools, place.output]

        assert [any(path.is_relative_to(folder) for folder in place.writable) for path in outside] == [False, False]


async def test_a_tree_that_cannot_be_copied_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SelfImproverError, match="cannot be written: No such file or directory"):
        async with workspace(tmp_path / "absent"):
            pass


async def test_no_repository_is_copied_not_even_that_of_a_submodule(tree: Path) -> None:
    (tree / ".git/hooks").mkdir(parents=True)
    (tree / "vendor").mkdir()
    (tree / "vendor/.git").write_text("gitdir: ../.git/modules/vendor\n")
    (tree / "vendor/code.py").write_text("")
    (tree / ".gitignore").write_text("")

    async with workspace(tree) as place:
        names = {str(path.relative_to(place.tree)) for path in place.tree.rglob("*")}

    assert names == {"vendor", "vendor/code.py", ".gitignore"}


def test_modes_and_links_are_kept_and_no_link_is_followed(tree: Path, tmp_path: Path) -> None:
    (tree / "run.sh").write_text("")
    (tree / "run.sh").chmod(0o4755)
    (tree / "closed").mkdir(mode=0o555)
    (tree / "inside").symlink_to("run.sh")
    (tree / "outside").symlink_to("/etc")
    (tree / "broken").symlink_to("nowhere")
    os.mkfifo(tree / "pipe")

    copy_tree(tree, tmp_path / "copy")

    copy = tmp_path / "copy"
    assert {path.name for path in copy.iterdir()} == {"run.sh", "closed", "inside", "outside", "broken"}
    assert stat.S_IMODE((copy / "run.sh").stat().st_mode) == 0o755
    assert stat.S_IMODE((copy / "closed").stat().st_mode) == 0o755
    links = {name: str((copy / name).readlink()) for name in ("inside", "outside", "broken")}
    assert links == {"inside": "run.sh", "outside": "/etc", "broken": "nowhere"}


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text("ab/.", min_size=1, max_size=6), st.binary(max_size=200), max_size=8))
def test_a_copy_holds_the_same_bytes(tmp_path_factory: pytest.TempPathFactory, wanted: dict[str, bytes]) -> None:
    folder = tmp_path_factory.mktemp("copying")
    (folder / "tree").mkdir()
    for number, (name, content) in enumerate(wanted.items()):
        path = folder / "tree" / name.strip("./").replace("//", "/").replace(".", "_") / str(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    copy_tree(folder / "tree", folder / "copy")

    assert _contents(folder / "copy") == _contents(folder / "tree")


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_large_file_and_one_with_holes_are_copied_whole(tree: Path, tmp_path: Path) -> None:
    (tree / "large").write_bytes(os.urandom(3 << 20))
    with (tree / "holes").open("wb") as file:
        file.seek(2 << 20)
        file.write(b"end")

    copy_tree(tree, tmp_path / "copy")

    assert _contents(tmp_path / "copy") == _contents(tree)


def test_a_changed_copy_leaves_the_original_alone(tree: Path, tmp_path: Path) -> None:
    (tree / "file").write_bytes(b"x" * 100_000)

    copy_tree(tree, tmp_path / "copy")
    (tmp_path / "copy/file").write_bytes(b"y")

    assert (tree / "file").read_bytes() == b"x" * 100_000
