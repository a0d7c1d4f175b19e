"""Reads the plans that the language model makes."""

import json


class PlanError(ValueError):
    """The model's answer is no plan."""


def read_plan(answer):
    """The steps of a plan. The answer is a JSON object; what the model says before or after it does not matter.

    Raises ``PlanError`` where there is no such object in it, or none with steps.
    """
    start = answer.find("{")
    if start < 0:
        raise PlanError(f"no plan in {answer[:40]!r}")
    plan = json.loads(answer[start:])
    if not isinstance(plan.get("steps"), list):
        raise PlanError("a plan without steps")
    return plan["steps"]
