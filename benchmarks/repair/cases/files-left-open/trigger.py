import os
import resource
import tempfile
from pathlib import Path

from assistant.attachments import Attachments

os.chdir(tempfile.mkdtemp())
for number in range(100):
    Path(f"note-{number}.txt").write_text("x")
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (40, hard))
Attachments(Path()).sizes()
