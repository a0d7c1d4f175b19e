"""The form of an answer, as the prompt asks for it and ``answers`` reads it."""

RISKS = {
    "typo": "a name that was misspelt",
    "missing-import": "an import that was forgotten",
    "defensive-check": "bad or absent input is answered instead of failing",
    "retry": "something is tried again",
    "logic": "the code computes or decides something else than before",
    "interface": "callers see another signature, type or exception than before",
}
"""The classes of a change, and what each is for."""

STRICTEST_RISK = "logic"
"""The class of a change whose answer names none, or none that is known."""

ANSWER_FORM = """\
Answer as plain text in exactly this form. Code stands in blocks, never in JSON, never with line numbers.

ROOT CAUSE: why it fails, in one to four sentences: the code that makes the bad value, not only where it crashes.
EVIDENCE:
- path/to/file.py:LINE: what that line shows
TITLE: one imperative line of at most 70 characters
SUMMARY: the change as a noun phrase
EFFECT: what the code does differently from now on, in one or two sentences
RISK: one of typo, missing-import, defensive-check, retry, logic, interface
MAY HIDE:
- one sentence for each thing that the change could cover up, or "nothing"
CHANGES:
(one or more blocks)
TEST:
(one block that makes one new test file; it fails as reported before the change and passes after it)

A block is the path of the file on a line of its own, and then:

path/to/file.py
<<<<<<< SEARCH
the lines to replace, copied exactly, enough of them to be found only once
=======
the lines that take their place
>>>>>>> REPLACE

- SEARCH holds whole lines, with their indentation. Keep blocks small; use several for several places.
- A new file is a block with nothing between SEARCH and =======.
- A whole Python function can be replaced at once. Give all of it; without decorators, its own ones stay:

path/to/file.py
<<<<<<< FUNCTION ClassName.method_name
def method_name(self) -> None:
    ...
>>>>>>> REPLACE

- If the code itself has lines like these markers, write the three markers of that block with 9 characters instead of 7.
- Do not catch an error just to be rid of it, do not delete a raise, do not touch existing tests, import only what the
  project has. The test asserts what the code should do: no skip, no network, no other program.

If it cannot or should not be fixed here, answer with one of these instead, and with no block:

CANNOT FIX: what is missing or in the way

NOT A CODE PROBLEM: the cause
OWNER: who can mend it
WATCH: what to look at, and what would show that it became a code problem

Example of a whole answer:

ROOT CAUSE: Mailbox.sender takes the header `From` of every mail, but drafts have none, so `get` gives None.
EVIDENCE:
- shop/mailbox.py:12: `self.headers.get("From").strip()` calls a method on what `get` returns
- shop/drafts.py:30: drafts are stored without the header
TITLE: Read a mail without sender as one of nobody
SUMMARY: absent sender read as empty
EFFECT: A mail without the header `From` has the sender "" instead of raising AttributeError.
RISK: defensive-check
MAY HIDE:
- A mail that lost its header on the way is no longer noticed here.
CHANGES:
shop/mailbox.py
<<<<<<< SEARCH
        return self.headers.get("From").strip()
=======
        return self.headers.get("From", "").strip()
>>>>>>> REPLACE
TEST:
tests/test_mail_without_sender.py
<<<<<<< SEARCH
=======
from shop.mailbox import Mailbox


def test_a_mail_without_sender_is_of_nobody() -> None:
    assert Mailbox({}).sender() == ""
>>>>>>> REPLACE
"""
"""What the prompt says about the answer, with one worked example."""
