# Everything below makes .venv by itself; nothing else needs to be installed first.
.DEFAULT_GOAL := help
PY := .venv/bin/python
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export ORT_DISABLE_TELEMETRY := 1

.PHONY: help demo test test-long lint format fixtures bench clean

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

demo: ## Set everything up and run the whole chain on this machine, offline after the first time
	@scripts/setup runtime
	@$(PY) fixtures/make.py --quick
	@.venv/bin/campus-gateway demo

test: ## Set everything up and pass the tests
	@scripts/setup dev
	@$(PY) fixtures/make.py
	$(PY) -m pytest -m "not long" -n 4 --dist loadfile --no-loadscope-reorder

test-long: ## The tests that take longer than ten minutes
	@scripts/setup dev
	@$(PY) fixtures/make.py
	GATEWAY_HYPOTHESIS=default $(PY) -m pytest -m "not long" -n 2 --dist loadfile tests/unit tests/contract
	$(PY) -m pytest -m long --timeout 7200

lint: ## Style, types and the rules between the rooms
	@scripts/setup dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

format: ## Put the code into the project's form
	@scripts/setup dev
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

fixtures: ## Make the recorded scenes from their recipes
	@scripts/setup runtime
	$(PY) fixtures/make.py

bench: ## Every headline figure, quickly
	@scripts/setup dev
	@$(PY) fixtures/make.py
	@for script in $$(grep -l '^Run:' benchmarks/*.py); do echo "== $$script"; $(PY) $$script --quick || exit 1; done

clean: ## Remove what was made; the state of a gateway is never here
	rm -rf .venv build fixtures/build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
