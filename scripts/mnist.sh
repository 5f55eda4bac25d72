#!/usr/bin/env bash
# The reference problem at full size: trains 784-800-10 on MNIST's 60,000 training images through a
# server of its own, seed by seed, then reads the 10,000 test images once for each. Prints a JSON
# object for each seed, and one with the mean against the budget of the recipe.
set -euo pipefail
invoked_from=$PWD
cd "$(dirname "$0")/.."

usage() {
  cat <<'EOF'
usage: scripts/mnist.sh MNIST_DIR [--plain] [--seeds "1 2 3"] [--out DIR] [-- TRAIN_FLAGS...]
  MNIST_DIR       holds MNIST's four IDX files, gzipped
  --plain         without distortions of the training images
  --seeds LIST    seeds of order, masks, distortions and initial weights (default "1 2 3")
  --out DIR       keep the progress of each training in DIR, a JSON object a line
  TRAIN_FLAGS     after --: instead of the recipe's own flags of mlpctl train
EOF
}

recipe=distorted seeds='1 2 3' out='' flags=()
[ $# -gt 0 ] && [ -d "$1" ] || { usage >&2; exit 2; }
mnist=$(cd "$1" && pwd); shift
while [ $# -gt 0 ]; do
  case "$1" in
    --plain) recipe=plain; shift ;;
    --seeds) seeds=${2:?--seeds needs a list}; shift 2 ;;
    --out) out=$(cd "$invoked_from" && realpath -m -- "${2:?--out needs a folder}"); shift 2 ;;
    --) shift; flags=("$@"); break ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

# All 60,000 train, so nothing is left to choose by: the numbers were chosen on 10,000 of them.
common=(--layers 784,800,10 --activation relu --cost softmax --lambda 0 --split 100/0/0
        --schedule cosine --batch-size 128)
if [ ${#flags[@]} -eq 0 ]; then
  case $recipe in
    distorted)
      budget=0.0070
      flags=("${common[@]}" --optimizer sgd --nesterov --learning-rate 0.1 --epochs 220
             --elastic 34,4 --rotate 8 --scale 0.1 --average-epochs 5) ;;
    plain)
      budget=0.0150
      flags=("${common[@]}" --optimizer adamw --learning-rate 1e-3 --epochs 60 --dropout 0.5
             --input-dropout 0.2) ;;
  esac
fi

scripts/install_dependencies.sh >&2
cmake --preset release >/dev/null
cmake --build --preset release --target mlpd mlpctl >&2

folder=$(mktemp -d)
[ -n "$out" ] || out=$folder/progress
mkdir -p "$out"
build/release/server/mlpd --data-dir "$folder/data" --grpc-address 127.0.0.1:0 \
  --metrics-address 127.0.0.1:0 --addresses-file "$folder/addresses" 2>"$folder/mlpd.log" &
server=$!
trap 'kill -TERM "$server" 2>/dev/null && wait "$server"; rm -rf "$folder"' EXIT
for _ in $(seq 200); do
  [ -s "$folder/addresses" ] && break
  kill -0 "$server" 2>/dev/null || { cat "$folder/mlpd.log" >&2; exit 1; }
  sleep 0.05
done
ctl() {
  build/release/client/mlpctl --server "$(sed -n 's/^grpc=//p' "$folder/addresses")" --output json "$@"
}

for part in train t10k; do
  ctl datasets upload "mnist-$part" --images "$mnist/$part-images-idx3-ubyte.gz" \
    --labels "$mnist/$part-labels-idx1-ubyte.gz" >/dev/null
done
for seed in $seeds; do
  ctl train mnist --dataset mnist-train --seed "$seed" "${flags[@]}" >"$out/$recipe-seed-$seed.jsonl"
  ctl evaluate mnist --dataset mnist-t10k --worst 0 >"$folder/evaluation-$seed.json"
done
python3 scripts/mnist_summary.py "$recipe" "${budget:-}" "$out" "$folder" $seeds
