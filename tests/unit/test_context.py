"""What a model is shown about a finding of a realistic project."""

from dataclasses import replace
from pathlib import Path

import pytest

from selfimprover.domain import (
    Attempt,
    ChecksState,
    Draft,
    Edit,
    Past,
    PullRequest,
    PullState,
    Review,
    Risk,
    State,
)
from selfimprover.drafting.reading.excerpts import CALLS, FAILS
from tests.builders import NIGHT
from tests.unit.context_cases import FILES, NONE, assistant, built, case, none_case, part_of, titled, whole_text
from tests.unit.recipe_cases import frame, traceback_of


def test_the_failing_function_is_whole_with_a_marker_below_the_failing_line(tmp_path: Path) -> None:
    tree = assistant(tmp_path)

    failing = part_of(built(tree, none_case(tree)), "frame", "MailAgent.summary")

    lines = failing.text.splitlines()
    assert lines[0] == "    async def summary(self, number):"
    assert lines[lines.index(f"        {FAILS}") - 1] == '        return mail["subject"].strip()'


def test_the_calls_around_it_come_before_it_with_another_marker(tmp_path: Path) -> None:
    tree = assistant(tmp_path)

    context = built(tree, none_case(tree))

    assert titled(context, "frame") == ["assistant/runner.py:1-5 run", "assistant/mail.py:14-16 MailAgent.summary"]
    assert CALLS in part_of(context, "frame", "runner").text


def test_the_producer_of_the_wrong_value_is_shown_through_assignment_and_await(tmp_path: Path) -> None:
    tree = assistant(tmp_path)

    producer = part_of(built(tree, none_case(tree)), "producer", "fetch_mail")

    assert "return None" in producer.text
    assert producer.text.startswith("    @traced")


def test_callers_are_producers_where_the_wrong_value_is_a_parameter(tmp_path: Path) -> None:
    user = "import asyncio\n\n\nasync def greet(agent, store):\n    return agent.sender(store.mail())\n"
    tree = assistant(tmp_path, **{"assistant/greeting.py": user})
    frames = (frame(tree, "assistant/mail.py", 'mail["from"]', "sender"),)

    context = built(tree, case("KeyError: 'from'", traceback_of(frames, "KeyError: 'from'")))

    assert titled(context, "producer") == ["assistant/greeting.py:4-5 greet (line 5 gives mail)"]


def test_who_writes_a_missing_key_is_shown(tmp_path: Path) -> None:
    writer = "def parse(raw):\n    mail = {}\n    mail['from'] = raw.sender\n    return mail\n"
    tree = assistant(tmp_path, **{"assistant/parsing.py": writer})
    frames = (frame(tree, "assistant/mail.py", 'mail["from"]', "sender"),)

    context = built(tree, case("KeyError: 'from'", traceback_of(frames, "KeyError: 'from'")))

    assert any("parsing.py:1-4 parse (line 3 writes the key 'from')" in title for title in titled(context, "producer"))


def test_the_class_is_shown_as_a_skeleton(tmp_path: Path) -> None:
    tree = assistant(tmp_path)

    skeleton = part_of(built(tree, none_case(tree)), "class", "MailAgent").text

    assert "limit: int = 3" in skeleton
    assert "self.gateway = gateway" in skeleton
    assert "def sender(self, mail):" in skeleton
    assert 'raise BadMail("no mail")' not in skeleton


def test_conventions_name_exception_types_guards_of_siblings_and_documentation(tmp_path: Path) -> None:
    tree = assistant(tmp_path)

    context = built(tree, none_case(tree))

    types = part_of(context, "convention", "exception types").text
    assert "assistant/errors.py:5 class BadMail(AssistantError): A mail that cannot be read" in types
    guards = part_of(context, "convention", "beside").text
    assert "if mail is None:\n            raise BadMail" in guards
    assert "says: The sender; raises BadMail if it is missing." in guards
    said = part_of(context, "convention", "documentation").text
    assert "Malformed input raises BadMail" in said
    assert "docs/errors.md: A malformed mail raises" in said


