"""The configuration: a TOML file, overlaid by SELFIMPROVER_ variables and secret files.

The model is the reference of every key, its default and its meaning. Keys that this version reads but does not act on
yet are named in the documentation of the configuration.
"""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 3650 * 86400
_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def _duration(value: object) -> object:
    match = re.fullmatch(r"(\d+)\s*([smhd])", value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('write a number and a unit, such as "30s", "10m", "20h" or "2d"')
    seconds = int(match[1]) * _UNITS[match[2]]
    if not 1 <= seconds <= _LONGEST:
        raise ValueError("it must be from 1 second to 10 years")
    return timedelta(seconds=seconds)


def _size(value: object) -> object:
    match = re.fullmatch(r"(\d+)\s*([KMG]?)B?", value.strip().upper()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('write a number and a unit, such as "512M" or "2G"')
    return int(match[1]) * _SIZES[match[2]]


def _timezone(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('write a name such as "Europe/Berlin" or "UTC"')
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'there is no time zone {value!r}; write a name such as "Europe/Berlin" or "UTC"') from None


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Size = Annotated[int, BeforeValidator(_size)]
Timezone = Annotated[ZoneInfo, BeforeValidator(_timezone)]
Count = Annotated[int, Field(ge=0)]

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

    dir: Path | None = None
    """Default: $STATE_DIRECTORY, else the XDG state folder. Holds memory.db, lock, backups and reports."""


class Schedule(Section):
    """When the night begins, and what a day is."""

    at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:17"
    timezone: Timezone | None = None
    """Default: the machine's zone."""
    catch_up: Duration = timedelta(hours=20)


class Memory(Section):
    """The evidence store."""

    url: Annotated[str, Field(pattern=r"^sqlite:///.+$")] | None = None
    """Default: memory.db in the state folder. Only SQLite so far; sqlite:////absolute/path has four slashes."""


class Publish(Section):
    """What becomes of a proven fix."""

    mode: Literal["observe", "draft", "ready"] = "observe"
    author: str = "selfimprover <selfimprover@localhost>"
    labels: tuple[str, ...] = ("selfimprover",)
    assignee: str | None = None
    reviewers: tuple[str, ...] = ()

    @field_validator("author")
    @classmethod
    def _named(cls, value: str) -> str:
        if not re.fullmatch(r"[^<>\n]+ <[^<>\s]+>", value):
            raise ValueError('write "Name <address>"')
        return value


class Limits(Section):
    """How much a night may do."""

    findings_per_night: Count = 10
    new_pull_requests_per_night: Count = 2
    open_pull_requests: Count = 5
    attempts_per_finding: Annotated[int, Field(ge=1)] = 2


class Price(Section):
    """US dollars per million tokens."""

    prompt: Annotated[float, Field(ge=0)]
    cached: Annotated[float, Field(ge=0)]
    completion: Annotated[float, Field(ge=0)]


class Llm(Section):
    """Any OpenAI-compatible server."""

    enabled: bool = True
    model: str | None = None
    base_url: str | None = None
    api_key: SecretStr | None = None
    concurrency: Annotated[int, Field(ge=1)] = 2
    max_tokens_per_night: Count = 200_000
    max_cost_per_night: Annotated[float, Field(ge=0)] | None = None
    price_per_million: Price | None = None

    @model_validator(mode="after")
    def _priced(self) -> "Llm":
        if self.max_cost_per_night is not None and self.price_per_million is None:
            raise ValueError("max_cost_per_night needs price_per_million = { prompt = …, cached = …, completion = … }")
        return self


class GitHub(Section):
    """GitHub's REST API, by token or as an App."""

    api_url: str = "https://api.github.com"
    token: SecretStr | None = None
    app_id: int | None = None
    private_key_file: Path | None = None
    installation_id: int | None = None


class Analyzers(BaseModel):
    """Which analyzers run; every further key is the options of the analyzer of that name."""

    model_config = ConfigDict(extra="allow", frozen=True)

    enabled: tuple[str, ...] = ("repeated_errors", "failure_rate")

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

    webhook: str | None = None
    heartbeat_url: str | None = None


class Telemetry(Section):
    """Where a project's tasks are recorded."""

    source: Literal["sqlite"] = "sqlite"
    path: Path
    table: str = "tasks"
    columns: dict[str, str] = {}
    failed: tuple[str, ...] = ("failed",)
    timezone: Timezone = ZoneInfo("UTC")

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
    name: str | None = None
    path: Path | None = None
    base: str = "main"

    @model_validator(mode="after")
    def _located(self) -> "Repository":
        if self.forge == "local" and self.path is None:
            raise ValueError('forge = "local" needs path = "/folder/of/the/repository"')
        if self.forge == "github" and self.name is None:
            raise ValueError('forge = "github" needs name = "owner/repo"')
        return self


class Verify(Section):
    """How a draft is proven."""

    test: str | None = None
    setup: tuple[str, ...] = ()
    setup_network: bool = False
    timeout: Duration = timedelta(minutes=10)
    sandbox: Literal["auto", "bwrap", "container", "none"] = "auto"
    expose: tuple[Path, ...] = ()
    replay: str | None = None
    memory: Size = 2 << 30
    publish_unverified: bool = False


class Fix(Section):
    """What a fix may touch."""

    paths: tuple[str, ...] = ("**",)
    deny: tuple[str, ...] = ()
    instructions: str = "CONTRIBUTING.md"


class AutoMerge(Section):
    """Which classes of fix may be merged without a person."""

    enabled: bool = False
    classes: tuple[str, ...] = ("typo", "defensive-check")


class Project(Section):
    """One assistant: its telemetry, its repository, its proof."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    telemetry: Telemetry
    repository: Repository
    verify: Verify = Verify()
    fix: Fix = Fix()
    automerge: AutoMerge = AutoMerge()


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
        return (*held, *(url for url in (self.notify.webhook, self.notify.heartbeat_url) if url is not None))


class UnknownKeyError(ValueError):
    """A key that does not exist; the nearest one that does is in the message."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"{name!r} is not known; {nearest(name, known)}")


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint at the known name that was probably meant."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
