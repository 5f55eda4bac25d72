#!/usr/bin/env bash
# Builds everything and runs every test. Installs missing Debian packages first.
#   scripts/test.sh [--preset dev|asan|tsan] [-- ctest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."

preset=dev
while [ $# -gt 0 ]; do
  case "$1" in
    --preset) preset=${2:?--preset needs a name}; shift 2 ;;
    --) shift; break ;;
    *) echo "usage: scripts/test.sh [--preset dev|asan|tsan] [-- ctest arguments]" >&2; exit 2 ;;
  esac
done

scripts/install_dependencies.sh
cmake --preset "$preset"
cmake --build --preset "$preset"
ctest --test-dir "build/$preset" --output-on-failure --parallel "$(nproc)" "$@"
