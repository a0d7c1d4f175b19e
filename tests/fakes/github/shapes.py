"""Accounts, repositories and git objects as GitHub's JSON shows them."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.fakes.github.accounts import ROLES, App, Installation, Token, User
from tests.fakes.github.answers import Json
from tests.fakes.github.clock import written
from tests.fakes.github.git_data import FOLDER, SUBMODULE, SYMLINK, Change, Commit, Entry, Person, encoded
from tests.fakes.github.state import Repository

_USER_URLS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_REPOSITORY_URLS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
_COUNTS = ("forks_count", "stargazers_count", "watchers_count", "size", "open_issues_count")
_NAMES = {FOLDER: "dir", SUBMODULE: "submodule", SYMLINK: "symlink"}


@dataclass(frozen=True, slots=True)
class Shapes:
    """``api`` is where the API is; ``old`` gives the answers of version 2022-11-28."""

    api: str
    old: bool = False
    html: str = "https://github.test"

    def user(self, user: User) -> Json:
        login = quote(user.login, safe="")
        own = f"{self.api}/users/{login}"
        return {
            "login": user.login,
            "id": user.id,
            "node_id": f"U_{user.id}",
            "avatar_url": f"{self.html}/u/{user.id}",
            "gravatar_id": "",
            "url": own,
            "html_url": f"{self.html}/{login}",
            **{name: own + rest for name, rest in _USER_URLS.items()},
            "type": user.type,
            "user_view_type": "public",
            "site_admin": False,
        }

    def whole_user(self, user: User, since: str) -> Json:
        """What ``GET /user`` shows to a token without the scope ``user``."""
        absent = ("name", "company", "blog", "location", "email", "hireable", "bio", "twitter_username")
        counts = ("public_repos", "public_gists", "followers", "following")
        return {
            **self.user(user),
            **dict.fromkeys(absent),
            **dict.fromkeys(counts, 0),
            "created_at": since,
            "updated_at": since,
        }

    def app(self, app: App, since: str) -> Json:
        return {
            "id": app.id,
            "client_id": app.client_id,
            "slug": app.slug,
            "node_id": f"A_{app.id}",
            "owner": self.user(app.owner),
            "name": app.slug,
            "description": None,
            "external_url": self.html,
            "html_url": f"{self.html}/apps/{app.slug}",
            "created_at": since,
            "updated_at": since,
            "permissions": dict(app.permissions),
            "events": [],
            "installations_count": 1,
        }

    def installation(self, one: Installation, since: str) -> Json:
        return {
            "id": one.id,
            "client_id": one.app.client_id,
            "account": self.user(one.account),
            "repository_selection": "all" if one.repositories is None else "selected",
            "access_tokens_url": f"{self.api}/app/installations/{one.id}/access_tokens",
            "repositories_url": f"{self.api}/installation/repositories",
            "html_url": f"{self.html}/settings/installations/{one.id}",
            "app_id": one.app.id,
            "app_slug": one.app.slug,
            "target_id": one.account.id,
            "target_type": one.account.type,
            "permissions": dict(one.permissions),
            "events": [],
            "created_at": since,
            "updated_at": since,
            "single_file_name": None,
            "suspended_by": self.user(one.account) if one.suspended_at else None,
            "suspended_at": written(one.suspended_at) if one.suspended_at else None,
        }

    def repository_url(self, repository: Repository) -> str:
        return f"{self.api}/repos/{repository.full_name}"

    def html_url(self, repository: Repository) -> str:
        return f"{self.html}/{repository.full_name}"

    def repository(self, one: Repository, token: Token | None = None) -> Json:
        """As it stands in other answers; with a token its ``permissions`` are there."""
        own, html = self.repository_url(one), self.html_url(one)
        since = written(one.created_at)
        shape: Json = {
            "id": one.id,
            "node_id": f"R_{one.id}",
            "name": one.name,
            "full_name": one.full_name,
            "private": one.private,
            "owner": self.user(one.owner),
            "html_url": html,
            "description": None,
            "fork": False,
            "url": own,
            **{name: own + rest for name, rest in _REPOSITORY_URLS.items()},
            "git_url": f"git://github.test/{one.full_name}.git",
            "ssh_url": f"git@github.test:{one.full_name}.git",
            "clone_url": f"{html}.git",
            "svn_url": html,
            "mirror_url": None,
            "homepage": None,
            "language": "Python",
            **dict.fromkeys(_COUNTS, 0),
            "size": 0 if not one.refs else 42,
            "default_branch": one.default_branch,
            "topics": [],
            "has_issues": True,
            "has_projects": True,
            "has_wiki": False,
            "has_pages": False,
            "has_discussions": False,
            "has_pull_requests": True,
            "pull_request_creation_policy": "all",
            "archived": one.archived,
            "disabled": False,
            "visibility": "private" if one.private else "public",
            "pushed_at": since,
            "created_at": since,
            "updated_at": since,
            "license": None,
            "allow_forking": True,
            "is_template": False,
            "web_commit_signoff_required": False,
            "forks": 0,
            "open_issues": sum(pull.state == "open" for pull in one.pulls.values()),
            "watchers": 0,
        }
        if self.old:
            shape["has_downloads"] = True
        if token:
            shape["permissions"] = self._permissions(one, token)
        return shape

    def whole_repository(self, one: Repository, token: Token | None) -> Json:
        """The answer of ``GET /repos/…``; how it may be merged is shown to whoever may push."""
        shape = {**self.repository(one, token), "subscribers_count": 0, "network_count": 0, "temp_clone_token": None}
        if token and (shape["permissions"]["push"] or token.may("contents=write")):
            shape |= {
                "allow_merge_commit": "merge" in one.merge_methods,
                "allow_squash_merge": "squash" in one.merge_methods,
                "allow_rebase_merge": "rebase" in one.merge_methods,
                "allow_auto_merge": False,
                "allow_update_branch": False,
                "delete_branch_on_merge": one.delete_branch_on_merge,
                "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
                "squash_merge_commit_message": "COMMIT_MESSAGES",
                "merge_commit_title": "MERGE_MESSAGE",
                "merge_commit_message": "PR_TITLE",
            }
        return shape

    def _permissions(self, one: Repository, token: Token) -> dict[str, bool]:
        # they are the user's, whatever the token may do; an app is no user and has none
        role = None if token.kind == "installation" else one.role(token.user, token.role)
        level = ROLES.index(role) if role else -1
        return {name: level >= ROLES.index(name) for name in reversed(ROLES)}

    # --- git -------------------------------------------------------------------------------------------------

    def ref(self, one: Repository, name: str) -> Json:
        sha, own = one.refs[name], self.repository_url(one)
        return {
            "ref": name,
            "node_id": f"REF_{one.id}_{name}",
            "url": f"{own}/git/{quote(name)}",
            "object": {"type": "commit", "sha": sha, "url": f"{own}/git/commits/{sha}"},
        }

    def git_commit(self, one: Repository, sha: str) -> Json:
        commit, own, html = one.objects.commits[sha], self.repository_url(one), self.html_url(one)
        parents = [
            {"sha": up, "url": f"{own}/git/commits/{up}", "html_url": f"{html}/commit/{up}"} for up in commit.parents
        ]
        return {
            "sha": sha,
            "node_id": f"C_{sha}",
            "url": f"{own}/git/commits/{sha}",
            "html_url": f"{html}/commit/{sha}",
            "author": _person(commit.author),
            "committer": _person(commit.committer),
            "tree": {"sha": commit.tree, "url": f"{own}/git/trees/{commit.tree}"},
            "message": commit.message,
            "parents": parents,
            "verification": _unsigned(commit),
        }

    def commit(self, one: Repository, sha: str, users: Iterable[User] = ()) -> Json:
        """As in lists; ``users`` are those whom an address may belong to."""
        commit, own, html = one.objects.commits[sha], self.repository_url(one), self.html_url(one)
        by_email = {user.email: self.user(user) for user in users}
        parents = [
            {"sha": up, "url": f"{own}/commits/{up}", "html_url": f"{html}/commit/{up}"} for up in commit.parents
        ]
        return {
            "sha": sha,
            "node_id": f"C_{sha}",
            "commit": {
                "author": _person(commit.author),
                "committer": _person(commit.committer),
                "message": commit.message,
                "tree": {"sha": commit.tree, "url": f"{own}/git/trees/{commit.tree}"},
                "url": f"{own}/git/commits/{sha}",
                "comment_count": 0,
                "verification": _unsigned(commit),
            },
            "url": f"{own}/commits/{sha}",
            "html_url": f"{html}/commit/{sha}",
            "comments_url": f"{own}/commits/{sha}/comments",
            "author": by_email.get(commit.author.email),
            "committer": by_email.get(commit.committer.email),
            "parents": parents,
        }

    def tree(self, one: Repository, sha: str, *, recursive: bool) -> Json:
        own = self.repository_url(one)
        found = dict(one.objects.trees[sha])
        if recursive:
            found = one.objects.files(sha) | dict(one.objects.folders(sha))
        listed = sorted(found.items())[: one.tree_limit]
        return {
            "sha": sha,
            "url": f"{own}/git/trees/{sha}",
            "tree": [self._tree_item(one, path, entry) for path, entry in listed],
            "truncated": len(listed) < len(found),
        }

    def _tree_item(self, one: Repository, path: str, entry: Entry) -> Json:
        item: Json = {"path": path, "mode": entry.mode, "type": entry.type, "sha": entry.sha}
        if entry.type == "blob":
            item["size"] = len(one.objects.blobs[entry.sha])
        if entry.type != "commit":
            item["url"] = f"{self.repository_url(one)}/git/{entry.type}s/{entry.sha}"
        return item

    def blob(self, one: Repository, sha: str) -> Json:
        content = one.objects.blobs[sha]
        return {
            "sha": sha,
            "node_id": f"B_{sha}",
            "size": len(content),
            "url": f"{self.repository_url(one)}/git/blobs/{sha}",
            "content": encoded(content),
            "encoding": "base64",
        }

    def content(self, one: Repository, path: str, entry: Entry, ref: str, *, listed: bool) -> Json:
        """One item of ``contents``, without its content if it is ``listed``."""
        own, html = self.repository_url(one), self.html_url(one)
        kind = _NAMES.get(entry.mode, "file")
        blob = one.objects.blobs.get(entry.sha, b"")
        url = f"{own}/contents/{quote(path)}?ref={quote(ref, safe='')}"
        git = None if kind == "submodule" else f"{own}/git/{entry.type}s/{entry.sha}"
        page = f"{html}/{entry.type}/{quote(ref)}/{quote(path)}"
        raw = f"https://raw.github.test/{one.full_name}/{quote(ref)}/{quote(path)}"
        shape: Json = {
            "type": "file" if kind == "submodule" and listed and self.old else kind,
            "name": path.rpartition("/")[2],
            "path": path,
            "sha": entry.sha,
            "size": len(blob),
            "url": url,
            "git_url": git,
            "html_url": page,
            "download_url": raw if kind in {"file", "symlink"} else None,
            "_links": {"self": url, "git": git, "html": page},
        }
        if kind == "submodule" and not listed:
            shape["submodule_git_url"] = f"{html}-submodule.git"
        if kind == "symlink" and not listed:
            shape["target"] = blob.decode()
        if kind == "file" and not listed:
            large = len(blob) > 1 << 20
            shape |= {"content": "" if large else encoded(blob), "encoding": "none" if large else "base64"}
        return shape

    def difference(self, one: Repository, change: Change) -> Json:
        """A file of a comparison."""
        own, html = self.repository_url(one), self.html_url(one)
        added, removed = counted(one, change)
        after = change.after or change.before
        status = "added" if not change.before else "modified" if change.after else "removed"
        path = quote(change.path)
        return {
            "sha": after.sha if after else None,
            "filename": change.path,
            "status": status,
            "additions": added,
            "deletions": removed,
            "changes": added + removed,
            "blob_url": f"{html}/blob/{path}",
            "raw_url": f"{html}/raw/{path}",
            "contents_url": f"{own}/contents/{path}",
        }


def counted(one: Repository, change: Change) -> tuple[int, int]:
    """Lines added and removed; none in binary files."""
    sides = [one.objects.blobs.get(entry.sha, b"") if entry else b"" for entry in (change.before, change.after)]
    if any(b"\0" in side for side in sides):
        return 0, 0
    before, after = (side.splitlines() for side in sides)
    added = removed = 0
    for kind, first, last, start, end in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            removed += last - first
            added += end - start
    return added, removed


def _person(person: Person) -> Json:
    return {"name": person.name, "email": person.email, "date": written(person.date)}


def _unsigned(commit: Commit) -> Json:
    nothing: dict[str, Any] = {"payload": None, "verified_at": None}
    reason = "unsigned" if commit.signature is None else "unknown_key"
    return {"verified": False, "reason": reason, "signature": commit.signature, **nothing}
