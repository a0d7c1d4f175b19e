"""Archives as codeload makes them: ``git archive`` with the folder ``owner-repo-sha7`` on top."""

import gzip
import tempfile
from pathlib import Path

from tests.fakes.github.git_data import Objects, run_git

_MADE: dict[tuple[str, str], bytes] = {}
"""By top folder and commit: a commit's archive never changes, and many tests ask for the same one."""


def tarball(objects: Objects, commit: str, top: str) -> bytes:
    """The tar.gz of a commit; its pax header names the commit."""
    if (top, commit) not in _MADE:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "refs").mkdir()
            (folder / "HEAD").write_text("ref: refs/heads/main\n")
            objects.write(folder, objects.commits[commit].tree, commit)
            made = run_git(
                [f"--git-dir={folder}", "-c", "tar.umask=0002", "archive", f"--prefix={top}/", "--format=tar", commit]
            )
        _MADE[top, commit] = gzip.compress(made.stdout, 6, mtime=0)
    return _MADE[top, commit]
