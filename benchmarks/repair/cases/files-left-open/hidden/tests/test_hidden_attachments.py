import os
import resource
import tempfile
import unittest
from pathlib import Path

from assistant.attachments import Attachments


class Many(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        for number in range(120):
            (self.folder / f"{number:03}.txt").write_bytes(b"x" * number)
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        used = len(os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 40, limits[1]))

    def test_many_files_need_few_at_once(self):
        sizes = Attachments(self.folder).sizes()
        self.assertEqual(list(sizes.values()), list(range(120)))

    def test_none_is_left_open(self):
        before = len(os.listdir("/proc/self/fd"))
        held = Attachments(self.folder).sizes()
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        self.assertEqual(len(held), 120)

    def test_a_file_that_cannot_be_read_is_an_error(self):
        (self.folder / "gone.txt").symlink_to(self.folder / "000.txt")
        attachments = Attachments(self.folder)
        attachments.names = lambda: ["missing.txt"]
        with self.assertRaises(FileNotFoundError):
            attachments.sizes()
