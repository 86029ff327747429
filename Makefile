# Copyright (C) the modelguard authors

NGINX_BIN ?= /usr/sbin/nginx
NGINX_SRC ?= /usr/share/nginx/src
CC := gcc
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

BUILD := $(CURDIR)/build
MODULE := $(BUILD)/ngx_http_modelguard_module.so

MODELGUARD_CORPUS ?= $(CURDIR)/../shared/corpus

export NGINX_BIN NGINX_SRC MODELGUARD_CORPUS
export NGINX_MODULE := $(MODULE)

# make V=1 shows the commands
ifneq ($(V),1)
QUIET := -s
endif

UNITS := $(MAKE) $(QUIET) --no-print-directory -j $(JOBS) -f tools/unit.mk \
	BUILD=build CC=$(CC)
UNIT_NAMES := $(patsubst t/unit/%.c,%,$(wildcard t/unit/*.c))
SANITIZED := ASAN_OPTIONS=detect_stack_use_after_return=1 \
	UBSAN_OPTIONS=print_stacktrace=1

# One thing after the other: builds are parallel inside, and tests share ports.
.NOTPARALLEL:

.PHONY: help deps clean demo run
.PHONY: build build-clang build-asan build-static
.PHONY: unit unit-asan test test-modes test-hup test-postpone test-randomize
.PHONY: test-asan test-static test-crash test-faults test-clients test-servers
.PHONY: lint lint-self check-layers check-style check-order check-docs
.PHONY: check-examples check-locks check-matrix
.PHONY: fuzz fuzz-smoke fuzz-planted soak matrix matrix-full coverage analyze
.PHONY: bench bench-docs

help:  ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*  ## \(.*\)/  \1@\2/p' Makefile \
		| awk -F @ '{ printf "%-18s %s\n", $$1, $$2 }'

demo:  ## the module in front of a model: raw and guarded answers, a budget
	@tools/install-deps.sh run
	@tools/build-module.sh gcc
	@tools/demo/demo.sh

run:  ## the same, kept up to play with; Ctrl-C ends it
	@tools/install-deps.sh run
	@tools/build-module.sh gcc
	@tools/demo/run.sh

build:  ## the dynamic module for Debian's nginx, with gcc
	@tools/install-deps.sh build
	@tools/build-module.sh gcc

build-clang: deps  ## the same with clang, to see its warnings
	@tools/build-module.sh clang

build-static: deps  ## nginx itself with the module linked in
	@tools/build-nginx.sh static

build-asan: deps  ## the same with the sanitizers
	@tools/build-nginx.sh asan

deps:
	@tools/install-deps.sh test

# The last thing "make test" prints is prove's summary of the unit tests and
# of t/*.t.

test: build build-clang lint check-docs check-examples unit-asan  ## all tests
	@$(UNITS) plain
	@tools/run-tests.sh default --with-units

test-modes: test-hup test-postpone test-randomize  ## t/*.t in other modes

test-hup: build deps
	@tools/run-tests.sh hup

test-postpone: build deps
	@tools/run-tests.sh postpone

test-randomize: build deps
	@tools/run-tests.sh randomize

test-asan: build-asan  ## t/*.t with the sanitizers
	@tools/run-tests.sh asan

test-static: build-static  ## t/*.t on a static build, and its filter order
	@$(MAKE) --no-print-directory check-order
	@tools/run-tests.sh static

unit: deps  ## the unit tests of the pure layer
	@$(UNITS) plain
	prove $$($(UNITS) programs)

unit-asan: deps  ## the same with the sanitizers
	@$(UNITS) asan
	$(SANITIZED) prove $(addprefix build/unit/asan/,$(UNIT_NAMES))

# Each target is one file of t/fuzz; what is learnt and finds stay in
# build/fuzz.  fuzz-TARGET is one of them.  The short run tries the same in
# every fresh clone, so that it fails for a change and not by chance; the long
# one looks for what is new.

fuzz-smoke: deps  ## every fuzz target, FUZZ_TIME=60 seconds
	@FUZZ_SEED=$${FUZZ_SEED:-1} tools/fuzz.sh

fuzz: deps  ## the same for hours: FUZZ_TIME=3600 seconds each
	@FUZZ_TIME=$${FUZZ_TIME:-3600} tools/fuzz.sh

fuzz-planted: deps  ## planted bugs: each target has to find its own
	@tools/fuzz-planted.sh

fuzz-%: deps
	@tools/fuzz.sh $*

# the long form of what make test does in seconds

test-crash: build deps  ## kill -9, upgrades, floods of connections: 50 times
	@MODELGUARD_CRASH=full tools/run-tests.sh crash t/85-kill.t \
		t/86-upgrade.t t/87-lock-owner.t t/88-concurrent-budgets.t \
		t/89-disk.t t/99-alerts.t

# every n and every kind of what make test tries some of

test-faults: build deps  ## all allocations, calls and lengths that may fail
	@MODELGUARD_FAULTS=full tools/run-tests.sh default \
		t/75-truncated-upstream.t t/76-allocation-failure.t \
		t/77-start-faults.t t/78-short-io.t t/79-lying-upstream.t \
		t/99-alerts.t

check-locks: build deps  ## the rules about locks, watched; known bugs put back
	@tools/check-locks.sh
	@tools/check-locks.sh --self-test

# A minute of it: SOAK_TIME=60

soak: build deps  ## mixed traffic, reloads and kills, SOAK_TIME=1200 seconds
	@tools/soak/soak.py

# The cells are in tools/matrix/cells.py; JOBS=1 tests one beside a build.
# STRICT=1: a cell that the archive has nothing for fails.

matrix:  ## other versions of nginx, both compilers, 32 bits; build/matrix.json
	@tools/install-deps.sh matrix
	@tools/matrix/matrix.py $(if $(STRICT),--strict)

matrix-full:  ## all of t/*.t on Debian unstable's nginx
	@tools/install-deps.sh matrix
	@tools/matrix/matrix.py --full --strict unstable-package-gcc

check-matrix:  ## docs/compatibility.md has the cells; what fetches them
	@tools/install-deps.sh matrix
	@tools/matrix/matrix.py --check
	@prove tools/matrix/check-fetch.py

# COVERAGE_ARGS: prove's options and files; without any, those of t/*.t that
# kill no workers

coverage: deps  ## lines that no test runs; build/coverage/missed.txt
	@tools/install-deps.sh coverage
	@tools/coverage.sh $(COVERAGE_ARGS)

analyze: build deps  ## clang-tidy, cppcheck and gcc's analyzer
	@tools/install-deps.sh analyze
	@tools/analyze.sh --self-test
	@tools/analyze.sh

lint: deps check-style check-layers check-order lint-self  ## all checks below

lint-self:
	@tools/check-style.py --self-test
	@tools/check-layers.sh --self-test
	@tools/check-order.sh --self-test >/dev/null
	@tools/bench/bench.py --self-test

check-style: deps  ## nginx style
	@tools/check-style.py

check-layers: build deps  ## who includes whom, and what the pure layer needs
	@tools/check-layers.sh

check-order: build deps  ## where nginx puts our filter
	@tools/check-order.sh

check-docs: build deps  ## every snippet of the docs, and the directive tables
	@tools/check-docs.sh

check-examples: build deps  ## nginx -t on every example
	@tools/check-examples.sh

test-clients: build  ## real clients of npm and PyPI, through the guard
	@tools/install-deps.sh clients
	@tools/clients/run.py --self-test
	@tools/clients/run.py

test-servers: build  ## real model servers of PyPI, behind the guard
	@tools/install-deps.sh servers
	@tools/servers/run.py

# QUICK=1 for those who work on the benchmark: its numbers say nothing

bench:  ## cost beside plain nginx and others: build/bench.{md,json,svg}
	@tools/install-deps.sh bench
	@tools/bench/bench.sh $(if $(QUICK),--quick)

bench-docs:  ## the last run's tables and chart into docs/performance.md
	@tools/bench/report.py --docs >/dev/null

clean:  ## remove the build folder
	rm -rf build
