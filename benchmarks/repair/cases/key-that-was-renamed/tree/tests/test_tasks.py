import unittest

from assistant.reminders import overdue
from assistant.snooze import snooze
from assistant.tasks import new_task


class Tasks(unittest.TestCase):
    def test_overdue(self):
        self.assertEqual(overdue([new_task("b", 5), new_task("a", 3), new_task("c", 9)], 6), ["a", "b"])

    def test_a_snoozed_task_keeps_its_title(self):
        self.assertEqual(snooze(new_task("a", 1), 5)["title"], "a")
