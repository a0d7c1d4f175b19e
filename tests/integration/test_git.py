"""The git runner and the export of a commit, on real repositories that mean harm."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from selfimprover.git import GitError, export_tree, git


def run(repository: Path, *arguments: str, stdin: bytes | None = None) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", "-C", str(repository), *identity, *arguments]
    return subprocess.run(command, input=stdin, check=True, capture_output=True).stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    run(folder, "init", "-q", "-b", "main")
    return folder


def commit_all(repository: Path) -> str:
    run(repository, "add", "-A")
    run(repository, "commit", "-q", "-m", "all")
    return run(repository, "rev-parse", "HEAD")


def commit_entries(repository: Path, entries: list[tuple[str, str, bytes]]) -> str:
    """A commit of one folder's entries as they stand, even such as git would not add; an id stands for a tree."""
    lines = []
    for mode, name, content in entries:
        kind = {"040000": "tree", "160000": "commit"}.get(mode, "blob")
        made = run(repository, "hash-object", "-w", "--stdin", stdin=content) if kind == "blob" else content.decode()
        lines.append(f"{mode} {kind} {made}\t{name}")
    tree = run(repository, "mktree", "--missing", stdin="\n".join(lines).encode())
    return run(repository, "commit-tree", tree, "-m", "entries")


async def test_a_failure_is_one_line_without_credentials(repository: Path) -> None:
    with pytest.raises(GitError, match="not a valid ref") as caught:
        await git(repository, "show-ref", "--verify", "https://user:pa55word@example.org/x")

    assert caught.value.returncode == 128
    assert "pa55word" not in str(caught.value)
    assert str(caught.value).startswith(f"{repository}: git show-ref: ")


async def test_git_gets_neither_the_environment_nor_the_configuration_of_the_machine(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[user]\nname = somebody\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))

    assert b"somebody" not in await git(repository, "config", "--list")


async def test_a_missing_git_says_so(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))

    with pytest.raises(GitError, match="git is not installed"):
        await git(repository, "rev-parse")


async def test_a_folder_inside_another_repository_is_not_taken_for_it(repository: Path) -> None:
    (repository / "inner").mkdir()

    with pytest.raises(GitError, match="not a git repository"):
        await git(repository / "inner", "rev-parse", "--git-dir")


