"""A plugin of pytest that notes what each test did, so that nobody can change it afterwards.

Every line goes straight to a file that was opened before any code of the project was imported. The lines are sealed by
one running HMAC. Its key came in a file that is gone by then: the code under test finds it neither on disk nor in the
environment, and pytest itself does not know it. The first session takes the key; sessions that tests start have none.
"""

import hmac
import json
import os
import traceback

import pytest

_FOLDER = os.path.dirname(os.environ.get("SELFIMPROVER_JUNIT", ""))
_MOST = 20_000


def _witness(folder):
    """A function that notes one fact, or ``None`` if this session is none that is to be judged."""
    try:
        with open(os.path.join(folder, "key"), "rb") as file:
            key = file.read()
        os.unlink(file.name)
        sink = os.open(os.path.join(folder, "record"), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    seal, owner = hmac.new(key, digestmod="sha256"), os.getpid()

    def note(**fact):
        if os.getpid() != owner:
            return
        line = json.dumps(fact).encode("ascii")
        seal.update(line)
        os.write(sink, seal.copy().hexdigest().encode("ascii") + b" " + line + b"\n")

    return note


class _Plugin:
    """Notes phases of tests, collections that failed, and the end of the session."""

    def __init__(self, note):
        self.note = note
        self.worker = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config):
        self.worker = hasattr(config, "workerinput")  # of pytest-xdist: the controller hears of everything

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """Keeps the plain traceback: what pytest shows of a failure depends on its options."""
        outcome = yield
        if call.excinfo is not None:
            raised = call.excinfo
            lines = traceback.format_exception(raised.type, raised.value, raised.tb)
            outcome.get_result().selfimprover_text = "".join(lines)[-_MOST:]

    def pytest_runtest_logreport(self, report):
        self._tell("phase", report)

    def pytest_collectreport(self, report):
        if report.failed:
            self._tell("collection", report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session, exitstatus):
        if not self.worker:
            self.note(kind="finish", status=int(exitstatus))

    def _tell(self, kind, report):
        if self.worker:
            return
        text = ""
        if report.failed:
            text = getattr(report, "selfimprover_text", "") or str(getattr(report, "longreprtext", ""))[-_MOST:]
        self.note(kind=kind, id=report.nodeid, when=getattr(report, "when", ""), outcome=report.outcome, text=text)


_note = _witness(_FOLDER)


def pytest_configure(config):
    """Registers the plugin, once, in the session that took the key."""
    global _note
    if _note is not None:
        note, _note = _note, None
        note(kind="start")
        config.pluginmanager.register(_Plugin(note), "selfimprover-witness-session")
