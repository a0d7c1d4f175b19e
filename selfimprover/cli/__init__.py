"""The command line: parse, call, print. One small file a command group."""

import io


def main() -> None:
    """The console script."""
    import sys

    if sys.argv[1:2] == ["run"]:
        _keep_signals_back()
    from selfimprover.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character is no reason to fail
    app()


def _keep_signals_back() -> None:
    """Lets signals wait until the daemon has handlers for them: its libraries take half a second to load."""
    import signal

    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP))
