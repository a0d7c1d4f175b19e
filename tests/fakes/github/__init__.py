"""GitHub on loopback, as far as an automation that opens pull requests meets it.

Refs, git objects (with the ids of real git), pull requests, checks, archives, apps and limits behave like GitHub's; its
answers and the bodies it takes are held against githubkit's models. It runs in a thread of its own, so that synchronous
and asynchronous tests use it alike::

    with FakeGitHub() as hub:
        one = hub.repository("octo/app", {"agent/mail.py": "value = 1\\n", "run": executable("#!/bin/sh\\n")})
        client = SomeClient(hub.url, hub.token())       # or hub.classic_token("repo"), or hub.app(…) and hub.install(…)
        ...
        one.merge(1)                                    # a person merges; also close, reopen, commit, push, review …
        one.add_check_run("fix/one", conclusion="failure")
        hub.faults.lose_reply("POST", "/repos/*/pulls") # done, but the answer is lost; see ``faults``
        hub.lag.pull_reads = 2                          # lists show a new pull request only after two more reads
        hub.limits.secondary(retry_after=7)             # see ``limits``; ``min_write_gap`` polices the pace of writes
        hub.clock.move(timedelta(hours=1))              # tokens expire
        assert len(hub.log.select("POST", "/repos/*/pulls")) == 1 and not hub.leaks

The state of a repository (``one.pulls``, ``one.refs``, ``one.archived`` …) is plain data that a test may read and set.
"""

from tests.fakes.github.accounts import ALL_NEEDED, App, Installation
from tests.fakes.github.faults import Fault
from tests.fakes.github.hub import FakeGitHub
from tests.fakes.github.log import Call
from tests.fakes.github.pulls import Pull
from tests.fakes.github.state import File, Repository, executable, submodule, symlink

__all__ = [
    "ALL_NEEDED",
    "App",
    "Call",
    "FakeGitHub",
    "Fault",
    "File",
    "Installation",
    "Pull",
    "Repository",
    "executable",
    "submodule",
    "symlink",
]
