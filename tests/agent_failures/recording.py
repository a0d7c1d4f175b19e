"""How an assistant records a failure: with or without traceback, cut off, through a log."""

import json
from dataclasses import dataclass, replace
from random import Random

from tests.agent_failures.values import moment

WITHOUT_TRACEBACK = 0.20
CUT_OFF = 0.08
THROUGH_A_LOG = 0.10
SHORT_TYPE = 0.7


@dataclass(frozen=True)
class Failure:
    """What a telemetry table holds of a failed task."""

    error: str
    traceback: str | None


def cut_off(failure: Failure, random: Random) -> Failure:
    """The head is lost; or the tail, where the error column still has the message."""
    lines = (failure.traceback or "").splitlines()
    if len(lines) < 6:
        return failure
    if random.random() < 0.5:
        kept = "\n".join(lines[len(lines) // 3 :])
        return replace(failure, traceback=random.choice(("", "...\n", "[truncated]\n")) + kept[random.randint(0, 12) :])
    kept = "\n".join(lines[: -max(2, len(lines) // 6)])
    return replace(failure, traceback=kept[: -random.randint(1, 12)] + random.choice(("", "…", "... [truncated]")))


def through_a_log(text: str, random: Random) -> str:
    """The text as a log shows it."""
    at, name = moment(random), random.choice(("agent.worker", "agent.core", "assistant"))
    task = random.randint(100, 99_999)
    several = "\n" in text
    match random.randrange(5):
        case 0:
            lead = f"{at.replace('T', ' ')},{random.randint(0, 999):03} ERROR {name}: "
            return f"{lead}task {task} failed\n{text}" if several else lead + text
        case 1:
            lead = f"[{at}Z] [ERROR] [{name}] "
            return f"{lead}unhandled exception\n{text}" if several else lead + text
        case 2:
            lead = f"Nov 02 {at[11:]} worker-{task % 9} assistant[{task}]: "
            return "\n".join(lead + line for line in text.splitlines())
        case 3:
            lead = f"ERROR:{name}:"
            return f"{lead}task {task} failed\n{text}" if several else lead + text
        case _:
            line = {"timestamp": f"{at}.{task:06}Z", "level": "error", "logger": name, "task_id": task}
            told = {"event": "task failed", "exception": text} if several else {"event": text}
            return json.dumps(line | told)
