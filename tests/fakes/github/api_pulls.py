"""Pull requests and their conversation over the API."""

from tests.fakes.github.answers import Answer, ApiError
from tests.fakes.github.pulls import Comment, Pull
from tests.fakes.github.routing import Context, route
from tests.fakes.github.state import LIMIT_OF_TEXT

_READ, _WRITE = "issues=read; pull_requests=read", "issues=write; pull_requests=write"
_REVIEWERS = "ReposOwnerRepoPullsPullNumberRequestedReviewersPostBodyAnyof"


@route("GET", "~/pulls", "pull_requests=read")
def list_pulls(context: Context) -> Answer:
    query, now = context.request.query, context.world.clock.now()
    found = [pull for pull in context.repository.pulls.values() if _is_wanted(context, pull)]
    seen = [pull for pull in found if pull.hidden.look(now)]
    by = {"updated": "updated_at"}.get(query.get("sort", "created"), "created_at")
    downwards = query.get("direction", "desc" if query.get("sort", "created") == "created" else "asc") == "desc"
    seen.sort(key=lambda pull: (getattr(pull, by), pull.number), reverse=downwards)
    return context.page(seen, context.pulls.listed)


def _is_wanted(context: Context, pull: Pull) -> bool:
    query = context.request.query
    owner, colon, branch = query.get("head", "").partition(":")
    # a head without an owner is no filter at all
    if colon and (pull.head_owner.login.lower(), pull.head) != (owner.lower(), branch):
        return False
    return query.get("state", "open") in {"all", pull.state} and query.get("base", pull.base) == pull.base


@route("POST", "~/pulls", "pull_requests=write", "ReposOwnerRepoPullsPostBody")
def create_pull(context: Context) -> Answer:
    body = context.body
    pull = context.repository.open_pull(
        body["head"],
        body["base"],
        body.get("title") or "",
        body.get("body"),
        context.user,
        draft=body.get("draft", False),
        maintainer_can_modify=body.get("maintainer_can_modify", False),
    )
    shape = context.pulls.whole(pull, (None, "unknown"))
    return Answer(201, shape, {"Location": shape["url"]})


@route("GET", "~/pulls/{number}", "pull_requests=read")
def get_pull(context: Context) -> Answer:
    mergeable = context.repository.mergeability(context.pull)
    return Answer(200, context.pulls.whole(context.pull, mergeable))


@route("PATCH", "~/pulls/{number}", "pull_requests=write", "ReposOwnerRepoPullsPullNumberPatchBody")
def edit_pull(context: Context) -> Answer:
    wanted = {name: context.body.get(name) for name in ("title", "body", "state", "base")}
    context.repository.edit_pull(context.pull, context.user, **wanted)
    return Answer(200, context.pulls.whole(context.pull, (None, "unknown")))


@route("GET", "~/pulls/{number}/merge", "contents=read")
def is_merged(context: Context) -> Answer:
    if not context.pull.merged:
        raise ApiError(404, "Not Found")
    return Answer(204)


