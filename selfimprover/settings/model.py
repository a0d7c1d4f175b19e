"""The configuration: a TOML file, overlaid by SELFIMPROVER_ variables and secret files.

The model is the reference of every key, its default and its meaning; ``docs/configuration.md`` is written from it by
``docs/write_configuration.py``. A key that this version reads but does not act on yet says so.
"""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from selfimprover.settings.values import Address, Count, Duration, File, Secret, Size, Timezone, command

_SECRET_PATH = 8
"""Letters of a path that may be a secret by itself."""
COLUMNS = (
    "id",
    "status",
    "error",
    "created_at",
    "traceback",
    "agent",
    "kind",
    "started_at",
    "finished_at",
    "parent_id",
    "retries",
    "input",
    "version",
)
"""The columns of a telemetry table, by our names."""


class Section(BaseModel):
    """A section of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, frozen=True)


class State(Section):
    """Where this machine's state lives."""

    dir: File | None = None
    """The state folder: memory.db, locks, backups. Default: `$STATE_DIRECTORY`, else `~/.local/state/selfimprover`."""


class Schedule(Section):
    """When the night begins, and what a day is."""

    at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:17"
    """The local time at which the daemon's night begins, as HH:MM."""
    timezone: Timezone | None = None
    """What a day is, such as `"Europe/Berlin"`. Default: the machine's zone."""
    catch_up: Duration = timedelta(hours=20)
    """How late the daemon may still hold a night that it missed."""


class Memory(Section):
    """The evidence store."""

    url: Annotated[str, Field(pattern=r"^sqlite:///[^?#]+$")] | None = None
    """Default: `memory.db` in the state folder. Only SQLite so far; `sqlite:////absolute/path` has four slashes."""


class Publish(Section):
    """What becomes of a proven fix."""

    mode: Literal["observe", "draft", "ready"] = "observe"
    """`observe`: prove, keep, write nothing to the forge; `draft`: draft pull requests; `ready`: ready for review."""
    author: str = "selfimprover <selfimprover@localhost>"
    """`Name <address>` of the commits."""
    labels: tuple[str, ...] = ("selfimprover",)
    """Labels of the pull requests."""
    assignee: str | None = None
    """Who is assigned to the pull requests."""
    reviewers: tuple[str, ...] = ()
    """Who is asked to review them."""

    @field_validator("author")
    @classmethod
    def _named(cls, value: str) -> str:
        if not re.fullmatch(r"[^<>\n]+ <[^<>\s]+>", value):
            raise ValueError('write "Name <address>"')
        return value


class Limits(Section):
    """How much a night may do."""

    findings_per_night: Count = 10
    """How many findings a night works on."""
    new_pull_requests_per_night: Count = 2
    """How many pull requests a night opens."""
    open_pull_requests: Count = 5
    """How many of ours may be open at once."""
    attempts_per_finding: Annotated[int, Field(ge=1)] = 2
    """How often a finding is tried with the same base commit and configuration."""


class Price(Section):
    """US dollars per million tokens."""

    prompt: Annotated[float, Field(ge=0)]
    """For tokens of prompts."""
    cached: Annotated[float, Field(ge=0)]
    """For tokens of prompts that the server had cached."""
    completion: Annotated[float, Field(ge=0)]
    """For tokens of answers."""


