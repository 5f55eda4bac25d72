#!/usr/bin/env bash
# Runs the benchmarks and prints one JSON object a line, each a ratio of two sides of one run.
#   scripts/bench.sh [--quick] [NAME...]       NAME: objective, predict (default: all)
set -euo pipefail
cd "$(dirname "$0")/.."

quick=()
names=()
for argument in "$@"; do
  case "$argument" in
    --quick) quick=(--quick) ;;
    objective | predict) names+=("$argument") ;;
    *) echo "usage: scripts/bench.sh [--quick] [objective|predict ...]" >&2; exit 2 ;;
  esac
done
[ ${#names[@]} -gt 0 ] || names=(objective predict)

scripts/install_dependencies.sh >&2
cmake --preset dev >/dev/null
cmake --build --preset dev --target mlpd echo_server predict_bench objective_bench >&2
bin=build/dev/tests/bench
for name in "${names[@]}"; do
  case "$name" in
    objective) "$bin/objective_bench" "${quick[@]}" ;;
    predict) "$bin/predict_bench" build/dev/server/mlpd "$bin/echo_server" "${quick[@]}" ;;
  esac
done
