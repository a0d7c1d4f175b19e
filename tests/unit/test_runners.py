"""How tests are run: what a project configures comes before what its files suggest."""

import pytest

from selfimprover.discovery import FoundTests, find_tests, telling

PYTEST_TEST = "import pytest\n\n\ndef test_x():\n    pass\n"
UNITTEST_TEST = "import unittest\n\n\nclass T(unittest.TestCase):\n    pass\n"
NPM = '{"scripts": {"test": "vitest run"}}'
NPM_DEFAULT = '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'


@pytest.mark.parametrize(
    ("files", "command", "reason"),
    [
        ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, "pytest -q", "[tool.pytest.ini_options] in pyproject.toml"),
        ({"pyproject.toml": "[tool.pytest]\n"}, "pytest -q", "[tool.pytest] in pyproject.toml"),
        ({"pytest.ini": ""}, "pytest -q", "pytest.ini"),
        ({"tox.ini": "[pytest]\n"}, "pytest -q", "[pytest] in tox.ini"),
        ({"setup.cfg": "[tool:pytest]\n"}, "pytest -q", "[tool:pytest] in setup.cfg"),
        ({"a/conftest.py": "", "conftest.py": ""}, "pytest -q", "pytest: conftest.py"),
        ({"tests/test_a.py": PYTEST_TEST}, "pytest -q", "pytest: tests/test_a.py"),
        ({"tests/test_a.py": "def test_a():\n    assert 1\n"}, "pytest -q", "pytest: tests/test_a.py"),
        ({"test_a.py": UNITTEST_TEST}, "python3 -m unittest", "unittest: test_a.py"),
        ({"t/__init__.py": "", "t/test_a.py": UNITTEST_TEST}, "python3 -m unittest", "unittest: t/test_a.py"),
        ({"t/test_a.py": UNITTEST_TEST}, "python3 -m unittest discover -s t", "unittest: t/test_a.py"),
        ({"Makefile": ".PHONY: test\ntest: build\n\tgo test\n"}, "make test", "target test in Makefile"),
        ({"Makefile": "check test::\n\ttrue\n"}, "make test", "target test in Makefile"),
        ({"package.json": NPM}, "npm test", "scripts.test in package.json"),
        ({"go.mod": ""}, "go test ./...", "go.mod"),
        ({"Cargo.toml": ""}, "cargo test", "Cargo.toml"),
    ],
)
def test_a_project_tells_how_its_tests_are_run(files: dict[str, str], command: str, reason: str) -> None:
    found = find_tests(files)

    assert found is not None
    assert found.command == command
    assert reason in found.reason


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"pyproject.toml": "[tool.ruff]\n"},
        {"tox.ini": "[testenv]\n"},
        {"Makefile": "test := pytest\nTESTS = test: x\n# test: no\n.PHONY: test\nall:\n\ttest: x\ntest ::= y\n"},
        {"makefile": "all:\n", "Makefile": "test:\n"},
        {"package.json": NPM_DEFAULT},
        {"test_a.py": "print()\n"},
        {"a_test.py": UNITTEST_TEST},
        {"tests.py": "def test_a():\n    pass\n"},
        {"node_modules/x/conftest.py": "", ".venv/lib/test_a.py": PYTEST_TEST},
    ],
)
def test_what_would_run_no_tests_is_not_taken_for_tests(files: dict[str, str]) -> None:
    assert find_tests(files) is None


def test_what_is_configured_wins_over_what_files_suggest() -> None:
    suggested = {"test_a.py": UNITTEST_TEST, "go.mod": "", "Cargo.toml": ""}
    made = {**suggested, "package.json": NPM, "Makefile": "test:\n"}

    assert find_tests(made) == FoundTests("make test", "make: target test in Makefile")
    assert find_tests({**made, "pytest.ini": ""}) == FoundTests("pytest -q", "pytest: pytest.ini")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pyproject.toml", "not toml ="),
        ("pyproject.toml", "tool = 1"),
        ("pyproject.toml", "a = " + "[" * 100_000),
        ("package.json", "{"),
        ("package.json", "[" * 100_000),
        ("package.json", '{"scripts": {"test": 1}}'),
        ("test_a.py", "\n" * 250_000 + " " * 250_000),
    ],
)
def test_files_that_make_no_sense_are_passed_over(name: str, content: str) -> None:
    assert find_tests({name: content, "go.mod": ""}) == FoundTests("go test ./...", "go: go.mod")


def test_a_folder_name_never_becomes_shell_code() -> None:
    found = find_tests({"$(touch x)/test_a.py": UNITTEST_TEST})

    assert found is not None
    assert found.command == "python3 -m unittest"


def test_only_a_few_files_are_read_those_nearest_to_the_top_first() -> None:
    paths = ["README.md", "pytest.ini", "deep/er/test_z.py", *(f"tests/test_{number:03}.py" for number in range(500))]

    chosen = telling(paths)

    assert chosen[:2] == ("pytest.ini", "tests/test_000.py")
    assert len(chosen) < 50
    assert not {"README.md", "deep/er/test_z.py"} & set(chosen)