async def test_a_partial_clone_runs_no_command_to_fetch_what_it_misses(repository: Path, tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    run(repository, "config", "remote.origin.url", f"ext::sh -c touch% {trace}")
    run(repository, "config", "remote.origin.promisor", "true")
    run(repository, "config", "extensions.partialClone", "origin")
    run(repository, "config", "protocol.ext.allow", "always")
    missing = run(repository, "hash-object", "--stdin", stdin=b"never stored")

    with pytest.raises(GitError):
        await git(repository, "cat-file", "-p", missing)

    assert not trace.exists()
    with pytest.raises(GitError):
        await git(repository, "cat-file", "-p", missing, env={"GIT_ALLOW_PROTOCOL": "ext"})
    assert trace.exists()  # the trap works


def signed_commit(repository: Path, kind: str) -> str:
    """A commit that claims a signature; git asks the program for that kind of signature what it is worth."""
    tree = run(repository, "mktree", stdin=b"")
    person = "a <a@example.org> 1771200000 +0000"
    signature = f"gpgsig -----BEGIN {kind}-----\n \n aaaa\n -----END {kind}-----"
    text = f"tree {tree}\nauthor {person}\ncommitter {person}\n{signature}\n\nsigned\n"
    return run(repository, "hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode())


@pytest.mark.parametrize(
    ("settings", "arguments"),
    [
        (["log.showSignature=true", "gpg.program=TRAP"], ["log", "-1", "PGP SIGNATURE"]),
        (["gpg.program=TRAP"], ["verify-commit", "PGP SIGNATURE"]),
        (["gpg.openpgp.program=TRAP"], ["verify-commit", "PGP SIGNATURE"]),
        (["gpg.x509.program=TRAP"], ["verify-commit", "SIGNED MESSAGE"]),
        (["gpg.ssh.program=TRAP", "gpg.ssh.allowedSignersFile=/dev/null"], ["verify-commit", "SSH SIGNATURE"]),
        (["gpg.format=ssh", "gpg.ssh.defaultKeyCommand=TRAP"], ["commit-tree", "-S", "-m", "x", "TREE"]),
        (["commit.gpgSign=true", "gpg.program=TRAP"], ["commit", "--allow-empty", "-m", "x"]),
        (["tag.gpgSign=true", "gpg.program=TRAP"], ["tag", "-f", "-m", "x", "v1", "HEAD"]),
        (["diff.external=TRAP"], ["diff", "HEAD^", "HEAD"]),
        (["core.editor=TRAP"], ["config", "--local", "--edit"]),
        (["core.askPass=TRAP"], ["credential", "fill"]),
        (["credential.helper=TRAP"], ["credential", "fill"]),
        (["core.sshCommand=TRAP"], ["ls-remote", "ssh://example.invalid/x"]),
        (["core.fsmonitor=TRAP"], ["status"]),
        (["core.hooksPath=HOOKS"], ["update-ref", "refs/heads/other", "HEAD"]),
    ],
)
async def test_no_setting_of_the_repository_makes_git_run_a_program(
    repository: Path, tmp_path: Path, settings: list[str], arguments: list[str]
) -> None:
    for text in ("a", "b"):
        (repository / "x").write_text(text)
        commit_all(repository)
    trace, trap = tmp_path / "ran", tmp_path / "hooks/reference-transaction"
    trap.parent.mkdir()
    trap.write_text(f"#!/bin/sh\ntouch {trace}\n")
    trap.chmod(0o755)
    for setting in (*settings, "user.name=a", "user.email=a@example.org"):
        name, _, value = setting.partition("=")
        value = value.replace("TRAP", str(trap)).replace("HOOKS", str(trap.parent))
        run(repository, "config", "--add", name, value)
    signed = {kind: signed_commit(repository, kind) for kind in arguments if "SIGN" in kind}
    command = [*arguments[:-1], signed.get(arguments[-1], arguments[-1].replace("TREE", "HEAD^{tree}"))]
    asked = b"protocol=https\nhost=example.invalid\n\n"
    trace.unlink(missing_ok=True)

    with contextlib.suppress(GitError):
        await git(repository, *command, stdin=asked, env={"GIT_ALLOW_PROTOCOL": "ssh"})

    assert not trace.exists()
    _run_unguarded(repository, command, asked)
    assert trace.exists()  # the trap works


def _run_unguarded(repository: Path, command: list[str], stdin: bytes) -> None:
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null"}
    plain = ["git", "-C", str(repository), *command]
    subprocess.run(plain, input=stdin, capture_output=True, env=env, check=False)


async def test_git_has_no_pager_of_the_repository(repository: Path) -> None:
    run(repository, "config", "core.pager", "evil")

    assert await git(repository, "var", "GIT_PAGER") == b"cat\n"


async def test_export_writes_what_was_committed_whatever_the_attributes_say(repository: Path, tmp_path: Path) -> None:
    (repository / "a b").mkdir()
    (repository / "a b/ü.py").write_bytes(b"a\r\nb $Id$")
    (repository / "run.py").write_bytes(b"")
    (repository / "run.py").chmod(0o755)
    (repository / ".gitattributes").write_text("* text eol=crlf ident export-ignore filter=evil\n")
    (repository / ".gitattributes").chmod(0o600)
    (repository / "large.bin").write_bytes(os.urandom(3_000_000))
    trace = tmp_path / "ran"
    commit = commit_all(repository)
    raw = await git(repository, "cat-file", "blob", f"{commit}:a b/ü.py")
    for filter_ in ("smudge", "process"):
        run(repository, "config", f"filter.evil.{filter_}", f"touch {trace}; cat")

    await export_tree(repository, commit, tmp_path / "tree")

    tree = tmp_path / "tree"
    assert (tree / "a b/ü.py").read_bytes() == raw
    assert (tree / "large.bin").read_bytes() == await git(repository, "cat-file", "blob", f"{commit}:large.bin")
    modes = {path.name: path.stat().st_mode & 0o777 for path in tree.rglob("*") if path.is_file()}
    assert modes == {"ü.py": 0o644, "run.py": 0o755, ".gitattributes": 0o644, "large.bin": 0o644}
    assert not trace.exists()


async def test_export_keeps_only_links_that_stay_inside(repository: Path, tmp_path: Path) -> None:
    (repository / "sub").mkdir()
    (repository / "sub/file").write_text("x")
    links = {
        "good": "sub/file",
        "sub/up": "../sub/file",
        "dangling": "sub/none",
        "absolute": "/etc/passwd",
        "out": "../outside",
        "sub/out": "../../outside",
        "sub/root": "..",
        "by_another": "sub/root/../outside",
    }
    for name, target in links.items():
        (repository / name).symlink_to(target)

    await export_tree(repository, commit_all(repository), tmp_path / "tree")

    tree = tmp_path / "tree"
    kept = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_symlink()}
    assert kept == {"good", "sub/up", "dangling", "sub/root"}


async def test_export_leaves_submodules_out(repository: Path, tmp_path: Path) -> None:
    commit = commit_entries(repository, [("100644", "x", b"x"), ("160000", "module", b"1" * 40)])

    await export_tree(repository, commit, tmp_path / "tree")

    assert [path.name for path in (tmp_path / "tree").iterdir()] == ["x"]


@pytest.mark.parametrize("name", ["..", ".git", ".GIT", "git~1"])
async def test_export_refuses_a_commit_with_a_path_that_is_a_trick(repository: Path, tmp_path: Path, name: str) -> None:
    inner = run(repository, "rev-parse", commit_entries(repository, [("100644", "x", b"x")]) + "^{tree}")
    commit = commit_entries(repository, [("040000", name, inner.encode())])

    with pytest.raises(GitError, match="not safe"):
        await export_tree(repository, commit, tmp_path / "tree")

    assert not (tmp_path / "tree").exists()
    assert not (tmp_path / "x").exists()


async def test_export_refuses_a_name_that_is_both_link_and_folder(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    inner = run(repository, "rev-parse", commit_entries(repository, [("100644", "x", b"x")]) + "^{tree}")
    commit = commit_entries(repository, [("120000", "a", b"../outside"), ("040000", "a", inner.encode())])

    with pytest.raises(GitError, match="two entries"):
        await export_tree(repository, commit, tmp_path / "tree")

    assert list((tmp_path / "outside").iterdir()) == []


async def test_export_says_what_is_wrong(repository: Path, tmp_path: Path) -> None:
    (repository / "x").write_text("x")
    commit = commit_all(repository)
    with pytest.raises(GitError, match="not a commit id"):
        await export_tree(repository, "--output=x", tmp_path / "tree")
    with pytest.raises(GitError, match="ls-tree"):
        await export_tree(repository, "1" * 40, tmp_path / "tree")
    (tmp_path / "file").write_text("")
    with pytest.raises(GitError, match="cannot be written"):
        await export_tree(repository, commit, tmp_path / "file")
    blob = run(repository, "rev-parse", "HEAD:x")
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(GitError, match="content of x is missing"):
        await export_tree(repository, commit, tmp_path / "tree")


async def test_a_cancelled_export_has_stopped_writing(repository: Path, tmp_path: Path) -> None:
    for number in range(300):
        (repository / str(number)).write_bytes(b"x" * 1000)
    commit = commit_all(repository)
    export = asyncio.ensure_future(export_tree(repository, commit, tmp_path / "tree"))
    await asyncio.to_thread(_wait_for, tmp_path / "tree")

    export.cancel()
    with pytest.raises(asyncio.CancelledError):
        await export

    shutil.rmtree(tmp_path / "tree")  # would fail, or leave something, beside a thread that still writes
    assert not (tmp_path / "tree").exists()


def _wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.0001)
