#!/bin/sh
# dm-mine with rules of classes: trained, described, predicted, audited, and the same bits in SQL.
. "$(dirname "$0")/../cli/lib.sh"
dm="$DM_BUILD/sql/dm"
shell() { sqlite3 -bail my.db ".load $dm" "$@"; }

"$clean" import my.db "$data/biopsy.csv" --null NA --quiet
"$clean" import my.db "$data/iris.csv" --quiet
"$clean" import my.db "$data/survey.csv" --null NA --quiet

run 0 "$mine" train cba my.db biopsy --target class --ignore ID --model b --test 0.25 --json
key '$.method' cba
key '$.task' classify
key '$.params.min_support' 0.01
key '$.params.max_size' auto
sql :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.metrics.test.accuracy') >= 0.93" 1
run 0 "$mine" train cba my.db iris --target species --model i --folds 5 --json
sql :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.metrics.cv.accuracy') >= 0.93" 1
run 0 "$mine" train cba my.db survey --target Smoke --model s --max-size 2 --min-support 5 --pruning none # categories and missing values
run 0 "$mine" train cba my.db iris --target species --model q --bins 3 --min-confidence 0.9
run 0 "$mine" models my.db show i
says out "rules of classes (CBA):"
says out "setosa (50 rows, 1.000)"
says out "otherwise: "

# the same bits from the command and in SQL; the class is that of the largest probability
for m in b:biopsy i:iris s:survey q:iris; do
  run 0 "$mine" predict my.db "${m%%:*}" "${m#*:}" --into "${m%%:*}_scored"
  run 0 shell "SELECT count(*) > 100, sum(a.prediction IS NOT s.prediction OR a.score IS NOT s.score)
    FROM dm_apply('${m%%:*}', 'SELECT * FROM ${m#*:}') a JOIN ${m%%:*}_scored s ON s.dm_id = a.row"
  [ "$(cat out)" = "1|0" ] || complain "SQL scores ${m#*:} otherwise: $(cat out)"
done
sql my.db "SELECT count(*) FROM b_scored WHERE abs(p_benign + p_malignant - 1) > 1e-12 OR score <> max(p_benign, p_malignant)" 0

# the audit names the rule that fired, and what it looked at
run 0 "$mine" audit my.db i --row 7
says out "iris.csv:8"
says out "  rule 1: setosa (50 rows, confidence 1.000)"
run 0 "$mine" audit my.db i --row 7 --json
key '$.path[0].feature' petal_length
key '$.path[1].rule' 1
key '$.path[1].class' setosa
run 0 "$mine" report my.db -o report.html

# the same bits for any number of threads
for threads in 1 2; do
  run 0 "$mine" train cba "t$threads.db" "$data/pima.csv" --null NA --target diabetes --test 0.25 --threads $threads
done
[ "$(sqlite3 t1.db 'SELECT sha256 FROM dm_model')" = "$(sqlite3 t2.db 'SELECT sha256 FROM dm_model')" ] || complain "threads change the model"
checks=$((checks + 1))

# wrong words and data
run 2 "$mine" train cba my.db iris --target species --min-support 0
says err "min-support = 0, want a number > 0"
run 2 "$mine" train cba my.db iris --target species --min-support 1.5
says err "min-support = 1.5, want a share below 1 or a whole number"
run 2 "$mine" train cba my.db iris --target species --min-support 151
says err "there are 150 rows"
run 2 "$mine" train cba my.db iris --target species --min-confidence 1.5
run 2 "$mine" train cba my.db iris --target petal_width --task regress
run 3 "$mine" train cba my.db "SELECT 9e999 AS x, species FROM iris" --target species
run 3 "$mine" train cba my.db "SELECT petal_width, 'a' AS y FROM iris" --target y
finish
