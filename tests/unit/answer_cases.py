"""Answers as models of different families write them, all of the same fix."""

SEARCH = '        return self.headers.get("From").strip()'
REPLACE = '        return self.headers.get("From", "").strip()'
TEST = """\
from shop.mailbox import Mailbox


def test_a_mail_without_sender_is_of_nobody() -> None:
    assert Mailbox({}).sender() == ""
"""

BLOCK = f"<<<<<<< SEARCH\n{SEARCH}\n=======\n{REPLACE}\n>>>>>>> REPLACE\n"
TEST_BLOCK = f"<<<<<<< SEARCH\n=======\n{TEST}>>>>>>> REPLACE\n"
HEAD = """\
ROOT CAUSE: The header is absent in drafts, so get gives None.
EVIDENCE:
- shop/mailbox.py:12: a method is called on what get returns
- shop/drafts.py:30: drafts have
  no such header
TITLE: Read a mail without sender as one of nobody
SUMMARY: absent sender read as empty
EFFECT: The sender of such a mail is "".
RISK: defensive-check
MAY HIDE:
- A mail that lost its header is not noticed here.
"""
PLAIN = f"{HEAD}CHANGES:\nshop/mailbox.py\n{BLOCK}TEST:\ntests/test_sender.py\n{TEST_BLOCK}"

_MARKDOWN = HEAD
for _name in ("ROOT CAUSE", "EVIDENCE", "TITLE", "SUMMARY", "EFFECT", "RISK", "MAY HIDE"):
    _MARKDOWN = _MARKDOWN.replace(f"{_name}:", f"**{_name.title()}:**")

FAMILIES = {
    "as asked": PLAIN,
    "carriage returns": PLAIN.replace("\n", "\r\n"),
    "all in one fence": f"```\n{PLAIN}```\n",
    "all in one fence with language": f"Here is the fix:\n\n```text\n{PLAIN}```\nLet me know!",
    "blocks in fences": (
        f"Sure! Let me look at this.\n\n{HEAD}CHANGES:\n\nshop/mailbox.py\n```python\n{BLOCK}```\n\n"
        f"TEST:\n\ntests/test_sender.py\n```python\n{TEST_BLOCK}```\n\nThis keeps the change small."
    ),
    "path in the fence": (
        f"{HEAD}CHANGES:\n```python:shop/mailbox.py\n{BLOCK}```\n"
        f"TEST:\n```python tests/test_sender.py\n{TEST_BLOCK}```\n"
    ),
    "path as title of the fence": (
        f'{HEAD}CHANGES:\n```py title="shop/mailbox.py"\n{BLOCK}```\nTEST:\n```py title="tests/test_sender.py"\n'
        f"{TEST_BLOCK}```\n"
    ),
    "path inside the fence": (
        f"{HEAD}CHANGES:\n```python\nshop/mailbox.py\n{BLOCK}```\nTEST:\n```python\ntests/test_sender.py\n{TEST_BLOCK}```\n"
    ),
    "path in markdown": (
        f"{_MARKDOWN}\n## Changes\n\n### `shop/mailbox.py`\n\nThe default is an empty text:\n\n"
        f"````diff\n{BLOCK}````\n\n"
        f"## Test\n\n**File:** `tests/test_sender.py`\n\n````\n{TEST_BLOCK}````\n"
    ),
    "path in the marker": (
        PLAIN.replace("shop/mailbox.py\n<<<<<<< SEARCH", "<<<<<<< SEARCH shop/mailbox.py").replace(
            "tests/test_sender.py\n<<<<<<< SEARCH", "<<<<<<< SEARCH tests/test_sender.py"
        )
    ),
    "path with dot": PLAIN.replace("\nshop/mailbox.py\n", "\n./shop/mailbox.py:\n"),
    "path in a numbered list": PLAIN.replace("\nshop/mailbox.py\n", "\n1. **shop/mailbox.py**:\n"),
    "path in a sentence": PLAIN.replace("\nshop/mailbox.py\n", "\nIn `shop/mailbox.py`, change the last line:\n"),
    "thinking": f"<think>\nMaybe:\nROOT CAUSE: no\nx.py\n{BLOCK}Hmm, wait.\n</think>\n\n{PLAIN}",
    "thinking without its beginning": f"The user wants a fix.\n{BLOCK}\nOK.</think>{PLAIN}",
    "control tokens": f"<|im_start|>assistant\n{PLAIN.rstrip()}<|im_end|>\n<|im_start|>user\nThanks! x.py\n{BLOCK}",
    "other control tokens": PLAIN.rstrip() + "<｜end▁of▁sentence｜>",
    "channels": (
        f"<|channel|>analysis<|message|>x.py\n{BLOCK}<|end|><|start|>assistant<|channel|>final<|message|>{PLAIN}<|return|>"
    ),
    "markers of nine": PLAIN.replace("<<<<<<<", "<<<<<<<<<")
    .replace("=======", "=========")
    .replace(">>>>>>>", ">>>>>>>>>"),
    "markers of five": PLAIN.replace("<<<<<<<", "<<<<<").replace("=======", "=====").replace(">>>>>>>", ">>>>>"),
    "markers of several lengths": PLAIN.replace("=======", "========").replace(">>>>>>>", ">>>>>>"),
    "other marker words": PLAIN.replace("SEARCH", "ORIGINAL").replace("REPLACE", "UPDATED"),
    "markers of dashes": PLAIN.replace("<<<<<<<", "-------").replace(">>>>>>>", "+++++++"),
    "parts in fences": PLAIN.replace(
        BLOCK, f"<<<<<<< SEARCH\n```python\n{SEARCH}\n```\n=======\n```python\n{REPLACE}\n```\n>>>>>>> REPLACE\n"
    ),
    "the test as plain code": (
        f"{HEAD}CHANGES:\nshop/mailbox.py\n{BLOCK}TEST: tests/test_sender.py\n```python\n{TEST}```\n"
    ),
    "the test as code with a comment": (
        f"{HEAD}CHANGES:\nshop/mailbox.py\n{BLOCK}\n"
        f"**Reproduction test**\n```python\n# tests/test_sender.py\n{TEST}```\n"
    ),
    "the test among the changes": f"{HEAD}CHANGES:\nshop/mailbox.py\n{BLOCK}tests/test_sender.py\n{TEST_BLOCK}",
    "said twice": PLAIN + "\n\nFinal answer:\n\n" + PLAIN,
    "a first try": PLAIN.replace("shop/", "wrong/") + "\nWait, that path is wrong.\n\n" + PLAIN,
    "a block twice": PLAIN.replace(BLOCK, BLOCK + "\n" + BLOCK),
    "numbered headings": HEAD.replace("ROOT CAUSE:", "1. ROOT CAUSE:").replace("RISK:", "6) **RISK**:")
    + PLAIN[len(HEAD) :],
    "a summary at the end": PLAIN + "\n**Summary**: done.\nRisk: none at all, it is typo-safe.\n",
    "without markdown, blank lines around": "\n\n" + PLAIN.replace("S:\n", "S:\n\n").replace("T:\n", "T:\n\n") + "\n\n",
    "byte-order mark": "\ufeff" + PLAIN,
}
"""The same answer in the shapes that models give it."""
