#!/bin/sh
# dm-mine with net: trained, described, predicted, encoded, audited, gone on with, and the same bits in SQL.
. "$(dirname "$0")/../cli/lib.sh"
dm="$DM_BUILD/sql/dm"
OMP_WAIT_POLICY=passive && export OMP_WAIT_POLICY # machines that test are busy
shell() { sqlite3 -bail my.db ".load $dm" "$@"; }

"$clean" import my.db "$data/digits.csv" --quiet
"$clean" import my.db "$data/airquality.csv" --null NA --quiet
"$clean" import my.db "$data/survey.csv" --null NA --quiet
"$clean" import my.db "$data/iris.csv" --quiet

# good without a single option
run 0 "$mine" train net my.db digits --target digit --model d --test 0.25 --json
key '$.method' net
key '$.task' classify
key '$.params.hidden' auto
sql :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.metrics.test.accuracy') >= 0.96" 1
run 0 "$mine" train net my.db iris --target species --model i --test 0.25 --json
sql :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.metrics.test.accuracy') >= 0.9" 1
run 0 "$mine" train net my.db airquality --target Ozone --model o --test 0.25 --json
key '$.task' regress
sql :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.metrics.test.r2') > 0.4" 1
# categories, missing cells; layers as one line
run 0 "$mine" train net my.db survey --target Smoke --model s --epochs 5 --net 'dense 16 relu | residual(dense 16 tanh) | dropout 0.1 | dense 4 softmax'
run 0 "$mine" models my.db show s
says out "net: "
says out "embedding"
says out "dense 16 relu | residual(dense 16 tanh)"
sql my.db "SELECT count(*) > 5 FROM dm_epoch WHERE name = 'train_loss'" 1

# the same bits from the command and in SQL
for m in d:digits i:iris o:airquality s:survey; do
  run 0 "$mine" predict my.db "${m%%:*}" "${m#*:}" --into "${m%%:*}_scored"
  run 0 shell "SELECT count(*) > 100, sum(a.prediction IS NOT s.prediction OR a.score IS NOT s.score)
    FROM dm_apply('${m%%:*}', 'SELECT * FROM ${m#*:}') a JOIN ${m%%:*}_scored s ON s.dm_id = a.row"
  [ "$(cat out)" = "1|0" ] || complain "SQL scores ${m#*:} otherwise: $(cat out)"
done
run 0 shell "SELECT count(*), sum(dm_predict('o', \"Solar.R\", Wind, Temp, Month, Day) IS NOT prediction) FROM airquality JOIN o_scored USING (dm_id)"
[ "$(cat out)" = "153|0" ] || complain "dm_predict gives $(cat out)"
sql my.db "SELECT count(*) FROM i_scored WHERE abs(p_setosa + p_versicolor + p_virginica - 1) > 1e-12" 0
# a category that training never saw, and cells that are missing
run 0 "$mine" predict my.db s "SELECT *, 'Mars' AS Sex FROM (SELECT \"Wr.Hnd\", \"NW.Hnd\", \"W.Hnd\", Fold, NULL AS Pulse, Clap, Exer, NULL AS Height, \"M.I\", Age FROM survey LIMIT 9)"
[ "$(grep -c . out)" = 10 ] || complain "unseen categories: $(head -3 out)"
# what the last layer reads is a code
run 0 "$mine" encode my.db i iris --into i_code
sql my.db "SELECT count(*) FROM i_code" 150
run 0 "$mine" audit my.db o --row 7
says out "airquality.csv:8"

# the same bits for any number of threads
for threads in 1 2; do
  run 0 "$mine" train net "t$threads.db" "$data/digits.csv" --target digit --test 0.25 --epochs 2 --batch-size 256 --threads $threads
done
[ "$(sqlite3 t1.db 'SELECT sha256 FROM dm_model')" = "$(sqlite3 t2.db 'SELECT sha256 FROM dm_model')" ] || complain "threads change the model"
checks=$((checks + 1))

# time runs out: what there is stays
run 0 "$mine" train net my.db digits --target digit --model short --time-limit 0.3 --epochs 100000 --patience 0 --json
grep -q "^note: net: time ended training after epoch [1-9][0-9]* of 100000$" err || complain "no word of the time that ended training: $(cat err)"
sql :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.seconds') < 30" 1

# one class, nothing but missing cells, one value, a hundred thousand categories
run 3 "$mine" train net my.db "SELECT petal_width, 'a' AS y FROM iris" --target y
says err "one class"
run 0 "$mine" train net my.db "SELECT NULL AS empty, 1 AS same, petal_width, species FROM iris" --target species --model odd --epochs 2
run 0 "$mine" train net my.db "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
  SELECT 'level ' || i AS word, i % 7 AS x, CASE WHEN i % 7 > 3 THEN 'yes' ELSE 'no' END AS y FROM n" --features word,x --target y --model wide --epochs 1 --test 0.2 --json
sql :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.metrics.test.accuracy') > 0.95" 1
run 0 "$mine" train net my.db "SELECT petal_width, 5.5 AS y FROM iris" --target y --task regress --model same --epochs 2
run 0 "$mine" predict my.db same iris
[ "$(tail -n +2 out | cut -d, -f2 | sort -u)" = 5.5 ] || complain "a constant is predicted as $(sed -n 2p out)"

# wrong words
refused() { # what it says, then options
  wording="$1"
  shift
  run 2 "$mine" train net my.db iris --target species "$@"
  says err "$wording"
}
refused "lr = 0, want a number > 0" --lr 0
refused "lr = -1, want" --lr -1
refused "batch-size = 5000, want at most the " --batch-size 5000
refused "the last layer gives 10 values, the target has 3 classes" --net 'dense 10'
refused "end the line with 'dense 3'" --net 'dense 10'
refused "'dens' is no layer" --net 'dense 4 | dens 3'
refused "hidden = 4;4, want widths" --hidden '4;4'
refused "cannot stand beside it" --net 'dense 3' --hidden 4
refused "normalization = group, want none|batch|layer or auto" --normalization group
for o in activation:swish optimizer:lion schedule:never loss:hinge numeric-embedding:all scale:rank; do refused "${o#*:}, want" "--${o%%:*}" "${o#*:}"; done
for o in dropout:1 label-smoothing:-1 validation:1 warmup:2 quantile:0 embedding-dim:0 epochs:0 patience:-1 weight-decay:-1 clip:-1 batch-size:0; do
  refused "${o#*:}, want" "--${o%%:*}" "${o#*:}"
done
run 5 "$mine" train net my.db digits --target digit --hidden 9000,9000 --memory 64M
says err "limit 64 MB"
run 3 "$mine" train net my.db iris --target species --lr 1e38 --epochs 2 --optimizer sgd --clip 0 --normalization none
says err "not finite"

# forged models: an error, never a score
forge() {
  cp my.db forged.db
  sqlite3 forged.db "$1" >/dev/null 2>&1
  run 3 "$mine" predict forged.db i iris --into x
  says err "model"
}
forge "UPDATE dm_tensor SET data = zeroblob(length(data)) WHERE name LIKE '%weights'"
forge "UPDATE dm_tensor SET shape = '[999999999]' WHERE name LIKE '%weights'"
forge "DELETE FROM dm_tensor WHERE name LIKE '%classes'"
run 0 "$mine" report my.db -o report.html
grep -q '</html>' report.html || complain "the report is not whole"
finish
