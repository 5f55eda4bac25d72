#!/usr/bin/env bash
# Holds our own load generator against a third party's: h2load (Debian's nghttp2-client) and
# `mlpctl bench` ask the same server for the same row, in turns. Prints one JSON object: the medians
# of their requests/s and the ratio. Exit status 1 where one finds more than 1.5 times what the other
# does: then one of them measures itself.
#   scripts/h2load_check.sh [--rounds N]
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=5
if [ "${1:-}" = --rounds ]; then rounds=${2:?--rounds needs a number}; fi
command -v h2load >/dev/null || { echo "h2load_check needs h2load: apt-get install nghttp2-client" >&2; exit 1; }
scripts/install_dependencies.sh >&2
cmake --preset dev >/dev/null
cmake --build --preset dev --target mlpd mlpctl >&2
mlpd=build/dev/server/mlpd
mlpctl=build/dev/client/mlpctl

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
"$mlpd" --data-dir "$folder/data" --grpc-address 127.0.0.1:0 --metrics-address '' \
  --addresses-file "$folder/addresses" 2>"$folder/log" &
server=$!
for _ in $(seq 200); do
  [ -s "$folder/addresses" ] && break
  kill -0 "$server" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
  sleep 0.05
done
address=$(sed -n 's/^grpc=//p' "$folder/addresses")

# A model of 400-25-10 from made-up rows, and one framed request for it: a byte that says "not
# compressed", the length, the message.
python3 - "$folder" <<'PYTHON'
import pathlib
import struct
import sys

folder = pathlib.Path(sys.argv[1])
rows = [",".join(str((i * 31 + j * 7) % 251) for j in range(400)) + f",{i % 10}" for i in range(200)]
(folder / "rows.csv").write_text("\n".join(rows) + "\n")
features = struct.pack("<400f", *((j * 7) % 251 for j in range(400)))
message = b"\x0a\x05bench" + b"\x12\xc0\x0c" + features  # model: "bench", features: packed
(folder / "request").write_bytes(b"\x00" + struct.pack(">I", len(message)) + message)
PYTHON
"$mlpctl" --server "$address" datasets upload bench --csv "$folder/rows.csv" >/dev/null
"$mlpctl" --server "$address" train bench --dataset bench --layers 400,25,10 --max-iterations 1 >/dev/null

for _ in $(seq "$rounds"); do
  h2load -n 60000 -c 1 -m 16 -t 1 --data="$folder/request" -H 'content-type: application/grpc' -H 'te: trailers' \
    "http://$address/mlp.v1.PredictionService/Predict" >"$folder/h2load.out"
  grep -q ' 60000 succeeded, 0 failed' "$folder/h2load.out" || { cat "$folder/h2load.out" >&2; exit 1; }
  sed -n 's/^finished in .*, \([0-9.]*\) req\/s.*/\1/p' "$folder/h2load.out" >>"$folder/h2load.rates"
  "$mlpctl" --server "$address" --output json bench bench --concurrency 16 --duration 1 --warmup 0.2 \
    >>"$folder/mlpctl.json"
done
python3 - "$folder" <<'PYTHON'
import json
import pathlib
import statistics
import sys

folder = pathlib.Path(sys.argv[1])
theirs = statistics.median(map(float, (folder / "h2load.rates").read_text().split()))
ours = statistics.median(json.loads(line)["requests_per_second"]
                         for line in (folder / "mlpctl.json").read_text().splitlines())
ratio = ours / theirs
print(json.dumps({"bench": "h2load/1_row_16_outstanding", "ratio": round(ratio, 3),
                  "ours": round(ours), "against": round(theirs), "unit": "requests/s"}))
if not 1 / 1.5 <= ratio <= 1.5:
    sys.exit(f"h2load_check: expected a ratio of 0.667 to 1.5, got {ratio:.3f}")
PYTHON
