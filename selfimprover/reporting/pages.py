"""Reports as Markdown and as one HTML page without foreign parts."""

from html import escape

from selfimprover.domain import NightReport
from selfimprover.reporting.night_view import view
from selfimprover.reporting.table import Table

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;"
    "color:#1c1c1c;background:#fff}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}th{text-align:left;color:#555;font-weight:600}"
    "th,td{padding:.35rem .6rem;border-bottom:1px solid #ddd;vertical-align:top;overflow-wrap:anywhere}"
    "th,td:first-child{white-space:nowrap}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-bottom:0}.error{color:#a40000}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}th{color:#aaa}th,td{border-color:#333}"
    ".error{color:#ff8a80}}"
)


def markdown(report: NightReport) -> str:
    """The report as GitHub-flavoured Markdown."""
    shown = view(report)
    parts = [f"# {shown.headline}", shown.summary + "."]
    parts += [_markdown_table(table) for table in shown.tables]
    parts += ["## Notes\n\n" + "\n".join(f"- {_cell(note)}" for note in shown.notes)] if shown.notes else []
    parts += ["## Errors\n\n" + "\n".join(f"- {_cell(line)}" for line in shown.problems)] if shown.problems else []
    return "\n\n".join(parts) + "\n"


def html(report: NightReport) -> str:
    """The report as one page: no script, nothing loaded from elsewhere, light and dark."""
    shown = view(report)
    body = [f"<h1>{escape(shown.headline)}</h1>", f"<p>{escape(shown.summary)}.</p>"]
    body += [_html_table(table) for table in shown.tables]
    body += [f"<p>{escape(note)}</p>" for note in shown.notes]
    body += [f'<p class="error">{escape(line)}</p>' for line in shown.problems]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(shown.headline)}</title><style>{_STYLE}</style>"
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n' + "\n".join(body) + "\n</body></html>\n"


def _markdown_table(table: Table) -> str:
    lines = [f"## {table.title}", "", _row(table.columns), _row(["---"] * len(table.columns))]
    return "\n".join([*lines, *(_row([_cell(cell) for cell in row]) for row in table.rows)])


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(text: str) -> str:
    """Text that a Markdown reader shows as it is: no table break, link, mention, emphasis or HTML."""
    for character in "\\`*_[]<>|@#~&":
        text = text.replace(character, f"\\{character}")
    return text.replace("://", "\\://")


def _html_table(table: Table) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return f"<h2>{escape(table.title)}</h2>\n<table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"
