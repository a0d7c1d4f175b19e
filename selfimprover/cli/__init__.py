"""The command line: parse, call, print. One small file a command group."""


def main() -> None:
    """The console script."""
    from selfimprover.cli.app import app

    app()
