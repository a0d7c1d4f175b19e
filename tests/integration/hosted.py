"""A user's project whose code is on the fake GitHub, for whole nights through the real composition root."""

import json
from pathlib import Path
from typing import Any

from typer.testing import Result

from tests.fakes.github import FakeGitHub, Repository
from tests.place import AGENT, TEST, Place

AT = "2026-02-16T00:17:00Z"
NEXT = "2026-02-17T00:17:00Z"
LATER = "2026-02-18T00:17:00Z"


class Hosted(Place):
    """A user's project whose code is on GitHub."""

    def __init__(self, folder: Path, hub: FakeGitHub) -> None:
        self.hub = hub
        self.secret = hub.token()
        hub.world.mergeable_reads = 0  # real time would pass while GitHub works it out
        super().__init__(folder)

    def make_repository(self) -> None:
        self.hosted: Repository = self.hub.repository("octo/app", {"agent.py": AGENT, "test_agent.py": TEST})

    def configure(self, **changes: Any) -> None:
        extra = f'[github]\napi_url = "{self.hub.url}"\ntoken = "{self.secret}"\nseconds_between_writes = 0\n'
        super().configure(**{"mode": "ready", **changes, "extra": changes.get("extra", "") + extra})
        text = self.config.read_text().replace('forge = "local"\npath = "repo"', 'forge = "github"\nname = "octo/app"')
        self.config.write_text(text)
        self.config.chmod(0o600)

    def finding(self, at: str = AT) -> dict[str, Any]:
        report = self.night(at=at)
        assert report["errors"] == []
        (finding,) = report["findings"]
        return dict(finding)


class Watched(Hosted):
    """One that, after everything it does, looks for the token where it must not be."""

    def run(self, *arguments: str) -> Result:
        result = super().run(*arguments)
        kept = b"".join(path.read_bytes() for path in (self.folder / "state").rglob("*") if path.is_file())
        for secret in self.secrets():
            assert secret not in result.output
            assert secret.encode() not in kept
            assert secret.encode() not in self.hub.log.bodies()
        assert self.hub.leaks == []
        return result

    def secrets(self) -> list[str]:
        """Every token that there is."""
        return [self.secret, *self.hub.world.accounts.tokens]

    def trouble(self, at: str = AT) -> tuple[dict[str, Any], dict[str, Any]]:
        """A night with one finding and one error, and both of them; the command says by its code that it had one."""
        result = self.run("night", "--at", at, "--json")
        assert result.exit_code == 1, result.stderr
        report = json.loads(result.stdout)
        (finding,), (error,) = report["findings"], report["errors"]
        assert error["mend"], error
        return dict(finding), dict(error)

    def recover(self, at: str = NEXT) -> None:
        """The next good night opens the one pull request."""
        finding = self.finding(at)
        assert (finding["state"], len(self.hosted.pulls)) == ("open", 1), finding
        assert self.hosted.pull(1).head == f"selfimprover/fix-{finding['id']}"
