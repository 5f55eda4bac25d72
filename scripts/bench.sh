#!/usr/bin/env bash
# Runs the benchmarks and prints one JSON object a line, each a ratio of two sides of one run.
#   scripts/bench.sh [--quick] [NAME...]       NAME: forward, objective, epoch, predict, serving,
#                                                start, memory
#                                                (default: all)
# epoch needs a peer, PyTorch: Debian's python3-torch is installed for it.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=()
names=()
for argument in "$@"; do
  case "$argument" in
    --quick) quick=(--quick) ;;
    forward | objective | epoch | predict | serving | start | memory) names+=("$argument") ;;
    *) echo "usage: scripts/bench.sh [--quick] [forward|objective|epoch|predict|serving|start|memory ...]" >&2; exit 2 ;;
  esac
done
[ ${#names[@]} -gt 0 ] || names=(forward objective epoch predict serving start memory)

scripts/install_dependencies.sh >&2
cmake --preset dev >/dev/null
cmake --build --preset dev --target mlpd echo_server predict_bench objective_bench residency_bench \
  forward_bench serving_bench epoch_bench >&2
bin=build/dev/tests/bench
for name in "${names[@]}"; do
  case "$name" in
    forward) "$bin/forward_bench" "${quick[@]}" ;;
    objective) "$bin/objective_bench" "${quick[@]}" ;;
    epoch)
      [ -e /usr/lib/python3/dist-packages/torch ] ||
        scripts/install_peers.sh python3-torch >&2
      "$bin/epoch_bench" /usr/bin/python3 tests/bench/peers/torch_epoch.py "${quick[@]}" ;;
    serving) "$bin/serving_bench" build/dev/server/mlpd "${quick[@]}" ;;
    start) "$bin/residency_bench" start build/dev/server/mlpd "${quick[@]}" ;;
    memory) "$bin/residency_bench" memory "${quick[@]}" ;;
    predict) "$bin/predict_bench" build/dev/server/mlpd "$bin/echo_server" "${quick[@]}" ;;
  esac
done
