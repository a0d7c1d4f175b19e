"""What runs in a sandbox stays there: every way out is tried from inside, in every sandbox that this machine has."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from selfimprover.verification.bare import Bare
from selfimprover.verification.choosing import choose
from selfimprover.verification.interpreters import exposed
from selfimprover.verification.probe import Probed, probe
from selfimprover.verification.sandbox import Ending, Job, Kind, Limits
from tests.integration import container_image
from tests.integration.backends import Backend, bubblewrap, container
from tests.integration.escapes import DAEMONS, ESCAPES, Place, beating, ends, place

HERE = Path(__file__)
USER = 1001


# --- the way out ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("escape", ESCAPES)
async def test_nothing_gets_out(held: Place, escape: str) -> None:
    assert await ESCAPES[escape](held) == ""


@pytest.mark.parametrize("escape", ESCAPES)
async def test_an_open_sandbox_is_found_out_by_each_attack(bare: Place, escape: str) -> None:
    assert await ESCAPES[escape](bare) != ""


async def test_a_sandbox_proves_itself_line_by_line(backend: Backend) -> None:
    probed = await probe(*backend)

    assert [line for line in probed if not line.held] == []
    assert len(probed) == 14


async def test_an_open_sandbox_fails_the_probe() -> None:
    probed = await probe(Bare(), sys.executable, ())

    open_lines = {line.name for line in probed if not line.held}
    assert open_lines >= {
        *("network, TCP", "network, UDP", "abstract sockets", "sockets in the file system", "writes outside"),
        *("secrets in files", "environment of others", "signals to others", "nested namespaces", "ptrace"),
    }


class _Pretender:
    """Runs nothing, and says that all went well: what firejail did inside a container, but for the command."""

    name = "pretender"

    def key(self) -> str:
        return ""

    async def run(self, job: Job, limits: Limits) -> Ending:
        return Ending(0, 0.0)


async def test_an_exit_status_proves_nothing() -> None:
    probed = await probe(_Pretender(), sys.executable, ())

    assert [line.held for line in probed] == [False]


async def test_without_a_sandbox_there_is_nothing_to_run_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    chosen = await choose(Kind.AUTO)

    assert chosen.sandbox is None
    assert chosen.problem.startswith("bubblewrap: bubblewrap is not installed; container: no image is named")
    assert "install the package bubblewrap" in chosen.mend


async def test_a_bare_run_is_chosen_only_by_its_name() -> None:
    kinds = [kind for kind in Kind if isinstance((await choose(kind)).sandbox, Bare)]

    assert kinds == [Kind.NONE]


async def test_a_sandbox_that_does_not_hold_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selfimprover.verification.choosing.Bubblewrap", Bare)

    chosen = await choose(Kind.AUTO)

    assert chosen.sandbox is None
    assert "bubblewrap does not hold: network, TCP" in chosen.problem
    assert Probed("ptrace", held=False, detail="done") in chosen.probed


async def test_a_container_is_the_second_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    found = container("podman")
    if isinstance(found, str):
        pytest.skip(found)
    monkeypatch.setattr("selfimprover.verification.choosing.Bubblewrap", Bare)

    chosen = await choose(Kind.AUTO, image=container_image.NAME)

    assert chosen.sandbox is not None
    assert (chosen.sandbox.name, chosen.problem) == ("podman", "")


# --- what it gets --------------------------------------------------------------------------------------


async def test_a_job_sees_its_environment_and_its_folders_under_their_names(held: Place) -> None:
    ending, printed = await held.run(
        """
