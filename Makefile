# Casebook. `make run` starts it; `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help run test lint format bench demo messages sentences clean

BIN := .venv/bin
SET_UP = python=$$(sh .ci/find-python) && "$$python" .ci/set_up.py
# Tests must not see the settings of an installation in this folder.
TEST_ENV := env CASEBOOK_ENV_FILE=/dev/null
OUT ?= demo
RUNS ?= 100

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

run: ## set up whatever is missing and serve Casebook on http://127.0.0.1:8000 (PORT=… changes it)
	@$(SET_UP) run && exec $(BIN)/python manage.py serve

test: ## set up whatever is missing and run all tests (ARGS=… for pytest)
	@$(SET_UP) dev && exec $(TEST_ENV) $(BIN)/python -m pytest --numprocesses auto $(ARGS)

lint: ## check style, types, layers, templates, migrations and translations
	@$(SET_UP) dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet templates
	$(TEST_ENV) $(BIN)/python manage.py makemigrations --check --dry-run
	$(TEST_ENV) $(BIN)/python manage.py check_catalogues

format: ## format the Python sources
	@$(SET_UP) dev
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

bench: ## measure the engine against the direct alternatives
	@$(SET_UP) dev && exec $(BIN)/python tests/bench.py

demo: ## do the main job headless (OUT=folder, RUNS=number)
	@$(SET_UP) run && exec $(BIN)/python manage.py demo --out $(OUT) --runs $(RUNS)

messages: ## collect the texts to translate (needs GNU gettext) and compile the catalogues
	@$(SET_UP) dev
	@mkdir -p casebook/locale
	$(BIN)/python manage.py makemessages --locale ru --no-wrap --no-obsolete --add-location file \
	  --ignore .venv --ignore var --ignore staticfiles --ignore demo --ignore tests
	$(BIN)/python manage.py check_catalogues --compile

sentences: ## write docs/sentences.md anew from the sentences and the results of the tests
	@$(SET_UP) dev && exec $(TEST_ENV) $(BIN)/python tests/casebook/sentence_book.py

clean: ## remove what can be made again; the data in var/ stay
	rm -rf .venv staticfiles demo .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
