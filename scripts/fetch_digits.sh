#!/usr/bin/env bash
# Prints the path of the digit sheet: 5,000 handwritten digits of 20x20 pixels, 100 a row, 500 a class.
# It is digits.png of Debian's package opencv-doc, downloaded and unpacked (not installed) once, then
# kept in the cache folder.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/mlpd
sheet=$cache/digits.png
if [ -s "$sheet" ]; then
  echo "$sheet"
  exit 0
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
  echo "The digit sheet comes from Debian's package opencv-doc, and apt-get is not there to fetch it." >&2
  echo "Put its usr/share/doc/opencv-doc/examples/data/digits.png at $sheet and run again." >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo "Fetching the digit sheet (Debian's opencv-doc, about 95 MB, once) ..." >&2
if ! apt-get download -q opencv-doc >download.log 2>&1; then
  # The package lists may be missing or old; only root may renew them.
  refresh=(apt-get update -q)
  [ "$(id -u)" -eq 0 ] || refresh=(sudo "${refresh[@]}")
  if ! { "${refresh[@]}" && apt-get download -q opencv-doc; } >download.log 2>&1; then
    tail -n 5 download.log >&2
    echo "Could not download opencv-doc." >&2
    exit 1
  fi
fi
dpkg-deb --fsys-tarfile opencv-doc_*.deb |
  tar -x --strip-components=7 ./usr/share/doc/opencv-doc/examples/data/digits.png
mkdir -p "$cache"
mv digits.png "$sheet.$$"
mv "$sheet.$$" "$sheet"
echo "$sheet"
