"""Pull requests, reviews, checks and the rest of the conversation as GitHub's JSON shows them."""

from typing import Any
from urllib.parse import quote

from tests.fakes.github.accounts import User
from tests.fakes.github.answers import Json
from tests.fakes.github.clock import written
from tests.fakes.github.pulls import CheckRun, Comment, Event, Pull, Review, Status
from tests.fakes.github.shapes import Shapes, counted
from tests.fakes.github.state import Repository


class PullShapes:
    """What belongs to one repository."""

    def __init__(self, shapes: Shapes, repository: Repository) -> None:
        self._shapes = shapes
        self._one = repository
        self._own = shapes.repository_url(repository)
        self._html = shapes.html_url(repository)

    def listed(self, pull: Pull) -> Json:
        """As lists show it."""
        shapes, own = self._shapes, f"{self._own}/pulls/{pull.number}"
        issue, html = f"{self._own}/issues/{pull.number}", f"{self._html}/pull/{pull.number}"
        links = {
            "self": own,
            "html": html,
            "issue": issue,
            "comments": f"{issue}/comments",
            "review_comments": f"{own}/comments",
            "review_comment": f"{self._own}/pulls/comments{{/number}}",
            "commits": f"{own}/commits",
            "statuses": f"{self._own}/statuses/{pull.head_sha}",
        }
        shape: Json = {
            "url": own,
            "id": pull.id,
            "node_id": pull.node_id,
            "html_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "issue_url": issue,
            "commits_url": links["commits"],
            "review_comments_url": links["review_comments"],
            "review_comment_url": links["review_comment"],
            "comments_url": links["comments"],
            "statuses_url": links["statuses"],
            "number": pull.number,
            "state": pull.state,
            "locked": False,
            "title": pull.title,
            "user": shapes.user(pull.user),
            "body": pull.body,
            "labels": [self._label(name) | {"archived_by": None} for name in pull.labels],
            "milestone": None,
            "active_lock_reason": None,
            "created_at": written(pull.created_at),
            "updated_at": written(pull.updated_at),
            "closed_at": written(pull.closed_at) if pull.closed_at else None,
            "merged_at": written(pull.merged_at) if pull.merged_at else None,
            "assignees": [shapes.user(one) for one in pull.assignees],
            "requested_reviewers": [shapes.user(one) for one in pull.reviewers],
            "requested_teams": [],
            "head": self._side(pull.head, pull.head_sha, pull.head_owner),
            "base": self._side(pull.base, pull.base_sha, self._one.owner),
            "_links": {name: {"href": href} for name, href in links.items()},
            "author_association": self._association(pull.user),
            "auto_merge": None,
            "draft": pull.draft,
        }
        if shapes.old:
            shape["merge_commit_sha"] = pull.merge_commit or pull.test_merge
            shape["assignee"] = shape["assignees"][0] if shape["assignees"] else None
        return shape

    def whole(self, pull: Pull, mergeable: tuple[bool | None, str]) -> Json:
        """As the pull request itself is answered."""
        objects = self._one.objects
        commits = self._one.commits_of(pull)
        base = objects.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha
        changes = objects.changes(objects.commits[base].tree, objects.commits[pull.head_sha].tree)
        lines = [counted(self._one, change) for change in changes]
        return {
            **self.listed(pull),
            "merged": pull.merged,
            "mergeable": mergeable[0],
            "rebaseable": mergeable[0],
            "mergeable_state": mergeable[1],
            "merged_by": self._shapes.user(pull.merged_by) if pull.merged_by else None,
            "comments": len(pull.comments),
            "review_comments": len(pull.line_comments),
            "maintainer_can_modify": pull.maintainer_can_modify,
            "commits": len(commits),
            "additions": sum(added for added, _ in lines),
            "deletions": sum(removed for _, removed in lines),
            "changed_files": len(changes),
        }

    def _side(self, branch: str, sha: str, owner: User) -> Json:
        repository = self._shapes.repository(self._one)
        if owner != self._one.owner:
            fork = f"{owner.login}/{self._one.name}"
            owned = {"owner": self._shapes.user(owner), "id": owner.id + 500_000, "fork": True}
            repository |= {**owned, "full_name": fork, "url": f"{self._shapes.api}/repos/{fork}"}
        return {
            "label": f"{owner.login}:{branch}",
            "ref": branch,
            "sha": sha,
            "user": self._shapes.user(owner),
            "repo": repository,
        }

    def _association(self, user: User) -> str:
        if user == self._one.owner:
            return "OWNER"
        return "COLLABORATOR" if self._one.role(user) else "NONE"

    def _label(self, name: str) -> Json:
        return {
            "id": self._one.labels[name],
            "node_id": f"LA_{self._one.labels[name]}",
            "url": f"{self._own}/labels/{quote(name)}",
            "name": name,
            "description": None,
            "color": "ededed",
            "default": False,
        }

    def label(self, name: str) -> Json:
        return {**self._label(name), "archived_at": None, "archived_by": None}

    def issue(self, pull: Pull) -> Json:
        """The issue that every pull request is as well."""
        listed, own = self.listed(pull), f"{self._own}/issues/{pull.number}"
        same = ("number", "state", "title", "user", "body", "milestone", "locked", "active_lock_reason", "assignees")
        dates = ("created_at", "updated_at", "closed_at", "author_association", "draft")
        links = {name: listed[name] for name in ("url", "html_url", "diff_url", "patch_url", "merged_at")}
        shape: Json = {
            "url": own,
            "repository_url": self._own,
            "labels_url": f"{own}/labels{{/name}}",
            "comments_url": f"{own}/comments",
            "events_url": f"{own}/events",
            "html_url": listed["html_url"],
            "id": pull.id + 1_000_000,
            "node_id": pull.node_id,
            **{name: listed[name] for name in (*same, *dates)},
            "labels": [self._label(name) for name in pull.labels],
            "comments": len(pull.comments),
            "pull_request": links,
            "timeline_url": f"{own}/timeline",
            "performed_via_github_app": None,
            "state_reason": None,
        }
        if self._shapes.old:
            shape["assignee"] = listed["assignee"]
        return shape

    def comment(self, pull: Pull, comment: Comment) -> Json:
        return {
            "id": comment.id,
            "node_id": f"IC_{comment.id}",
            "url": f"{self._own}/issues/comments/{comment.id}",
            "html_url": f"{self._html}/pull/{pull.number}#issuecomment-{comment.id}",
            "body": comment.body,
            "user": self._shapes.user(comment.user),
            "created_at": written(comment.at),
            "updated_at": written(comment.at),
            "issue_url": f"{self._own}/issues/{pull.number}",
            "author_association": self._association(comment.user),
            "performed_via_github_app": None,
        }

    def line_comment(self, pull: Pull, comment: Comment) -> Json:
        own, html = f"{self._own}/pulls/comments/{comment.id}", f"{self._html}/pull/{pull.number}"
        links = {"self": own, "html": f"{html}#discussion_r{comment.id}", "pull_request": f"{self._own}/pulls"}
        links["pull_request"] += f"/{pull.number}"
        return {
            "url": own,
            "pull_request_review_id": comment.review,
            "id": comment.id,
            "node_id": f"PRRC_{comment.id}",
            "diff_hunk": "@@ -1 +1 @@",
            "path": comment.path,
            "commit_id": pull.head_sha,
            "original_commit_id": comment.commit,
            "user": self._shapes.user(comment.user),
            "body": comment.body,
            "created_at": written(comment.at),
            "updated_at": written(comment.at),
            "html_url": links["html"],
            "pull_request_url": links["pull_request"],
            "author_association": self._association(comment.user),
            "_links": {name: {"href": href} for name, href in links.items()},
            "line": comment.line,
            "original_line": comment.line,
            "side": "RIGHT",
            "subject_type": "line",
        }

    def review(self, pull: Pull, review: Review) -> Json:
        own = f"{self._own}/pulls/{pull.number}"
        html = f"{self._html}/pull/{pull.number}#pullrequestreview-{review.id}"
        return {
            "id": review.id,
            "node_id": f"PRR_{review.id}",
            "user": self._shapes.user(review.user),
            "body": review.body,
            "state": review.state,
            "html_url": html,
            "pull_request_url": own,
            "_links": {"html": {"href": html}, "pull_request": {"href": own}},
            "submitted_at": written(review.at),
            "commit_id": review.commit,
            "author_association": self._association(review.user),
        }

    def event(self, event: Event) -> Json:
        commit = f"{self._own}/commits/{event.commit}" if event.commit else None
        shape: Json = {
            "id": event.id,
            "node_id": f"EV_{event.id}",
            "url": f"{self._own}/issues/events/{event.id}",
            "actor": self._shapes.user(event.actor),
            "event": event.event,
            "commit_id": event.commit,
            "commit_url": commit,
            "created_at": written(event.at),
            "performed_via_github_app": None,
        }
        if event.label:
            shape["label"] = {"name": event.label, "color": "ededed"}
        return shape

    def check_run(self, run: CheckRun) -> Json:
        own, html = f"{self._own}/check-runs/{run.id}", f"{self._html}/runs/{run.id}"
        since = written(self._one.created_at)
        return {
            "id": run.id,
            "name": run.name,
            "node_id": f"CR_{run.id}",
            "head_sha": run.sha,
            "external_id": "",
            "url": own,
            "html_url": html,
            "details_url": html,
            "status": run.status,
            "conclusion": run.conclusion,
            "started_at": written(run.started_at),
            "completed_at": written(run.completed_at) if run.completed_at else None,
            "output": {
                "title": run.title,
                "summary": run.summary,
                "text": None,
                "annotations_count": 0,
                "annotations_url": f"{own}/annotations",
            },
            "check_suite": {"id": run.id + 2_000_000},
            "app": {
                "id": 15368,
                "slug": run.app,
                "node_id": "A_15368",
                "owner": self._shapes.user(User("github", 9919, "Organization")),
                "name": run.app,
                "description": None,
                "external_url": "https://help.github.test",
                "html_url": f"{self._shapes.html}/apps/{run.app}",
                "created_at": since,
                "updated_at": since,
                "permissions": {"checks": "write", "metadata": "read"},
                "events": ["check_run"],
            },
            "pull_requests": [self._minimal(pull) for pull in self._one.pulls.values() if pull.head_sha == run.sha],
        }

    def _minimal(self, pull: Pull) -> Json:
        repository = {"id": self._one.id, "url": self._own, "name": self._one.name}
        return {
            "id": pull.id,
            "number": pull.number,
            "url": f"{self._own}/pulls/{pull.number}",
            "head": {"ref": pull.head, "sha": pull.head_sha, "repo": repository},
            "base": {"ref": pull.base, "sha": pull.base_sha, "repo": repository},
        }

    def combined_status(self, sha: str) -> Json:
        """Without any status it is *pending*, as on GitHub."""
        statuses = self._one.latest_statuses(sha)
        states = {one.state for one in statuses}
        state = "failure" if states & {"error", "failure"} else "success" if states == {"success"} else "pending"
        return {
            "state": state,
            "statuses": [self._status(one) for one in statuses],
            "sha": sha,
            "total_count": len(statuses),
            "repository": self._shapes.repository(self._one),
            "commit_url": f"{self._own}/commits/{sha}",
            "url": f"{self._own}/commits/{sha}/status",
        }

    def _status(self, one: Status) -> dict[str, Any]:
        return {
            "url": f"{self._own}/statuses/{one.sha}",
            "avatar_url": f"{self._shapes.html}/u/1",
            "id": one.id,
            "node_id": f"SC_{one.id}",
            "state": one.state,
            "description": one.description,
            "target_url": None,
            "context": one.context,
            "created_at": written(one.at),
            "updated_at": written(one.at),
        }
