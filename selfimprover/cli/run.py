"""``selfimprover run``: the daemon, in the foreground."""

import asyncio
import os
import sys

from selfimprover.cli.handler import handled
from selfimprover.cli.opening import open_app
from selfimprover.cli.options import ConfigOption, DebugOption


@handled
def run(config: ConfigOption = None, debug: DebugOption = False) -> None:
    """Run the daemon in the foreground, for systemd and containers: a night every night, and one at SIGUSR1."""
    from importlib.metadata import version

    from selfimprover.daemon import Service
    from selfimprover.duties import AppDuties
    from selfimprover.memory.folder import DAEMON

    app = open_app(config)
    app.projects()
    duties = AppDuties(app, asked_for=config, debug=debug)
    with app.instance(DAEMON):
        asyncio.run(Service(duties, version("selfimprover")).run())
    sys.stderr.flush()
    os._exit(0)  # signals are blocked by now: what the interpreter would still do, one of them could only spoil
