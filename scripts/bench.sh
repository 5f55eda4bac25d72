#!/usr/bin/env bash
# Runs the benchmarks and prints one JSON object a line, each a ratio of two sides of one run.
#   scripts/bench.sh [--quick] [--mnist DIR] [NAME...]
#     NAME: forward, objective, epoch, augmentation, predict, serving, start, memory, h2load (default: all)
#     DIR: MNIST's IDX files, for augmentation; made-up images without it
# epoch needs a peer, PyTorch: Debian's python3-torch is installed for it; h2load its namesake, from
# nghttp2-client. It fails where our load generator and h2load disagree.
set -euo pipefail
invoked_from=$PWD
cd "$(dirname "$0")/.."

quick=()
mnist=()
names=()
while [ $# -gt 0 ]; do
  case "$1" in
    --quick) quick=(--quick) ;;
    --mnist) mnist=(--mnist "$(cd "$invoked_from" && realpath -- "${2:?--mnist needs a folder}")"); shift ;;
    forward | objective | epoch | augmentation | predict | serving | start | memory | h2load) names+=("$1") ;;
    *) echo "usage: scripts/bench.sh [--quick] [--mnist DIR]" \
            "[forward|objective|epoch|augmentation|predict|serving|start|memory|h2load ...]" >&2; exit 2 ;;
  esac
  shift
done
[ ${#names[@]} -gt 0 ] || names=(forward objective epoch augmentation predict serving start memory h2load)

scripts/install_dependencies.sh >&2
cmake --preset dev >/dev/null
cmake --build --preset dev --target mlpd echo_server predict_bench objective_bench residency_bench \
  forward_bench serving_bench augmentation_bench epoch_bench >&2
bin=build/dev/tests/bench
for name in "${names[@]}"; do
  case "$name" in
    forward) "$bin/forward_bench" "${quick[@]}" ;;
    objective) "$bin/objective_bench" "${quick[@]}" ;;
    augmentation) "$bin/augmentation_bench" "${quick[@]}" "${mnist[@]}" ;;
    epoch)
      scripts/install_dependencies.sh python3-torch >&2
      "$bin/epoch_bench" /usr/bin/python3 tests/bench/peers/torch_epoch.py "${quick[@]}" ;;
    serving) "$bin/serving_bench" build/dev/server/mlpd "${quick[@]}" ;;
    start) "$bin/residency_bench" start build/dev/server/mlpd "${quick[@]}" ;;
    memory) "$bin/residency_bench" memory "${quick[@]}" ;;
    h2load)
      scripts/install_dependencies.sh nghttp2-client >&2
      scripts/h2load_check.sh --rounds "$([ ${#quick[@]} -gt 0 ] && echo 3 || echo 5)" ;;
    predict) "$bin/predict_bench" build/dev/server/mlpd "$bin/echo_server" "${quick[@]}" ;;
  esac
done
