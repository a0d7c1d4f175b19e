import unittest

from assistant.mails import body_text, is_flowed, is_html


class Mails(unittest.TestCase):
    def test_utf_8_without_a_word_about_it(self):
        self.assertEqual(body_text({}, "Grüße\r\n".encode()), "Grüße\n")

    def test_html(self):
        self.assertTrue(is_html({"Content-Type": "text/html; charset=utf-8"}))

    def test_flowed(self):
        self.assertTrue(is_flowed({"Content-Type": "text/plain; format=Flowed"}))
