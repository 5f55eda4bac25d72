#!/usr/bin/env bash
# What a reviewer should not have to say: layout, clang's warnings with thread-safety analysis, clang-tidy.
#   scripts/lint.sh            clang-format and a clang build
#   scripts/lint.sh --tidy     clang-tidy too, over all sources: takes some minutes
#   scripts/lint.sh --fix      lets clang-format rewrite the files
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in clang-format clang++ clang-tidy; do
  command -v "$tool" >/dev/null || { echo "lint needs $tool: apt-get install clang clang-format clang-tidy" >&2; exit 1; }
done

mapfile -t files < <(git ls-files '*.cc' '*.h')
if [ "${1:-}" = --fix ]; then
  clang-format -i "${files[@]}"
  exit 0
fi
clang-format --dry-run -Werror "${files[@]}"
cmake --preset clang >/dev/null
cmake --build --preset clang
if [ "${1:-}" = --tidy ]; then
  git ls-files '*.cc' | xargs -P "$(nproc)" -n 1 clang-tidy -p build/clang --quiet
fi
