import unittest

from assistant.contacts import Contacts, UnknownContactError
from assistant.mailer import address_line

BOOK = Contacts([("Ada", "Ada@Example.org")])


class Mailer(unittest.TestCase):
    def test_the_line_of_a_contact(self):
        self.assertEqual(address_line(BOOK, "Ada"), "To: Ada <ada@example.org>")

    def test_the_dialler_asks_who_was_meant(self):
        with self.assertRaises(UnknownContactError):
            BOOK.phone_line("Eve")
