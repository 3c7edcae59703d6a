#!/bin/sh
# Refreshes the three lock files: hashes, every platform, no index addresses. Needs uv.
set -eu
compile() { uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header "$@"; }
compile pyproject.toml -o requirements.lock
compile pyproject.toml --group dev -o requirements-dev.lock
compile --group pyproject.toml:build -o requirements-build.lock
