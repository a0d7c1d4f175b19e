"""How many tests were executed, by what the runner printed at its end; for runs that leave no report.

The wordings are those of the runners' own documentation and output.
"""

import re

_SUMMARIES = (
    (r"^Ran (\d+) tests? in ",),  # unittest
    (r"^=* ?(?:.*?, )?(\d+) passed\b.* in [\d.]+s", r"^=* ?(?:.*?, )?(\d+) failed\b.* in [\d.]+s"),  # pytest
    (r"^test result: \w+\. (\d+) passed", r"^test result: \w+\. \d+ passed; (\d+) failed"),  # cargo
    (r"^ *Tests:? .*\b(\d+) (?:total\b|passed \(\d+\))",),  # jest, vitest
    (r"^(?:# |ℹ )tests (\d+)$",),  # node --test
    (r"^ +(\d+) passing\b", r"^ +(\d+) failing\b"),  # mocha
    (r"^(\d+) examples?, \d+ failures?",),  # rspec
    (r"^(\d+) runs, \d+ assertions",),  # minitest
    (r"^OK \((\d+) tests?,", r"^Tests: (\d+), Assertions: "),  # phpunit
    (r"^\[?(?:INFO|ERROR|WARNING)?\]? ?Tests run: (\d+), .*\d$",),  # maven
    (r"^Total tests: (\d+)",),  # dotnet
    (r"^1\.\.(\d+)\b",),  # TAP
)
_PATTERNS = tuple(tuple(re.compile(one, re.MULTILINE) for one in runner) for runner in _SUMMARIES)
_GO = re.compile(r"^(?:ok|FAIL|---) +\t?\S+\t", re.MULTILINE)
_NONE = re.compile(r"^(?:=+ )?no tests ran\b", re.MULTILINE)


def executed(printed: str) -> int | None:
    """How many tests the output says were executed, over all summaries in it; ``None`` if it does not say."""
    for patterns in _PATTERNS:
        counts = [int(count) for pattern in patterns for count in pattern.findall(printed)]
        if counts:
            return sum(counts)
    if packages := len(_GO.findall(printed)):
        return packages
    return 0 if _NONE.search(printed) else None
