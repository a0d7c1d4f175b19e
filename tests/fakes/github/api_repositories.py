"""A repository, its files, archives, comparisons and checks over the API."""

from urllib.parse import unquote

from tests.fakes.github.answers import Answer, ApiError
from tests.fakes.github.git_data import FILE, FOLDER, SYMLINK, Entry
from tests.fakes.github.routing import Context, route


@route("GET", "~", "metadata=read")
def get_repository(context: Context) -> Answer:
    return Answer(200, context.shapes.whole_repository(context.repository, context.token))


@route("GET", "~/branches/{branch:path}", "contents=read")
def get_branch(context: Context) -> Answer:
    """As far as it tells whether a branch is protected."""
    one, name = context.repository, context.args["branch"]
    if not one.sees_ref(f"refs/heads/{name}"):
        raise ApiError(404, "Branch not found")
    own, sha = context.shapes.repository_url(one), one.refs[f"refs/heads/{name}"]
    protection = one.protections.get(name)
    wanted = {
        "enforcement_level": "non_admins",
        "contexts": list(protection.checks if protection else ()),
        "checks": [],
    }
    shape = {
        "name": name,
        "commit": context.shapes.commit(one, sha, context.world.accounts.users.values()),
        "_links": {"self": f"{own}/branches/{name}", "html": f"{context.shapes.html_url(one)}/tree/{name}"},
        "protected": protection is not None,
        "protection": {"enabled": protection is not None, "required_status_checks": wanted},
        "protection_url": f"{own}/branches/{name}/protection",
    }
    return Answer(200, shape)


@route("GET", "~/contents", "contents=read")
def get_root(context: Context) -> Answer:
    return _contents(context, "")


@route("GET", "~/contents/{path:path}", "contents=read")
def get_contents(context: Context) -> Answer:
    return _contents(context, context.args["path"])


def _contents(context: Context, path: str) -> Answer:
    one, objects = context.repository, context.repository.objects
    if not one.refs:
        raise ApiError(404, "This repository is empty.")
    ref = context.request.query.get("ref") or one.default_branch
    try:
        tree = objects.commits[one.commit_of(ref)].tree
    except ApiError:
        raise ApiError(404, f"No commit found for the ref {ref}") from None
    entry = objects.at(tree, path)
    if entry is None:
        raise ApiError(404, "Not Found")
    if entry.mode == FOLDER:
        inside = sorted(objects.trees[entry.sha].items())
        below = f"{path}/" if path else ""
        listed = [context.shapes.content(one, below + name, inner, ref, listed=True) for name, inner in inside]
        return Answer(200, listed)
    entry = _followed(context, tree, path, entry)
    if "raw" in context.request.headers.get("accept", "") and entry.type == "blob":
        return Answer(200, objects.blobs[entry.sha], {"Content-Type": "application/vnd.github.raw+json"})
    return Answer(200, context.shapes.content(one, path, entry, ref, listed=False))


def _followed(context: Context, tree: str, path: str, entry: Entry) -> Entry:
    """A link to a file of the repository is answered with that file."""
    if entry.mode != SYMLINK:
        return entry
    objects, parts = context.repository.objects, path.split("/")[:-1]
    for part in objects.blobs[entry.sha].decode().split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    target = objects.at(tree, "/".join(parts))
    return target if target and target.mode in {FILE, "100755"} else entry


@route("GET", "~/tarball", "contents=read")
def get_default_tarball(context: Context) -> Answer:
    return _archive(context, context.repository.default_branch)


@route("GET", "~/tarball/{ref:path}", "contents=read")
def get_tarball(context: Context) -> Answer:
    return _archive(context, context.args["ref"])


def _archive(context: Context, ref: str) -> Answer:
    """A link that ends after five minutes."""
    if not context.repository.refs:
        raise ApiError(404, "This repository is empty.")
    sha = context.repository.commit_of(ref)
    return Answer(302, b"", {"Location": context.codeload(context.repository, ref, sha)})


@route("GET", "~/compare/{range:path}", "contents=read")
def compare(context: Context) -> Answer:
    one, objects = context.repository, context.repository.objects
    base_name, dots, head_name = context.args["range"].partition("...")
    if not dots:
        raise ApiError(404, "Not Found")
    base, head = (_named(context, name) for name in (base_name, head_name))
    common = objects.merge_base(base, head)
    if common is None:
        raise ApiError(404, f"No common ancestor between {base_name} and {head_name}.")
    ahead, behind = objects.between(base, head), objects.between(head, base)
    status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    users = context.world.accounts.users.values()
    commits, headers = context.paged(ahead)
    changes = objects.changes(objects.commits[common].tree, objects.commits[head].tree)
    own, html = (f"{where(one)}/compare" for where in (context.shapes.repository_url, context.shapes.html_url))
    shape = {
        "url": f"{own}/{base_name}...{head_name}",
        "html_url": f"{html}/{base_name}...{head_name}",
        "permalink_url": f"{html}/{base}...{head}",
        "diff_url": f"{html}/{base_name}...{head_name}.diff",
        "patch_url": f"{html}/{base_name}...{head_name}.patch",
        "base_commit": context.shapes.commit(one, base, users),
        "merge_base_commit": context.shapes.commit(one, common, users),
        "status": status,
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [context.shapes.commit(one, sha, users) for sha in commits],
        "files": [context.shapes.difference(one, change) for change in changes[:300]],
    }
    return Answer(200, shape, headers)


def _named(context: Context, name: str) -> str:
    owner, _, ref = unquote(name).rpartition(":")
    if owner and owner.lower() != context.repository.owner.login.lower():
        raise ApiError(404, "Not Found")
    return context.repository.commit_of(ref)


@route("GET", "~/commits/{ref:path}/check-runs", "checks=read")
def check_runs(context: Context) -> Answer:
    one, query = context.repository, context.request.query
    sha = _commit(context)
    runs = one.latest_runs(sha) if query.get("filter", "latest") == "latest" else []
    runs = runs or [run for run in one.check_runs if run.sha == sha and query.get("filter") == "all"]
    runs = [run for run in runs if query.get("check_name", run.name) == run.name]
    runs = [run for run in runs if query.get("status", run.status) == run.status]
    chosen, headers = context.paged(runs)
    shape = {"total_count": len(runs), "check_runs": [context.pulls.check_run(run) for run in chosen]}
    return Answer(200, shape, headers)


@route("GET", "~/commits/{ref:path}/status", "statuses=read")
def combined_status(context: Context) -> Answer:
    return Answer(200, context.pulls.combined_status(_commit(context)))


@route("GET", "~/commits/{sha}/pulls", "pull_requests=read")
def pulls_of_commit(context: Context) -> Answer:
    one, sha = context.repository, _commit(context, "sha")
    found = [pull for pull in one.pulls.values() if sha == pull.merge_commit or sha in one.commits_of(pull)]
    return context.page(found, context.pulls.listed)


@route("GET", "~/commits/{ref:path}", "contents=read")
def get_commit(context: Context) -> Answer:
    users = context.world.accounts.users.values()
    return Answer(200, context.shapes.commit(context.repository, _commit(context), users))


def _commit(context: Context, name: str = "ref") -> str:
    if not context.repository.refs:
        raise ApiError(409, "Git Repository is empty.")
    try:
        return context.repository.commit_of(context.args[name])
    except ApiError:
        raise ApiError(422, f"No commit found for SHA: {context.args[name]}") from None
