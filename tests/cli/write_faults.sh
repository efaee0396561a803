#!/bin/sh
# The disk is full: every write, sync, truncation, removal and renaming of a
# command fails in turn, alone or with all after it. Each time exit 4 with a
# message, or the work was done; the database is whole and holds the state before
# or after, an exported file too; and the command then does its work.
. "$(dirname "$0")/lib.sh"
strace -o log -e trace=write -e inject=write:error=ENOSPC:when=1 true 2>/dev/null || { echo "no strace here, or it may not trace: left out"; exit 77; }

awk 'BEGIN { print "id,group,value,label"; for (i = 1; i <= 300; i++) { v = i * 37 % 101; printf "%d,%s,%d,%s\n", i, substr("ABCDEFGH", 1 + i % 8, 1), v, v % 7 < 3 ? " yes" : "no " } }' >data.csv
cat >recipe.yaml <<'R'
table: data
steps:
  - trim: {columns: label}
  - case: {columns: group, to: lower}
  - filter: {where: 'value < 99'}
R
echo old >out.csv; cp out.csv old.csv

state() { # what a user sees, unfinished trainings left out: of a database that is not there or has nothing in it, "none"
  [ -s x.db ] || { echo none; cksum <out.csv; return; }
  whole=$(sqlite3 x.db "PRAGMA integrity_check" 2>&1)
  [ "$whole" = ok ] || { echo "corrupt: $whole"; return; }
  [ "$(sqlite3 x.db 'SELECT count(*) FROM sqlite_schema')" != 0 ] || { echo none; cksum <out.csv; return; }
  sqlite3 x.db "SELECT name FROM sqlite_schema ORDER BY 1;
    SELECT count(*), sum(id), group_concat(\"group\"), group_concat(label) FROM data;
    SELECT id, command, status FROM dm_run; SELECT count(*) FROM dm_change; SELECT name, version, sha256 FROM dm_model WHERE status = 'ready';
    SELECT name, length(data) FROM dm_tensor WHERE name NOT GLOB 'checkpoint/*';
    SELECT epoch, e.name, value FROM dm_epoch AS e JOIN dm_model AS m ON m.id = model_id WHERE status = 'ready' ORDER BY 1, 2;" 2>&1
  cksum <out.csv
}
prepare() { # from the database of the step before
  rm -f x.db x.db-journal
  [ ! -f start.db ] || cp start.db x.db
  cp old.csv out.csv
}

# one NAME CALL WHEN COMMAND...: the fault did happen unless it returns 1
one() {
  name=$1 call=$2 when=$3; shift 3
  prepare
  ASAN_OPTIONS=detect_leaks=0 strace -qq -o log -e trace="$call" -e inject="$call":error=ENOSPC:when="$when" "$@" >out 2>err </dev/null
  code=$?
  grep -q INJECTED log || return 1
  tried=$((tried + 1)) checks=$((checks + 1))
  now=$(state)
  fault="$name with $call $when failing"
  if [ $code = 4 ]; then
    # a message that could not be written is not there
    [ -s err ] || grep -q 'write(2,.*INJECTED' log || complain "$fault: no message"
    [ "$now" = "$before" ] || [ "$now" = "$after" ] || complain "$fault: exit 4 and neither the old state nor the new: $now"
  else
    [ $code = $usual ] || complain "$fault: exit $code"
    [ "$now" = "$after" ] || complain "$fault: exit $code, but not the new state: $now"
  fi
  if [ "$now" = "$before" ] && [ "$before" != "$after" ]; then
    "$@" >out 2>err </dev/null
    [ $? = $usual ] || complain "$fault: afterwards the command does not work"
    [ "$(state)" = "$after" ] || complain "$fault: afterwards the command gives another state"
  fi
}

# every NAME COMMAND...: its work is the start of the next
every() {
  name=$1 tried=0; shift
  prepare
  before=$(state)
  "$@" >out 2>err </dev/null
  usual=$?
  [ $usual -le 1 ] || complain "$name fails without a fault"
  after=$(state)
  [ ! -f x.db ] || cp x.db next.db
  for call in pwrite64 write fsync fdatasync ftruncate unlink rename; do
    n=1
    while one "$name" $call $n "$@"; do
      one "$name" $call "$n+" "$@"
      n=$((n + 1))
      [ $n -lt 200 ] || { complain "$name: $call without end"; break; }
    done
  done
  [ ! -f next.db ] || mv next.db start.db
  [ $tried -ge 5 ] || complain "$name: only $tried faults"
  echo "$name: $tried faults"
}

every import "$clean" import x.db data.csv --quiet
every apply "$clean" apply x.db recipe.yaml --quiet
every train "$mine" train tree x.db data --target label --json
# a checkpoint that cannot be written costs nothing else; what is left of the training is gone on with
every autoencoder "$mine" train autoencoder x.db data --model a --hidden 8 --epochs 2 --checkpoint 1 --resume --json
every predict "$mine" predict x.db tree data --into scored --quiet
every export "$clean" export x.db data -o out.csv --quiet
every report "$mine" report x.db -o out.csv --quiet
finish