print(json.dumps([sorted(os.environ), os.getcwd(), open(readable + "/file").read()]))
open("result", "w").write("made inside")
"""
    )

    names, folder, shown = eval(printed)
    assert ending.status == 0
    ours = set(names) - {"PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE", "TERM", "container", "HOSTNAME"}
    assert {name for name in ours if not name.lower().endswith("_proxy")} == {"PATH", "HOME", "LANG"}
    assert (folder, shown) == (str(held.inside), "shown")
    assert (held.inside / "result").read_text() == "made inside"


async def test_the_second_run_of_a_workspace_may_change_what_came_meanwhile(held: Place) -> None:
    await held.shell("echo first > made")
    (held.inside / "patched").write_text("by us")

    ending, _ = await held.shell("echo second > made && echo changed > patched")

    assert ending.status == 0
    assert (held.inside / "patched").read_text() == "changed\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="is about root")
async def test_a_job_of_root_is_nobody(held: Place) -> None:
    await held.shell("touch made")

    assert (held.inside / "made").stat().st_uid not in {0, USER}


async def test_loopback_works_inside(held: Place) -> None:
    ending, printed = await held.run(
        """
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
client.sendall(b"inside")
print(server.accept()[0].recv(9))
"""
    )

    assert (ending.status, printed) == (0, "b'inside'\n")


async def test_the_network_is_there_only_when_asked_for() -> None:
    found = bubblewrap()
    if isinstance(found, str):
        pytest.skip(found)
    sandbox, python, shown = found
    with place(*found) as made, socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
        job = Job(
            command=f'{python} -I -S -c "{code}"',
            folder=made.inside,
            env={"PATH": "/usr/bin:/bin"},
            output=made.output,
            writable=(made.inside,),
            readable=shown,
        )
        without = await sandbox.run(job, Limits(timeout=20))
        wanted = await sandbox.run(replace(job, network=True), Limits(timeout=20))

    assert (without.status, wanted.status) == (1, 0)


# --- whoever dies --------------------------------------------------------------------------------------


_DAEMON = """
import asyncio, sys
from pathlib import Path
from selfimprover.verification.sandbox import Job, Limits
from tests.integration.backends import BACKENDS
root, backend = Path(sys.argv[1]), sys.argv[2]
sandbox, python, shown = BACKENDS[backend]()
inside = root / "inside"
job = Job(command=f"{python} -I -S {inside}/attack.py", folder=inside, env={"PATH": "/usr/bin:/bin"},
    output=root / "output", writable=(inside,), readable=shown)
asyncio.run(sandbox.run(job, Limits(timeout=600)))
"""


def _child_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _remove_containers_of(runner: str, pid: int) -> None:
    """Only what that process started: others may have containers on this machine."""
    asked = [runner, "ps", "--all", "--quiet", "--filter", f"name=^selfimprover-{pid}-"]
    found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    for one in found:
        subprocess.run([runner, "rm", "--force", one], check=True, capture_output=True)


@pytest.mark.parametrize("victim", ["daemon", "supervisor"])
async def test_nothing_outlives_a_killed_daemon_or_supervisor(held: Place, victim: str) -> None:
    (held.inside / "attack.py").write_text(
        "import os, signal, time\n" + DAEMONS + "beat()",
    )
    daemon = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _DAEMON, str(held.root), held.sandbox.name), cwd=HERE.parents[2]
    )
    await beating(held.inside)

    os.kill(daemon.pid if victim == "daemon" else _child_of(daemon.pid), signal.SIGKILL)
    if victim == "supervisor" and held.sandbox.name != "bubblewrap":
        daemon.kill()
        await daemon.wait()
        await asyncio.to_thread(_remove_containers_of, held.sandbox.name, daemon.pid)
        pytest.skip("a container engine keeps what it started; its clean-up is the supervisor's")
    await daemon.wait()

    assert await asyncio.to_thread(ends, held.inside)


# --- as an ordinary user -------------------------------------------------------------------------------


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_all_of_this_holds_for_an_ordinary_user(tmp_path: Path) -> None:
    repository = HERE.parents[2]
    suite = [str(HERE), str(HERE.with_name("test_sandbox_limits.py"))]
    needed = {str(one) for one in (*exposed([Path(sys.prefix)]), Path(sys.prefix).parent, repository)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suite, "-k", "bubblewrap or open"]
    ours = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    become = [sys.executable, str(repository / "tests" / "as_user.py"), str(USER), *sorted(needed), "--"]

    done = subprocess.run(
        [*become, *command], cwd=repository, env=ours, capture_output=True, text=True, timeout=500, check=False
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
