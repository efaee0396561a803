#!/bin/sh
# Kills import, apply and train at random moments, 50 times in all; after each
# kill the database must be whole and hold the state before or after, and the
# same command must then do its work. A net that is killed, or sees Ctrl-C, while it is trained goes on
# with --resume to the same bits. usage: kill.sh BUILD
set -u
clean=$1/tools/dm-clean mine=$1/tools/dm-mine
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0
complain() { echo "kill: $*"; failed=1; }

awk 'BEGIN { srand(7); print "id,group,value,label";
  for (i = 1; i <= 60000; i++) { v = int(rand() * 1000); printf "%d,%s,%d,%s\n", i, substr("ABCDEFGH", 1 + int(rand() * 8), 1), v, v % 7 < 3 ? " yes" : "no " } }' >data.csv
cat >recipe.yaml <<'R'
table: data
steps:
  - trim: {columns: label}
  - case: {columns: group, to: lower}
  - filter: {where: 'value < 990'}
R

# timeout --foreground: without it timeout dies by its own KILL, and the command, still waiting for the disk, holds its locks
state() { # a digest of everything a user sees
  whole=$(sqlite3 -cmd ".timeout 20000" "$1" "PRAGMA integrity_check" 2>&1)
  [ "$whole" = ok ] || { echo "corrupt: $whole"; return; }
  sqlite3 -cmd ".timeout 20000" "$1" "SELECT name FROM sqlite_schema ORDER BY 1;
    SELECT count(*), sum(id), sum(length(\"group\")), group_concat(DISTINCT \"group\"), sum(length(label)) FROM data;
    SELECT count(*) FROM dm_run; SELECT count(*) FROM dm_change; SELECT count(*) FROM dm_model; SELECT count(*) FROM dm_tensor;" 2>&1
}

# try NAME TIMES PREPARED-DB COMMAND... : the command works on x.db
try() {
  name=$1 times=$2 prepared=$3; shift 3
  rm -f x.db x.db-journal; [ "$prepared" = none ] || cp "$prepared" x.db
  before=$([ "$prepared" = none ] && echo none || state x.db)
  start=$(date +%s%N); "$@" >/dev/null 2>&1 || { complain "$name fails without a kill"; return; }
  took=$(( ($(date +%s%N) - start) / 1000000 ))
  after=$(state x.db); cp x.db "after-$name.db"
  olds=0 news=0
  for i in $(seq "$times"); do
    rm -f x.db x.db-journal; [ "$prepared" = none ] || cp "$prepared" x.db
    delay=$(awk -v s="$i$times" -v t="$took" 'BEGIN { srand(s); printf "%.4f", 0.002 + rand() * t / 1000 }')
    timeout --foreground -s KILL "$delay" "$@" >/dev/null 2>&1
    if [ ! -s x.db ]; then now=none; else now=$(state x.db); fi
    # a new database may stand without any table yet
    [ "$before" = none ] && [ "$now" != "$after" ] && [ "$(sqlite3 x.db 'SELECT count(*) FROM sqlite_schema' 2>/dev/null || echo 0)" = 0 ] && now=none
    if [ "$now" = "$before" ]; then olds=$((olds + 1)); elif [ "$now" = "$after" ]; then news=$((news + 1));
    else complain "$name killed after $delay s leaves neither the old state nor the new: $now"; fi
    if [ "$now" = "$before" ]; then "$@" >/dev/null 2>err || complain "$name fails after a kill: $(cat err)"; fi
    [ "$(state x.db)" = "$after" ] || complain "$name gives another state after a kill"
  done
  echo "$name: $times kills within $took ms, $olds left the old state, $news the new"
}

try import 20 none "$clean" import x.db data.csv --quiet
try apply 15 after-import.db "$clean" apply x.db recipe.yaml --quiet
try train 15 after-apply.db "$mine" train tree x.db data --target label --max-depth 8 --quiet

# A long training: the model must have the bits of the one that nobody killed.
figures() { # no checkpoint may be left of a model that is done
  sqlite3 -cmd ".timeout 20000" x.db "SELECT version, status, sha256 FROM dm_model WHERE name = 'n'; SELECT count(*) FROM dm_tensor WHERE name GLOB 'checkpoint/*';
    SELECT epoch, name, value FROM dm_epoch ORDER BY 1, 2;
    SELECT split, name, value FROM dm_metric WHERE model_id = (SELECT id FROM dm_model WHERE name = 'n') ORDER BY 1, 2" 2>&1
}
# try_long NAME TIMES COMMAND... : three kills each time, each of what goes on from the one before; the last two times Ctrl-C instead
try_long() {
  name=$1 times=$2; shift 2
  cp after-apply.db x.db; rm -f x.db-journal
  start=$(date +%s%N); "$@" >/dev/null 2>&1 || { complain "$name fails without a kill"; return; }
  took=$(( ($(date +%s%N) - start) / 1000000 ))
  wanted=$(figures) begun=0
  for i in $(seq "$times"); do
    cp after-apply.db x.db; rm -f x.db-journal
    signal=KILL; [ "$i" -le $((times - 2)) ] || signal=INT
    for k in 1 2 3; do
      delay=$(awk -v s="$i$k" -v t="$took" 'BEGIN { srand(s); printf "%.4f", 0.02 + rand() * t / 1500 }')
      timeout --foreground -s $signal "$delay" "$@" --resume >/dev/null 2>&1
      whole=$(sqlite3 -cmd ".timeout 20000" x.db "PRAGMA integrity_check" 2>&1)
      [ "$whole" = ok ] || complain "$name killed after $delay s: $whole"
      now=$(sqlite3 -cmd ".timeout 20000" x.db "SELECT status FROM dm_model WHERE name = 'n'" 2>&1)
      case $now in
      ready) break ;;
      training) begun=$((begun + 1))
        "$mine" predict x.db n data --into scored >/dev/null 2>&1 && complain "$name predicts before it is trained" ;;
      '') ;;
      *) complain "$name killed after $delay s leaves status '$now'" ;;
      esac
    done
    [ "$now" = ready ] || "$@" --resume >/dev/null 2>err || complain "$name does not go on after a kill: $(cat err)"
    now=$(figures)
    [ "$now" = "$wanted" ] || complain "$name gives another model after kills: $(echo "$now" | head -n 3), not $(echo "$wanted" | head -n 3)"
  done
  [ $begun -gt 0 ] || complain "no kill met $name in training"
  echo "$name: $times times up to three kills within $took ms, $begun of them left a checkpoint"
}
rows='SELECT "group", value, label FROM data ORDER BY dm_id LIMIT 1000'
try_long net 5 "$mine" train net x.db "$rows" --target label --model n --epochs 12 --patience 12 --checkpoint 1 --test 0.2 --quiet
try_long autoencoder 5 "$mine" train autoencoder x.db "$rows" --model n --epochs 60 --patience 60 --checkpoint 1 --test 0.2 --quiet
[ "$failed" = 0 ] && echo "kill: the database was whole after every kill"
exit "$failed"
