# TChannel for Python. `make help` lists what can be done; all of it needs only Python 3.11+ and make,
# make interop and make cluster also Node.js 20, npm, a C++ compiler and Python 3.11 itself.
#
# Everything is installed into .venv, or, with PYTHON=python3.12 (say), into build/venv-python3.12.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

PURE := tchannel-wire tchannel-core tchannel-thrift tchannel-hyperbahn tchannel-testing \
    tchannel-tools tchannel-yarpc tchannel-observe
# The compiled one is not in the environment, where all runs in Python: make test-native puts it on the path.
DISTRIBUTIONS := $(PURE) tchannel-speedups
SOURCES := $(DISTRIBUTIONS:%=packages/%/src)
IMPORTS := tchannel_wire tchannel tchannel_thrift tchannel_hyperbahn tchannel_testing tchannel_tools \
    tchannel_yarpc tchannel_observe tchannel_speedups

ifdef PYTHON
VENV := build/venv-$(notdir $(PYTHON))
else
VENV := .venv
endif
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PEERS := tests/interop/peers

# Processes that share a test run; as many as there are processors.
JOBS ?= 2
# Targets that are made at the same time, each with its output in one piece. Where make was told to do so
# itself, it shares its jobs.
AT_ONCE = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,--jobs $(JOBS) --output-sync=target)
PYTEST := $(BIN)/pytest -q -n $(JOBS) -p no:benchmark

# -- what is installed into the environment: a stamp file for each set ------------------------------

$(BIN)/python:
	$(or $(PYTHON),$$(scripts/find-python)) -m venv $(VENV)

$(VENV)/.packages: requirements/build.txt $(wildcard packages/*/pyproject.toml) | $(BIN)/python
	$(PIP) -r requirements/build.txt
	$(PIP) --no-build-isolation $(PURE:%=-e packages/%)
	touch $@

$(VENV)/.test: $(wildcard requirements/test*.txt) $(VENV)/.packages
	$(PIP) -r requirements/test.txt -r requirements/test-repo.txt -r requirements/test-thrift.txt \
	    -r requirements/test-stubs.txt -r requirements/test-tools.txt -r requirements/test-yarpc.txt \
	    -r requirements/test-observe.txt -r requirements/test-browser.txt
	$(PIP) -r requirements/test-thriftrw.txt || \
	    echo 'thriftrw was not built (there may be no C compiler): the tests with it will be skipped'
	touch $@

$(VENV)/.check: $(wildcard requirements/*.txt) $(VENV)/.test
	$(PIP) -r requirements/check.txt
	touch $@

$(VENV)/.test-all: $(wildcard requirements/*.txt) | $(BIN)/python
	$(PIP) -r requirements/test-all.txt
	touch $@

# The environments of test-all and test-plugins are installed from these.
build/wheels/.stamp: scripts/wheelhouse.py $(wildcard requirements/*.txt packages/*/pyproject.toml) | $(BIN)/python
	$(BIN)/python scripts/wheelhouse.py build/wheels 3.11 3.12 3.13
	touch $@

# tchannel-speedups, compiled for this Python, to be put on the path of what is to run natively.
NATIVE := build/native/$(notdir $(VENV))
NATIVE_SOURCES := $(shell find packages/tchannel-speedups -name '*.[ch]' -o -name '*.py' -not -path '*/tests/*' -o -name '*.toml')
$(NATIVE)/.stamp: $(NATIVE_SOURCES) requirements/build.txt $(VENV)/.packages
	rm -rf $(NATIVE)
	$(PIP) --no-deps --no-build-isolation --target $(NATIVE) packages/tchannel-speedups
	touch $@

# The same with the sanitizers of GCC, which end the process at the first thing that is wrong.
SANITIZE := address,undefined
SANITIZED := build/sanitized/$(notdir $(VENV))
$(SANITIZED)/.stamp: export CFLAGS = -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer -g
$(SANITIZED)/.stamp: export LDFLAGS = -fsanitize=$(SANITIZE)
$(SANITIZED)/.stamp: $(NATIVE_SOURCES) requirements/build.txt $(VENV)/.packages
	rm -rf $(SANITIZED)
	$(PIP) --no-deps --no-build-isolation --target $(SANITIZED) packages/tchannel-speedups
	touch $@

