"""The command line: parse, call, print. One small file a command group."""

import io


def main() -> None:
    """The console script."""
    import sys

    from selfimprover.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character is no reason to fail
    app()