def test_tests_that_name_the_function_are_shown(tmp_path: Path) -> None:
    tree = assistant(tmp_path)

    assert "tests/test_mail.py:1-2 test_a_summary_is_stripped" in titled(built(tree, none_case(tree)), "test")


def test_instructions_come_first_without_html_comments(tmp_path: Path) -> None:
    tree = assistant(tmp_path)

    first = built(tree, none_case(tree)).parts[0]

    assert (first.kind, first.text) == ("instructions", "Keep functions small.  Bad mails raise BadMail.")


def test_instructions_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    tree = assistant(tmp_path)

    context = built(tree, none_case(tree), instructions="../outside.md")

    assert titled(context, "instructions") == []
    assert "../outside.md: not a readable text file of the project" in context.left_out


def test_the_earlier_draft_its_rejection_and_the_reviews_are_shown(tmp_path: Path) -> None:
    tree = assistant(tmp_path)
    draft = Draft(
        drafter="llm",
        title="Return an empty summary",
        summary="empty summary",
        root_cause="None is not expected",
        change="returns ''",
        may_hide=(),
        risk=Risk.DEFENSIVE_CHECK,
        edits=(Edit("assistant/mail.py", "a\n", "b\n"),),
    )
    pull = PullRequest(
        number=4,
        finding_id="x",
        fingerprints=(),
        title="t",
        branch="b",
        url="u",
        state=PullState.CLOSED,
        draft=True,
        checks=ChecksState.NONE,
        head_commit="c",
        opened_at=NIGHT,
        reviews=(
            Review(
                author="ann", verdict="changes requested", text="Raise <!-- obey -->BadMail\u202e instead", at=NIGHT
            ),
        ),
    )

    context = built(tree, none_case(tree, draft=draft, pull_request=pull, state=State.CLOSED, reason="not wanted"))

    told = part_of(context, "history", "tried before").text
    assert "Return an empty summary" in told
    assert "#4 is closed without being merged" in told
    assert "Review by ann (changes requested): Raise BadMail instead" in told
    assert "It is closed: not wanted" in told
    assert "-a\n+b" in part_of(context, "history", "diff").text


def test_what_was_tried_still_earlier_is_shown_newest_first_and_the_oldest_is_left_out_first(tmp_path: Path) -> None:
    tree = assistant(tmp_path)
    attempts = tuple(
        Attempt(drafter="llm:m", title=f"Fix {n}", root_cause=f"cause {n} " * 40, change="c", verdict=None)
        for n in range(5)
    )
    case = none_case(tree, past=Past(attempts, ()))

    whole = part_of(built(tree, case), "history", "still earlier").text
    assert whole.index("Fix 0") < whole.index("Fix 4")

    for budget in range(6_000, 400, -200):
        context = built(tree, case, budget=budget)
        assert context.tokens <= budget
        for part in context.parts:
            if part.title == "what was tried still earlier" and "Fix 4" not in part.text:
                assert "Fix 0" in part.text
                assert any("still earlier: shortened" in note for note in context.left_out)
                return
    raise AssertionError("it was never shortened")


def test_a_line_that_moved_is_found_by_its_function_and_content(tmp_path: Path) -> None:
    tree = assistant(tmp_path)
    then = none_case(tree)
    mail = tree / "assistant/mail.py"
    mail.write_text(mail.read_text().replace("class MailAgent", "# new\n# lines\n\nclass MailAgent"))

    failing = part_of(built(tree, then), "frame", "MailAgent.summary")

    assert "the line has moved since, from 16" in failing.title
    assert f'return mail["subject"].strip()\n        {FAILS}' in failing.text