$(VENV)/.fuzz: requirements/fuzz.txt $(VENV)/.test
	$(PIP) -r requirements/fuzz.txt
	touch $@

$(VENV)/.bench: benchmarks/requirements.txt $(VENV)/.test
	$(PIP) -r benchmarks/requirements.txt
	touch $@

$(VENV)/.bench-thrift: benchmarks/thrift/requirements.txt $(VENV)/.packages
	$(PIP) -r benchmarks/thrift/requirements.txt
	touch $@

$(PEERS)/node/node_modules/.package-lock.json: $(PEERS)/node/package.json $(PEERS)/node/package-lock.json
	cd $(PEERS)/node && npm ci --loglevel=error
	touch $@

$(PEERS)/py21/.venv/.stamp: $(PEERS)/py21/requirements.txt
	$$(scripts/find-python 3.11) -m venv --clear $(PEERS)/py21/.venv
	$(PEERS)/py21/.venv/bin/python -m pip install --quiet --disable-pip-version-check 'setuptools<70' wheel
	$(PEERS)/py21/.venv/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

# -- what can be done ------------------------------------------------------------------------------

.PHONY: help
help:  ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.packages $(if $(CLUSTER),peers)  ## The guide: services found by name (CLUSTER=1: on a real Hyperbahn)
ifdef CLUSTER
	cd tests/interop && $(abspath $(BIN)/python) -m thirdparty.demo
else
	$(BIN)/python examples/guide/demo.py
endif

.PHONY: demo-raw
demo-raw: $(VENV)/.packages  ## JSON and raw: a server and a client that calls it by its address
	$(BIN)/python examples/keyvalue/demo.py

.PHONY: demo-guide
demo-guide: $(VENV)/.test  ## The guide's servers and clients by address, with generated code and without
	$(BIN)/python examples/guide/keyvalue/demo.py

.PHONY: demo-compose
demo-compose: $(VENV)/.test  ## Router, service, live page, caller and a scrape, without Docker (KEEP=1: until Ctrl-C)
	$(BIN)/python examples/compose/demo.py $(if $(KEEP),--keep)

.PHONY: test
test: $(VENV)/.test  ## All tests of this Python (no Node.js needed)
	$(PYTEST) -m 'not interop and not packaging and not attack' packages tests benchmarks/tests

NATIVE_TESTS ?= $(foreach one,speedups wire core thrift,packages/tchannel-$(one)/tests)
.PHONY: test-native
test-native: export PYTHONPATH = $(CURDIR)/$(NATIVE)
test-native: export TCHANNEL_REQUIRE_NATIVE = 1
test-native: $(VENV)/.test $(NATIVE)/.stamp  ## The suites of wire, core and thrift, with tchannel-speedups
	$(PYTEST) -m 'not interop and not packaging and not attack' $(NATIVE_TESTS)

INTEROP_TESTS ?= tests/interop
.PHONY: interop-native
interop-native: export PYTHONPATH = $(CURDIR)/$(NATIVE)
interop-native: export TCHANNEL_REQUIRE_NATIVE = 1
interop-native: $(VENV)/.test $(NATIVE)/.stamp peers  ## The calls of make interop, with tchannel-speedups
	TCHANNEL_REQUIRE_PEERS=1 $(PYTEST) -m 'interop and not load' $(INTEROP_TESTS)

# In one process: what a sanitizer has to say comes from that. Python's own allocator would hide it.
SANITIZE_TESTS ?= $(foreach one,speedups wire thrift,packages/tchannel-$(one)/tests) tests/fuzz
.PHONY: sanitize
sanitize: export PYTHONPATH = $(CURDIR)/$(SANITIZED)
sanitize: export TCHANNEL_REQUIRE_NATIVE = 1
sanitize: export PYTHONMALLOC = malloc
sanitize: export ASAN_OPTIONS = detect_leaks=0:allocator_may_return_null=1
sanitize: $(VENV)/.test $(SANITIZED)/.stamp  ## The native ways under GCC's address and undefined-behaviour sanitizers
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	    $(BIN)/python -m pytest -q -n 0 -p no:benchmark -m 'not interop and not packaging and not attack and not once' \
	    $(SANITIZE_TESTS)

