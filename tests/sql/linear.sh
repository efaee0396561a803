#!/bin/sh
# dm-mine with logistic and linear: trained, described, predicted, audited, and the same bits in SQL.
. "$(dirname "$0")/../cli/lib.sh"
dm="$DM_BUILD/sql/dm"
shell() { sqlite3 -bail my.db ".load $dm" "$@"; }

"$clean" import my.db "$data/breast-cancer.csv" --quiet
"$clean" import my.db "$data/airquality.csv" --null NA --quiet
"$clean" import my.db "$data/digits.csv" --quiet
"$clean" import my.db "$data/house-votes.csv" --quiet
"$clean" import my.db "$data/survey.csv" --null NA --quiet

run 0 "$mine" train logistic my.db breast_cancer --target diagnosis --model l --test 0.25 --json
key '$.method' logistic
key '$.task' classify
key '$.params.C' 1.0
sql :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.metrics.test.accuracy') > 0.95" 1
run 0 "$mine" train linear my.db airquality --target Ozone --model o --test 0.25 --json
key '$.task' regress
sql :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.metrics.test.r2') > 0.4" 1
run 0 "$mine" train logistic my.db digits --target digit --model d --test 0.25 --json
sql :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.metrics.test.accuracy') >= 0.95" 1
run 0 "$mine" train logistic my.db survey --target Smoke --model s --C 0.5 --scale minmax # categories and missing values
run 0 "$mine" models my.db show l
says out "logistic regression (C 1): 30 columns, 2 classes"
says out "worst_texture"
run 0 "$mine" models my.db show o
says out "linear regression (alpha 1): 5 columns"

# the same bits from the command and in SQL
run 0 "$mine" predict my.db l breast_cancer --into l_scored
run 0 "$mine" predict my.db o airquality --into o_scored
run 0 "$mine" train logistic my.db breast_cancer --target diagnosis --scale robust --model r
run 0 "$mine" train linear my.db airquality --target Ozone --scale quantile --model q
run 0 "$mine" predict my.db r breast_cancer --into r_scored
run 0 "$mine" predict my.db q airquality --into q_scored
run 0 "$mine" predict my.db d digits --into d_scored
for m in l:breast_cancer r:breast_cancer d:digits o:airquality q:airquality; do
  run 0 shell "SELECT count(*) > 100, sum(a.prediction IS NOT s.prediction OR a.score IS NOT s.score)
    FROM dm_apply('${m%%:*}', 'SELECT * FROM ${m#*:}') a JOIN ${m%%:*}_scored s ON s.dm_id = a.row"
  [ "$(cat out)" = "1|0" ] || complain "SQL scores ${m#*:} otherwise: $(cat out)"
done
run 0 shell "SELECT count(*), sum(dm_predict('o', \"Solar.R\", Wind, Temp, Month, Day) IS NOT prediction) FROM airquality JOIN o_scored USING (dm_id)"
[ "$(cat out)" = "153|0" ] || complain "dm_predict gives $(cat out)"
sql my.db "SELECT count(*) FROM l_scored WHERE abs(p_benign + p_malignant - 1) > 1e-12 OR score <> max(p_benign, p_malignant)" 0
run 0 "$mine" evaluate my.db l breast_cancer --json
key '$.rows' 569

# the audit says what each column adds
run 0 "$mine" audit my.db o --row 7
says out "airquality.csv:8"
says out "intercept"
says out "Temp ("
run 0 "$mine" audit my.db o --row 7 --json
key '$.path[0].term' intercept
sql :memory: "WITH d AS (SELECT CAST(readfile('out') AS TEXT) AS j) SELECT abs((SELECT sum(value ->> '\$.contribution') FROM d, json_each(j, '\$.path'))
  - (SELECT j ->> '\$.prediction' FROM d)) < 1e-9" 1

# the same bits for any number of threads
for threads in 1 2; do
  run 0 "$mine" train logistic "t$threads.db" "$data/breast-cancer.csv" --target diagnosis --test 0.25 --threads $threads
done
[ "$(sqlite3 t1.db 'SELECT sha256 FROM dm_model')" = "$(sqlite3 t2.db 'SELECT sha256 FROM dm_model')" ] || complain "threads change the model"
checks=$((checks + 1))

# wrong words and data
run 2 "$mine" train logistic my.db breast_cancer --target diagnosis --C 0
says err "C = 0, want a number > 0"
run 2 "$mine" train logistic my.db breast_cancer --target diagnosis --scale rank
run 2 "$mine" train linear my.db airquality --target Ozone --alpha -1
run 2 "$mine" train logistic my.db airquality --target Ozone --task regress
run 3 "$mine" train logistic my.db "SELECT mean_radius, 'a' AS y FROM breast_cancer" --target y
says err "one class"
run 0 "$mine" train logistic my.db "SELECT NULL AS empty, 1 AS same, mean_radius, diagnosis FROM breast_cancer" --target diagnosis --model odd
run 3 "$mine" train logistic my.db "SELECT mean_radius, diagnosis FROM breast_cancer LIMIT 1" --target diagnosis

run 5 "$mine" train logistic my.db "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
  SELECT 'level ' || i AS word, i % 7 AS x, i % 2 AS y FROM n" --features word,x --target y --memory 200M
says err "matrix: needs "
says err "category 'word' has 20000 levels, a column each"
run 3 "$mine" predict my.db d breast_cancer
says err " and 56 more"

# forged models: an error, never a score
forge() {
  cp my.db forged.db
  sqlite3 forged.db "$1" >/dev/null 2>&1
  run 3 "$mine" predict forged.db l breast_cancer --into x
  says err "model"
}
forge "UPDATE dm_tensor SET data = zeroblob(length(data)) WHERE name LIKE '%coef'"
forge "UPDATE dm_tensor SET shape = '[1,999999999]' WHERE name LIKE '%coef'"
forge "DELETE FROM dm_tensor WHERE name LIKE '%classes'"
run 0 "$mine" report my.db -o report.html
grep -q '</html>' report.html || complain "the report is not whole"
finish