@route("PUT", "~/pulls/{number}/merge", "contents=write", "ReposOwnerRepoPullsPullNumberMergePutBody")
def merge(context: Context) -> Answer:
    body = context.body
    sha = context.repository.merge_pull(
        context.pull,
        context.user,
        method=body.get("merge_method", "merge"),
        expected=body.get("sha"),
        title=body.get("commit_title"),
        message=body.get("commit_message"),
    )
    return Answer(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


@route("GET", "~/pulls/{number}/reviews", "pull_requests=read")
def reviews(context: Context) -> Answer:
    return context.page(context.pull.reviews, lambda one: context.pulls.review(context.pull, one))


@route("GET", "~/pulls/{number}/comments", "pull_requests=read")
def line_comments(context: Context) -> Answer:
    return context.page(context.pull.line_comments, lambda one: context.pulls.line_comment(context.pull, one))


@route("GET", "~/pulls/{number}/commits", "pull_requests=read")
def commits(context: Context) -> Answer:
    users = context.world.accounts.users.values()
    shas = context.repository.commits_of(context.pull)
    return context.page(shas, lambda sha: context.shapes.commit(context.repository, sha, users))


@route("GET", "~/pulls/{number}/files", "pull_requests=read")
def files(context: Context) -> Answer:
    one, pull = context.repository, context.pull
    base = one.objects.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha
    changes = one.objects.changes(one.objects.commits[base].tree, one.objects.commits[pull.head_sha].tree)
    return context.page(changes, lambda change: context.shapes.difference(one, change))


@route("POST", "~/pulls/{number}/requested_reviewers", "pull_requests=write", (f"{_REVIEWERS}0", f"{_REVIEWERS}1"))
def request_reviewers(context: Context) -> Answer:
    one, pull = context.repository, context.pull
    users = [context.world.accounts.users.get(login.lower()) for login in context.body.get("reviewers", ())]
    if any(user is None or not one.role(user) for user in users) or context.body.get("team_reviewers"):
        what = "Reviews may only be requested from collaborators. One or more of the users or teams you specified is"
        raise ApiError(422, f"{what} not a collaborator of the {one.full_name} repository.")
    if pull.user in users:
        raise ApiError(422, "Review cannot be requested from pull request author.")
    for user in users:
        if user and user not in pull.reviewers:
            pull.reviewers.append(user)
            one.note(pull, "review_requested", context.user)
    return Answer(201, context.pulls.listed(pull))


# --- as an issue --------------------------------------------------------------------------------------------


@route("GET", "~/issues/{number}", _READ)
def get_issue(context: Context) -> Answer:
    return Answer(200, context.pulls.issue(context.pull))


@route("GET", "~/issues/{number}/comments", _READ)
def comments(context: Context) -> Answer:
    return context.page(context.pull.comments, lambda one: context.pulls.comment(context.pull, one))


@route("POST", "~/issues/{number}/comments", _WRITE, "ReposOwnerRepoIssuesIssueNumberCommentsPostBody")
def add_comment(context: Context) -> Answer:
    if not 0 < len(context.body["body"].strip()) <= LIMIT_OF_TEXT:
        errors = [{"resource": "IssueComment", "field": "body", "code": "unprocessable", "message": "body is too long"}]
        raise ApiError(422, "Validation Failed", errors)
    made = Comment(context.world.next_id(), context.user, context.body["body"], context.world.now())
    context.pull.comments.append(made)
    context.pull.updated_at = context.world.now()
    shape = context.pulls.comment(context.pull, made)
    return Answer(201, shape, {"Location": shape["url"]})


@route("GET", "~/issues/{number}/labels", _READ)
def labels(context: Context) -> Answer:
    return context.page(context.pull.labels, context.pulls.label)


@route("POST", "~/issues/{number}/labels", _WRITE, "ReposOwnerRepoIssuesIssueNumberLabelsPostBodyOneof0")
def add_labels(context: Context) -> Answer:
    """A label that is not there yet is made, as on GitHub."""
    one, pull = context.repository, context.pull
    for item in context.body.get("labels", ()):
        name = item if isinstance(item, str) else item["name"]
        if not 0 < len(name) <= 50:
            errors = [{"resource": "Label", "field": "name", "code": "invalid", "value": name}]
            raise ApiError(422, "Validation Failed", errors)
        known = next((label for label in one.labels if label.lower() == name.lower()), name)
        one.labels.setdefault(known, context.world.next_id())
        if known not in pull.labels:
            pull.labels.append(known)
            one.note(pull, "labeled", context.user, label=known)
    return Answer(200, [context.pulls.label(name) for name in pull.labels])


@route("DELETE", "~/issues/{number}/labels/{name}", _WRITE)
def remove_label(context: Context) -> Answer:
    one, pull, name = context.repository, context.pull, context.args["name"]
    if name not in pull.labels:
        raise ApiError(404, "Label does not exist")
    pull.labels.remove(name)
    one.note(pull, "unlabeled", context.user, label=name)
    return Answer(200, [context.pulls.label(label) for label in pull.labels])


@route("POST", "~/issues/{number}/assignees", _WRITE, "ReposOwnerRepoIssuesIssueNumberAssigneesPostBody")
def add_assignees(context: Context) -> Answer:
    """Whoever cannot be assigned is left out silently, as on GitHub."""
    one, pull = context.repository, context.pull
    for login in context.body.get("assignees", ()):
        user = context.world.accounts.users.get(login.lower())
        if user and one.role(user) and user not in pull.assignees:
            pull.assignees.append(user)
            one.note(pull, "assigned", context.user)
    return Answer(201, context.pulls.issue(pull))


@route("GET", "~/assignees/{login}", _READ)
def is_assignable(context: Context) -> Answer:
    user = context.world.accounts.users.get(context.args["login"].lower())
    if user is None or not context.repository.role(user):
        raise ApiError(404, "Not Found")
    return Answer(204)


@route("GET", "~/issues/{number}/events", _READ)
def events(context: Context) -> Answer:
    return context.page(context.pull.events, context.pulls.event)


@route("GET", "~/issues/{number}/timeline", _READ)
def timeline(context: Context) -> Answer:
    return context.page(context.pull.events, context.pulls.event)
