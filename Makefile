PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
LOCK := $(if $(shell nvidia-smi -L 2>/dev/null),requirements-gpu.lock,requirements.lock)
# A stamp is written last: an environment without one was left half made, and is made afresh.
READY := .venv/.lesson-ready
DEV_READY := .venv/.dev-ready
NODE_READY := node_modules/.ready
NODE := $(BIN)/node
BENCH_READY := .venv-bench/.bench-ready
NO_DEPS := tests/backends/requirements-no-deps.txt
COLAB_READY := .venv-colab/.colab-ready
COLAB_PYTHON ?= python3.13
BACKENDS_READY := .venv-backends/.backends-ready
# Two tests at a time: two cores are what a small machine has. What shares a browser or a kernel
# stays together.
IN_TWO := -n 2 --dist worksteal
FILES_IN_TWO := -n 2 --dist loadfile

.PHONY: help setup lab test check lint notebooks studies grid runs stress site links claims fuzz \
  browser bench bundles javascript environments setup-backends test-backends test-binder \
  test-colab test-matrix locks

help:
	@echo "make lab        open the lesson in JupyterLab (LAB_ARGS=... passes flags on)"
	@echo "make test       run everything: lint, unit tests, browser, notebooks (about half an hour)"
	@echo "make test-backends  run what is tested on JAX and PyTorch too, part of make test"
	@echo "make setup-backends  make the environment for that, .venv-backends"
	@echo "make test-binder  build what Binder would, run all notebooks in it, and say what that takes"
	@echo "make test-colab  run all notebooks as Colab would, beside its versions (needs Python 3.13)"
	@echo "make test-matrix  try the oldest and newest versions allowed (needs Python 3.11, 3.12, 3.13)"
	@echo "make check      lint, types and the quick tests, in under two minutes"
	@echo "make setup      make the environment, .venv, from requirements.lock"
	@echo "make notebooks  execute all notebooks again, in place"
	@echo "make site       build the web pages, which compute without a kernel: site/index.html"
	@echo "make studies    run what is not on record of the studies behind the lesson's claims"
	@echo "make grid       compute the explorer's curves for where there is no kernel"
	@echo "make bundles    bundle the widgets' JavaScript and CSS, as the package ships them"
	@echo "make runs       record the trainings that the panel replays where there is no kernel"
	@echo "make bench      measure speed beside Keras and PyTorch, into benchmarks/ (a quiet machine)"
	@echo "make stress     stop a training and a study forty times each, into tests/stress (12 minutes)"
	@echo "make fuzz       try a thousand random inputs on each widget and reader of files (15 minutes)"
	@echo "make lint       check style, types and the workflow files"
	@echo "make locks      write the .lock files again, after a change of a requirement"
	@echo "make claims     read the lesson's claims and numbers aloud, with what holds each, and count its words"
	@echo "make links      carry the project's address and the set-up cell everywhere"

setup: $(READY)

$(READY): requirements.lock requirements-gpu.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "the lesson needs Python 3.11 or newer, found " + sys.version.split()[0])'
	$(PYTHON) -m venv $(if $(wildcard $(READY)),,--clear) .venv
	$(PIP) --require-hashes -r $(LOCK)
	$(PIP) --no-deps --editable .
	@touch $@

$(DEV_READY): $(READY) requirements-dev.lock $(NO_DEPS)
	$(PIP) --require-hashes -r requirements-dev.lock
	$(PIP) --no-deps -r $(NO_DEPS)
	@touch $@

# Node.js comes with the development environment; what is installed for it runs nothing then. It
# trusts whom the system trusts, which a network with a proxy of its own needs.
$(NODE_READY): package.json package-lock.json | $(DEV_READY)
	NODE_OPTIONS=--use-system-ca $(BIN)/npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# Every file that is installed, with its hash, on all systems: what stands in a lock is kept, unless
# LOCK_ARGS=--upgrade asks for newer versions.
WRITE_LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-annotate --custom-compile-command "make locks"
locks: | $(DEV_READY)
	$(WRITE_LOCK) $(LOCK_ARGS) requirements.txt -o requirements.lock
	$(WRITE_LOCK) $(LOCK_ARGS) requirements-gpu.txt -c requirements.lock -o requirements-gpu.lock
	$(WRITE_LOCK) $(LOCK_ARGS) requirements-dev.txt -c requirements.lock -o requirements-dev.lock
	cp requirements.lock binder/requirements.txt

# By -m: the script `jupyter` does not start in a folder with a quote in its name. JupyterLab's version
# is the lock's, so it need not ask for a newer one.
lab: $(READY)
	$(BIN)/python -m jupyterlab --ip=127.0.0.1 --LabApp.news_url=None \
	  --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate \
	  $(LAB_ARGS) notebooks/01_vanishing_gradients.ipynb

