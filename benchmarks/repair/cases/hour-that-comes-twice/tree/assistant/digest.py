"""Sends the digest."""


def run_due(daily, ledger, after):
    """Sends the next digest after an instant, and returns when that was."""
    due = daily.next(after)
    ledger.begin(daily.date_of(due))
    return due
