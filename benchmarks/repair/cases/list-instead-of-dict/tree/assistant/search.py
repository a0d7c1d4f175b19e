"""Searches the notes."""

import json


class SearchError(Exception):
    """The search service refused."""


def titles(body):
    """The titles of the hits in an answer, in order; raises ``SearchError`` with what the service says."""
    answer = json.loads(body)
    if "error" in answer:
        raise SearchError(answer["error"])
    return [hit["title"] for hit in answer["hits"]]


def next_page(body):
    """Where the next page is, or ``None`` after the last."""
    answer = json.loads(body)
    return answer.get("next") if isinstance(answer, dict) else None
