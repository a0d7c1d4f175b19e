# `make demo` and `make test` do all set-up; it is repeated only when the requirements change.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test check format requirements clean

demo: $(READY)
	@$(BIN)/selfimprover demo

test: $(READY)
	@$(BIN)/pytest -q -n auto --dist worksteal

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "selfimprover needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	@echo "Setting up .venv (once, until the requirements change)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

requirements:
	uv pip compile pyproject.toml --universal --generate-hashes --no-header --quiet -o requirements.txt
	uv pip compile pyproject.toml --universal --group dev --no-strip-extras --generate-hashes --no-header --quiet -o requirements-dev.txt

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
