"""What runs in a sandbox gets no more than its limits, and nothing of it lives on."""

import asyncio
import subprocess

import pytest

from tests.integration.escapes import BEATING, DAEMONS, MIB, Place, beating, lives

# --- limits --------------------------------------------------------------------------------------------


async def test_at_the_deadline_everything_is_dead(held: Place) -> None:
    ending, _ = await held.run(DAEMONS + "beat()", timeout=3.0)

    assert ending.status is None
    assert len(list(held.inside.glob("beat-*"))) == 3
    assert not lives(held.inside)


async def test_daemons_do_not_outlive_the_command(held: Place) -> None:
    ending, _ = await held.run(DAEMONS + "time.sleep(0.3)", timeout=20.0)

    assert ending.status == 0
    assert ending.seconds < 15
    assert not lives(held.inside)


async def test_a_cancelled_run_is_dead(held: Place) -> None:
    running = asyncio.ensure_future(held.run(DAEMONS + "beat()"))
    await beating(held.inside)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert not lives(held.inside)


async def test_a_fork_bomb_fizzles_out(held: Place) -> None:
    ending, _ = await held.run(
        BEATING
        + """
while True:
    try:
        if os.fork() == 0:
            time.sleep(0.01)
    except OSError:
        open("refused", "w").close()
""",
        timeout=4.0,
        processes=40,
    )

    assert ending.status is None or ending.why == "processes"
    assert (held.inside / "refused").exists()
    assert ending.seconds < 20


@pytest.mark.parametrize("action", ["os.truncate(file.fileno(), 10 << 30)", "file.write(block)"])
async def test_no_file_grows_beyond_its_limit(held: Place, action: str) -> None:
    ending, _ = await held.run(
        f"""
block = b"x" * (1 << 20)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open("large", "wb", 0) as file:
    try:
        for _ in range(10240):
            {action}
    except OSError as error:
        sys.exit(0 if error.errno == errno.EFBIG else 1)
""",
        file_size=8 * MIB,
    )

    assert ending.status == 0
    assert (held.inside / "large").stat().st_size <= 8 * MIB


FILLERS = {
    "many files": """open(f"part-{number}", "wb").write(block)""",
    "files without a name": """
    held.append(open("part", "wb"))
    held[-1].write(block)
    held[-1].flush()
    os.unlink("part")""",
    "a closed folder": """
    os.makedirs("closed", exist_ok=True)
    os.chmod("closed", 0o700)
    open(f"closed/part-{number}", "wb").write(block)
    os.chmod("closed", 0)""",
}


@pytest.mark.parametrize("filler", FILLERS)
async def test_a_workspace_does_not_fill_the_disk(held: Place, filler: str) -> None:
    ending, _ = await held.run(
        f"""
block, held = b"x" * (4 << 20), []
for number in range(4000):
    {FILLERS[filler]}
    time.sleep(0.02)
""",
        workspace=64 * MIB,
        timeout=30.0,
    )

    assert (ending.status, ending.why) == (137, "workspace size")


async def test_folders_do_not_become_too_deep_to_remove(held: Place) -> None:
    ending, _ = await held.run('for _ in range(3000):\n    os.mkdir("d" * 50)\n    os.chdir("d" * 50)\n')

    assert ending.why == "depth of folders"
    assert await asyncio.to_thread(subprocess.call, ["rm", "-r", str(held.inside / ("d" * 50))]) == 0


async def test_a_flood_of_output_is_cut_off(held: Place) -> None:
    ending, _ = await held.shell("while :; do echo flood flood flood flood; done", file_size=MIB, timeout=30.0)

    assert ending.why == "output"
    assert held.output.stat().st_size <= MIB


async def test_one_process_gets_no_more_memory_than_all_may_have(held: Place) -> None:
    ending, printed = await held.run('held = b"x" * (1 << 30)\nprint("held")')

    assert ending.status
    assert "held" not in printed.splitlines()


async def test_many_processes_get_no_more_memory_than_all_may_have(held: Place) -> None:
    await held.run(
        """
reading, writing = os.pipe()
for _ in range(8):
    if os.fork() == 0:
        held = b"x" * (64 << 20)
        os.write(writing, b"1")
        time.sleep(60)
signal.signal(signal.SIGCHLD, lambda *_: os._exit(3))
for _ in range(8):
    os.read(reading, 1)
time.sleep(0.5)
open("together", "w").close()
"""
    )

    assert not (held.inside / "together").exists()


@pytest.mark.parametrize("folder", ["/dev/shm", "/tmp"])
async def test_files_in_memory_are_limited_as_well(held: Place, folder: str) -> None:
    ending, printed = await held.run(
        f"""
written = 0
try:
    for number in range(1000):
        written += open({folder!r} + f"/part-{{number}}", "wb").write(b"x" * (4 << 20))
except OSError:
    print("full")
print(written)
"""
    )

    assert ending.why == "memory" or printed.startswith("full") or ending.status == 137
    assert not printed[-20:].strip().endswith(str(4000 * MIB))


async def test_endings_are_told_apart(held: Place) -> None:
    endings = [await held.shell(command) for command in ("true", "exit 3", "kill -TERM $$", "no-such-program")]

    assert [ending.status for ending, _ in endings] == [0, 3, 143, 127]
    assert {ending.why for ending, _ in endings} == {""}
