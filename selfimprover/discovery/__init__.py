"""Looks at a repository before there is a configuration: its base branch, its remote, how its tests are run."""

from selfimprover.discovery.remotes import Remote, parse_remote
from selfimprover.discovery.repository import FoundRepository, environment_of, examine, files_of, nearest
from selfimprover.discovery.runners import FoundTests, find_tests, telling

__all__ = [
    "FoundRepository",
    "FoundTests",
    "Remote",
    "environment_of",
    "examine",
    "files_of",
    "find_tests",
    "nearest",
    "parse_remote",
    "telling",
]
