"""Options of an analyzer's configuration section."""

from collections.abc import Mapping
from difflib import get_close_matches


def integer_options(analyzer: str, options: Mapping[str, object], **defaults: int) -> dict[str, int]:
    """The defaults overlaid with ``options``, all of which must be known and positive whole numbers.

    Raises ``ValueError`` with one line that says what is wrong and what would be right.
    """
    for name, value in options.items():
        if name not in defaults:
            near = get_close_matches(name, defaults, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(defaults)}"
            raise ValueError(f"analyzers.{analyzer}.{name} is not known; {hint}")
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"analyzers.{analyzer}.{name} must be a whole number of at least 1, not {value!r}")
    return {name: value for name, value in (defaults | dict(options)).items() if isinstance(value, int)}
