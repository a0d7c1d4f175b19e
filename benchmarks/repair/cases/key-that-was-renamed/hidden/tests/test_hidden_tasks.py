import unittest

from assistant.reminders import overdue
from assistant.snooze import snooze
from assistant.tasks import new_task


class Snoozed(unittest.TestCase):
    def test_it_is_due_later(self):
        self.assertEqual(snooze(new_task("a", 10), 5), {"title": "a", "due_at": 15})

    def test_it_is_reminded_of_when_it_is_due_again(self):
        task = snooze(new_task("a", 10), 5)
        self.assertEqual((overdue([task], 14), overdue([task], 15)), ([], ["a"]))

    def test_it_may_be_snoozed_twice(self):
        self.assertEqual(snooze(snooze(new_task("a", 10), 5), 5)["due_at"], 20)

    def test_the_given_one_stays(self):
        task = new_task("a", 10)
        snooze(task, 5)
        self.assertEqual(task, {"title": "a", "due_at": 10})

    def test_a_task_that_was_never_due_is_an_error(self):
        with self.assertRaises(KeyError):
            overdue([{"title": "a"}], 5)