browser: $(DEV_READY)
	$(BIN)/python tools/browser.py

# Keras's other backends, in an environment without TensorFlow, as their users have it.
setup-backends: $(BACKENDS_READY)

$(BACKENDS_READY): requirements.txt tests/backends/requirements.txt $(NO_DEPS) pyproject.toml
	$(PYTHON) -m venv $(if $(wildcard $(BACKENDS_READY)),,--clear) .venv-backends
	.venv-backends/bin/python -m pip --disable-pip-version-check install --quiet \
	  -r tests/backends/requirements.txt
	.venv-backends/bin/python -m pip --disable-pip-version-check install --quiet \
	  --no-deps --requirement $(NO_DEPS) --editable .
	@touch $@

# Two at a time, a core for each; each backend has a process of its own for each file.
test-backends: $(DEV_READY) $(BACKENDS_READY)
	for file in tests/backends/test_*.py; do echo jax $$file torch $$file; done | xargs -n 2 -P 2 \
	  sh -c 'KERAS_BACKEND=$$0 .venv-backends/bin/python -m pytest -q -p no:cacheprovider $$1'

# The environments first, two at a time: downloads wait, and unpacking takes one core.
environments:
	@$(MAKE) --no-print-directory --jobs=2 $(NODE_READY) $(BACKENDS_READY)

test: environments lint javascript browser test-backends
	$(BIN)/python -m pytest $(IN_TWO) --ignore=tests/browser tests
	$(BIN)/python -m pytest $(FILES_IN_TWO) tests/browser
	$(BIN)/python -m pytest $(FILES_IN_TWO) --nbval --nbval-current-env --nbval-cell-timeout=120 notebooks

# What Binder would build, in a fresh environment: minutes, and gigabytes.
test-binder: $(DEV_READY)
	$(BIN)/python tools/binder.py

# Colab's versions, in an environment of their own, on Colab's Python.
test-colab: browser $(NODE_READY) $(COLAB_READY)
	$(BIN)/python tools/colab.py

# The oldest and the newest versions that pyproject.toml allows, each in an environment of its own.
test-matrix: $(DEV_READY) $(NODE_READY)
	$(BIN)/python tools/matrix.py $(MATRIX_ARGS)

$(COLAB_READY): tests/colab/requirements.txt
	$(COLAB_PYTHON) -m venv $(if $(wildcard $(COLAB_READY)),,--clear) .venv-colab
	.venv-colab/bin/python -m pip --disable-pip-version-check install --quiet \
	  -r tests/colab/requirements.txt
	@touch $@

stress: $(DEV_READY)
	KILLS=20 $(BIN)/python -m pytest tests/training/test_interruptions.py \
	  tests/studies/test_stopped_studies.py

fuzz: browser $(NODE_READY)
	FUZZ=1000 $(BIN)/python -m pytest $(FILES_IN_TWO) tests/fuzz

notebooks: $(READY)
	$(BIN)/python tools/execute.py notebooks/*.ipynb

site: $(NODE_READY)
	$(BIN)/python tools/build_site.py

# What has become slow is named, so that it gets its mark.
check: lint javascript
	$(BIN)/python -m pytest $(IN_TWO) -m "not slow" --durations=5 --durations-min=2 \
	  --ignore=tests/browser tests

javascript: $(NODE_READY)
	$(NODE) --test --test-reporter=dot "tests/javascript/*.test.js"

lint: $(NODE_READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(NODE) node_modules/.bin/biome ci
	$(NODE) node_modules/.bin/tsc
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff

studies: $(READY)
	$(BIN)/python -m resnet_lesson study --output resnet_lesson/results

grid: $(READY)
	$(BIN)/python -m resnet_lesson grid

bundles: $(NODE_READY)
	$(BIN)/python tools/bundle.py

runs: $(READY)
	$(BIN)/python -m resnet_lesson runs

# PyTorch has an environment of its own, so that it never meets the tests or the lesson.
$(BENCH_READY): requirements.txt benchmarks/requirements.txt
	$(PYTHON) -m venv $(if $(wildcard $(BENCH_READY)),,--clear) .venv-bench
	.venv-bench/bin/python -m pip --disable-pip-version-check install --quiet \
	  -r benchmarks/requirements.txt
	@touch $@

bench: $(DEV_READY) $(BENCH_READY) $(BACKENDS_READY) browser
	$(BIN)/python benchmarks/run.py $(BENCH_ARGS)

links: $(READY)
	$(BIN)/python tools/links.py

claims: $(READY)
	$(BIN)/python tools/claims.py
	$(BIN)/python tools/measured.py
	$(BIN)/python tools/reading.py
