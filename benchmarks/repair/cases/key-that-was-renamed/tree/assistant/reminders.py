"""Reminds of tasks."""


def overdue(tasks, now):
    """The titles of what is overdue, the longest overdue first."""
    late = [task for task in tasks if task["due_at"] <= now]
    return [task["title"] for task in sorted(late, key=lambda task: task["due_at"])]
