"""Refs and git objects over the API."""

import base64
import binascii
import re
from datetime import UTC, datetime

from tests.fakes.github.answers import Answer, ApiError, Json
from tests.fakes.github.git_data import EXECUTABLE, FILE, FOLDER, SUBMODULE, SYMLINK, Commit, Entry, Objects, Person
from tests.fakes.github.routing import Context, route

_TYPES = {"blob": {FILE, EXECUTABLE, SYMLINK}, "tree": {FOLDER}, "commit": {SUBMODULE}}
_BAD_PARTS = {"", ".", "..", ".git"}
_WORKFLOWS = ".github/workflows/"


def _not_empty(context: Context) -> None:
    if not context.repository.refs:
        raise ApiError(409, "Git Repository is empty.")


@route("GET", "~/git/ref/{ref:path}", "contents=read")
def get_ref(context: Context) -> Answer:
    _not_empty(context)
    name = f"refs/{context.args['ref']}"
    if not context.repository.sees_ref(name):
        raise ApiError(404, "Not Found")
    return Answer(200, context.shapes.ref(context.repository, name))


@route("GET", "~/git/matching-refs/{ref:path}", "contents=read")
def matching_refs(context: Context) -> Answer:
    _not_empty(context)
    start = f"refs/{context.args['ref']}"
    names = [name for name in sorted(context.repository.refs) if name.startswith(start)]
    seen = [name for name in names if context.repository.sees_ref(name)]
    return context.page(seen, lambda name: context.shapes.ref(context.repository, name))


@route("POST", "~/git/refs", "contents=write", "ReposOwnerRepoGitRefsPostBody")
def create_ref(context: Context) -> Answer:
    name = context.body["ref"]
    context.repository.create_ref(name, context.body["sha"], context.user)
    shape = context.shapes.ref(context.repository, name)
    return Answer(201, shape, {"Location": shape["url"]})


@route("PATCH", "~/git/refs/{ref:path}", "contents=write", "ReposOwnerRepoGitRefsRefPatchBody")
def update_ref(context: Context) -> Answer:
    name, force = f"refs/{context.args['ref']}", context.body.get("force", False)
    context.repository.update_ref(name, context.body["sha"], context.user, force=force)
    return Answer(200, context.shapes.ref(context.repository, name))


@route("DELETE", "~/git/refs/{ref:path}", "contents=write")
def delete_ref(context: Context) -> Answer:
    context.repository.delete_ref(f"refs/{context.args['ref']}", context.user)
    return Answer(204)


@route("GET", "~/git/commits/{sha}", "contents=read")
def get_commit(context: Context) -> Answer:
    _not_empty(context)
    if context.args["sha"] not in context.repository.objects.commits:
        raise ApiError(404, "Not Found")
    return Answer(200, context.shapes.git_commit(context.repository, context.args["sha"]))


@route("POST", "~/git/commits", "contents=write", "ReposOwnerRepoGitCommitsPostBody")
def create_commit(context: Context) -> Answer:
    _not_empty(context)
    objects, body = context.repository.objects, context.body
    if body["tree"] not in objects.trees:
        raise ApiError(422, "Tree SHA does not exist")
    parents = tuple(body.get("parents", ()))
    if any(one not in objects.commits for one in parents):
        raise ApiError(422, "Parent SHA does not exist or is not a commit object")
    author = _person(body.get("author"), context)
    committer = _person(body["committer"], context) if "committer" in body else author
    sha = objects.add_commit(
        Commit(body["tree"], parents, author, committer, body["message"], body.get("signature") or None)
    )
    shape = context.shapes.git_commit(context.repository, sha)
    return Answer(201, shape, {"Location": shape["url"]})


def _person(given: Json | None, context: Context) -> Person:
    if given is None:
        return Person(context.user.login, context.user.email, context.world.now())
    if "date" not in given:
        return Person(given["name"], given["email"], context.world.now())
    date = datetime.fromisoformat(given["date"])
    return Person(given["name"], given["email"], date if date.tzinfo else date.replace(tzinfo=UTC))


@route("GET", "~/git/blobs/{sha}", "contents=read")
def get_blob(context: Context) -> Answer:
    _not_empty(context)
    if context.args["sha"] not in context.repository.objects.blobs:
        raise ApiError(404, "Not Found")
    return Answer(200, context.shapes.blob(context.repository, context.args["sha"]))


