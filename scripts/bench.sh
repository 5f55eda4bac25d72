#!/usr/bin/env bash
# Runs the benchmarks and prints one JSON object a line, each a ratio of two sides of one run.
#   scripts/bench.sh [--quick] [--mnist DIR] [NAME...]
#     NAME: one of all_names below (default: all)
#     DIR: MNIST's IDX files, for augmentation and epoch; made-up images without it
# Peers are Debian's, installed here alone: python3-torch for epoch, python3-sklearn and python3-scipy
# for fullbatch (whose digits scripts/fetch_digits.sh fetches), nghttp2-client for h2load, which fails
# where it and our load generator disagree.
set -euo pipefail
invoked_from=$PWD
cd "$(dirname "$0")/.."

all_names=(forward objective fullbatch epoch scaling training_memory augmentation predict serving start
           memory publish h2load)
quick=()
mnist=()
names=()
while [ $# -gt 0 ]; do
  case "$1" in
    --quick) quick=(--quick) ;;
    --mnist) mnist=(--mnist "$(cd "$invoked_from" && realpath -- "${2:?--mnist needs a folder}")"); shift ;;
    *)
      if [[ " ${all_names[*]} " != *" $1 "* ]]; then
        echo "usage: scripts/bench.sh [--quick] [--mnist DIR] [NAME...]; NAME: ${all_names[*]}" >&2
        exit 2
      fi
      names+=("$1") ;;
  esac
  shift
done
[ ${#names[@]} -gt 0 ] || names=("${all_names[@]}")

scripts/install_dependencies.sh >&2
cmake --preset dev >/dev/null
cmake --build --preset dev --target mlpd echo_server predict_bench objective_bench residency_bench \
  forward_bench serving_bench augmentation_bench epoch_bench fullbatch_bench training_bench publish_bench >&2
bin=build/dev/tests/bench
for name in "${names[@]}"; do
  case "$name" in
    forward) "$bin/forward_bench" "${quick[@]}" ;;
    objective) "$bin/objective_bench" "${quick[@]}" ;;
    augmentation) "$bin/augmentation_bench" "${quick[@]}" "${mnist[@]}" ;;
    fullbatch)
      scripts/install_dependencies.sh python3-sklearn python3-scipy >&2
      sheet=$(scripts/fetch_digits.sh)
      "$bin/fullbatch_bench" /usr/bin/python3 tests/bench/peers "$sheet" "${quick[@]}" ;;
    scaling) "$bin/training_bench" scaling "${quick[@]}" ;;
    training_memory) "$bin/training_bench" memory "${quick[@]}" ;;
    epoch)
      scripts/install_dependencies.sh python3-torch >&2
      "$bin/epoch_bench" /usr/bin/python3 tests/bench/peers/torch_epoch.py "${quick[@]}" ;;
    serving) "$bin/serving_bench" build/dev/server/mlpd "${quick[@]}" ;;
    start) "$bin/residency_bench" start build/dev/server/mlpd "${quick[@]}" ;;
    memory) "$bin/residency_bench" memory "${quick[@]}" ;;
    publish) "$bin/publish_bench" "${quick[@]}" ;;
    h2load)
      scripts/install_dependencies.sh nghttp2-client >&2
      scripts/h2load_check.sh --rounds "$([ ${#quick[@]} -gt 0 ] && echo 3 || echo 5)" ;;
    predict) "$bin/predict_bench" build/dev/server/mlpd "$bin/echo_server" "${quick[@]}" ;;
  esac
done
