import os
import resource
import tempfile
import unittest
from pathlib import Path

from assistant.attachments import Attachments


class Reported(unittest.TestCase):
    def test_many_files_need_few_at_once(self):
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for number in range(100):
                Path(f"note-{number}.txt").write_text("x")
            resource.setrlimit(resource.RLIMIT_NOFILE, (60, limits[1]))
            try:
                sizes = Attachments(Path()).sizes()
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
                os.chdir(before)
        self.assertEqual(len(sizes), 100)
