"""A fake GitHub with one repository and a client, for the tests of the fake itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.fakes.github import FakeGitHub, Repository

VERSION = "2026-03-10"
OLD_VERSION = "2022-11-28"
DATE = "2026-02-16T00:17:00Z"
AUTHOR = {"name": "selfimprover", "email": "selfimprover@localhost", "date": DATE}


class Bench:
    """``client`` has the token that publishing needs; paths begin below the repository."""

    def __init__(self, hub: FakeGitHub, client: httpx.Client) -> None:
        self.hub = hub
        self.one: Repository = hub.repository("octo/app")
        self.client = client

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str) -> httpx.Response:
        """``path`` is below the repository, or a whole one if it begins with ``//``."""
        whole = path[1:] if path.startswith("//") else f"/repos/octo/app{path}"
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            extra["Authorization"] = f"Bearer {token}"
        return self.client.request(method, self.hub.url + whole, json=body, headers=extra)

    def get(self, path: str, token: str | None = None, **headers: str) -> httpx.Response:
        return self.ask("GET", path, None, token, **headers)

    def post(self, path: str, body: Any, token: str | None = None, **headers: str) -> httpx.Response:
        return self.ask("POST", path, body, token, **headers)

    def make_commit(self, content: str = "value = 2\n", path: str = "agent/mail.py") -> str:
        """A commit on top of the base, made over the API; no ref points to it."""
        base = self.get("/git/ref/heads/main").json()["object"]["sha"]
        tree = self.get(f"/git/commits/{base}").json()["tree"]["sha"]
        item = {"path": path, "mode": "100644", "type": "blob", "content": content}
        made = self.post("/git/trees", {"base_tree": tree, "tree": [item]})
        body = {"message": "Fix it\n", "tree": made.json()["sha"], "parents": [base], "author": AUTHOR}
        return str(self.post("/git/commits", body).json()["sha"])

    def make_branch(self, name: str = "fix/one", content: str = "value = 2\n") -> str:
        sha = self.make_commit(content)
        assert self.post("/git/refs", {"ref": f"refs/heads/{name}", "sha": sha}).status_code == 201
        return sha

    def make_pull(self, branch: str = "fix/one", **more: Any) -> int:
        """A pull request with its branch, made over the API; returns its number."""
        self.make_branch(branch)
        answer = self.post("/pulls", {"title": "Fix it", "head": branch, "base": "main", "body": "Because.", **more})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["number"])


@contextmanager
def bench(hub: FakeGitHub) -> Iterator[Bench]:
    headers = {"X-GitHub-Api-Version": VERSION, "User-Agent": "tests"}
    with hub, httpx.Client(headers=headers, verify=False) as client:
        client.headers["Authorization"] = f"Bearer {hub.token()}"
        yield Bench(hub, client)