.PHONY: attack attack-short
attack: $(VENV)/.test  ## Hostile peers and overload, with their bounds (minutes; ATTACK_SECONDS=60 of each overload)
	$(BIN)/pytest -q -s -n 0 -m 'attack and not counted' tests/attack

attack-short: $(VENV)/.test  ## The worst of them, asserting only what a busy machine does not change
	$(BIN)/pytest -q -s -n 0 -m 'attack and counted' tests/attack

.PHONY: peers
peers: $(PEERS)/node/node_modules/.package-lock.json $(PEERS)/py21/.venv/.stamp  ## Install the third-party peers

.PHONY: interop interop-calls interop-load
interop: $(VENV)/.test peers  ## Tests against tchannel-node, tchannel-python 2.1.0, tcurl and Hyperbahn
	$(AT_ONCE) interop-load interop-calls

interop-calls: $(VENV)/.test peers
	TCHANNEL_REQUIRE_PEERS=1 $(PYTEST) -m 'interop and not load' packages tests

# These wait for most of their time.
interop-load: $(VENV)/.test peers
	TCHANNEL_REQUIRE_PEERS=1 $(PYTEST) -n 5 -m 'interop and load' tests/interop

.PHONY: pages
pages: $(VENV)/.test  ## Write the man page and docs/commands.md anew, from what --help shows
	$(BIN)/python -m tchannel_tools.pages packages/tchannel-tools/man/tchannel.1 docs/commands.md

.PHONY: check check-style check-mypy check-pyright check-repo
check: $(VENV)/.check  ## Lint, format, types, layers
	$(AT_ONCE) check-style check-mypy check-pyright verify-types check-repo

check-style: $(VENV)/.check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check-mypy: $(VENV)/.check
	MYPYPATH=tests/interop:tests/typing $(BIN)/mypy $(SOURCES) tests/typing tests/interop/thirdparty scripts

check-pyright: $(VENV)/.check
	$(BIN)/pyright --pythonpath $(BIN)/python $(SOURCES) tests/typing

check-repo: $(VENV)/.check
	$(PYTEST) -n 0 tests/repo

# T is the seconds that each of these takes: make fuzz T=1200, make soak T=600.
FUZZ_TARGETS ?= frames messages connection conversation thrift_headers payloads envelopes idl json cassettes
.PHONY: fuzz
fuzz: $(VENV)/.fuzz  ## Fuzz what reads the bytes of strangers, T=60 seconds each target
	$(AT_ONCE) $(FUZZ_TARGETS:%=fuzz-%)

# All but the last words goes into a log: a fuzzer talks much.
fuzz-%: $(VENV)/.fuzz
	@mkdir -p build/fuzz
	@cd tests/fuzz && $(abspath $(BIN)/python) -m fuzzing $* --seconds $(or $(T),60) --work $(CURDIR)/build/fuzz \
	    > $(CURDIR)/build/fuzz/$*.log 2>&1 || { tail -n 40 $(CURDIR)/build/fuzz/$*.log; exit 1; }
	@echo "$*: $$(grep '^Done' build/fuzz/$*.log)"

.PHONY: soak
soak: $(VENV)/.test  ## Calls of all kinds while peers are killed, T=60 seconds: nothing may grow
	$(BIN)/python -X dev tests/soak/soak.py --seconds $(or $(T),60)

.PHONY: verify-types
# It is not installed, and pyright looks where Python looks.
verify-types: export PYTHONPATH = $(CURDIR)/packages/tchannel-speedups/src
verify-types: $(VENV)/.check  ## How complete the types of each package are, for its users: 98 % at least
	$(BIN)/python scripts/verify_types.py 98 $(IMPORTS)

