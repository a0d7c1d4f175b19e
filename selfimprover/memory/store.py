"""The memory on an SQL database: every step of a finding is one transaction of state, journal and evidence."""

import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from selfimprover.domain import (
    Baseline,
    CaseFile,
    Confidence,
    Draft,
    Due,
    Evidence,
    Finding,
    Fingerprint,
    KnownPatterns,
    ModelCall,
    NightReport,
    Outcome,
    Past,
    PullRequest,
    Spent,
    State,
    Transition,
    Triage,
    Verdict,
)
from selfimprover.errors import ConflictError
from selfimprover.memory import evidence as chain
from selfimprover.memory import model_calls, nights, patterns, steps, tables
from selfimprover.memory.cases import read_cases
from selfimprover.memory.codec import encode
from selfimprover.memory.engine import explained, open_engine
from selfimprover.memory.past import read_past


class SqlMemory:
    """Implements ``interfaces.Memory``; ``close`` it when done."""

    def __init__(self, url: str) -> None:
        """``url`` names a database with the newest schema (see ``engine.ensure_schema``)."""
        self._url = url
        self._engine: AsyncEngine = open_engine(url)

    async def close(self) -> None:
        """Lets the connections go."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction. Every method raises ``MemoryLostError`` if the database cannot be used."""
        with explained(self._url):
            async with self._engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        with explained(self._url):
            async with self._engine.execution_options(reads=True).connect() as connection:
                yield connection

    # --- the ledger of nights

    async def begin_night(self, date_key: str, at: datetime, due: Due | None = None, resume: str | None = None) -> str:
        """The key of this night: the one to ``resume``, an unfinished one of the date, else the next free key.

        It stands in for the night that is ``due``, if no other run does. Raises ``ConflictError`` if one does and
        ``due.required``, and if the night to ``resume`` is not unfinished any more.
        """
        async with self._writing() as connection:
            return await nights.begin(connection, date_key, at, due, resume)

    async def end_night(self, report: NightReport) -> None:
        """Closes the night and keeps its report."""
        async with self._writing() as connection:
            await nights.end(connection, report)

    async def interrupt_night(self, key: str) -> None:
        """A stop was asked for: the night stays unfinished, and this try does not count."""
        async with self._writing() as connection:
            await nights.interrupt(connection, key)

    async def abandon_night(self, key: str) -> None:
        """Gives an unfinished night up: its findings are where they are, and the next night goes on from there."""
        async with self._writing() as connection:
            await nights.abandon(connection, key)

    async def report(self, key: str | None = None) -> NightReport | None:
        """The report of the night with this key, or of the last one that ended."""
        async with self._reading() as connection:
            return await nights.report(connection, key)

    async def nights(self) -> Sequence[str]:
        """The keys of all nights that ended, oldest first."""
        async with self._reading() as connection:
            return await nights.ended(connection)

    # --- identity

    async def resolve(self, fingerprints: Collection[str]) -> str | None:
        """The id of the oldest finding that one of these values means."""
        alias, finding = tables.alias.c, tables.finding.c
        query = (
            select(alias.finding_id)
            .join(tables.finding, finding.id == alias.finding_id)
            .where(alias.fingerprint.in_(fingerprints))
            .order_by(finding.first_night, finding.id)
            .limit(1)
        )
        async with self._reading() as connection:
            return (await connection.execute(query)).scalar()

    async def patterns(self, version: int) -> KnownPatterns:
        """What is known about fingerprints of this version of the algorithm."""
        async with self._reading() as connection:
            return await patterns.known(connection, version)

    async def keep_patterns(self, fingerprints: Collection[Fingerprint], night: str) -> None:
        """Keeps fingerprints that were not known before as evidence for what is one."""
        async with self._writing() as connection:
            await patterns.keep(connection, fingerprints, night)

    async def join(self, finding_id: str, into: str, why: str, step: Transition | Evidence) -> None:
        """Lets all that means one finding mean another; ``step`` ends the one, or notes it if it has ended already."""
        async with self._writing() as connection:
            if isinstance(step, Transition):
                await steps.move(connection, step)
            else:
                await chain.append(connection, step)
            await patterns.hand_over(connection, finding_id, into, why)

    async def split(self, fingerprint: str, at: datetime, evidence: Evidence) -> None:
        """Takes a fingerprint out of the finding that it means; it joins none by itself any more."""
        async with self._writing() as connection:
            await patterns.take_out(connection, fingerprint, at)
            await chain.append(connection, evidence)

    async def without_alias(self, version: int) -> Sequence[CaseFile]:
        """The cases that have no fingerprint of this version yet."""
        column = tables.alias.c
        async with self._reading() as connection:
            query = select(column.finding_id).where(column.version == version)
            known = set((await connection.execute(query)).scalars())
            return [case for case in await read_cases(connection) if case.finding.id not in known]

    async def add_alias(self, finding_id: str, fingerprint: Fingerprint, why: str) -> None:
        """Lets a further fingerprint mean the finding, unless it means one already."""
        async with self._writing() as connection:
            await steps.add_alias(connection, finding_id, fingerprint.value, fingerprint.version, why)

    # --- cases

    async def case(self, finding_id: str) -> CaseFile | None:
        """Everything about one finding."""
        async with self._reading() as connection:
            return next(iter(await read_cases(connection, finding_id)), None)

    async def cases(self) -> Sequence[CaseFile]:
        """Everything about all findings, most occurrences first."""
        async with self._reading() as connection:
            return await read_cases(connection)

    async def past(self, finding_id: str) -> Past:
        """What was tried for a finding before its newest draft and pull request."""
        async with self._reading() as connection:
            return await read_past(connection, finding_id)

    async def remember(self, finding: Finding, project: str, evidence: Evidence, night: str, at: datetime) -> CaseFile:
        """A new finding begins as *found*, at home in ``project``; a known one gets tonight's numbers."""
        table = tables.finding
        async with self._writing() as connection:
            numbers = {"occurrences": finding.occurrences, "last_night": night, "data": encode(finding)}
            known = await connection.execute(update(table).where(table.c.id == finding.id).values(numbers))
            if not known.rowcount:
                fresh = {"id": finding.id, "state": State.FOUND, "reason": "new", "generation": 1, "first_night": night}
                fresh["project"] = project
                await connection.execute(insert(table).values(**fresh, **numbers, attempts=0, attempt_key=""))
                await steps.journal(connection, finding.id, None, State.FOUND, "new", night, at)
                await chain.append(connection, evidence)
            await steps.add_aliases(connection, finding)
            return await steps.one(connection, finding.id)

    async def note_triage(self, finding_id: str, triage: Triage) -> None:
        """Keeps tonight's decision."""
        table = tables.finding
        async with self._writing() as connection:
            await connection.execute(update(table).where(table.c.id == finding_id).values(triage=encode(triage)))

    # --- steps

    async def move(self, step: Transition) -> CaseFile:
        """Compare-and-set; raises ``ConflictError`` if the finding is no longer in ``step.before``."""
        async with self._writing() as connection:
            await steps.move(connection, step)
            return await steps.one(connection, step.finding_id)

    async def store_draft(self, step: Transition, draft: Draft, attempt_key: str) -> CaseFile:
        """``move`` with a draft; counts as an attempt under ``attempt_key``."""
        async with self._writing() as connection:
            await steps.move(connection, step)
            await steps.store_draft(connection, step, draft, attempt_key)
            return await steps.one(connection, step.finding_id)

    async def park(self, step: Transition, attempt_key: str) -> CaseFile:
        """``move`` after an attempt that gave no draft."""
        async with self._writing() as connection:
            await steps.move(connection, step)
            await steps.note_attempt(connection, step.finding_id, attempt_key)
            return await steps.one(connection, step.finding_id)

    async def store_verdict(self, step: Transition, verdict: Verdict, confidence: Confidence) -> CaseFile:
        """``move`` with what verification showed of the newest draft."""
        draft = tables.draft
        async with self._writing() as connection:
            await steps.move(connection, step)
            newest = select(func.max(draft.c.attempt)).where(draft.c.finding_id == step.finding_id).scalar_subquery()
            await connection.execute(
                update(draft)
                .where(draft.c.finding_id == step.finding_id, draft.c.attempt == newest)
                .values(verdict=encode(verdict), confidence=encode(confidence))
            )
            return await steps.one(connection, step.finding_id)

    async def store_push(self, step: Transition, head_commit: str, baseline: Baseline) -> CaseFile:
        """``move`` with the pushed commit and the baseline that the outcome will be measured against."""
        async with self._writing() as connection:
            await steps.move(connection, step)
            case = await steps.one(connection, step.finding_id)
            key = {"finding_id": step.finding_id, "generation": case.generation}
            values = {"project": case.project, "head_commit": head_commit, "baseline": encode(baseline)}
            await steps.put(connection, tables.pull_request, key, values)
            return await steps.one(connection, step.finding_id)

    async def pushed_in(self, night: str) -> frozenset[str]:
        """The findings whose branch was pushed in the night with this key."""
        entry = tables.journal.c
        query = select(entry.finding_id).where(entry.night == night, entry.after == State.PUSHED)
        async with self._reading() as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def store_pull_request(self, step: Transition, pull_request: PullRequest) -> CaseFile:
        """``move`` with the pull request that was opened, merged, closed or reopened."""
        async with self._writing() as connection:
            await steps.move(connection, step)
            return await steps.keep_pull_request(connection, pull_request)

    async def refresh_pull_request(self, pull_request: PullRequest) -> None:
        """Stores what the forge says of a pull request without moving its finding."""
        async with self._writing() as connection:
            await steps.keep_pull_request(connection, pull_request)

    async def adopt(self, step: Transition, pull_request: PullRequest, head_commit: str | None) -> CaseFile:
        """``move`` with a pull request that the memory did not know, and with its generation."""
        table = tables.finding
        async with self._writing() as connection:
            await steps.move(connection, step)
            this = table.c.id == step.finding_id
            await connection.execute(update(table).where(this).values(generation=pull_request.generation))
            return await steps.keep_pull_request(connection, pull_request, head_commit=head_commit, revises=None)

    async def store_head(self, step: Transition, head_commit: str | None) -> CaseFile:
        """``move`` with the commit of ours that an open pull request has now; ``None`` hands it to a person."""
        async with self._writing() as connection:
            await steps.move(connection, step)
            case = await steps.one(connection, step.finding_id)
            await steps.change_pull_request(connection, case, head_commit=head_commit, revises=None)
            return await steps.one(connection, step.finding_id)

    async def store_revision(
        self, step: Transition, draft: Draft, verdict: Verdict, confidence: Confidence, attempt_key: str, answer: str
    ) -> CaseFile:
        """``move`` with a proven draft that is to take the place of the commit that the branch has now."""
        async with self._writing() as connection:
            await steps.move(connection, step)
            await steps.store_draft(connection, step, draft, attempt_key, verdict=verdict, confidence=confidence)
            case = await steps.one(connection, step.finding_id)
            answered = json.dumps([*case.answered, answer])
            await steps.change_pull_request(connection, case, revises=case.head_commit, answered=answered)
            return await steps.one(connection, step.finding_id)

    async def note_answer(self, step: Transition, answer: str) -> CaseFile:
        """``move`` that remembers what was done about something that happened to an open pull request."""
        async with self._writing() as connection:
            await steps.move(connection, step)
            case = await steps.one(connection, step.finding_id)
            answered = json.dumps([*case.answered, answer])
            await steps.change_pull_request(connection, case, answered=answered)
            return await steps.one(connection, step.finding_id)

    async def store_outcome(self, outcome: Outcome, night: str, evidence: Evidence | None) -> None:
        """Keeps what became of a merged fix, with an entry of evidence if the state of knowledge changed."""
        async with self._writing() as connection:
            case = await steps.one(connection, outcome.finding_id)
            key = {"finding_id": outcome.finding_id, "generation": case.generation, "night": night}
            await steps.put(connection, tables.outcome, key, {"state": outcome.state, "data": encode(outcome)})
            if evidence is not None:
                await chain.append(connection, evidence)

    async def begin_generation(self, step: Transition) -> CaseFile:
        """``move`` of a rejected finding back to its beginning, with a branch and attempts of its own."""
        table = tables.finding
        async with self._writing() as connection:
            same = (table.c.id == step.finding_id, table.c.state == State.CLOSED)
            anew = {"state": State.FOUND, "reason": step.reason, "attempts": 0, "attempt_key": ""}
            changed = await connection.execute(
                update(table).where(*same).values(**anew, generation=table.c.generation + 1)
            )
            if not changed.rowcount:
                raise ConflictError("it is no longer closed", where=f"finding {step.finding_id}")
            await steps.journal(connection, step.finding_id, step.before, State.FOUND, step.reason, step.night, step.at)
            if step.evidence is not None:
                await chain.append(connection, step.evidence)
            return await steps.one(connection, step.finding_id)

    # --- calls of the language model: ``interfaces.ModelCalls``

    async def stored_reply(self, request_hash: str) -> ModelCall | None:
        """The newest call of this hash that was answered."""
        async with self._reading() as connection:
            return await model_calls.answered(connection, request_hash)

    async def note_call(self, call: ModelCall) -> int:
        """Enters a call that is about to be made, and returns its number."""
        async with self._writing() as connection:
            return await model_calls.enter(connection, call)

    async def store_reply(self, number: int, call: ModelCall) -> None:
        """What became of the call with this number."""
        async with self._writing() as connection:
            await model_calls.settle(connection, number, call)

    async def calls_of(self, finding_id: str) -> Sequence[ModelCall]:
        """Every call about a finding, oldest first."""
        async with self._reading() as connection:
            return await model_calls.about(connection, finding_id)

    async def spent_in(self, night: str) -> Spent:
        """What the calls of a night came to; those without an outcome count with the most they may cost."""
        async with self._reading() as connection:
            return await model_calls.spent_in(connection, night)

    async def empty_calls(self, before: datetime) -> int:
        """Takes the texts out of calls made before, about findings that are at an end; returns how many."""
        async with self._writing() as connection:
            return await model_calls.empty(connection, before)

    # --- evidence

    async def export(self) -> AsyncIterator[str]:
        """The evidence as lines of JSON, oldest first."""
        async with self._reading() as connection:
            async for line in chain.lines(connection):
                yield line
