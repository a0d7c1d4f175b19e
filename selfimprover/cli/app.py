"""All commands under one name."""

import typer

from selfimprover.cli import check, demo, findings, memory, night, prs, report

app = typer.Typer(
    name="selfimprover",
    help="Finds an assistant's repeated errors at night and proposes proven fixes as pull requests.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("check")(check.check)
app.command("night")(night.night)
app.command("report")(report.report)
app.command("prs")(prs.prs)
app.add_typer(findings.group, name="findings")
app.add_typer(memory.group, name="memory")
