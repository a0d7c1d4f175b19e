"""What keeps a sandbox from working here, and how to mend it."""

from pathlib import Path

_IN_DOCKER = (
    "this is a container: let it make a sandbox with "
    "docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined"
)
_IN_PODMAN = (
    "this is a container: let it make a sandbox with "
    "podman run --security-opt seccomp=unconfined --security-opt unmask=ALL"
)
_SWITCHES = (
    ("proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
    ("proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"),
    (
        "proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "give bwrap an AppArmor profile with userns, or sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)


def mend(root: Path = Path("/")) -> str:
    """What a person can do so that user namespaces work here; empty where nothing is known to be in the way."""
    for name, value, advice in _SWITCHES:
        try:
            if (root / name).read_text().strip() == value:
                return advice
        except OSError:
            continue
    if (root / "run/.containerenv").exists():
        return _IN_PODMAN
    return _IN_DOCKER if (root / ".dockerenv").exists() else ""
