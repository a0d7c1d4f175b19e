from datetime import UTC, datetime

from assistant.agenda import upcoming
from assistant.events import read_event

events = [read_event({"title": "Call", "start": "2026-02-16T09:00:00"})]
upcoming(events, datetime(2026, 2, 16, 8, 0, tzinfo=UTC))
