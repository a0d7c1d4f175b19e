"""The parts of a sandbox that can be judged without one: filter, control groups, interpreters, advice."""

import json
import os
import struct
import subprocess
from pathlib import Path

import pytest

from selfimprover.errors import UsageError
from selfimprover.verification import cgroups, seccomp, surroundings
from selfimprover.verification.interpreters import exposed
from selfimprover.verification.watch import _descendants_by_parent, descendants, size

ALLOWED, KILLED = 0x7FFF0000, 0x80000000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def _verdict(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """What the kernel would answer: classic BPF as bpf(4) describes it, for the instructions of the filter."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    code = list(struct.iter_unpack("=HBBI", program))
    held, place = 0, 0
    while True:
        operation, yes, no, value = code[place]
        place += 1
        if operation == 0x20:
            held = struct.unpack_from("=I", data, value)[0]
        elif operation == 0x06:
            return int(value)
        else:
            holds = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[operation]
            place += yes if holds else no


def _refused(number: int) -> int:
    return 0x00050000 | number


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_filter_refuses_what_leads_out_and_nothing_that_programs_need(machine: str) -> None:
    program = seccomp.program(machine, memory_is_counted=True)
    column = list(ARCHITECTURES).index(machine)

    def answer(numbers: tuple[int, int], *arguments: int) -> int:
        return _verdict(program, ARCHITECTURES[machine], numbers[column], *arguments)

    assert answer((101, 117)) == _refused(1)  # ptrace
    assert answer((321, 280)) == _refused(1)  # bpf
    assert answer((435, 435)) == _refused(38)  # clone3: libraries take clone instead
    assert answer((56, 220), 0x10000000) == _refused(1)  # clone with a new user namespace
    assert answer((56, 220), 0x003D0F00) == ALLOWED  # clone as a thread is made
    assert answer((16, 29), 0, 0x5412) == _refused(1)  # TIOCSTI
    assert answer((16, 29), 0, 0x5413) == ALLOWED  # TIOCGWINSZ
    assert [answer((41, 198), family) for family in (1, 2, 10, 16)] == [ALLOWED] * 4
    assert [answer((41, 198), family) for family in (17, 38, 40)] == [_refused(97)] * 3
    assert [answer(numbers) for numbers in ((0, 63), (1, 64), (59, 221), (57, 1079))] == [ALLOWED] * 4


def test_foreign_architectures_are_ended() -> None:
    program = seccomp.program("x86_64", memory_is_counted=True)

    assert _verdict(program, 0x40000003, 20) == KILLED  # a 32-bit program
    assert _verdict(program, ARCHITECTURES["x86_64"], 0x40000000 | 39) == KILLED  # x32
    assert _verdict(program, ARCHITECTURES["aarch64"], 39) == KILLED


def test_memory_that_nobody_counts_is_refused() -> None:
    counted, uncounted = (seccomp.program("x86_64", memory_is_counted=held) for held in (True, False))

    assert _verdict(counted, ARCHITECTURES["x86_64"], 319) == ALLOWED
    assert _verdict(uncounted, ARCHITECTURES["x86_64"], 319) == _refused(1)


def test_the_profile_for_containers_names_the_same_calls() -> None:
    rules = json.loads(seccomp.profile(memory_is_counted=True))["syscalls"]

    assert {"ptrace", "bpf", "unshare", "mount", "io_uring_setup"} <= set(rules[0]["names"])
    families = {rule["args"][0]["value"] for rule in rules if rule["names"] == ["socket"]}
    assert not families & {1, 2, 10}


# --- control groups


def _machine(root: Path, own: str, mounts: str) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(own)
    (root / "proc/self/mountinfo").write_text(mounts)
    return root


def test_groups_of_version_2_are_made_where_both_controllers_are_handed_down(tmp_path: Path) -> None:
    root = _machine(tmp_path, "0::/unit/daemon\n", "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    unit = root / "sys/fs/cgroup/unit"
    (unit / "daemon").mkdir(parents=True)
    (unit / "daemon/cgroup.subtree_control").write_text("\n")
    (unit / "cgroup.subtree_control").write_text("memory pids\n")

    assert cgroups.parents(root) == {"pids": str(unit), "memory": str(unit)}


def test_groups_of_version_1_are_made_beneath_our_own(tmp_path: Path) -> None:
    mounts = "".join(
        f"3{number} 1 0:2{number} / /sys/fs/cgroup/{name} rw - cgroup cgroup rw,{name}\n"
        for number, name in enumerate(("pids", "memory", "cpu"))
    )
    root = _machine(tmp_path, "8:pids:/\n4:memory:/ours\n1:cpu:/\n", mounts)
    for folder in ("pids", "memory/ours", "cpu"):
        (root / "sys/fs/cgroup" / folder).mkdir(parents=True)

    held = {"pids": str(root / "sys/fs/cgroup/pids"), "memory": str(root / "sys/fs/cgroup/memory/ours")}
    assert {name: str(Path(folder)) for name, folder in cgroups.parents(root).items()} == held


def test_what_systemd_has_not_delegated_is_left_alone(tmp_path: Path) -> None:
    root = _machine(tmp_path, "0::/unit\n", "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    (root / "sys/fs/cgroup/unit").mkdir(parents=True)
    (root / "sys/fs/cgroup/unit/cgroup.subtree_control").write_text("memory pids\n")
    (root / "run/systemd/system").mkdir(parents=True)

    assert cgroups.parents(root) == {}


def test_groups_that_a_killed_supervisor_left_are_removed_and_others_are_not(tmp_path: Path) -> None:
    kept = [f"selfimprover-{os.getpid()}-1", "somebody-else"]
    for name in (*kept, "selfimprover-999999999-1"):
        (tmp_path / name).mkdir()

    cgroups.sweep({"pids": str(tmp_path), "memory": str(tmp_path)})

    assert sorted(one.name for one in tmp_path.iterdir()) == kept


# --- interpreters


def test_a_virtual_environment_brings_its_interpreter_under_every_name(tmp_path: Path) -> None:
    real, named, environment = tmp_path / "python-3.12.1", tmp_path / "python-3.12", tmp_path / "venv"
    for folder in (real / "bin", environment / "bin"):
        folder.mkdir(parents=True)
    (real / "bin/python3").touch()
    named.symlink_to(real)
    (environment / "bin/python3").symlink_to(named / "bin/python3")
    (environment / "pyvenv.cfg").write_text(f"home = {named}/bin\nversion = 3.12.1\n")

    assert set(exposed([environment])) == {environment, real, named}


def test_an_interpreter_in_a_home_does_not_bring_the_home_along(tmp_path: Path) -> None:
    real, local, environment = tmp_path / "python-3.12", tmp_path / "home/.local", tmp_path / "venv"
    for folder in (real / "bin", local / "bin", environment / "bin"):
        folder.mkdir(parents=True)
    (real / "bin/python3").touch()
    (local / "bin/python3").symlink_to(real / "bin/python3")
    (environment / "bin/python3").symlink_to(local / "bin/python3")
    (environment / "pyvenv.cfg").write_text(f"home = {local}/bin\n")

    assert set(exposed([environment])) == {environment, real}


@pytest.mark.parametrize("folder", ["/", "/etc", "/proc/self", "/run", "~", "~/.."])
def test_what_is_no_tool_is_not_shown(folder: str) -> None:
    with pytest.raises(UsageError, match="would be shown to the tests"):
        exposed([Path(folder).expanduser()])


def test_the_system_is_shown_anyway() -> None:
    assert exposed([Path("/usr"), Path("/usr/local")]) == ()


# --- advice, and the size of a workspace


@pytest.mark.parametrize(
    ("files", "advice"),
    [
        ({}, ""),
        ({".dockerenv": ""}, "systempaths=unconfined"),
        ({"run/.containerenv": ""}, "unmask=ALL"),
        ({"proc/sys/user/max_user_namespaces": "0\n"}, "sysctl user.max_user_namespaces"),
        ({"proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"}, "AppArmor"),
    ],
)
def test_advice_fits_what_is_in_the_way(tmp_path: Path, files: dict[str, str], advice: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    assert advice in surroundings.mend(tmp_path)
    assert bool(advice) == bool(surroundings.mend(tmp_path))


def test_the_size_of_a_workspace_follows_no_link_and_counts_files_without_content(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "large").write_bytes(b"x" * (1 << 20))
    (tmp_path / "inside/link").symlink_to(tmp_path)
    empty = size(str(tmp_path / "inside"), 1 << 30)
    for number in range(100):
        (tmp_path / "inside" / str(number)).touch()

    assert empty < 1 << 16
    assert size(str(tmp_path / "inside"), 1 << 30) - empty >= 100 * 1024


def test_descendants_are_found_with_and_without_the_kernels_list_of_children() -> None:
    with subprocess.Popen(["/bin/sh", "-c", "sleep 60 & echo started; wait"], stdout=subprocess.PIPE) as shell:
        assert shell.stdout is not None
        shell.stdout.readline()
        found = [set(look(shell.pid)) for look in (descendants, _descendants_by_parent)]
        for pid in found[1]:
            os.kill(pid, 9)

    assert found[0] == found[1]
    assert len(found[0]) == 1
