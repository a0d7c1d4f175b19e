"""The sandboxes that this machine has, or why it lacks one."""

import functools
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from selfimprover.errors import SelfImproverError
from selfimprover.verification.bubblewrap import Bubblewrap
from selfimprover.verification.container import Container
from selfimprover.verification.interpreters import exposed
from selfimprover.verification.sandbox import Sandbox
from tests.integration import container_image

Backend = tuple[Sandbox, str, tuple[Path, ...]]


@functools.cache
def bubblewrap() -> Backend | str:
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed"
    readable = exposed([Path(sys.prefix)])
    return Bubblewrap(), sys.executable, readable


@functools.cache
def container(runner: str) -> Backend | str:
    if not shutil.which(runner):
        return f"{runner} is not installed"
    try:
        container_image.build(runner)
        return Container(runner, container_image.NAME), "python3", ()
    except (subprocess.CalledProcessError, SelfImproverError) as error:
        return f"{runner} cannot be used here: {error}"


BACKENDS: dict[str, Callable[[], Backend | str]] = {
    "bubblewrap": bubblewrap,
    "podman": functools.partial(container, "podman"),
    "docker": functools.partial(container, "docker"),
}
