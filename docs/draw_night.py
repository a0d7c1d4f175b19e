"""Draws docs/night.svg, the picture in the README, from a real first night of the demo.

.venv/bin/python docs/draw_night.py
"""

import asyncio
import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from selfimprover import logs
from selfimprover.demo.play import play
from selfimprover.reporting.terminal import print_night


def main() -> None:
    """Plays the demo in a temporary folder and records how its first night is printed."""
    logs.set_up(quiet=True)
    silent = Console(file=io.StringIO())
    with tempfile.TemporaryDirectory() as folder:
        first, _second = asyncio.run(play(Path(folder), silent, lambda _step, _detail="": None, kept=False))
    console = Console(record=True, width=118, file=io.StringIO())
    print_night(console, first)
    console.print()
    svg = console.export_svg(title="selfimprover night --at 2026-02-16T00:17")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # nothing is loaded from elsewhere
    Path(__file__).with_name("night.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
