"""Runs a script against a tree, and prints as JSON what it raises. Standard library only.

python -I raising.py TREE SCRIPT
"""

import json
import re
import runpy
import sys
import traceback
from pathlib import Path

DEPLOYED = "/srv/assistant"
"""Where the tree lies on the machine whose telemetry this is meant to be."""
LIBRARY = str(Path(json.__file__).parents[1])


def main() -> None:
    """Prints the error, its traceback, and the frames that are of the tree."""
    tree, script = (str(Path(name).resolve()) for name in sys.argv[1:])
    sys.path.insert(0, tree)
    sys.dont_write_bytecode = True
    try:
        runpy.run_path(script, run_name="__main__")
    except Exception as error:  # noqa: BLE001 - whatever it raises is wanted
        told = traceback.TracebackException.from_exception(error)
        _keep(told, tree, script)
        lines = traceback.format_exception_only(error)
        frames = [(frame.filename.removeprefix(f"{DEPLOYED}/"), frame.lineno, frame.name) for frame in told.stack]
        own = [frame for frame in frames if not frame[0].startswith("/")]
        text = "".join(told.format())
        print(json.dumps({"error": _short(lines[-1], error), "traceback": text, "frames": own}))
        return
    sys.exit(f"{script} raises nothing")


def _short(line: str, error: Exception) -> str:
    """Type and message on one line, with the short name of the type."""
    return f"{type(error).__name__}: {error}" if str(error) else line.strip()


def _keep(told: traceback.TracebackException, tree: str, script: str) -> None:
    """Only the frames from the tree on, under the names of the other machine."""
    deeper = list(told.stack)
    while deeper and not deeper[0].filename.startswith(tree):
        del deeper[0]
    told.stack = traceback.StackSummary.from_list([_moved(frame, tree) for frame in deeper if frame.filename != script])
    for further in (told.__cause__, told.__context__):
        if further is not None:
            _keep(further, tree, script)


def _moved(frame: traceback.FrameSummary, tree: str) -> traceback.FrameSummary:
    name = frame.filename
    for place, other in ((tree, DEPLOYED), (LIBRARY, "/usr/lib/python3.11")):
        name = re.sub(f"^{re.escape(place)}", other, name)
    return traceback.FrameSummary(name, frame.lineno, frame.name, line=frame.line)


if __name__ == "__main__":
    main()
