"""``python -m selfimprover``."""

from selfimprover.cli import main

main()
