# Every target works on a fresh machine with Python >= 3.11, a Rust toolchain, git and make.
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.set-up
RUST := Cargo.toml Cargo.lock native/Cargo.toml native/build.rs native/launcher/Cargo.toml $(wildcard native/src/*.rs native/launcher/src/*.rs)

.PHONY: setup watch demo test check bench lint lock clean

setup: $(STAMP)

$(VENV)/bin/pip:
	python3 -m venv $(VENV)

$(VENV)/.locked: requirements.lock | $(VENV)/bin/pip
	$(PY) -m pip install --quiet --require-hashes --no-deps -r requirements.lock
	@touch $@

$(STAMP): $(VENV)/.locked pyproject.toml $(RUST)
	VIRTUAL_ENV=$(abspath $(VENV)) PATH=$(abspath $(VENV))/bin:$$PATH $(VENV)/bin/maturin develop --quiet --release --locked
	@touch $@
