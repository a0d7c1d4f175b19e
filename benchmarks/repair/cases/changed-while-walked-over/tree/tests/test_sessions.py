import unittest

from assistant.housekeeping import tidy
from assistant.sessions import Sessions


class Talking(unittest.TestCase):
    def test_a_session_goes_on(self):
        sessions = Sessions(60)
        sessions.touch("ada", 0)
        sessions.touch("ada", 50)
        self.assertEqual(sessions.expire(100), 1)
        self.assertTrue(sessions.is_open("ada"))

    def test_the_log(self):
        self.assertEqual(tidy(Sessions(60), 0), "0 sessions are open")
