#!/usr/bin/env bash
# Installs the Debian packages that building and testing need, or those that are named, where they
# are missing.
#   scripts/install_dependencies.sh [PACKAGE...]
# Root, or a user who may sudo. Elsewhere it says what to install, and stops.
set -euo pipefail

packages=(
  ccache cmake g++ git ninja-build pkg-config protobuf-compiler protobuf-compiler-grpc
  libabsl-dev libcairo2-dev libceres-dev libcli11-dev libcpp-httplib-dev libeigen3-dev libgmock-dev libgrpc++-dev libgtest-dev
  libisal-dev libonnx-dev libopenblas-dev libopencv-dnn-dev libpng-dev libprotobuf-dev libsqlite3-dev libssl-dev libyaml-cpp-dev
  nlohmann-json3-dev prometheus-cpp-dev python3 python3-grpcio python3-protobuf zlib1g-dev
)
[ $# -eq 0 ] || packages=("$@")

if ! command -v dpkg-query >/dev/null; then
  echo "mlpd builds on Debian 12 or a relative of it. Elsewhere install the equivalents of:" >&2
  echo "  ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

run=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "These Debian packages are missing, and neither root nor sudo is there to install them:" >&2
    echo "  apt-get install ${missing[*]}" >&2
    exit 1
  fi
  run=(sudo)
fi
echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${run[@]}" apt-get update -q &&
       "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
         "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "Could not install: ${missing[*]}" >&2
  exit 1
fi
