"""Which function answers which path, and what it gets to know."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from tests.fakes.github.accounts import Token, User
from tests.fakes.github.answers import Answer, ApiError, Json, Request
from tests.fakes.github.limits import Limits
from tests.fakes.github.pull_shapes import PullShapes
from tests.fakes.github.pulls import Pull
from tests.fakes.github.shapes import Shapes
from tests.fakes.github.state import Repository, World


@dataclass
class Context:
    """A request that was let in."""

    world: World
    limits: Limits
    request: Request
    shapes: Shapes
    codeload: Callable[[Repository, str, str], str]
    """Makes a link to an archive: repository, ref as asked, commit."""
    token: Token | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    found: Repository | None = None
    needs: str = ""

    @property
    def repository(self) -> Repository:
        assert self.found
        return self.found

    @property
    def user(self) -> User:
        """Who asks; only for routes that need a permission to write."""
        if self.token is None:
            raise ApiError(401, "Requires authentication")
        return self.token.user

    @property
    def pulls(self) -> PullShapes:
        return PullShapes(self.shapes, self.repository)

    @property
    def pull(self) -> Pull:
        """The pull request that the path names."""
        pull = self.repository.pulls.get(int(self.args["number"]))
        if pull is None:
            raise ApiError(404, "Not Found")
        return pull

    def paged(self, items: Sequence[Any]) -> tuple[list[Any], dict[str, str]]:
        """The page that is asked for, and the Link header; its addresses name the repository by its id."""
        query = dict(self.request.query)
        size = min(max(_number(query.get("per_page"), 30), 1), 100)
        page, last = max(_number(query.get("page"), 1), 1), max(-(-len(items) // size), 1)
        links: dict[str, int] = {}
        if page > 1:
            links |= {"prev": min(page - 1, last), "first": 1}
        if page < last:
            links |= {"next": page + 1, "last": last}
        where = f"{self.shapes.api}{self._path()}"
        header = ", ".join(f'<{where}?{_joined({**query, "page": str(at)})}>; rel="{rel}"' for rel, at in links.items())
        return list(items[(page - 1) * size : page * size]), {"Link": header} if header else {}

    def page(self, items: Sequence[Any], shape: Callable[[Any], Json]) -> Answer:
        """200 with a page of ``items``."""
        chosen, headers = self.paged(items)
        return Answer(200, [shape(item) for item in chosen], headers)

    def _path(self) -> str:
        if self.found is None:
            return self.request.path
        rest = re.sub(r"^/(repos/[^/]+/[^/]+|repositories/\d+)", "", self.request.path)
        return f"/repositories/{self.found.id}{rest}"


Handler = Callable[[Context], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """``needs`` is a permission as ``X-Accepted-GitHub-Permissions`` names it; ``body`` names githubkit's models."""

    method: str
    pattern: re.Pattern[str]
    in_repository: bool
    needs: str
    body: tuple[str, ...] | None
    handler: Handler


ROUTES: list[Route] = []


def route(
    method: str, path: str, needs: str = "", body: str | tuple[str, ...] | None = None
) -> Callable[[Handler], Handler]:
    """Lets a function answer ``path``; ``~`` stands for a repository, ``{ref:path}`` may span slashes."""

    def add(handler: Handler) -> Handler:
        inner = re.sub(r"\{(\w+):path\}", r"(?P<\1>.+)", path.removeprefix("~"))
        inner = re.sub(r"\{number\}", r"(?P<number>\\d+)", inner)
        inner = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", inner)
        names = (body,) if isinstance(body, str) else body
        ROUTES.append(Route(method, re.compile(inner), path.startswith("~"), needs, names, handler))
        return handler

    return add


def matching(method: str, path: str, *, in_repository: bool) -> tuple[Route, dict[str, str]]:
    """The route of a path (below its repository) with the decoded parts of it; 404 if there is none."""
    for one in ROUTES:
        found = one.pattern.fullmatch(path) if one.in_repository == in_repository else None
        if found and one.method == method:
            return one, {name: unquote(part) for name, part in found.groupdict().items()}
    raise ApiError(404, "Not Found")


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() else otherwise


def _joined(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name)}={quote(value, safe=':')}" for name, value in query.items())
