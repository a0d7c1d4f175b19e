"""Reads the answers of the weather service (docs/weather-api.md)."""

from assistant.errors import AnswerError


def forecast(answer):
    """Millimetres of rain by date; raises ``AnswerError`` for a broken answer."""
    if "days" not in answer:
        raise AnswerError("the forecast has no days")
    return {day["date"]: day["rain"]["mm"] for day in answer["days"]}


def wettest(answer):
    """The date with the most rain, or ``None`` without any days."""
    rain = forecast(answer)
    return max(rain, key=rain.get, default=None)