PLUGIN_PYTHONS ?= 3.12 3.13
.PHONY: test-plugins
test-plugins: dist wheels  ## Our pytest plugin beside each plugin that runs coroutines
	$(AT_ONCE) $(PLUGIN_PYTHONS:%=test-plugins-%)

test-plugins-%: export PIP_NO_INDEX := 1
test-plugins-%: export PIP_FIND_LINKS = $(CURDIR)/build/wheels/$*
test-plugins-%: wheels
	$(BIN)/python packages/tchannel-testing/tests/environments/run.py --wheels dist \
	    --keep $(CURDIR)/build/plugins-$* --python $$(scripts/find-python $*)

.PHONY: dist
dist: $(VENV)/.test-all  ## The sdists and wheels, into dist/
	rm -rf dist
	xargs -n 1 -P $(JOBS) $(BIN)/python -m build --quiet --no-isolation --outdir dist <<< '$(PURE:%=packages/%)'
	$(BIN)/python -m build --quiet --no-isolation --sdist --outdir dist packages/tchannel-speedups
	$(BIN)/python scripts/native_wheels.py dist 3.11 3.12 3.13
	$(BIN)/twine check --strict dist/*

$(VENV)/.docs: requirements/docs.txt $(VENV)/.test
	$(PIP) -r requirements/docs.txt
	touch $@

.PHONY: docs
docs: $(VENV)/.docs  ## The documentation site, into build/docs; warnings are errors
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --jobs $(JOBS) --builder html docs build/docs
	@grep -ohE 'https?://[^ )>"`]+' -r docs --include='*.md' | sort -u > build/external-links
	@echo "build/docs/index.html; $$(wc -l < build/external-links) links lead elsewhere: build/external-links"

.PHONY: docs-look
docs-look: docs  ## Look at the site in Chromium: phone and desktop, light and dark; pictures in build/looks
	$(BIN)/python scripts/look_at_site.py build/docs build/looks

.PHONY: release
release: $(VENV)/.test-all $(if $(DRY_RUN),,$(VENV)/.check)  ## Release PACKAGE=thrift VERSION=1.1.0 (DRY_RUN=1: all that leaves no trace)
	$(BIN)/python scripts/release.py $(PACKAGE) $(VERSION) $(if $(DRY_RUN),--dry-run)

.PHONY: release-check
release-check: $(VENV)/.test-all  ## Make every release that is due, but leave no trace of it
	$(BIN)/python scripts/release.py --check

# In an environment of its own, with nothing but what users get.
.PHONY: audit
audit: dist  ## Known vulnerabilities of what the distributions bring along (a failure where no database answers)
	$(or $(PYTHON),$$(scripts/find-python)) -m venv --clear build/audit
	build/audit/bin/python -m pip install --quiet --disable-pip-version-check --find-links dist \
	    tchannel-wire 'tchannel-core[speed]' tchannel-thrift tchannel-hyperbahn tchannel-testing 'tchannel-tools[load]' \
	    'tchannel-yarpc[protobuf]' 'tchannel-observe[otel,prometheus,page]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/python scripts/audit.py build/audit

.PHONY: wheels
wheels: build/wheels/.stamp  ## Collect what the environments of test-all and test-plugins are made of

.PHONY: test-all
test-all: dist wheels  ## Each distribution from its wheel, on Python 3.11, 3.12 and 3.13
	$(BIN)/tox run-parallel --parallel $$(($(JOBS) + 1)) --parallel-no-spinner $(if $(CI)$(TCHANNEL_REQUIRE_PEERS),--skip-missing-interpreters false) $(TOX_ARGS)

.PHONY: test-oldest
test-oldest: dist  ## Each distribution with the oldest versions of what it needs (3.11)
	$(BIN)/python scripts/oldest.py > build/oldest.txt
	$$(scripts/find-python 3.11) -m venv --clear build/venv-oldest
	build/venv-oldest/bin/python -m pip install --quiet --disable-pip-version-check --find-links dist \
	    --constraint build/oldest.txt tchannel-wire 'tchannel-core[speed]' 'tchannel-thrift[apache]' tchannel-hyperbahn \
	    tchannel-testing 'tchannel-tools[load,migrate]' 'tchannel-yarpc[thrift,protobuf]' \
	    'tchannel-observe[otel,prometheus,page]' $(foreach one,test test-thrift test-yarpc test-tools test-observe,-r requirements/$(one).txt)
	build/venv-oldest/bin/pytest -q -n $(JOBS) -m 'not interop and not once and not packaging' $(DISTRIBUTIONS:%=packages/%/tests)

NEXT ?= 3.11.2 3.14 3.15 pypy
.PHONY: test-next
test-next: | $(BIN)/python  ## Wire, core and thrift on Pythons out of Debian: 3.11.2, 3.14, 3.15, PyPy (once as root)
	scripts/debian-pythons build/pythons
	JOBS=$(JOBS) $(BIN)/python scripts/test_next.py build/pythons $(NEXT)

.PHONY: bench
bench: $(VENV)/.bench peers  ## The benchmarks against the other RPC libraries (BENCH_ARGS=--quick for a minute)
	$(BIN)/python benchmarks/run.py --install
	$(BIN)/python benchmarks/run.py $(BENCH_ARGS)

.PHONY: bench-thrift
bench-thrift: $(VENV)/.bench-thrift  ## The Thrift engine beside thriftrw, thriftpy2 and Apache Thrift
	$(BIN)/python benchmarks/thrift/run.py $(BENCH_ARGS)

.PHONY: bench-thrift-native
bench-thrift-native: export PYTHONPATH = $(CURDIR)/$(NATIVE)
bench-thrift-native: $(VENV)/.bench-thrift $(NATIVE)/.stamp  ## The same with tchannel-speedups, and beside Python alone
	$(BIN)/python benchmarks/thrift/run.py $(BENCH_ARGS)

.PHONY: bench-relay
bench-relay: $(VENV)/.bench peers  ## The development router beside a real Hyperbahn
	$(BIN)/python benchmarks/relay.py

.PHONY: bench-native
bench-native: export PYTHONPATH = $(CURDIR)/$(NATIVE)
bench-native: $(VENV)/.packages $(NATIVE)/.stamp  ## A small call with tchannel-speedups beside one in Python alone
	$(BIN)/python benchmarks/native.py $(BENCH_ARGS)

.PHONY: bench-check
# After all that is installed into the environment: what a start costs is taken out by a difference, and must not change.
bench-check: $(VENV)/.check  ## Fail when a small call has become a quarter dearer
	$(BIN)/python benchmarks/check.py

.PHONY: ci-long
ci-long:  ## What .ci/run has no time for: every Python whole, long soaks, fuzzing and attacks, benchmarks
	.ci/run
	$(MAKE) test-all TOX_ARGS=
	PYTHON=$$(scripts/find-python 3.13) $(MAKE) test
	$(MAKE) test-native NATIVE_TESTS='packages tests benchmarks/tests'
	PYTHON=$$(scripts/find-python 3.13) $(MAKE) test-native
	$(MAKE) interop-native sanitize
	$(MAKE) test-next NEXT='3.11.2 3.14 3.15 pypy'
	$(MAKE) test-oldest
	$(MAKE) demo demo-raw demo-guide demo-compose
	$(MAKE) demo CLUSTER=1
	$(MAKE) attack
	$(MAKE) soak T=600
	$(MAKE) fuzz T=300
	$(MAKE) bench BENCH_ARGS=--quick

.PHONY: cluster
cluster: peers | $(BIN)/python  ## A two-node Hyperbahn cluster on this machine, until Ctrl-C
	cd tests/interop && $(abspath $(BIN)/python) -m thirdparty

.PHONY: clean
clean:  ## Remove what was built or cached; .venv and the peers stay
	rm -rf build dist packages/*/build .tox .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
	find packages tests benchmarks examples scripts -name __pycache__ -not -path '*/.venv/*' -prune -exec rm -rf {} +
