"""Works through a plan."""

from assistant.plan import PlanError, read_plan


def first_step(answer):
    """What to do first, or a question to the person where the model made no plan."""
    try:
        steps = read_plan(answer)
    except PlanError:
        return "ask: what shall I do?"
    return steps[0] if steps else "done"
