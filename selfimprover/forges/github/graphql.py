"""What GraphQL's answers mean: pure. Its errors come with status 200."""

from typing import Any

from selfimprover.forges.github.errors import ForbiddenError, LimitedError, MissingError, RefusedByGitHubError
from selfimprover.forges.github.rules import Answer, unanswered
from selfimprover.forges.github.wording import plain


def decipher_graphql(answer: Answer, *, what: str, write: bool) -> dict[str, Any]:
    """The data of a GraphQL answer; its errors come with status 200 and are raised like those of REST.

    https://docs.github.com/en/graphql/overview/rate-limits-and-node-limits-for-the-graphql-api
    """
    where = f"POST {what}"
    said = answer.data if isinstance(answer.data, dict) else {}
    errors = [one for one in said.get("errors") or () if isinstance(one, dict)] if said else []
    data = said.get("data")
    if not errors and isinstance(data, dict):
        return data
    types = {str(error.get("type")) for error in errors}
    messages = tuple(plain(error.get("message")) for error in errors) or ("an answer without data",)
    if {"RATE_LIMITED", "RATE_LIMIT"} & types:
        reset = {} if answer.reset is None else {"x-ratelimit-reset": str(int(answer.reset.timestamp()))}
        headers = {"x-ratelimit-remaining": "0", **reset}
        raise LimitedError(f"GitHub's rate limit is used up: {messages[0]}", where=where, headers=headers)
    if not errors or any(message.startswith("Something went wrong") for message in messages):
        raise unanswered(f"GitHub failed: {messages[0]}", where=where, write=write)
    if "NOT_FOUND" in types:
        raise MissingError(f"not found: {messages[0]}", where=where, mend="check that the token may see the repository")
    if "FORBIDDEN" in types:
        raise ForbiddenError(f"the token may not do this: {messages[0]}", where=where, mend="give it the permission")
    what_said = f"GitHub refuses: {'; '.join(messages)}"
    raise RefusedByGitHubError(what_said, where=where, codes=tuple(sorted(types)), messages=messages)
