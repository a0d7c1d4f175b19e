"""Recipe: an attribute that a class is asked for, but only the object it holds has, is handed on to that object."""

import re
from pathlib import Path

from selfimprover.domain import Draft, Edit, Finding, Risk, TaskRecord
from selfimprover.errors import RefusedError
from selfimprover.patterns.tracebacks import Parsed, parse

_MESSAGE = re.compile(r"'(?P<owner>\w{1,200})' object has no attribute '(?P<attribute>\w{1,200})'")


class DelegatedAttribute:
    """Adds a property with setter that delegates the missing attribute to the one object that defines it."""

    name = "delegated-attribute"

    def apply(self, finding: Finding, tree: Path) -> Draft:
        """The draft; raises ``RefusedError`` unless code and traceback show that the attribute is the held object's."""
        sample, parsed, owner_name, attribute = _missing(finding)

        from selfimprover.drafting.recipes.delegated_attribute.code import empty_value, with_property
        from selfimprover.drafting.recipes.delegated_attribute.site import find_delegation

        found = find_delegation(tree, owner_name, attribute, parsed.frames[-1])
        holder, handler = found.holder, found.handler.name
        defined_at = found.handler.at(found.defined.node)
        source = found.owner.code.source
        empty = empty_value(found)
        return Draft(
            drafter=f"recipe:{self.name}",
            title=f"Delegate {owner_name}.{attribute} to {holder}",
            summary="delegated property",
            root_cause=(
                f"`{found.place}` reads `{attribute}` from `{owner_name}`, but only `{handler}`,"
                f" which `{owner_name}` holds as `{holder}`, has it (`{defined_at}`)."
            ),
            change=(
                f"A property with a setter hands `{attribute}` on from `{owner_name}` to `{holder}`,"
                f" checked with hasattr; reading gives `{empty}` while there is no `{holder}`, and setting it then"
                " raises AttributeError."
            ),
            may_hide=(
                f"An absent `{holder}` is now read as empty ({empty}) instead of raising AttributeError.",
                f"So is an object in `{holder}` that has no `{attribute}`.",
                f'Code that asks hasattr(…, "{attribute}") of a `{owner_name}` is now always told yes.',
            ),
            risk=Risk.DEFENSIVE_CHECK,
            edits=(Edit(source.path, source.text, with_property(found)),),
            proof=(
                f"Task {sample.id} failed with AttributeError at `{found.place}`, which reads `{attribute}`.",
                f"`{owner_name}` (`{found.owner.at()}`) is the only class so named; neither it nor its bases have it.",
                f"`{handler}` (`{defined_at}`) is the only other class outside the tests that defines `{attribute}`.",
                f"`{owner_name}` keeps its `{handler}` in `{holder}` (`{found.held_at}`) and in no other attribute.",
            ),
        )


def _missing(finding: Finding) -> tuple[TaskRecord, Parsed, str, str]:
    """The newest sample with a traceback, and the class and attribute that every sample names."""
    named: dict[tuple[str, str], None] = {}
    traced: list[tuple[TaskRecord, Parsed]] = []
    for sample in sorted(finding.samples, key=lambda task: task.created_at, reverse=True):
        parsed = parse(sample.error, sample.traceback)
        match = _MESSAGE.match(parsed.message)
        if parsed.error_type != "AttributeError" or match is None:
            raise RefusedError(f"task {sample.id} did not fail for want of an attribute of an object")
        named[match["owner"], match["attribute"]] = None
        if parsed.frames:
            traced.append((sample, parsed))
    if not traced:
        raise RefusedError("no sample has a traceback")
    if len(named) > 1:
        raise RefusedError(f"the samples miss different attributes: {', '.join('.'.join(each) for each in named)}")
    ((owner, attribute),) = named
    if attribute.startswith("__"):
        raise RefusedError(f"{owner}.{attribute} is a name that Python treats specially")
    return (*traced[0], owner, attribute)
