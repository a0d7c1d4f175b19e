"""How wide the columns of a table are on a terminal: no word is broken as long as there is room elsewhere."""

from collections.abc import Collection, Sequence

from rich.cells import cell_len

_LONGEST_WORD = 16
"""A longer word may be broken."""


def fitted(rows: Sequence[Sequence[str]], room: int, whole: Collection[int] = ()) -> list[int]:
    """Widths that come to ``room`` at most, taken from the widest column first; those ``whole`` keep what they need."""
    columns = [[column[index] for column in rows] for index in range(len(rows[0]))]
    widths = [max(map(cell_len, cells)) for cells in columns]
    floors = [max(map(_floor, cells)) for cells in columns]
    giving = [index for index in range(len(widths)) if index not in whole]
    for lowest in (floors, [1] * len(widths)):
        while sum(widths) > room:
            above = [index for index in giving if widths[index] > lowest[index]]
            if not above:
                break
            widths[max(above, key=lambda index: widths[index])] -= 1
    return widths


def _floor(cell: str) -> int:
    return min(_LONGEST_WORD, max(map(cell_len, cell.split()), default=0))
