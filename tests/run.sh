#!/bin/sh
# Installs what is missing, builds with warnings as errors, runs the default
# suites, then all of them under AddressSanitizer and UBSan.
#   --full  adds clang, ThreadSanitizer, valgrind, fault injection, longer
#           fuzzing and the benchmarks against the peers that are installed
# The last line is "N passed, N failed, N skipped".
set -eu
cd "$(dirname "$0")/.."
full=no
case ${1:-} in
  '') ;;
  --full) full=yes ;;
  *) echo "run.sh: unknown option '$1' (--full)" >&2; exit 2 ;;
esac
if [ "$full" = yes ]; then sh tools/install-deps.sh --full --peers; else sh tools/install-deps.sh; fi

passed=0 failed=0 skipped=0
# build DIR MESON-OPTIONS...
build() {
  dir=$1; shift
  if [ ! -f "$dir/build.ninja" ]; then # ninja sets it up again when a meson.build changes
    meson setup "$dir" "$@" >"$dir.log" 2>&1 || { cat "$dir.log"; exit 1; }
  fi
  ninja -C "$dir" >"$dir.log" 2>&1 || { cat "$dir.log"; echo "build of $dir failed"; exit 1; }
}
# suites DIR MESON-TEST-OPTIONS... : runs and adds up
suites() {
  dir=$1; shift
  meson test -C "$dir" --no-rebuild --print-errorlogs "$@" >"$dir.log" 2>&1 || true
  cat "$dir.log"
  count() { sed -n "s/^$1: *\([0-9]*\).*/\1/p" "$dir.log" | tail -n 1; }
  ok=$(count Ok) bad=$(count Fail) skip=$(count Skipped) late=$(count Timeout) odd=$(count "Unexpected Pass")
  if [ -z "$ok" ]; then echo "meson test in $dir gave no count"; failed=$((failed + 1)); fi
  passed=$((passed + ${ok:-0}))
  failed=$((failed + ${bad:-0} + ${late:-0} + ${odd:-0}))
  skipped=$((skipped + ${skip:-0}))
}

mkdir -p build
build build/test --werror --buildtype=release
suites build/test --no-suite slow --timeout-multiplier 4
# sanitizers make gcc warn of things that are not there, so warnings are no errors here
build build/asan --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
suites build/asan --no-suite slow --no-suite lint --timeout-multiplier 8

if [ "$full" = yes ]; then
  CC=clang build build/clang --werror --buildtype=debugoptimized -Dc_args=-gdwarf-4 # what valgrind reads
  suites build/clang --no-suite slow --timeout-multiplier 8

  # races: clang's OpenMP tells ThreadSanitizer of its barriers through Archer; gcc's does not
  CC=clang build build/tsan --buildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false
  OMP_TOOL_LIBRARIES=$(ls /usr/lib/llvm-*/lib/libarcher.so | tail -n 1) TSAN_OPTIONS="ignore_noninstrumented_modules=1 halt_on_error=1" \
    suites build/tsan --suite unit --timeout-multiplier 20

  # valgrind knows no AVX-512; DM_TEST_SLOW has tests do less of what they repeat
  DM_TEST_SLOW=1 DM_SIMD=scalar suites build/clang --suite unit --timeout-multiplier 60 \
    --wrapper "valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --suppressions=$PWD/tests/valgrind.supp"

  # what takes long, and memory and disks that fail
  suites build/test --suite slow --timeout-multiplier 8
  DM_TEST_SLOW=1 suites build/asan --suite fault --timeout-multiplier 8

  CC=clang build build/fuzz --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true
  for target in build/fuzz/tests/fuzz/fuzz_*; do
    [ -x "$target" ] && [ -f "$target" ] || continue
    name=$(basename "$target")
    found=$(mktemp -d)
    if "$target" -max_total_time=60 -timeout=20 -rss_limit_mb=2048 -artifact_prefix="$found/" "$found" "tests/fuzz/corpus/${name#fuzz_}" >"build/$name.log" 2>&1; then
      passed=$((passed + 1)); echo "$name: $(grep -c . "build/$name.log") lines, clean"
    else
      failed=$((failed + 1)); tail -n 40 "build/$name.log"
    fi
    rm -rf "$found"
  done

  if meson test -C build/test --benchmark --no-rebuild -v; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