@route("POST", "~/git/blobs", "contents=write", "ReposOwnerRepoGitBlobsPostBody")
def create_blob(context: Context) -> Answer:
    _not_empty(context)
    text, encoding = context.body["content"], context.body.get("encoding", "utf-8")
    if encoding not in {"utf-8", "base64"}:
        raise ApiError(422, f"{encoding} is not a valid encoding")
    try:
        content = base64.b64decode(re.sub(r"\s", "", text), validate=True) if encoding == "base64" else text.encode()
    except (binascii.Error, ValueError):
        raise ApiError(422, "content is not valid Base64") from None
    sha = _protected_blob(context, content)
    url = f"{context.shapes.repository_url(context.repository)}/git/blobs/{sha}"
    return Answer(201, {"sha": sha, "url": url}, {"Location": url})


def _protected_blob(context: Context, content: bytes) -> str:
    pattern = context.repository.push_protection
    if pattern and re.search(pattern.encode(), content):
        places = [{"placeholder_id": "1", "token_type": "a_secret"}]
        scanning = {"secret_scanning": {"bypass_placeholders": places}}
        what = "Repository rule violations found\n\nSecret detected in content\n\n"
        raise ApiError(422, what, metadata=scanning)
    return context.repository.objects.add_blob(content)


@route("GET", "~/git/trees/{ref:path}", "contents=read")
def get_tree(context: Context) -> Answer:
    _not_empty(context)
    one, ref = context.repository, context.args["ref"]
    sha = ref if ref in one.objects.trees else one.objects.commits[one.commit_of(ref)].tree
    # any value of it counts, even 0 and false
    return Answer(200, context.shapes.tree(one, sha, recursive="recursive" in context.request.query))


@route("POST", "~/git/trees", "contents=write", "ReposOwnerRepoGitTreesPostBody")
def create_tree(context: Context) -> Answer:
    _not_empty(context)
    objects, base = context.repository.objects, context.body.get("base_tree")
    if base is not None and base not in objects.trees:
        raise ApiError(422, "base_tree is not a valid tree oid")
    if not context.body["tree"] and base is None:
        raise ApiError(422, "Invalid tree info")
    files = objects.files(base) if base else {}
    for item in context.body["tree"]:
        _apply(context, files, item)
    sha = objects.plant(files)
    shape = context.shapes.tree(context.repository, sha, recursive=False)
    return Answer(201, shape, {"Location": shape["url"]})


def _apply(context: Context, files: dict[str, Entry], item: Json) -> None:
    path = item.get("path", "")
    if any(part.lower() in _BAD_PARTS for part in path.split("/")):
        raise ApiError(422, "tree.path contains a malformed path component")
    if path.startswith(_WORKFLOWS):
        _allow_workflow(context)
    below = [name for name in files if name.startswith(f"{path}/")]
    if "sha" in item and item["sha"] is None:
        if path not in files and not below:
            raise ApiError(422, "GitRPC::BadObjectState")
        entry = None
    else:
        entry = _entry(context, item)
    for name in [*below, *([path] if path in files else [])]:
        del files[name]
    if entry and entry.mode == FOLDER:
        files |= context.repository.objects.files(entry.sha, f"{path}/")
    elif entry:
        files[path] = entry


def _allow_workflow(context: Context) -> None:
    token = context.token
    if token is None:
        raise ApiError(401, "Requires authentication")
    allowed = "workflow" in token.scopes if token.kind == "classic" else token.may("workflows=write")
    if not allowed:
        needed = {"X-Accepted-GitHub-Permissions": "contents=write,workflows=write"}
        raise ApiError(403, refusal_of(token.kind), headers=needed)


def refusal_of(kind: str) -> str:
    """GitHub's words for a permission that a token lacks."""
    return f"Resource not accessible by {'integration' if kind == 'installation' else 'personal access token'}"


def _entry(context: Context, item: Json) -> Entry:
    mode, objects = item.get("mode"), context.repository.objects
    if mode is None:
        raise ApiError(422, "Must supply a valid tree.mode")
    if "type" in item and mode not in _TYPES[item["type"]]:
        raise ApiError(422, f"tree.mode {mode} is not valid for tree.type {item['type']}")
    if ("content" in item) == ("sha" in item):
        raise ApiError(422, "Must supply either tree.sha or tree.content")
    if "content" in item:
        if mode in {FOLDER, SUBMODULE}:
            raise ApiError(422, "tree.content is only for blobs")
        return Entry(mode, _protected_blob(context, item["content"].encode()))
    if not _is_there(objects, mode, item["sha"]):
        raise ApiError(422, f"tree.sha {item['sha']} is not a valid {Entry(mode, '').type}")
    return Entry(mode, item["sha"])


def _is_there(objects: Objects, mode: str, sha: str) -> bool:
    if mode == SUBMODULE:
        return re.fullmatch("[0-9a-f]{40}", sha) is not None
    return sha in (objects.trees if mode == FOLDER else objects.blobs)
