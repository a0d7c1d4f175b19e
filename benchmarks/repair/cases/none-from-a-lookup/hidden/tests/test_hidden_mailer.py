import unittest

from assistant.contacts import Contacts, UnknownContactError
from assistant.mailer import address_line

BOOK = Contacts([("Ada", "Ada@Example.org")])


class Unknown(unittest.TestCase):
    def test_nobody_is_written_to_by_a_name_that_is_not_known(self):
        with self.assertRaises(UnknownContactError) as caught:
            address_line(BOOK, "Eve")
        self.assertEqual(caught.exception.args, ("Eve",))

    def test_looking_somebody_up_may_still_find_nobody(self):
        self.assertIsNone(BOOK.find("Eve"))

    def test_contacts_are_addressed_as_before(self):
        self.assertEqual(address_line(BOOK, "Ada"), "To: Ada <ada@example.org>")
