"""Edits: what they may touch, how exactly they are applied, and that git reads their diff."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfimprover import edits
from selfimprover.domain import Edit
from selfimprover.errors import RefusedError


def edit(path: str = "assistant/mail.py", before: str | None = "a\n", after: str | None = "b\n") -> Edit:
    return Edit(path, before, after)


@pytest.mark.parametrize("path", ["mail.py", "a/b c/naïve.py", "assistant/.hidden/x", "gitlike.git.py", "a/[id].py"])
def test_ordinary_paths_may_be_changed(path: str) -> None:
    edits.check([edit(path)])


@pytest.mark.parametrize(
    "path",
    [
        *("", "/etc/passwd", "../x.py", "a/../x.py", "a//x.py", "./x.py", "a/", "a\\b.py", "c:x.py", "a\0.py"),
        *(".git/config", "a/.GIT/hooks/pre-commit", ".git", "git~1/config", "GIT~1", ".g\u200cit/config", "a\n.py"),
        *("x.py.", "x.py ", "dir./x.py", "n" * 256, "a/" * 2100 + "x", "nul", "a/CON.py", "\ud800.py", "\uff47it~1/x"),
    ],
)
def test_a_path_that_could_mean_another_file_is_refused(path: str) -> None:
    with pytest.raises(RefusedError, match="path"):
        edits.check([edit(path)])
    with pytest.raises(RefusedError, match="path"):
        edits.apply([edit(path)], Path("/nonexistent"))


@pytest.mark.parametrize(
    "path",
    [
        *(
            ".github/workflows/ci.yml",
            ".GitHub/x",
            ".gitlab-ci.yml",
            "Dockerfile",
            "deploy/Dockerfile.prod",
            "Makefile",
        ),
        *("compose.yaml", "run.sh", "a/b/RUN.SH", "setup.py", "SETUP.PY", "pyproject.toml", "requirements-dev.txt"),
        *("uv.lock", "package.json", "package-lock.json", "tests/conftest.py", "tox.ini", "noxfile.py", "x.pth"),
        *("sitecustomize.py", ".gitattributes", ".gitmodules", "docs/CODEOWNERS", "AGENTS.md", "pkg/claude.md"),
        *("db/migrations/0001_x.py", "assistant/auth/tokens.py", "assistant/auth.py", "crypto_box.py", ".env"),
    ],
)
def test_what_runs_with_rights_of_its_own_needs_a_person(path: str) -> None:
    with pytest.raises(RefusedError, match=f"needs a person: {path} may not be changed automatically"):
        edits.check([edit(path)])


def test_the_deny_list_of_the_configuration_adds_to_the_built_in_one_and_ignores_case() -> None:
    with pytest.raises(RefusedError, match="needs a person"):
        edits.check([edit("Billing/Invoice.py")], deny=["billing/**"])
    with pytest.raises(RefusedError, match="needs a person"):
        edits.check([edit("Makefile")], deny=["billing/**"])


def test_only_allowed_paths_may_be_changed() -> None:
    edits.check([edit("src/a/b.py")], allow=["src/**"])
    with pytest.raises(RefusedError, match="needs a person"):
        edits.check([edit("lib/b.py")], allow=["src/**"])


@pytest.mark.parametrize(
    ("path", "glob", "meant"),
    [
        ("a.py", "**", True),
        ("x/y/a.py", "**", True),
        ("x/y/a.py", "*.py", True),
        ("x/y/a.py", "x/*.py", False),
        ("x/y/a.py", "x/**/*.py", True),
        ("x/a.py", "x/**/*.py", True),
        ("x/y/a.py", "x", True),
        ("x/y/a.py", "y/", True),
        ("x/y/a.py", "/y/", False),
        ("x/y/a.py", "x/y", True),
        ("x/yy/a.py", "x/y", False),
        ("x/y/a.py", "**/y/a.py", True),
        ("ab.py", "a?.py", True),
        ("a/b.py", "a?b.py", False),
        ("axpy", "a.py", False),
        ("A.py", "a.py", False),
    ],
)
def test_globs_mean_what_gitignore_means(path: str, glob: str, meant: bool) -> None:
    assert edits.matches(path, glob) is meant


@pytest.mark.parametrize("character", ["\u202e", "\u200b", "\u2066", "\U000e0041", "\ufeff", "\0", "\x1b", "\ufe0f"])
def test_an_invisible_character_may_stay_but_not_be_added(character: str) -> None:
    edits.check([edit(before=f"x{character}\n", after=f"y{character}\n")])
    with pytest.raises(RefusedError, match="nobody would see"):
        edits.check([edit(before="x\n", after=f"x{character}\n")])


def test_what_changes_nothing_is_refused() -> None:
    for nothing in ([], [edit(before="a", after="a")], [edit(before=None, after=None)]):
        with pytest.raises(RefusedError, match="changes nothing"):
            edits.check(nothing)


@pytest.mark.parametrize("other", ["assistant/MAIL.py", "assistant/mail.py", "assistant", "Assistant/mail.py/x.py"])
def test_two_edits_never_mean_the_same_place(other: str) -> None:
    with pytest.raises(RefusedError, match=r"same file|as a folder"):
        edits.check([edit("assistant/mail.py"), edit(other)])


def test_a_draft_has_a_size_that_a_person_can_read() -> None:
    edits.check([edit(f"{number}.py") for number in range(edits.MAX_FILES)])
    with pytest.raises(RefusedError, match="files"):
        edits.check([edit(f"{number}.py") for number in range(edits.MAX_FILES + 1)])
    edits.check([edit(before=None, after="x\n" * edits.MAX_CHANGED_LINES)])
    with pytest.raises(RefusedError, match="lines"):
        edits.check([edit(before=None, after="x\n" * (edits.MAX_CHANGED_LINES + 1))])
    with pytest.raises(RefusedError, match="bytes"):
        edits.check([edit(before=None, after="ä" * (edits.MAX_BYTES // 2 + 1))])


def test_a_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(RefusedError, match="Unicode"):
        edits.check([edit(after="\ud800")])


# --- apply ---------------------------------------------------------------------------------------------


def test_apply_keeps_bytes_and_mode(tmp_path: Path) -> None:
    script = tmp_path / "tool.py"
    script.write_bytes(b"\xef\xbb\xbfa\r\nb")
    script.chmod(0o750)

    edits.apply([Edit("tool.py", "\ufeffa\r\nb", "\ufeffa\r\nc\x0c\r")], tmp_path)

    assert script.read_bytes() == b"\xef\xbb\xbfa\r\nc\x0c\r"
    assert script.stat().st_mode & 0o777 == 0o750
    assert list(_files(tmp_path)) == ["tool.py"]


def test_apply_makes_and_removes_files(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text("a\n")

    edits.apply([edit("old.py", "a\n", None), edit("new/deep/x.py", None, "x\n")], tmp_path)

    assert not (tmp_path / "old.py").exists()
    assert (tmp_path / "new/deep/x.py").read_text() == "x\n"
    assert (tmp_path / "new/deep/x.py").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "wrong",
    [
        edit("there.py", "a", "b"),
        edit("there.py", "a\r\n", "b"),
        edit("there.py", None, "b"),
        edit("absent.py", "a\n", "b"),
        edit("absent/x.py", "a\n", None),
        edit("folder", "a\n", "b"),
        edit("there.py/x.py", None, "b"),
        edit("pipe", "", "b"),
    ],
)
def test_nothing_is_written_if_one_file_is_not_what_its_edit_starts_from(tmp_path: Path, wrong: Edit) -> None:
    (tmp_path / "there.py").write_text("a\n")
    (tmp_path / "first.py").write_text("a\n")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(RefusedError):
        edits.apply([edit("first.py"), wrong], tmp_path)

    assert (tmp_path / "first.py").read_text() == "a\n"
    assert (tmp_path / "there.py").read_text() == "a\n"


def test_no_edit_goes_through_a_symbolic_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.py").write_text("a\n")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "folder").symlink_to(outside)
    (tree / "link.py").symlink_to(outside / "x.py")

    for path in ("folder/x.py", "link.py"):
        with pytest.raises(RefusedError, match="plain"):
            edits.apply([edit(path)], tree)
    with pytest.raises(RefusedError, match="plain"):
        edits.apply([edit("folder/new.py", None, "x")], tree)

    assert list(_files(outside)) == ["x.py"]
    assert (outside / "x.py").read_text() == "a\n"


# --- diff ----------------------------------------------------------------------------------------------


def test_a_diff_reads_as_git_writes_it() -> None:
    change = edit("a b.py", "one\ntwo\nthree", "one\n2\nthree\n")

    assert edits.unified_diff([change]) == (
        "diff --git a/a b.py b/a b.py\n--- a/a b.py\t\n+++ b/a b.py\t\n@@ -1,3 +1,3 @@\n"
        " one\n-two\n-three\n\\ No newline at end of file\n+2\n+three\n"
    )
    assert edits.changed_lines([change]) == 4


_texts = st.none() | st.lists(st.sampled_from(["a", "b", "\r", "-- x", "++ y", "\u2028", "", "\x0c", "é"])).flatmap(
    lambda lines: st.sampled_from(["\n".join(lines), "".join(line + "\n" for line in lines)])
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_texts, _texts), min_size=1, max_size=3))
def test_git_apply_and_apply_make_the_same_files(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str | None, str | None]]
) -> None:
    changes = [Edit(f"d {n}/f{n}.py", before, after) for n, (before, after) in enumerate(pairs) if before != after]
    ours, theirs = tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("theirs")
    for tree in (ours, theirs):
        edits.apply([Edit(change.path, None, change.before) for change in changes], tree)

    edits.apply(changes, ours)
    if changes:
        diff = edits.unified_diff(changes).encode()
        subprocess.run(["git", "apply", "--whitespace=nowarn"], input=diff, cwd=theirs, check=True)

    assert _files(ours) == _files(theirs)


def _files(tree: Path) -> dict[str, bytes]:
    return {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}
