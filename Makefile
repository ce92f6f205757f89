# `make drill` and `make test` set up all they need on a machine with Python 3.11+, make and git.
PYTHON ?= python3
VENV ?= .venv
ENGINE ?= docker
IMAGE ?= restore-drill:latest
BIN := $(VENV)/bin

# Empty where there is no environment yet, or where an upgrade took its Python away.
ALIVE := $(shell $(BIN)/python -c 'print(1)' 2>/dev/null)
# Any Python can run it; it prints what this one lacks.
FIT := import sys; v = "%d.%d" % sys.version_info[:2]; \
	sys.version_info < (3, 11) and sys.exit("Python 3.11 or newer is needed, $(PYTHON) is " + v + \
	"; name another one: make drill PYTHON=python3.12"); import importlib.util as u; \
	u.find_spec("ensurepip") or sys.exit("Python " + v + " has no venv; on Debian and Ubuntu: " + \
	"apt-get install python" + v + "-venv")
UNFIT = $(shell why=$$($(PYTHON) -c '$(FIT)' 2>&1) || echo "$$why")
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -r $< || { \
	echo 'pip could not install $<: is a package index reachable (PIP_INDEX_URL, HTTPS_PROXY)?'; \
	exit 1; }

.PHONY: drill test coverage corpus force lint format lock docs bench image clean help FORCE

help:  ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

drill: $(VENV)/.drill  ## run the drill: newest backup in $BACKUP_PATH, else the sample shop; ARGS="-k redis"
	@$(BIN)/python -m pytest drill/ $(ARGS) || { code=$$?; \
	echo "The drill's exit code is $$code (see README.md); make's own is always 2" >&2; \
	exit $$code; }

# mypy keeps one processor busy: another compiles the tests, which else each worker does by itself.
test: $(VENV)/.dev  ## prove the suite itself; ARGS="-k container"
	@$(BIN)/python -m pytest tests/ --collect-only -qq > /dev/null 2>&1 & \
	$(MAKE) --no-print-directory lint && wait
	@$(BIN)/python -m pytest tests/ -n logical --dist loadfile $(ARGS)

coverage: $(VENV)/.dev  ## the tests again, with the lines that they run; fails below the floor in pyproject.toml
	@rm -rf .coverage
	@$(BIN)/coverage run -m pytest tests/ -n logical --dist loadfile $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage html --quiet --fail-under=0 --directory .coverage/html
	@$(BIN)/coverage report

corpus: $(VENV)/.dev  ## table of damages: which are noticed, and by which criteria (some minutes)
	@$(BIN)/python -m tests.corpus $(ARGS)

force: $(VENV)/.dev  ## faults in drills of a live database that is written to: what is lost, and left (half an hour)
	@PYTHONPATH=src $(BIN)/python -m tests.force $(ARGS)

lint: $(VENV)/.dev  ## ruff, mypy, and who may import whom
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	PYTHONPATH=src $(BIN)/lint-imports --no-cache

format: $(VENV)/.dev  ## let ruff put the code in order
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

lock: $(VENV)/.dev  ## pin the newest versions within the ranges of requirements-dev.in; ARGS="-P ruff" for one
	@$(BIN)/uv pip compile --quiet $(if $(ARGS),$(ARGS),--upgrade) --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-emit-index-url --custom-compile-command 'make lock' \
		--output-file requirements-dev.txt requirements-dev.in

docs: $(VENV)/.dev  ## write the table of options and the schemas of criteria file, fleet file and result.json
	$(BIN)/python -m tests.helpers.options_table

bench: $(if $(findstring --fleet,$(ARGS)),$(VENV)/.dev,$(VENV)/.drill)  ## compare the speed of restoring with psql and pg_restore (an hour)
	$(BIN)/python -m benchmarks.bench $(ARGS)

image:  ## build the container image; IMAGE=registry.example.com/drill:1, ARGS="--build-arg MAJORS=17", ENGINE=podman
	@$(ENGINE) build --file deploy/container/Dockerfile --tag $(IMAGE) $(ARGS) .

clean:  ## take away what was set up
	rm -rf $(VENV) drill-report .coverage .pytest_cache .mypy_cache .ruff_cache

$(VENV)/.python: $(if $(ALIVE),,FORCE)
	$(if $(UNFIT),$(error $(UNFIT)))
	@echo 'Setting up $(VENV), once'
	@$(PYTHON) -m venv $(if $(ALIVE),,$(if $(wildcard $(VENV)/pyvenv.cfg),--clear)) $(VENV)
	@touch $@

$(VENV)/.drill: requirements.txt $(VENV)/.python
	@$(INSTALL)
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt $(VENV)/.python
	@$(INSTALL)
	@touch $@ $(VENV)/.drill
