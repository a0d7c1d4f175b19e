import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import IsolatedAsyncioTestCase

from selfimprover.telemetry.recorder import Recorder

from assistant.gateway import GatewayTimeout
from assistant.runner import Plan, PlanClock, PlannedTask, Runner

NOON = datetime(2026, 2, 2, 12, tzinfo=UTC)
SYNC = PlannedTask(NOON, "inbox.sync", {"mailbox": "INBOX"}, 3)
REMIND = PlannedTask(NOON + timedelta(minutes=1), "calendar.remind", {"event": "Lunch", "minutes": 15}, 2)
DIGEST = PlannedTask(NOON + timedelta(minutes=2), "digest.daily", {"id": "digest"}, 5)


class ScriptedPoller:
    """Gives one inbox after another; an error is raised."""

    def __init__(self, *answers: list[int] | OSError) -> None:
        self._answers = list(answers)

    async def poll(self) -> list[int]:
        answer = self._answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer


class BrokenGateway:
    async def summarise(self, text: str, *, reference: str) -> str:
        raise GatewayTimeout("504 Gateway Timeout")


class RunnerTest(IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.database = Path(folder.name) / "tasks.db"

    async def run_tasks(self, poller: ScriptedPoller, *tasks: PlannedTask) -> Runner:
        clock = PlanClock(NOON)
        recorder = Recorder(self.database, clock=clock, new_id=Plan("test", []).ids())
        runner = Runner(recorder, clock, poller, BrokenGateway())
        try:
            await runner.run(list(tasks))
        finally:
            recorder.close()
        return runner

    def rows(self, columns: str) -> list[tuple]:
        with closing(sqlite3.connect(self.database)) as database:
            return database.execute(f"SELECT {columns} FROM tasks ORDER BY id").fetchall()

    async def test_polling_is_a_subtask_of_the_sync(self) -> None:
        runner = await self.run_tasks(ScriptedPoller([4, 7]), SYNC)

        self.assertEqual([4, 7], runner.inbox)
        self.assertEqual(
            [("test-001", "inbox.sync", "done", None), ("test-002", "imap.poll", "done", "test-001")],
            self.rows("id, kind, status, parent_id"),
        )

    async def test_a_failed_poll_keeps_the_last_known_inbox(self) -> None:
        with self.assertLogs("assistant", "WARNING") as logs:
            runner = await self.run_tasks(ScriptedPoller([4, 7], TimeoutError("no greeting")), SYNC, SYNC)

        self.assertEqual([4, 7], runner.inbox)
        self.assertIn("keeping the last known inbox of 2 mails", logs.output[0])
        self.assertEqual(["done", "done", "done", "failed"], [status for (status,) in self.rows("status")])

    async def test_a_failed_task_does_not_end_the_day(self) -> None:
        with self.assertLogs("assistant", "WARNING"):
            await self.run_tasks(ScriptedPoller(), DIGEST, REMIND)

        self.assertEqual(
            [("digest.daily", "failed"), ("calendar.remind", "done")],
            self.rows("kind, status"),
        )
