"""Which analyzers there are: ours by name, those of others by entry point, loaded only if the config names them."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib.metadata import entry_points

from selfimprover.analyzers.failure_rate import FailureRate
from selfimprover.analyzers.repeated_errors import RepeatedErrors
from selfimprover.errors import UsageError
from selfimprover.interfaces import Analyzer, AnalyzerFactory

GROUP = "selfimprover.analyzers"

BUILT_IN: dict[str, AnalyzerFactory] = {
    RepeatedErrors.name: RepeatedErrors,
    FailureRate.name: FailureRate,
}


def load(names: Sequence[str], options: Mapping[str, Mapping[str, object]]) -> tuple[Analyzer, ...]:
    """The analyzers with these names, each built with its section of the config.

    A plug-in runs in the process that holds the push token, which is why none is loaded unasked.
    Raises ``UsageError`` for an unknown name, a plug-in that cannot be imported, or options that one refuses.
    """
    return tuple(_build(name, options.get(name, {})) for name in names)


def _build(name: str, options: Mapping[str, object]) -> Analyzer:
    factory = BUILT_IN.get(name) or _foreign(name)
    try:
        return factory(options)
    except (ValueError, TypeError) as error:
        raise UsageError(str(error), where=f"analyzer {name}", mend="see [analyzers] in the config file") from error


def _foreign(name: str) -> AnalyzerFactory:
    offered = {point.name: point for point in entry_points(group=GROUP)}
    if name not in offered:
        known = sorted({*BUILT_IN, *offered})
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        raise UsageError(f"there is no analyzer named {name!r}", where="[analyzers] enabled", mend=hint)
    try:
        factory: AnalyzerFactory = offered[name].load()
    except (ImportError, AttributeError) as error:
        mend = "reinstall the package that provides it, or take it out of [analyzers] enabled"
        raise UsageError(f"it cannot be imported: {error}", where=f"analyzer {name}", mend=mend) from error
    return factory
