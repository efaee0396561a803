#!/bin/sh
# Installs what is missing, builds with warnings as errors, runs the default
# suites, then the unit suites under AddressSanitizer and UBSan.
# The last line is "N passed, N failed, N skipped".
set -eu
cd "$(dirname "$0")/.."
sh tools/install-deps.sh

passed=0 failed=0 skipped=0
# run_suite DIR MESON-OPTIONS... : builds in DIR, tests, adds up
run_suite() {
  dir=$1; shift
  if [ -f "$dir/build.ninja" ]; then
    : # ninja sets it up again when a meson.build changed
  else
    meson setup "$dir" "$@" >"$dir.log" 2>&1 || { cat "$dir.log"; exit 1; }
  fi
  ninja -C "$dir" >"$dir.log" 2>&1 || { cat "$dir.log"; echo "build of $dir failed"; exit 1; }
  meson test -C "$dir" --no-rebuild --print-errorlogs --timeout-multiplier 4 >"$dir.log" 2>&1 || true
  cat "$dir.log"
  count() { sed -n "s/^$1: *\([0-9]*\).*/\1/p" "$dir.log" | tail -n 1; }
  ok=$(count Ok) bad=$(count Fail) skip=$(count Skipped) late=$(count Timeout) odd=$(count "Unexpected Pass")
  if [ -z "$ok" ]; then echo "meson test in $dir gave no count"; failed=$((failed + 1)); fi
  passed=$((passed + ${ok:-0}))
  failed=$((failed + ${bad:-0} + ${late:-0} + ${odd:-0}))
  skipped=$((skipped + ${skip:-0}))
}

mkdir -p build
run_suite build/test --werror --buildtype=release
# sanitizers make gcc warn of things that are not there, so warnings are no errors here
run_suite build/asan --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
