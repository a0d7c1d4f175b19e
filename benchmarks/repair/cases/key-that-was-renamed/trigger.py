from assistant.reminders import overdue
from assistant.snooze import snooze
from assistant.tasks import new_task

overdue([snooze(new_task("call", due=10), 5)], now=20)
