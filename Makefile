# Bare `make` lists the targets. Everything needed is installed by the targets themselves.
.DEFAULT_GOAL := help
PY ?= python3
.PHONY: help run test check bench lock po

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile

run: ; @$(PY) bootstrap.py && exec .venv/bin/carrel run  ## the demo library: dashboard http://127.0.0.1:8080, kiosk http://127.0.0.1:8081
test: ; @$(PY) bootstrap.py --dev && .venv/bin/python -m tests.check && exec .venv/bin/python -m pytest -n logical --maxprocesses 4 --dist loadfile  ## all checks and tests
check: ; @$(PY) bootstrap.py --dev && exec .venv/bin/python -m tests.check  ## the fast part: format, lint, types, import contracts
bench: ; @$(PY) bootstrap.py --dev && exec .venv/bin/python -m tests.bench  ## wire-to-wire time, start time, memory
po: ; @.venv/bin/python -m carrel.web.i18n_tool  ## collect strings from templates and code into the catalogues
lock: ; @sh lock.sh  ## refresh the lock files (maintainers; needs uv)
