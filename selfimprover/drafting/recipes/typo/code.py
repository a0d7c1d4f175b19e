"""Writes the right name, and leaves everything else as it was."""

import libcst as cst

from selfimprover.drafting.recipes.source import BYTE_ORDER_MARK
from selfimprover.drafting.recipes.typo.found import Typo
from selfimprover.errors import RefusedError
from selfimprover.parsing import parse


def corrected(typo: Typo) -> str:
    """The whole text of the file with the one name exchanged."""
    code = typo.place.code
    changed = code.module.deep_replace(typo.use, typo.use.with_changes(value=typo.right))
    text = code.with_text(cst.ensure_type(changed, cst.Module))
    try:
        parse(text.removeprefix(BYTE_ORDER_MARK), filename=code.source.path)
    except SyntaxError:
        raise RefusedError(f"{typo.right} cannot stand at {typo.place}") from None
    return text
