import unittest

from assistant.paging import pages


class Ends(unittest.TestCase):
    def test_pages_that_are_all_full(self):
        self.assertEqual(pages([1, 2, 3, 4], 2), [[1, 2], [3, 4]])

    def test_one_full_page(self):
        self.assertEqual(pages([1, 2], 2), [[1, 2]])

    def test_no_items(self):
        self.assertEqual(pages([], 3), [])

    def test_nothing_is_lost(self):
        for count in range(1, 13):
            for size in range(1, 6):
                made = pages(list(range(count)), size)
                self.assertEqual([item for page in made for item in page], list(range(count)))
                self.assertTrue(all(len(page) == size for page in made[:-1]))

    def test_a_size_of_none_is_still_an_error(self):
        with self.assertRaises(ValueError):
            pages([], 0)
