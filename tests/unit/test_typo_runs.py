import ast
import io
import keyword
import subprocess
import sys
import tokenize
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprover.drafting.recipes.typo import MisspeltName
from selfimprover.errors import RefusedError
from tests.unit.naming_cases import found_in, undefined
from tests.unit.recipe_cases import after, finding, project

words = st.from_regex(r"[a-z]{5,9}", fullmatch=True).filter(lambda word: not keyword.iskeyword(word))


def tokens(text: str) -> list[str]:
    return [token.string for token in tokenize.generate_tokens(io.StringIO(text).readline)]


@settings(max_examples=80, deadline=None)
@given(word=words, at=st.integers(1, 6), unit=st.sampled_from(["\t", " ", "    "]), noise=st.sampled_from(["", "# x"]))
def test_every_draft_parses_and_changes_the_one_token(word: str, at: int, unit: str, noise: str) -> None:
    at = min(at, len(word) - 2)
    wrong = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    text = f"def run({word}):\n    {noise}\n    print({word})\n    return {wrong} + 1  {noise}\n".replace("    ", unit)
    with TemporaryDirectory() as folder:
        found = found_in(Path(folder), {"app.py": text}, undefined(wrong), f"return {wrong}")
        try:
            new = after(MisspeltName().apply(found, Path(folder)))
        except RefusedError:
            return

    ast.parse(new)
    pairs = list(zip(tokens(text), tokens(new), strict=True))
    assert [pair for pair in pairs if pair[0] != pair[1]] == [(wrong, word)]


REAL = {
    "name": "def run(message):\n    return messsage\n\n\nrun(1)\n",
    "attribute": (
        "class A:\n    def __init__(self):\n        self.value = 1\n\n"
        "    def run(self):\n        return self.vlaue\n\n\nA().run()\n"
    ),
    "builtin": "def run(text):\n    return text.repalce('a', 'b')\n\n\nrun('a')\n",
    "module": "import json\n\n\ndef run():\n    return json.laods('1')\n\n\nrun()\n",
    "import": "from collections import Coutner\n\nprint(Counter())\n",
    "no module": "from collectoins import Counter\n\nprint(Counter())\n",
    "keyword": "def run(*, timeout): return timeout\n\n\nrun(timeuot=1)\n",
}


@pytest.mark.parametrize("case", REAL)
def test_the_traceback_that_python_prints_leads_to_code_that_runs(tmp_path: Path, case: str) -> None:
    project(tmp_path, {"app.py": REAL[case]})
    command = [sys.executable, "app.py"]
    before = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    last = before.stderr.strip().splitlines()[-1]

    draft = MisspeltName().apply(finding(last, before.stderr), tmp_path)

    project(tmp_path, {"app.py": after(draft)})
    assert before.returncode == 1
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stderr == ""