class Llm(Section):
    """Any OpenAI-compatible server. It drafts where no recipe applies; without a `model`, recipes alone do."""

    enabled: bool = True
    """Whether a language model may draft fixes."""
    model: str | None = None
    """The model's name on the server."""
    base_url: Address | None = None
    """The server, such as `"http://127.0.0.1:8000/v1"`. Default: OpenAI's."""
    api_key: Secret | None = None
    """Better a secret file, or `SELFIMPROVER_LLM__API_KEY`."""
    concurrency: Annotated[int, Field(ge=1)] = 2
    """How many calls at once."""
    max_tokens_per_night: Count = 200_000
    """When this many tokens are used the rest waits for the next night."""
    max_cost_per_night: Annotated[float, Field(ge=0)] | None = None
    """US dollars; needs `price_per_million`."""
    price_per_million: Price | None = None
    """US dollars: `{ prompt = …, cached = …, completion = … }`."""

    @field_validator("base_url")
    @classmethod
    def _bare(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("leave out what is not the address of an API; the key goes into llm__api_key")
        return value

    @model_validator(mode="after")
    def _priced(self) -> "Llm":
        if self.max_cost_per_night is not None and self.price_per_million is None:
            raise ValueError("max_cost_per_night needs price_per_million = { prompt = …, cached = …, completion = … }")
        return self


class GitHub(Section):
    """GitHub's REST API, by token or as an App."""

    api_url: str = "https://api.github.com"
    """Another one for GitHub Enterprise."""
    token: Secret | None = None
    """Better a secret file, or `SELFIMPROVER_GITHUB__TOKEN`."""
    app_id: int | None = None
    """The number of a GitHub App."""
    private_key_file: File | None = None
    """Its private key (PEM)."""
    installation_id: int | None = None
    """Its installation."""
    seconds_between_writes: Annotated[float, Field(ge=0, le=60)] = 1.0
    """GitHub asks for one at least; an Enterprise server without such limits may do with less."""

    @model_validator(mode="after")
    def _complete(self) -> "GitHub":
        app = {
            "app_id": self.app_id,
            "private_key_file": self.private_key_file,
            "installation_id": self.installation_id,
        }
        missing = [name for name, value in app.items() if value is None]
        if 0 < len(missing) < len(app):
            raise ValueError(f"a GitHub App needs {' and '.join(missing)} as well")
        if self.token is not None and not missing:
            raise ValueError("there are a token and an App; leave one of them out")
        if self.seconds_between_writes < 1 and self.api_url.rstrip("/") == "https://api.github.com":
            raise ValueError("seconds_between_writes must be 1 at least for github.com")
        return self


class Analyzers(BaseModel):
    """Which analyzers run; every further key is the options of the analyzer of that name."""

    model_config = ConfigDict(extra="allow", frozen=True)

    enabled: tuple[str, ...] = ("repeated_errors", "failure_rate")
    """Which analyzers run. Their options: `repeated_errors = { threshold = 2, days = 7 }`."""

    def options(self) -> Mapping[str, Mapping[str, object]]:
        """Analyzer name → its options."""
        return self.model_extra or {}

    @model_validator(mode="after")
    def _sections(self) -> "Analyzers":
        for name, value in self.options().items():
            if not isinstance(value, dict):
                raise ValueError(f"{name} must be a table of options, such as {name} = {{ … }}")
            if name not in self.enabled and name not in {"repeated_errors", "failure_rate"}:
                raise ValueError(f"{name} has options but is not in enabled = [{', '.join(self.enabled)}]")
        return self


class Notify(Section):
    """Whom to tell after a night."""

    webhook: Address | None = None
    """Gets a POST of `{"text": …}` after a night with news, and nothing otherwise. A secret: better a secret file."""
    heartbeat_url: Address | None = None
    """Is fetched after every finished night, for a monitor that alarms when it is silent. A secret as well."""


class Telemetry(Section):
    """Where a project's tasks are recorded."""

    source: Literal["sqlite"] = "sqlite"
    """What kind of database it is."""
    path: File
    """The database; it is opened read-only."""
    table: str = "tasks"
    """The table or view with one row a task."""
    columns: dict[str, str] = {}
    """Our name = their name, for example `{ status = "state", created_at = "ts" }`."""
    failed: tuple[str, ...] = ("failed",)
    """The statuses that mean failure."""
    timezone: Timezone = ZoneInfo("UTC")
    """What times without an offset mean."""

    @field_validator("columns")
    @classmethod
    def _known(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name not in COLUMNS:
                raise UnknownKeyError(name, COLUMNS)
        return value


class Repository(Section):
    """A project's code and its pull requests."""

    forge: Literal["github", "local"]
    """Where pull requests live: on GitHub, or in a repository on this machine itself."""
    name: str | None = None
    """`owner/repo`, for `github`."""
    path: File | None = None
    """The folder of the repository, for `local`."""
    base: str = "main"
    """The branch that fixes are made for."""

    @model_validator(mode="after")
    def _located(self) -> "Repository":
        if self.forge == "local" and self.path is None:
            raise ValueError('forge = "local" needs path = "/folder/of/the/repository"')
        if self.forge == "github" and self.name is None:
            raise ValueError('forge = "github" needs name = "owner/repo"')
        return self


class Verify(Section):
    """How a draft is proven."""

    test: Annotated[str | None, BeforeValidator(command)] = None
    """The test command: run by `/bin/sh -c` in a plain copy of the tree, on base and patched."""
    setup: tuple[str, ...] = ()
    """Commands that prepare an environment for the tests, in the folder `$SELFIMPROVER_ENV`."""
    setup_network: bool = False
    """Whether they may use the network; the tests never may."""
    timeout: Duration = timedelta(minutes=10)
    """How long one run of the tests may take."""
    sandbox: Literal["auto", "bwrap", "container", "none"] = "auto"
    """What isolates the tests: the first that proves itself, one of them, or nothing (`none`: bare, as your user)."""
    image: str | None = None
    """The image for podman or docker, with what the tests need in it. Without one, no container is tried."""
    expose: tuple[File, ...] = ()
    """Folders whose `bin` comes first on the tests' PATH, such as a virtual environment."""
    replay: Annotated[str | None, BeforeValidator(command)] = None
    """A command that runs one recorded task, whose `input` comes on its standard input. It fails if the task does."""
    memory: Size = 2 << 30
    """How much memory all processes of a test run may use together."""
    publish_unverified: bool = False
    """Whether a fix that nothing could be run for becomes a draft pull request, labelled *unverified*."""


class Fix(Section):
    """What a fix may touch."""

    paths: tuple[str, ...] = ("**",)
    """The files that a fix may touch."""
    deny: tuple[str, ...] = ()
    """Files that it may not, besides the built-in list (CI, build and lock files, `conftest.py`, …)."""
    instructions: str = "CONTRIBUTING.md"
    """The file of conventions that a language model is shown."""


class AutoMerge(Section):
    """Which classes of fix may be merged without a person."""

    enabled: bool = False
    """Not acted on by this version."""
    classes: tuple[str, ...] = ("typo", "defensive-check")
    """The classes of fix that may be merged: `typo`, `missing-import`, `defensive-check`, `retry`."""


class Project(Section):
    """One assistant: its telemetry, its repository, its proof."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    """What it is called in reports and on the command line."""
    telemetry: Telemetry
    """Where its tasks are recorded."""
    repository: Repository
    """Its code and its pull requests."""
    verify: Verify = Verify()
    """How a draft is proven."""
    fix: Fix = Fix()
    """What a fix may touch."""
    automerge: AutoMerge = AutoMerge()
    """Which classes of fix may be merged without a person."""


class Settings(BaseSettings):
    """Everything. Built by ``load``, which turns every mistake into one clear line."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="SELFIMPROVER_", env_nested_delimiter="__", env_ignore_empty=True
    )

    state: State = State()
    schedule: Schedule = Schedule()
    memory: Memory = Memory()
    publish: Publish = Publish()
    limits: Limits = Limits()
    llm: Llm = Llm()
    github: GitHub = GitHub()
    analyzers: Analyzers = Analyzers()
    notify: Notify = Notify()
    projects: tuple[Project, ...] = ()

    @model_validator(mode="after")
    def _names(self) -> "Settings":
        names = [project.name for project in self.projects]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two projects are named {twice[0]!r}")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  (the library's signature)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file, whose content comes as init arguments."""
        return env_settings, init_settings

    def state_dir(self, environment: Mapping[str, str] = os.environ) -> Path:
        """The state folder in force."""
        if self.state.dir is not None:
            return self.state.dir
        if environment.get("STATE_DIRECTORY"):
            return Path(environment["STATE_DIRECTORY"].split(":")[0])
        return Path(environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "selfimprover"

    def secrets(self) -> tuple[str, ...]:
        """Every secret value in the configuration, for redaction."""
        held = [secret.get_secret_value() for secret in (self.llm.api_key, self.github.token) if secret is not None]
        addresses = [url for url in (self.notify.webhook, self.notify.heartbeat_url) if url is not None]
        paths = [urlsplit(url).path.strip("/") for url in addresses]  # however else the rest is written
        return (*held, *addresses, *(path for path in paths if len(path) >= _SECRET_PATH))


class UnknownKeyError(ValueError):
    """A key that does not exist; the nearest one that does is in the message."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"{name!r} is not known; {nearest(name, known)}")


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint at the known name that was probably meant."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
