"""A drafter that asks a language model, and takes nothing from it that the rules do not let through."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from selfimprover.domain import CaseFile, Draft, Edit, Feedback, Reproduction, Risk, Trigger
from selfimprover.drafting import context, policy
from selfimprover.drafting.answers import CannotFix, NewTest, NotCode, Proposal, Unreadable, read_answer
from selfimprover.drafting.blocks import Misfit, apply_blocks
from selfimprover.drafting.llm import prompt
from selfimprover.drafting.llm.chat import Chat, Message, Reply, Tool, ToolCall
from selfimprover.drafting.llm.tool_calls import BadToolCallError, arguments
from selfimprover.drafting.look_requests import TOOLS, parse_looks
from selfimprover.drafting.looking import Looker
from selfimprover.errors import NotCodeError, RefusedError
from selfimprover.interfaces import LeakDetector

_TOOLS = tuple(
    Tool(one["function"]["name"], one["function"]["description"], one["function"]["parameters"])  # type: ignore[index]
    for one in TOOLS
)

_END = "\n"
"""Where the first fault ends; the rest is for the model only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much one finding may ask of the model."""

    context: int = 12_000
    """Tokens of what it is shown at first."""
    answer: int = 6_000
    """Tokens of one answer."""
    answers: int = 3
    """Answers that may be given: the first, and others after what was wrong with it."""
    looks: int = 6
    """Rounds of looking further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDrafter:
    """Drafts by a model; ``chat_for`` gives the chat about a finding, ``mark_for`` words that no stranger can know.

    ``redact`` takes secrets out of the project's files and leaves code as it is. ``allow`` and ``deny`` are the globs
    of what it may change, ``instructions`` the project's file of conventions.
    """

    model: str
    chat_for: Callable[[str], Chat]
    mark_for: Callable[[str], str]
    redact: Callable[[str], str]
    leak: LeakDetector
    instructions: str | None
    allow: Sequence[str] = ("**",)
    deny: Sequence[str] = ()
    bounds: Bounds = Bounds()

    @property
    def name(self) -> str:
        """Goes into drafts and pull requests."""
        return f"llm:{self.model}"

    async def draft(self, case: CaseFile, tree: Path, feedback: Feedback | None = None) -> Draft:
        """The model's draft. Raises ``RefusedError``, ``NotCodeError``, and ``ModelError`` if it does not answer."""
        mark = self.mark_for(case.finding.id)
        shown = await asyncio.to_thread(self._context, case, tree)
        talk = _Talk(self, case, tree, mark, prompt.opening(case, shown, self._clean(feedback), mark))
        draft = await talk.until_a_draft()
        return replace(draft, rounds=draft.rounds + _earlier_rounds(feedback))

    def _clean(self, feedback: Feedback | None) -> Feedback | None:
        """Without the secrets of the files that an earlier draft changed; its text is redacted already."""
        if feedback is None or feedback.draft is None:
            return feedback
        edits = (replace(edit, after=edit.after and self.redact(edit.after)) for edit in feedback.draft.edits)
        return replace(feedback, draft=replace(feedback.draft, edits=tuple(edits)))

    def _context(self, case: CaseFile, tree: Path) -> context.Context:
        return context.build(
            case,
            tree,
            budget=self.bounds.context,
            instructions=self.instructions,
            paths=self.allow,
            deny=self.deny,
            redact=self.redact,
        )


class _Talk:
    """One conversation, bounded."""

    def __init__(self, by: ModelDrafter, case: CaseFile, tree: Path, mark: str, messages: list[Message]) -> None:
        self._by = by
        self._case = case
        self._tree = tree
        self._mark = mark
        self._messages = messages
        self._chat = by.chat_for(case.finding.id)
        self._looker = Looker(tree, by.redact)
        self._looks_left = by.bounds.looks
        self._fitting: tuple[Edit, ...] = ()

    async def until_a_draft(self) -> Draft:
        why = ""
        for number in range(self._by.bounds.answers):
            reply = await self._answer()
            found = await asyncio.to_thread(self._judge, reply.text)
            if isinstance(found, Draft):
                return replace(found, rounds=number + 1)
            why = found
            self._messages += [Message("assistant", reply.text), prompt.again(self._by.redact(found))]
        raise RefusedError(f"the model gave no draft that will do: {why.partition(_END)[0]}")

    async def _answer(self) -> Reply:
        """An answer that asks for no further look."""
        while True:
            reply = await self._ask()
            looks = () if reply.tool_calls or _has_blocks(reply.text) else parse_looks(reply.text)
            if not reply.tool_calls and not looks:
                return reply
            self._looks_left -= 1
            last = self._looks_left <= 0
            self._messages.append(Message("assistant", reply.text, reply.tool_calls))
            if reply.tool_calls:
                for call in reply.tool_calls:
                    told = await asyncio.to_thread(self._tool, call)
                    self._messages.append(Message("tool", told, tool_call_id=call.id))
            else:
                told_all = [(look.name, self._looker.answer(look.name, look.arguments)) for look in looks]
                self._messages.append(prompt.looked(told_all, self._mark, last=last))

    async def _ask(self) -> Reply:
        for message in self._messages:
            if found := self._by.leak(message.content):
                raise RefusedError(f"what the model would be shown holds what looks like a secret ({found})")
        tools = _TOOLS if self._looks_left > 0 else ()
        if self._looks_left < -1:
            raise RefusedError("the model went on looking and gave no answer")
        return await self._chat.ask(self._messages, tools=tools, max_tokens=self._by.bounds.answer)

    def _tool(self, call: ToolCall) -> str:
        try:
            return self._looker.answer(call.name, arguments(call, _TOOLS))
        except BadToolCallError as error:
            return str(error)

    def _judge(self, text: str) -> Draft | str:
        """The draft, or what is to go back to the model."""
        answer = read_answer(text)
        if isinstance(answer, Unreadable):
            return answer.why
        if isinstance(answer, CannotFix):
            raise RefusedError(f"the model cannot fix it: {answer.reason}")
        if isinstance(answer, NotCode):
            raise NotCodeError(answer.cause, owner=answer.owner, watch=answer.watch)
        edits = apply_blocks(answer.blocks, self._tree, self._fitting)
        if isinstance(edits, Misfit):
            self._fitting = edits.fitting
            return edits.why
        policy.check_permitted(edits, answer.reproduction, self._by.allow, self._by.deny)
        faults = policy.faults(edits, answer.reproduction, self._tree, self._case.finding.error_type)
        return "\n".join(faults) if faults else self._draft(answer, edits)

    def _draft(self, answer: Proposal, edits: tuple[Edit, ...]) -> Draft:
        return Draft(
            drafter=self._by.name,
            title=answer.title,
            summary=answer.summary,
            root_cause=" ".join([answer.root_cause, *answer.evidence]),
            change=answer.effect,
            may_hide=answer.may_hide,
            risk=Risk(answer.risk),
            edits=edits,
            reproduction=_reproduction(answer.reproduction, self._case),
        )


def _earlier_rounds(feedback: Feedback | None) -> int:
    """Answers that led to a draft which was not proven; what happens to a pull request is another matter."""
    if feedback is None or feedback.draft is None or feedback.trigger is not Trigger.PROOF:
        return 0
    return feedback.draft.rounds


def _has_blocks(text: str) -> bool:
    return "<<<<<<<" in text


def _reproduction(test: NewTest | None, case: CaseFile) -> Reproduction | None:
    if test is None:
        return None
    return Reproduction(path=test.path, text=test.text, fingerprint=case.finding.fingerprint)
