#!/usr/bin/env bash
# Kills, starves and cuts off the store and the server, and checks what is left: one JSON object a
# part, then a verdict; the exit status is 0 where all is well. See docs/durability.md.
#   scripts/crash_test.sh [--short] [PART...]
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_dependencies.sh >&2
cmake --preset dev >/dev/null
cmake --build --preset dev --target mlpd mlpctl store_shim store_driver store_driver_without_fsync \
  store_driver_without_checksums store_driver_with_split_transaction >&2
export CRASH_BIN=$PWD/build/dev/tests/crash MLPD=$PWD/build/dev/server/mlpd
export MLPCTL=$PWD/build/dev/client/mlpctl PYTHONDONTWRITEBYTECODE=1
exec python3 tests/crash/crash_suite.py "$@"
