import unittest

from assistant.sessions import Sessions


def filled():
    sessions = Sessions(60)
    for number, user in enumerate(["ada", "bob", "cyd", "dan"]):
        sessions.touch(user, 0 if number % 2 == 0 else 100)
    return sessions


class Expiring(unittest.TestCase):
    def test_what_is_over_ends_and_the_rest_stays(self):
        sessions = filled()
        self.assertEqual(sessions.expire(120), 2)
        self.assertEqual([user for user in ("ada", "bob", "cyd", "dan") if sessions.is_open(user)], ["bob", "dan"])

    def test_all_of_it_is_told_in_order(self):
        sessions = filled()
        sessions.expire(120)
        self.assertEqual(sessions.ended, ["ada", "cyd"])

    def test_all_may_end_at_once(self):
        sessions = filled()
        self.assertEqual(sessions.expire(1000), 0)
        self.assertEqual(len(sessions.ended), 4)

    def test_exactly_as_long_as_it_lasts_is_not_over(self):
        sessions = Sessions(60)
        sessions.touch("ada", 0)
        self.assertEqual(sessions.expire(60), 1)
