"""Tries to get out. A program of its own, run inside a sandbox by the probe: any Python 3.8 or newer, nothing else.

It says what it tried and what came of it, in a file of its working directory. The judgement is made outside.
Arguments: what to do, and for the attempts what there is to reach, as JSON.
"""

import ctypes
import json
import os
import signal
import socket
import sys
import time
from typing import Any, Callable

_CLONE_NEWUSER = 0x10000000
_PTRACE_ATTACH = 16
_CANARY = "SELFIMPROVER_CANARY="
_SHARES = 4


def attempts(targets: "dict[str, Any]") -> None:
    """Everything that is over in a moment. What worked is told as it is, what did not as its error.

    Each result is written down at once: the attempts at the end may be this program's last.
    """
    results = {}
    for name, action in (
        ("tcp", lambda: _connect(socket.AF_INET, ("127.0.0.1", targets["tcp"]))),
        ("udp", lambda: _send(("127.0.0.1", targets["udp"]))),
        ("abstract", lambda: _connect(socket.AF_UNIX, "\0" + targets["abstract"])),
        ("sockets", lambda: {path: _connect(socket.AF_UNIX, path) for path in targets["sockets"]}),
        ("writes", lambda: {path: _write(path) for path in targets["writes"]}),
        ("reads", lambda: {path: _read(path) for path in targets["reads"]}),
        ("environments", _environments),
        ("signal", lambda: _signal(targets["pid"])),
        ("namespace", _namespace),
        ("ptrace", _ptrace),
        ("memory", lambda: _allocate(targets["memory"])),
        ("processes", lambda: _fork(targets["processes"])),
    ):
        results[name] = action()
        with open("results.new", "w") as file:
            json.dump(results, file)
        os.replace("results.new", "results")


def share(size: int) -> None:
    """Several processes hold ``size`` bytes each, at the same time; says so once all of them do."""
    with open("began", "w") as file:
        file.write("began")
    signal.signal(signal.SIGCHLD, lambda *_: os._exit(3))  # one of them was ended for what it held
    reading, writing = os.pipe()
    for _ in range(_SHARES):
        if not os.fork():
            held = b"x" * size
            os.write(writing, b"1")
            time.sleep(60 + len(held[:1]))
            os._exit(0)
    told = 0
    while told < _SHARES:
        told += len(os.read(reading, 1))
    time.sleep(0.3)
    with open("together", "w") as file:
        file.write("held")
    os.killpg(0, signal.SIGKILL)


def stay() -> None:
    """Leaves an orphan in a session of its own that ignores what it can, and shows that it lives."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if not os.fork():
        os.setsid()
        if os.fork():
            os._exit(0)
    beat = 0
    while True:
        beat += 1
        with open(f"beat-{os.getpid()}", "w") as file:
            file.write(str(beat))
        time.sleep(0.01)


def _connect(family: int, address: "tuple[str, int] | str") -> str:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as one:
            one.settimeout(1)
            one.connect(address)
            return "connected"
    except OSError as error:
        return _refusal(error)


def _send(address: "tuple[str, int]") -> str:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.sendto(b"out", address)
            return "sent"
    except OSError as error:
        return _refusal(error)


def _write(path: str) -> str:
    try:
        with open(path, "w") as file:
            file.write("written from inside")
        return "written"
    except OSError as error:
        return _refusal(error)


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return "read: " + file.read(64).decode("latin-1")
    except OSError as error:
        return _refusal(error)


def _environments() -> "list[str]":
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/%s/environ" % entry, "rb") as file:
                    variables = file.read().decode("latin-1").split("\0")
            except OSError:
                continue
            found += [one for one in variables if one.startswith(_CANARY)]
    return found


def _signal(pid: int) -> str:
    if pid in (os.getpid(), os.getppid(), 1):
        return "no such process: its number is one of ours"
    try:
        os.kill(pid, signal.SIGKILL)
        return "sent"
    except OSError as error:
        return _refusal(error)


def _namespace() -> str:
    return _in_a_child(lambda: _called("unshare", ctypes.c_int(_CLONE_NEWUSER)))


def _ptrace() -> str:
    child = os.fork()
    if not child:
        time.sleep(10)
        os._exit(0)
    try:
        zero = ctypes.c_void_p(0)
        return _called("ptrace", ctypes.c_long(_PTRACE_ATTACH), ctypes.c_int(child), zero, zero)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _called(name: str, *arguments: object) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long
    if getattr(libc, name)(*arguments) == -1:
        return "refused: " + os.strerror(ctypes.get_errno())
    return "done"


def _allocate(size: int) -> str:
    def hold() -> str:
        try:
            return "held %d" % len(b"x" * size)
        except MemoryError:
            return "refused: out of memory"

    return _in_a_child(hold)


def _fork(most: int) -> int:
    """How many processes could be started at once, of ``most``."""
    children = []
    try:
        for _ in range(most):
            child = os.fork()
            if not child:
                time.sleep(60)
                os._exit(0)
            children.append(child)
    except OSError:
        pass
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return len(children)


def _in_a_child(action: "Callable[[], str]") -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, action().encode())
        os._exit(0)
    os.close(writing)
    said = b""
    while True:
        part = os.read(reading, 4096)
        if not part:
            break
        said += part
    os.close(reading)
    os.waitpid(child, 0)
    return said.decode() or "refused: it was killed"


def _refusal(error: OSError) -> str:
    return "refused: %s" % (error.strerror or error)


def main() -> None:
    """Does what the first argument names."""
    if sys.argv[1] == "attempts":
        attempts(json.loads(sys.argv[2]))
    elif sys.argv[1] == "share":
        share(int(sys.argv[2]))
    else:
        stay()


if __name__ == "__main__":
    main()
