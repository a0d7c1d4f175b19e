"""As much of GraphQL as REST lacks: a draft made ready or taken back, and the merge commit of a pull request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.github.answers import Answer, ApiError, Json
from tests.fakes.github.pulls import Pull
from tests.fakes.github.routing import Context, route
from tests.fakes.github.state import Repository

_TOKEN = re.compile(r'\s*(?:#[^\n]*\n\s*)*([A-Za-z_]\w*|\$\w+|"(?:[^"\\]|\\.)*"|-?\d+|\.\.\.|[{}():!\[\]=@|])[\s,]*')
_DRAFT = {"markPullRequestReadyForReview": False, "convertPullRequestToDraft": True}


class _GraphqlError(Exception):
    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.entry: Json = {"message": message, **({"type": kind} if kind else {})}


@dataclass
class _Field:
    name: str
    alias: str
    arguments: Json = field(default_factory=dict)
    chosen: "list[_Field] | None" = None


class _Parser:
    """One operation without fragments."""

    def __init__(self, text: str, variables: Mapping[str, Any]) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0
        self._variables = variables

    def operation(self) -> tuple[str, list[_Field]]:
        kind = "query" if self._peek() == "{" else self._next()
        if kind not in {"query", "mutation"}:
            raise _GraphqlError(f"Parse error on {kind!r}")
        while self._peek() != "{":
            self._skip_parentheses() if self._peek() == "(" else self._next()
        return kind, self._selection()

    def _peek(self) -> str:
        if self._at >= len(self._tokens):
            raise _GraphqlError("Unexpected end of document")
        return str(self._tokens[self._at])

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _skip_parentheses(self) -> None:
        while self._next() != ")":
            pass

    def _selection(self) -> list[_Field]:
        self._next()
        fields = []
        while self._peek() != "}":
            fields.append(self._field())
        self._next()
        return fields

    def _field(self) -> _Field:
        alias = name = self._next()
        if self._peek() == ":":
            self._next()
            name = self._next()
        made = _Field(name, alias)
        if self._peek() == "(":
            self._next()
            made.arguments = self._pairs(")")
        if self._peek() == "{":
            made.chosen = self._selection()
        return made

    def _pairs(self, end: str) -> Json:
        pairs = {}
        while self._peek() != end:
            name = self._next()
            self._next()  # the colon
            pairs[name] = self._value()
        self._next()
        return pairs

    def _value(self) -> Any:
        token = self._next()
        if token == "{":
            return self._pairs("}")
        if token.startswith("$"):
            return self._variables.get(token[1:])
        if token.startswith('"'):
            return token[1:-1].replace('\\"', '"')
        return int(token) if token.lstrip("-").isdecimal() else {"true": True, "false": False}.get(token)


@route("POST", "/graphql")
def graphql(context: Context) -> Answer:
    """Errors of GraphQL come with status 200."""
    if context.token is None:
        raise ApiError(401, "This endpoint requires you to be authenticated.")
    query, variables = context.body.get("query"), context.body.get("variables") or {}
    if not isinstance(query, str):
        return Answer(200, {"errors": [{"message": "A query attribute must be specified and must be a string."}]})
    data: Json = {}
    try:
        kind, fields = _Parser(query, variables).operation()
        for one in fields:
            data[one.alias] = _mutate(context, one) if kind == "mutation" else _query(context, one)
    except _GraphqlError as error:
        return Answer(200, {"data": None, "errors": [error.entry]})
    return Answer(200, {"data": data})


def _mutate(context: Context, wanted: _Field) -> Any:
    if wanted.name == "updateRefs":
        return _update_refs(context, wanted)
    if wanted.name not in _DRAFT:
        raise _GraphqlError(f"Field '{wanted.name}' doesn't exist on type 'Mutation'")
    given = wanted.arguments.get("input") or {}
    repository, pull = _by_node(context, given.get("pullRequestId"))
    _need(context, repository, "write")
    draft = _DRAFT[wanted.name]
    if pull.state == "closed" or (draft and not repository.drafts_allowed):
        raise _GraphqlError("Could not change the draft state of this pull request.", "UNPROCESSABLE")
    repository.set_draft(pull, context.user, draft=draft)
    answer = {"clientMutationId": given.get("clientMutationId"), "pullRequest": _shape(pull)}
    return _projected(answer, wanted.chosen, "Payload")


def _update_refs(context: Context, wanted: _Field) -> Any:
    """All of the changes or none: each ref must be at its ``beforeOid``, if one is given."""
    given = wanted.arguments.get("input") or {}
    found = (one for one in context.world.repositories.values() if f"R_{one.id}" == given.get("repositoryId"))
    repository = next(found, None)
    if repository is None:
        raise _GraphqlError(
            f"Could not resolve to a node with the global id of '{given.get('repositoryId')}'", "NOT_FOUND"
        )
    _need(context, repository, "write", "contents")
    changes = given.get("refUpdates") or []
    for one in changes:
        if not str(one.get("name", "")).startswith("refs/"):
            raise _GraphqlError(f"Ref name '{one.get('name')}' is not fully qualified.", "UNPROCESSABLE")
        if one.get("beforeOid") not in {None, repository.refs.get(one["name"])}:
            raise _GraphqlError(f"Ref '{one['name']}' is not at the expected commit.", "UNPROCESSABLE")
    try:
        for one in changes:
            repository.update_ref(one["name"], one["afterOid"], context.user, force=bool(one.get("force")))
    except ApiError as error:
        raise _GraphqlError(str(error), "UNPROCESSABLE") from None
    return _projected({"clientMutationId": given.get("clientMutationId")}, wanted.chosen, "Payload")


def _query(context: Context, wanted: _Field) -> Any:
    if wanted.name == "node":
        repository, pull = _by_node(context, wanted.arguments.get("id"))
        _need(context, repository, "read")
        return _projected(_shape(pull), wanted.chosen, "PullRequest")
    if wanted.name != "repository":
        raise _GraphqlError(f"Field '{wanted.name}' doesn't exist on type 'Query'")
    name = f"{wanted.arguments.get('owner')}/{wanted.arguments.get('name')}"
    repository_found = context.world.find(name)
    if repository_found is None and wanted.arguments.get("followRenames", True):
        repository_found = context.world.repositories.get(context.world.renamed.get(name.lower(), 0))
    if repository_found is None:
        raise _GraphqlError(f"Could not resolve to a Repository with the name '{name}'.", "NOT_FOUND")
    _need(context, repository_found, "read")
    answer: Json = {}
    for inner in wanted.chosen or []:
        pull_found = repository_found.pulls.get(inner.arguments.get("number", 0))
        if inner.name != "pullRequest" or pull_found is None:
            raise _GraphqlError("Could not resolve to a PullRequest.", "NOT_FOUND")
        answer[inner.alias] = _projected(_shape(pull_found), inner.chosen, "PullRequest")
    return answer


def _by_node(context: Context, node_id: object) -> tuple[Repository, Pull]:
    for repository in context.world.repositories.values():
        for pull in repository.pulls.values():
            if pull.node_id == node_id:
                return repository, pull
    raise _GraphqlError(f"Could not resolve to a node with the global id of '{node_id}'", "NOT_FOUND")


def _need(context: Context, repository: Repository, level: str, permission: str = "pull_requests") -> None:
    token = context.token
    assert token
    if token.repositories is not None and repository.id not in token.repositories:
        raise _GraphqlError("Could not resolve to a node.", "NOT_FOUND")
    allowed = "repo" in token.scopes if token.kind == "classic" else token.may(f"{permission}={level}")
    if not allowed:
        who = "integration" if token.kind == "installation" else "personal access token"
        raise _GraphqlError(f"Resource not accessible by {who}", "FORBIDDEN")


def _shape(pull: Pull) -> Json:
    return {
        "id": pull.node_id,
        "number": pull.number,
        "isDraft": pull.draft,
        "merged": pull.merged,
        "state": "MERGED" if pull.merged else pull.state.upper(),
        "mergeCommit": {"oid": pull.merge_commit} if pull.merge_commit else None,
        "headRefOid": pull.head_sha,
    }


def _projected(value: Any, chosen: list[_Field] | None, kind: str) -> Any:
    if value is None or chosen is None:
        return value
    missing = next((one.name for one in chosen if one.name not in value and one.name != "__typename"), None)
    if missing:
        raise _GraphqlError(f"Field '{missing}' doesn't exist on type '{kind}'")
    return {one.alias: _projected(value.get(one.name, kind), one.chosen, one.name) for one in chosen}
