# make demo: train MMoE on real MovieLens ratings      make test: run every test but those of make test-ray
# make asan: the compiled kernels under AddressSanitizer
# make lint: style, types, direction of imports        make results: quality on real data, into docs/results
# make funnels: conversion rates where the truth is known, into docs/results
# make late:    labels that come late, where the truth is known, into docs/results
# make balance: every balancing rule on real data, into docs/results (an hour; DATA=folder of KuaiRand; resumes)
# make paper: the experiments of the MMoE paper on made-up tasks, into docs/results (1.5 hours of a core; resumes)
# make bench: speed beside other libraries, into docs/results (hours; PARTS="speed encoding" for some)
# make kuairand: multi-task models beside LightGBM on KuaiRand, into docs/results (an hour; DATA=folder)
# make census: multi-task models beside LightGBM on Census-Income, into docs/results (half an hour; DATA=folder)
# make moving: AUC of scripts that moved, beside torch-rechub and DeepCTR-Torch, into docs/moving (a quarter of an hour)
# make docs: the site in English and Chinese, into build/site; every warning is an error
# make wheel: both wheels into dist/, the one for Linux on x86-64 with compiled kernels
# make bench-check: fail if training has become slow (a minute)

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: moving demo test test-ray asan lint format results funnels late balance kuairand census paper bench bench-check readme docs wheel clean

demo: $(VENV)/.demo
	$(BIN)/gatewise demo

# a process more than two cores have, since many tests wait for processes of their own
test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --ignore tests/ray

# trainings on a Ray cluster of this machine; Ray is large, so that it is no part of .dev
test-ray: $(VENV)/.ray
	$(BIN)/python -m pytest -n 0 tests/ray

# the compiled kernels under AddressSanitizer: one byte read or written outside an array ends the run
asan: $(VENV)/.dev
	LD_PRELOAD="$$(cc -print-file-name=libasan.so) $$(cc -print-file-name=libstdc++.so)" ASAN_OPTIONS=detect_leaks=0 GATEWISE_KERNELS=asan \
		$(BIN)/python -m pytest -n 0 -p no:cacheprovider --capture=sys tests/kernels --deselect tests/kernels/test_kernels_library.py \
		--deselect tests/kernels/test_kernels_shipped.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

results: $(VENV)/.dev
	$(BIN)/python scripts/movielens_results.py

funnels: $(VENV)/.dev
	$(BIN)/python scripts/funnel_results.py

late: $(VENV)/.dev
	$(BIN)/python scripts/late_results.py

paper: $(VENV)/.dev
	$(BIN)/python benchmarks/paper/run.py

balance: $(VENV)/.dev
	$(BIN)/python scripts/balance_results.py $(if $(DATA),--data $(DATA))

kuairand: $(VENV)/.peers
	$(BIN)/python scripts/kuairand_results.py $(if $(DATA),--data $(DATA))

census: $(VENV)/.peers
	$(BIN)/python scripts/census_results.py $(if $(DATA),--data $(DATA))

moving: $(VENV)/.dev
	$(BIN)/python scripts/moving_results.py

tables: $(VENV)/.dev
	$(BIN)/python benchmarks/run_tables.py

bench: $(VENV)/.peers
	$(BIN)/python benchmarks/run.py $(PARTS)

bench-check: $(VENV)/.peers
	$(BIN)/python benchmarks/check.py

readme: $(VENV)/.dev
	$(BIN)/python scripts/readme_output.py

wheel: $(VENV)/.dev
	$(BIN)/python -m pip wheel --no-build-isolation --no-deps --wheel-dir dist .
	GATEWISE_BUILD_KERNELS=1 $(BIN)/python -m pip wheel --no-build-isolation --no-deps --wheel-dir dist .

$(VENV)/.python:
	$(PYTHON) -c 'import sys; sys.exit("Gatewise needs Python 3.11 or newer, found " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt
	@echo "installing into $(VENV) (torch is large: a minute or two) ..."
	$(PIP) --editable '.[movielens,report]'
	touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt
	@echo "installing into $(VENV) (torch is large: a minute or two) ..."
	$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/.demo

$(VENV)/.ray: $(VENV)/.dev
	$(PIP) --editable '.[dev,ray]'
	touch $@

$(VENV)/.peers: $(VENV)/.dev
	$(PIP) --editable '.[dev,peers]'
	touch $@

clean:
	rm -rf $(VENV) runs build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
