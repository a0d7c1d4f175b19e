"""What the supervisor is told, and what it tells. Only what is quick to import: it is a program of its own."""

import marshal


class Orders:
    """Everything about one run; built by ``supervision.py``, obeyed by ``supervisor.py``."""

    def __init__(
        self,
        *,
        parent: int,
        argv: list[str],
        grace: float,
        rlimits: list[tuple[int, int]],
        group_name: str,
        groups: dict[str, str],
        memory: int,
        processes: int,
        watched: list[str],
        workspace: int,
        uid: int,
        owner: int,
        sources: list[str],
        afterwards: list[str],
    ) -> None:
        self.parent = parent
        """Who started the supervisor; without it, nothing goes on."""
        self.argv = argv
        self.grace = grace
        """Seconds between asking processes to end and ending them."""
        self.rlimits = rlimits
        self.group_name = group_name
        self.groups = groups
        """In which folder a control group is made, for ``pids`` and ``memory``."""
        self.memory = memory
        """Bytes of all processes together; 0 is no limit."""
        self.processes = processes
        """How many processes there may be at once; 0 is no limit."""
        self.watched = watched
        """Folders that may hold ``workspace`` bytes in all; 0 is no limit."""
        self.workspace = workspace
        self.uid = uid
        """Whom the command runs as; 0: as ourselves."""
        self.owner = owner
        """Who gets the folders of ``watched``; 0: they stay ours."""
        self.sources = sources
        """Folders that ``argv`` mounts, which that user perhaps cannot reach by their paths."""
        self.afterwards = afterwards
        """A command to run when everything has ended, if any."""

    def dump(self) -> bytes:
        """As bytes that ``load`` reads."""
        return marshal.dumps(vars(self))

    @classmethod
    def load(cls, data: bytes) -> "Orders":
        """What ``dump`` wrote."""
        return cls(**marshal.loads(data))  # noqa: S302 - from our own parent, by a file that nobody else has


def account(why: str, fault: str) -> bytes:
    """The supervisor's last word: which limit ended the run, and what kept it from starting."""
    return marshal.dumps((why, fault))


def read_account(data: bytes) -> tuple[str, str]:
    """What ``account`` wrote."""
    why, fault = marshal.loads(data)  # noqa: S302 - from our own supervisor, by a file that nobody else has
    return str(why), str(fault)
