import unittest

from assistant.mails import body_text


class Charsets(unittest.TestCase):
    def test_the_charset_that_is_named_in_quotes(self):
        headers = {"Content-Type": 'text/plain; charset="ISO-8859-1"'}
        self.assertEqual(body_text(headers, "Grüße".encode("latin-1")), "Grüße")

    def test_another_one_without_quotes(self):
        headers = {"Content-Type": "text/plain; charset=koi8-r"}
        self.assertEqual(body_text(headers, "Привет".encode("koi8-r")), "Привет")

    def test_utf_8_stays_utf_8(self):
        self.assertEqual(body_text({"Content-Type": "text/plain"}, "Grüße €".encode()), "Grüße €")

    def test_bytes_that_are_no_utf_8_are_not_guessed_at(self):
        with self.assertRaises(UnicodeDecodeError):
            body_text({}, "Grüße".encode("latin-1"))
