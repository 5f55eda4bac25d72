#!/usr/bin/env bash
# From clone to a trained, served, predicting model: builds mlpd, starts it on free ports with an empty
# data folder, uploads 5,000 handwritten digits, trains 400-25-10, evaluates and predicts on the 30 %
# that it never saw, shows the metrics, and stops.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'EOF'
usage: scripts/demo.sh [--keep] [--seed N] [--summary FILE] [--programs DIR]
  --keep          leave the server running and print how to use it
  --seed N        seed of the split and of the initial weights (default 1)
  --summary FILE  write the figures of the run as JSON
  --programs DIR  use the mlpd and mlpctl in DIR instead of building them
EOF
}

keep=false seed=1 summary='' programs=''
while [ $# -gt 0 ]; do
  case "$1" in
    --keep) keep=true; shift ;;
    --seed) seed=${2:?--seed needs a number}; shift 2 ;;
    --summary) summary=${2:?--summary needs a file}; shift 2 ;;
    --programs) programs=${2:?--programs needs a folder}; shift 2 ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

case $seed in
  '' | *[!0-9]*) echo "demo.sh: --seed: expected a number of 0 or more, got \"$seed\"" >&2; exit 2 ;;
esac
if [ -n "$summary" ] && ! : >"$summary"; then
  echo "demo.sh: --summary: cannot write $summary" >&2
  exit 2
fi

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }

if [ -z "$programs" ]; then
  scripts/install_dependencies.sh
  say "Building mlpd (the first time takes some minutes)"
  cmake --preset release >/dev/null
  cmake --build --preset release --target mlpd mlpctl
  programs=build/release
fi
mlpd=$(find "$programs" -name mlpd -type f -perm -u+x | head -n 1)
mlpctl=$(find "$programs" -name mlpctl -type f -perm -u+x | head -n 1)
if [ -z "$mlpd" ] || [ -z "$mlpctl" ]; then
  echo "There is no mlpd and mlpctl in $programs" >&2
  exit 1
fi
sheet=$(scripts/fetch_digits.sh)

folder=$(mktemp -d)
server=''
stop() {
  if [ -n "$server" ] && kill -0 "$server" 2>/dev/null; then
    kill -TERM "$server"
    wait "$server" || true
  fi
  rm -rf "$folder"
}
trap stop EXIT

say "Starting mlpd on its embedded store in an empty folder, on free ports"
"$mlpd" --data-dir "$folder/data" --grpc-address 127.0.0.1:0 --metrics-address 127.0.0.1:0 \
  --addresses-file "$folder/addresses" 2>"$folder/mlpd.log" &
server=$!
for _ in $(seq 200); do
  [ -s "$folder/addresses" ] && break
  if ! kill -0 "$server" 2>/dev/null; then
    cat "$folder/mlpd.log" >&2
    exit 1
  fi
  sleep 0.05
done
cat "$folder/mlpd.log"
grpc=$(sed -n 's/^grpc=//p' "$folder/addresses")
metrics=$(sed -n 's/^metrics=//p' "$folder/addresses")
ctl() { "$mlpctl" --server "$grpc" "$@"; }

say "Uploading 5,000 handwritten digits"
ctl datasets upload digits --sheet "$sheet" --cell 20x20

say "Training 400-25-10 (10,285 weights) on 70 % of them"
ctl train digits --dataset digits --layers 400,25,10 --activation sigmoid --lambda 1 \
  --optimizer lbfgs --split 70/0/30 --seed "$seed" --max-iterations 3000

say "Evaluating on the 30 % that training never saw"
ctl evaluate digits --dataset digits --part test

say "Predicting some of these"
ctl predict digits --dataset digits --part test --rows 60:1500:250

say "What Prometheus sees of it (http://$metrics/metrics)"
# One HTTP request by hand: a fresh machine has no curl.
exec 3<>"/dev/tcp/${metrics%:*}/${metrics##*:}"
printf 'GET /metrics HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$metrics" >&3
grep -aE '^mlpd_(jobs|predicted_rows_total|resident_model|training_iterations|rpc_requests_total.*(Predict|Upload|Training))' <&3
exec 3>&-

if [ -n "$summary" ]; then
  ctl --output json jobs list >"$folder/jobs.json"
  python3 scripts/demo_summary.py "$folder/jobs.json" "$grpc" "$metrics" >"$summary"
  echo
  echo "Summary written to $summary"
fi

if $keep; then
  trap - EXIT
  disown "$server"
  say "The server keeps running as process $server, with its data in $folder"
  cat <<EOF
  $mlpctl --server $grpc predict digits --image YOUR_DIGIT.png
  $mlpctl --server $grpc models versions digits
  $mlpctl --server $grpc --help
  kill $server        stops it; then remove $folder
EOF
else
  say "Stopping the server"
  kill -TERM "$server"
  wait "$server"
  tail -n 1 "$folder/mlpd.log"
  server=''
fi
