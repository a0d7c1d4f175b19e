"""What people think of the answers, from 1 to 5."""

from assistant.numbers import highest, mean


def report(ratings):
    """Per topic the mean and the highest rating."""
    return {topic: (mean(given), highest(given)) for topic, given in ratings.items()}


def text(ratings):
    """The report as lines."""
    lines = []
    for topic, (average, best) in report(ratings).items():
        shown = "no ratings yet" if average is None else f"{average:.1f} (at best {best})"
        lines.append(f"{topic}: {shown}")
    return "\n".join(lines)