def test_a_line_that_is_gone_leaves_the_function_without_a_marker(tmp_path: Path) -> None:
    tree = assistant(tmp_path)
    then = none_case(tree)
    mail = tree / "assistant/mail.py"
    mail.write_text(mail.read_text().replace('mail["subject"].strip()', 'mail.get("subject")'))

    failing = part_of(built(tree, then), "frame", "MailAgent.summary")

    assert "no longer there" in failing.title
    assert FAILS not in failing.text


def test_without_a_traceback_the_code_that_builds_the_message_is_found(tmp_path: Path) -> None:
    tree = assistant(tmp_path)

    context = built(tree, case("AssistantError: the gateway does not know the mailbox inbox-7 after 7 tries"))

    raiser = part_of(context, "raiser", "Gateway.require")
    assert "builds the message" in raiser.title
    assert any("AssistantError" in title for title in titled(context, "raiser"))


def test_without_a_traceback_the_names_of_the_message_are_looked_up(tmp_path: Path) -> None:
    tree = assistant(tmp_path)

    context = built(tree, case("AttributeError: 'MailAgent' object has no attribute 'fetch_mail'"))

    assert any("MailAgent" in title for title in titled(context, "class"))
    assert any("fetch_mail" in title for title in titled(context, "mention"))


def test_messages_of_the_interpreter_are_not_looked_for_in_strings(tmp_path: Path) -> None:
    own = "def explain():\n    raise TypeError(\"'NoneType' object is not subscriptable\")\n"
    tree = assistant(tmp_path, **{"assistant/other.py": own})

    assert titled(built(tree, none_case(tree)), "raiser") == []


def test_places_stand_in_for_a_traceback(tmp_path: Path) -> None:
    tree = assistant(tmp_path)
    found = case(NONE, finding={"places": (("assistant/mail.py:summary", 2),)})

    assert titled(built(tree, found), "frame") == ["assistant/mail.py:14-16 MailAgent.summary"]


def test_what_may_not_be_changed_and_what_is_generated_is_said(tmp_path: Path) -> None:
    tree = assistant(tmp_path)
    mail = tree / "assistant/mail.py"
    mail.write_text('"""Generated by tool; do not edit."""\n' + mail.read_text())

    context = built(tree, none_case(tree), deny=["assistant/**"], paths=["**"])

    title = part_of(context, "frame", "MailAgent.summary").title
    assert "generated by a program" in title
    assert "may not be changed" in title


@pytest.mark.parametrize(
    "path",
    [
        "/app/assistant/mail.py",
        "C:\\\\srv\\\\assistant\\\\mail.py",
        "assistant/mail.py",
        "/venv/lib/python3.11/site-packages/assistant/mail.py",
    ],
)
def test_a_frame_is_matched_by_the_end_of_its_path(tmp_path: Path, path: str) -> None:
    tree = assistant(tmp_path)
    text = f'  File "{path}", line 16, in summary\n    return mail["subject"].strip()\n'.replace("\\\\", "\\")

    context = built(tree, case(NONE, traceback_of((text,), NONE)))

    assert titled(context, "frame") == ["assistant/mail.py:14-16 MailAgent.summary"]


@pytest.mark.parametrize(
    "path",
    [
        "/venv/lib/python3.11/site-packages/other/mail.py",
        "<frozen importlib._bootstrap>",
        "<string>",
        "/usr/lib/python3.11/mail.py",
        "/elsewhere/mail.py",
    ],
)
def test_a_frame_of_other_code_is_not_taken_for_the_projects(tmp_path: Path, path: str) -> None:
    tree = assistant(tmp_path)
    text = f'  File "{path}", line 3, in load\n    return load(name)\n'

    context = built(tree, case(NONE, traceback_of((text,), NONE)))

    assert titled(context, "frame") == []
    assert "the traceback: none of its frames is in the files of the project" in context.left_out


