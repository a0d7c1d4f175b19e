from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from assistant.digest import run_due
from assistant.ledger import Ledger
from assistant.schedule import Daily

ledger, daily = Ledger(), Daily("02:30", ZoneInfo("Europe/Berlin"))
run_due(daily, ledger, datetime(2026, 10, 24, 22, 0, tzinfo=UTC))
run_due(daily, ledger, datetime(2026, 10, 25, 1, 10, tzinfo=UTC))  # begun again after a restart
