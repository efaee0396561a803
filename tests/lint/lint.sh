#!/bin/sh
# Keeps the house in order: layering, what tools and sql see, who knows SQLite,
# exports, public headers, the map. usage: lint.sh SOURCE BUILD CC
set -u
source=$1 build=$2 cc=$3
cd "$source" || exit 1
failed=0
complain() { echo "lint: $*"; failed=1; }

# --- layering: a room includes headers of its own rank or below; families (one rank) never each other
rank() {
  case $1 in
    core) echo 1 ;; text) echo 2 ;; matrix) echo 3 ;; optim) echo 4 ;; data) echo 5 ;; model) echo 6 ;; store) echo 7 ;;
    clean|integrate|patterns|tree|linear|svm|nn|cluster|bayes) echo 8 ;;
    eval) echo 9 ;; explain) echo 10 ;; report) echo 11 ;; pipeline) echo 12 ;;
    dm) echo 13 ;;
    *) echo 0 ;;
  esac
}
for folder in lib/*/; do
  room=$(basename "$folder")
  [ "$room" = include ] && continue
  own=$(rank "$room")
  [ "$own" != 0 ] || complain "lib/$room is not a room of the map"
  for line in $(grep -rnoE '^#include [<"](dm/[a-z]+\.h|[a-z]+/[a-z_/]+\.h)[>"]' "$folder" --include='*.[ch]' | tr -d ' <>"' | sed 's/#include/ /;s/ //g'); do
    file=${line%%:*}
    header=${line##*:}
    case $header in
      dm/*) other=$(basename "$header" .h) ;;
      sys/*|gsl/*|uchardet/*) continue ;;
      *) other=${header%%/*} ;;
    esac
    theirs=$(rank "$other")
    [ "$theirs" != 0 ] || { complain "$file includes $header of no known room"; continue; }
    [ "$theirs" -le "$own" ] || complain "$file (room $room) includes $header, which lies above it"
    if [ "$theirs" = "$own" ] && [ "$other" != "$room" ]; then complain "$file: family $room includes family $other"; fi
  done
done
# the same order holds for public headers, whose rank is their own name
for header in lib/include/dm/*.h; do
  own=$(rank "$(basename "$header" .h)")
  for other in $(sed -n 's|^#include <dm/\([a-z]*\)\.h>.*|\1|p' "$header"); do
    [ "$(rank "$other")" -lt "$own" ] || complain "$header includes dm/$other.h, which lies above it"
  done
done

# --- who knows what
grep -rlE '^#include [<"](sqlite3|sqlite3ext)\.h' lib tools | grep -v '^lib/store/sqlite.h$' | while read -r f; do echo "$f"; done >"$build/lint.tmp"
[ ! -s "$build/lint.tmp" ] || complain "SQLite is included outside lib/store/sqlite.h: $(cat "$build/lint.tmp")"
grep -rnE '^#include "' tools sql --include='*.[ch]' | grep -vE '#include "[a-z_]+\.h"' && complain "tools and sql see public headers and their own only"
grep -rlE '^#include <(cblas|openblas_config|f77blas)\.h>' lib tools sql && complain "only <gsl/gsl_cblas.h> may be included for CBLAS"
grep -rnE '\b(printf|exit|abort|puts)\(' lib --include='*.c' | grep -vE 'snprintf|fprintf|dm_[a-z_]*printf|_printf|"[^"]*printf\(' && complain "the library prints or exits"
grep -rnE '\b(malloc|calloc|realloc|free|strdup)\(' lib --include='*.c' | grep -vE '(dm|sqlite3|yaml|pcre2|gsl|iconv|utf8proc)[a-z0-9_]*_?(malloc|calloc|realloc|free|strdup)\(|lib/core/context\.c|free\(ctx|\bfree\(stat|->free\(|\(\*free\)' && complain "memory that is not the context's"
grep -rnE '(ffast-math|march=native)' --include=meson.build . && complain "flags that change numbers"

# --- the map names every room, each unit of the house has its test folder
for folder in lib/*/; do
  room=$(basename "$folder")
  [ "$room" = include ] && continue
  grep -q "| $room/ |" lib/README.md || complain "lib/README.md does not show lib/$room"
  [ -d "tests/$room" ] || complain "tests/$room is missing"
done

# --- public headers stand alone, in C and C++
for header in lib/include/dm/*.h; do
  "$cc" -std=c11 -Wall -Wextra -Werror -Ilib/include -fsyntax-only "$header" || complain "$header does not stand alone"
  if command -v g++ >/dev/null 2>&1; then
    g++ -x c++ -Wall -Werror -Ilib/include -fsyntax-only "$header" || complain "$header is no C++"
  fi
done

# --- exports: libdm only what headers declare, dm.so only its entry point
nm -D --defined-only "$build/lib/libdm.so" | awk '$2 ~ /[TDBR]/ {print $3}' | while read -r symbol; do
  case $symbol in .gomp_critical_*) ;; dm_*) grep -qE "DM_API.*\b$symbol\b" lib/include/dm/*.h || echo "$symbol" ;; *) echo "$symbol" ;; esac
done >"$build/lint.tmp"
[ ! -s "$build/lint.tmp" ] || complain "libdm.so exports what no header declares: $(tr '\n' ' ' <"$build/lint.tmp")"
sed -nE 's/^(extern )?DM_API .*\b(dm_[a-z0-9_]+)(\(|\[|;).*/\2/p' lib/include/dm/*.h | sort -u >"$build/lint.declared"
nm -D --defined-only "$build/lib/libdm.so" | awk '{print $3}' | sort -u >"$build/lint.exported"
comm -23 "$build/lint.declared" "$build/lint.exported" >"$build/lint.tmp"
[ ! -s "$build/lint.tmp" ] || complain "declared but not built: $(tr '\n' ' ' <"$build/lint.tmp")"
if [ -f "$build/sql/dm.so" ]; then
  exported=$(nm -D --defined-only "$build/sql/dm.so" | awk '$2 ~ /[TDBR]/ {print $3}' | tr '\n' ' ')
  [ "$exported" = "sqlite3_dm_init " ] || complain "dm.so exports $exported"
fi
rm -f "$build/lint.tmp" "$build/lint.declared" "$build/lint.exported"
[ "$failed" = 0 ] && echo "lint: in order"
exit "$failed"
