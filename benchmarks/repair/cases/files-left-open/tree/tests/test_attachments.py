import tempfile
import unittest
from pathlib import Path

from assistant.attachments import Attachments
from assistant.limits import too_large


class Folder(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def test_sizes_by_name(self):
        (self.folder / "b.txt").write_bytes(b"12345")
        (self.folder / "a.txt").write_bytes(b"")
        self.assertEqual(Attachments(self.folder).sizes(), {"a.txt": 0, "b.txt": 5})

    def test_what_is_too_large(self):
        (self.folder / "a.bin").write_bytes(b"x" * 1_000_001)
        self.assertEqual(too_large(Attachments(self.folder)), ["a.bin"])
