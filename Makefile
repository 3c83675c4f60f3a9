# Every target works on a fresh machine with Python >= 3.11, a Rust toolchain, git and make.
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
RUST := Cargo.toml Cargo.lock $(shell find native -type f)
PYTEST := $(PY) -m pytest -n auto --dist worksteal

# Runs a step of the set-up: says what it is, keeps what it prints in .venv/setup.log, and shows that where it fails.
step = @printf '%s … ' "$(1)"; if ( $(2) ) >>$(VENV)/setup.log 2>&1; then echo done; \
	else echo failed; tail -n 40 $(VENV)/setup.log; exit 1; fi

.PHONY: setup install watch demo test test-fast test-rust check bench lock docs

setup: $(VENV)/.built
	@command -v kairos >/dev/null || echo "Kairos is $(BIN)/kairos. To call it from anywhere: make install"

# Put `kairos` on PATH: a link in ~/.local/bin (or PREFIX/bin).
PREFIX := $(HOME)/.local
install: setup
	@mkdir -p "$(PREFIX)/bin" && ln -sfn "$(abspath $(BIN))/kairos" "$(PREFIX)/bin/kairos" && echo "✓ $(PREFIX)/bin/kairos"
	@case ":$$PATH:" in *":$(PREFIX)/bin:"*) ;; *) echo "Add it to your PATH: export PATH=\"$(PREFIX)/bin:\$$PATH\"";; esac

$(BIN)/pip:
	@python3 -m venv $(VENV)

$(VENV)/.locked: requirements.lock | $(BIN)/pip
	$(call step,1/3 Python packages,$(PY) -m pip install --quiet --require-hashes --no-deps -r requirements.lock)
	@touch $@

$(VENV)/.built: $(VENV)/.locked pyproject.toml $(RUST)
	$(call step,2/3 the Rust floor (some minutes at first),VIRTUAL_ENV=$(abspath $(VENV)) PATH="$(abspath $(BIN)):$$PATH" \
		$(BIN)/maturin develop --quiet --release --locked)
	$(call step,3/3 compiling Python ahead,$(PY) -m compileall -q kairos dream cli)
	@touch $@

# The main job: watch a repository and print a line for each proposal. Ctrl-C ends it.
watch: setup
	@test -n "$(REPO)" || { echo "usage: make watch REPO=path/to/a/repository"; exit 2; }
	@command -v kairos >/dev/null || echo "In another terminal: $(abspath $(BIN))/kairos inbox   (make install puts it on PATH)"
	@$(BIN)/kairos watch "$(REPO)" --yes

demo: setup
	$(BIN)/kairos demo

test: setup test-rust
	$(PYTEST)

test-fast: setup
	$(PYTEST) -m "not slow"

test-rust:
	cargo test --quiet --locked --workspace --no-default-features

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cargo fmt --all --check
	cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
	$(PY) -P -m kairos.domain.catalogue | diff -u docs/events.md -
	$(MAKE) test

bench: setup
	$(PY) -m benches

docs: setup
	$(PY) -P -m kairos.domain.catalogue > docs/events.md
	$(PY) -P -m kairos.desk.schemas docs/schemas

# Resolve the dependencies anew; the lock file holds hashes and no index addresses.
lock: | $(BIN)/pip
	$(PY) -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --python-version 3.11 --all-extras --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --no-annotate pyproject.toml -o requirements.lock
	cargo generate-lockfile