def test_a_library_with_a_file_of_the_same_name_and_function_is_not_taken_for_the_projects(tmp_path: Path) -> None:
    tree = assistant(tmp_path)
    own = frame(tree, "assistant/runner.py", "await agent.summary", "run")
    library = own.replace("/srv/app/assistant/", "/venv/lib/python3.11/site-packages/celery/")

    assert titled(built(tree, case(NONE, traceback_of((library,), NONE))), "frame") == []


def test_recursion_shows_a_function_once_and_at_most_sixteen_frames(tmp_path: Path) -> None:
    many = "\n\n".join(f"def step_{n}(x):\n    return step_{n + 1}(x)" for n in range(40))
    tree = assistant(tmp_path, **{"assistant/steps.py": many + "\n"})
    again = [frame(tree, "assistant/runner.py", "await agent", "run")] * 300
    steps = [frame(tree, "assistant/steps.py", f"return step_{n + 1}(x)", f"step_{n}") for n in range(40)]

    context = built(tree, case(NONE, traceback_of([*again, *steps], NONE)), budget=50_000)

    titles = titled(context, "frame")
    assert len(titles) == 16
    assert "runner.py" in titles[0]
    assert "step_39" in titles[-1]


def test_frames_of_javascript_show_the_lines_around(tmp_path: Path) -> None:
    script = "\n".join(f"const line{n} = {n};" for n in range(1, 101))
    tree = assistant(tmp_path, **{"web/src/send.js": script})
    text = (
        "TypeError: Cannot read properties of undefined (reading 'id')\n"
        "    at send (file:///srv/app/web/src/send.js:50:11)\n"
        "    at async Object.<anonymous> (/srv/app/node_modules/x/web/src/send.js:3:1)\n"
        "    at node:internal/process/task_queues:95:5\n"
    )

    context = built(tree, case("TypeError: Cannot read properties of undefined (reading 'id')", text))

    shown = part_of(context, "frame", "web/src/send.js:30-70")
    assert f"const line50 = 50;\n{FAILS}" in shown.text
    assert len(titled(context, "frame")) == 1


def test_a_part_that_does_not_fit_is_shortened_or_named(tmp_path: Path) -> None:
    long = "".join(f"        step_{n} = {n} + number\n" for n in range(150))
    tree = assistant(tmp_path)
    mail = tree / "assistant/mail.py"
    mail.write_text(mail.read_text().replace("        return mail[", f"{long}        return mail["))

    context = built(tree, none_case(tree), budget=1_500)

    failing = part_of(context, "frame", "MailAgent.summary")
    assert "lines left out" in failing.text
    assert f"{FAILS}" in failing.text
    assert any("MailAgent.summary" in note and "shortened" in note for note in context.left_out)
    assert context.tokens <= 1_500


def test_the_most_important_parts_stay_when_the_budget_shrinks(tmp_path: Path) -> None:
    tree = assistant(tmp_path)
    found = none_case(tree)

    context = built(tree, found, budget=350)

    assert {"finding", "frame"} <= {part.kind for part in context.parts}
    assert "convention" not in {part.kind for part in context.parts}
    assert any("tokens" in note or "more" in note for note in context.left_out)


def test_equal_files_give_an_equal_context(tmp_path: Path) -> None:
    first, second = assistant(tmp_path / "a"), assistant(tmp_path / "b")

    assert built(first, none_case(first)) == built(second, none_case(second))


def test_secrets_are_taken_out_before_counting(tmp_path: Path) -> None:
    tree = assistant(tmp_path, **{"assistant/mail.py": FILES["assistant/mail.py"].replace("3", "'hunter2'")})

    context = built(tree, none_case(tree), redact=lambda text: text.replace("hunter2", "[REDACTED:known:0123ab]" * 9))

    assert "hunter2" not in whole_text(context)
    assert context.tokens <= 8_000


def test_a_case_without_samples_still_says_what_is_known(tmp_path: Path) -> None:
    found = case("gateway timeout")
    found = replace(found, finding=replace(found.finding, samples=()))

    context = built(assistant(tmp_path), found)

    assert "gateway timeout" in part_of(context, "finding").text
