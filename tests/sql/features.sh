#!/bin/sh
# Learned features through the whole house: an autoencoder alone, as a part of
# other models, encoded by command and SQL with the same bits, audited, in a
# pipeline file.
. "$(dirname "$0")/../cli/lib.sh"
dm="$DM_BUILD/sql/dm"
shell() { sqlite3 -bail my.db ".load $dm" "$@"; }
gives() {
  run 0 shell "$1"
  [ "$(cat out)" = "$2" ] || complain "$1 gives '$(head -c 300 out)', want '$2'"
}
fails() {
  run 1 shell "$1"
  says err "$2"
}

"$clean" import my.db "$data/pima.csv" --null NA --quiet
"$clean" import my.db "$data/survey.csv" --null NA --quiet
inputs="pregnant, glucose, pressure, triceps, insulin, mass, pedigree, age"

# ---- training: no target, errors as metrics ------------------------------------
run 0 "$mine" train autoencoder my.db pima --ignore diabetes --model ae --latent 3 --epochs 6 --test 0.25 --json
key '$.task' encode
key '$.target' ''
key '$.columns' 8
sql :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.metrics.test.reconstruction_mse') > 0" 1
run 0 "$mine" train autoencoder my.db survey --ignore Smoke --model mixed --latent 4 --epochs 4 --train-metrics --json
sql :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.metrics.train.reconstruction_log_loss') > 0" 1
run 2 "$mine" train autoencoder my.db pima --target diabetes
says err "autoencoder learns features and has no target"
says err "--ignore diabetes"
run 2 "$mine" train autoencoder my.db pima --task classify
run 0 "$mine" models my.db
says out "encode"
run 0 "$mine" models my.db show ae
says out "3 features"

# ---- encode: columns, BLOB, files --------------------------------------------------
run 0 "$mine" encode my.db ae pima --into codes --json
key '$.columns' 3
key '$.rows' 768
sql my.db "SELECT group_concat(name || ' ' || type) FROM pragma_table_info('codes')" "dm_id INTEGER,e1 REAL,e2 REAL,e3 REAL"
run 2 "$mine" encode my.db ae pima --into codes
says err "--replace"
run 0 "$mine" encode my.db ae 'SELECT * FROM pima ORDER BY dm_id DESC' --into codes --replace
sql my.db "SELECT dm_id FROM codes LIMIT 1" 768
run 0 "$mine" encode my.db ae pima --into blobs --as blob
sql my.db "SELECT count(*) FROM blobs WHERE length(code) = 12 AND typeof(code) = 'blob'" 768
run 0 "$mine" encode my.db ae pima -o codes.csv
sqlite3 -csv my.db "SELECT count(*) FROM codes" >/dev/null
[ "$(wc -l <codes.csv)" = 769 ] || complain "codes.csv has $(wc -l <codes.csv) lines"
run 0 "$mine" encode my.db ae pima
says out "dm_id,e1,e2,e3"
run 2 "$mine" encode my.db ae pima --json
python=/usr/bin/python3
if [ -x "$python" ]; then # a REAL is the float32 of the BLOB
  run 0 "$python" -B -c "
import sqlite3, struct
c = sqlite3.connect('my.db')
rows = c.execute('SELECT e1, e2, e3, code FROM codes JOIN blobs USING (dm_id)').fetchall()
print(len(rows), sum(tuple(r[:3]) != struct.unpack('<3f', r[3]) for r in rows))"
  [ "$(cat out)" = "768 0" ] || complain "columns and BLOB differ: $(cat out)"
fi

# ---- the error and its parts -----------------------------------------------------------
run 0 "$mine" predict my.db ae pima --into unusual
sql my.db "SELECT group_concat(name) FROM pragma_table_info('unusual')" \
  "dm_id,prediction,score,e_pregnant,e_glucose,e_pressure,e_triceps,e_insulin,e_mass,e_pedigree,e_age"
sql my.db "SELECT count(*) FROM unusual JOIN pima USING (dm_id) WHERE (insulin IS NULL) <> (e_insulin IS NULL)" 0
sql my.db "SELECT count(*) FROM unusual WHERE abs(score - (ifnull(e_pregnant, 0) + ifnull(e_glucose, 0) + ifnull(e_pressure, 0)
  + ifnull(e_triceps, 0) + ifnull(e_insulin, 0) + ifnull(e_mass, 0) + ifnull(e_pedigree, 0) + ifnull(e_age, 0))
  / (8 - (e_pregnant IS NULL) - (e_glucose IS NULL) - (e_pressure IS NULL) - (e_triceps IS NULL) - (e_insulin IS NULL) - (e_mass IS NULL)
  - (e_pedigree IS NULL) - (e_age IS NULL))) > 1e-9 * score" 0
sql my.db "SELECT sum(prediction) BETWEEN 1 AND 60, max(score) FILTER (WHERE prediction = 0) < min(score) FILTER (WHERE prediction = 1) FROM unusual" "1|1"
run 0 "$mine" evaluate my.db ae pima --json
sql my.db "SELECT abs(json_extract(CAST(readfile('out') AS TEXT), '\$.metrics.reconstruction_error') - (SELECT avg(score) FROM unusual)) < 1e-9" 1
sql my.db "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.metrics.unusual') = (SELECT avg(prediction) FROM unusual)" 1

# ---- a part of other models ----------------------------------------------------------------
for method in tree logistic; do
  run 0 "$mine" train "$method" my.db pima --target diabetes --features-from ae --model "on_$method" --test 0.25 --json
  key '$.columns' 3
  key '$.features_from' ae@1
  run 0 "$mine" predict my.db "on_$method" pima --into "on_${method}_scored"
done
run 0 "$mine" train linear my.db pima --target mass --features 'glucose,age' --model plain
run 0 "$mine" train autoencoder my.db "SELECT pregnant, glucose, age FROM pima" --model three --latent 2 --epochs 2
run 0 "$mine" train linear my.db pima --target mass --features-from three --model on_linear --folds 3
run 0 "$mine" predict my.db on_linear pima --into on_linear_scored
run 0 "$mine" train tree my.db survey --target Smoke --features-from mixed --model on_mixed
run 0 "$mine" train autoencoder my.db pima --features-from ae --model twice --latent 2 --epochs 2
run 0 "$mine" train logistic my.db pima --target diabetes --features-from twice --model on_two
run 0 "$mine" predict my.db twice pima --into twice_scored
sql my.db "SELECT group_concat(name) FROM pragma_table_info('twice_scored')" "dm_id,prediction,score,e_e1,e_e2,e_e3"
run 0 "$mine" train net my.db pima --target diabetes --model net --hidden 4 --epochs 3
run 0 "$mine" train tree my.db pima --target diabetes --features-from net --model on_net
[ -s err ] && complain "a note about metrics that nobody asked for: $(cat err)"
run 0 "$mine" predict my.db on_net pima --into on_net_scored
run 0 "$mine" train tree my.db pima --target diabetes --features-from net --model flattered --test 0.25
says err "warning: model 'net' has learned from the target 'diabetes'"
run 0 "$mine" train tree my.db pima --target diabetes --features-from net --model flattered --folds 2
says err "warning: model 'net' has learned from the target 'diabetes'"
run 0 "$mine" train tree my.db pima --target pedigree --task regress --features-from three --test 0.25
[ -s err ] && complain "a warning about another target: $(cat err)"
run 2 "$mine" train linear my.db pima --target mass --features-from ae
says err "its features would give it away"
says err "--ignore mass"
run 2 "$mine" train tree my.db pima --target diabetes --features-from ae --features age
run 2 "$mine" train tree my.db pima --target diabetes --features-from plain
says err "learns no features"
run 2 "$mine" encode my.db plain pima --into z
says err "learns no features"
run 3 "$mine" train tree my.db survey --target Smoke --features-from ae
says err "not in the source"
run 0 "$mine" models my.db show on_tree
grep -qw "e[1-3]" out || complain "the tree names no learned feature"
says out "stage 0 autoencoder, 3 features for the next"

# the same bits in SQL; what a model was made from may go
for m in ae:unusual on_tree:on_tree_scored on_logistic:on_logistic_scored twice:twice_scored on_net:on_net_scored; do
  gives "SELECT count(*), sum(dm_predict('${m%%:*}', $inputs) IS NOT prediction OR dm_score('${m%%:*}', $inputs) IS NOT score)
         FROM pima JOIN ${m#*:} USING (dm_id)" "768|0"
  gives "SELECT count(*), sum(a.prediction IS NOT s.prediction OR a.score IS NOT s.score)
         FROM dm_apply('${m%%:*}', 'SELECT * FROM pima') a JOIN ${m#*:} s ON s.dm_id = a.row" "768|0"
done
gives "SELECT sum(dm_encode('ae', $inputs) IS NOT code) FROM pima JOIN blobs USING (dm_id)" 0
gives "SELECT count(*), sum(t.code IS NOT b.code) FROM dm_transform('ae', 'SELECT * FROM pima') t JOIN blobs b ON b.dm_id = t.row" "768|0"
gives "SELECT length(dm_encode('twice', $inputs)) FROM pima LIMIT 1" 8
gives "SELECT abs(dm_proba('on_tree', 'pos', $inputs) + dm_proba('on_tree', 'neg', $inputs) - 1) < 1e-12 FROM pima LIMIT 1" 1
fails "SELECT dm_proba('ae', 'pos', $inputs) FROM pima" "learns features, it has no classes"
fails "SELECT dm_encode('on_tree', $inputs) FROM pima" "has no learned features"
fails "SELECT dm_encode('ae', 1, 2)" "takes 8 features, got 2"
fails "SELECT dm_encode('ae', 'x', glucose, pressure, triceps, insulin, mass, pedigree, age) FROM pima" "want a number"
fails "SELECT * FROM dm_transform('ae', 'SELECT glucose FROM pima')" "no column 'pregnant'"
run 0 "$mine" models my.db drop ae
gives "SELECT count(*), sum(dm_score('on_tree', $inputs) IS NOT score) FROM pima JOIN on_tree_scored USING (dm_id)" "768|0"

# ---- the way back ---------------------------------------------------------------------------------
run 0 "$mine" audit my.db on_tree --row 7 --json
key '$.stages[0].method' autoencoder
key '$.stages[0].codes[2].name' e3
key '$.features[7].name' age
key '$.origin.line' 8
sql my.db "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.score') = (SELECT score FROM on_tree_scored WHERE dm_id = 7)" 1
sql my.db "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.stages[0].codes[0].value') = (SELECT e1 FROM codes WHERE dm_id = 7)" 1
run 0 "$mine" audit my.db on_two --row 7
says out "stage 1 (autoencoder)"
says out "stage 0 (autoencoder)"
says out "pima.csv:8"
run 0 "$mine" audit my.db twice --row 7
grep -q "^  e1 = .*, encoded [-0-9.e]*, error [0-9.e-]*$" out || complain "no error of a feature: $(cat out)"

# ---- more columns than a function takes, more features than a table --------------------------------
sqlite3 my.db "CREATE TABLE wide AS SELECT dm_id, glucose AS a1, mass AS a2 FROM pima"
columns=$(awk 'BEGIN { for (i = 1; i <= 150; i++) printf "%sa%d * %d AS w%d", (i > 1 ? ", " : ""), 1 + i % 2, i, i }')
run 0 "$mine" train autoencoder my.db "SELECT dm_id, $columns FROM wide" --model wide --hidden none --latent 2100 --epochs 1
run 2 "$mine" encode my.db wide "SELECT dm_id, $columns FROM wide" --into z
says err "--as blob"
run 0 "$mine" encode my.db wide "SELECT dm_id, $columns FROM wide" --into wide_codes --as blob
run 0 "$mine" predict my.db wide "SELECT dm_id, $columns FROM wide" --into wide_scored
gives "SELECT count(*), sum(t.code IS NOT b.code), max(length(t.code)) FROM dm_transform('wide', 'SELECT dm_id, $columns FROM wide') t
       JOIN wide_codes b ON b.dm_id = t.row" "768|0|8400"
gives "SELECT count(*), sum(a.score IS NOT s.score) FROM dm_apply('wide', 'SELECT dm_id, $columns FROM wide') a
       JOIN wide_scored s ON s.dm_id = a.row" "768|0"

# ---- the same bits for any number of threads ---------------------------------------------------------
for threads in 1 2; do
  run 0 "$mine" train autoencoder "t$threads.db" "$data/pima.csv" --null NA --ignore diabetes --model ae --epochs 2 --threads $threads
  run 0 "$mine" train logistic "t$threads.db" "$data/pima.csv" --null NA --target diabetes --features-from ae --test 0.25 --threads $threads
done
[ "$(sqlite3 t1.db 'SELECT group_concat(sha256) FROM dm_model')" = "$(sqlite3 t2.db 'SELECT group_concat(sha256) FROM dm_model')" ] || complain "threads change a model"
checks=$((checks + 1))

# ---- a pipeline file ------------------------------------------------------------------------------------
cat >p.yaml <<EOF
database: p.db
sources:
  - {file: $data/pima.csv, table: pima, null: [NA]}
models:
  - {method: autoencoder, source: pima, ignore: diabetes, model: ae, params: {latent: 3, epochs: 2}}
  - {method: tree, source: pima, target: diabetes, features_from: ae, model: t, test: 0.25}
encode:
  - {model: ae, source: pima, into: codes}
  - {model: ae, source: pima, file: codes.csv, as: blob}
predict:
  - {model: ae, source: pima, into: unusual}
  - {model: t, source: pima, into: scored}
report: report.html
EOF
run 0 "$mine" run p.yaml --json
key '$.encode[0].columns' 3
key '$.encode[1].file' codes.csv
key '$.models[1].features_from' ae@1
sql p.db "SELECT (SELECT count(*) FROM codes), (SELECT count(*) FROM scored)" "768|768"
grep -q '</html>' report.html || complain "the report is not whole"
run 0 "$mine" run p.yaml --resume --json
key '$.encode[0]' ''
sed 's/into: codes/into: codes, as: rows/' p.yaml >bad.yaml
run 3 "$mine" run bad.yaml
says err "bad.yaml:8"
sed 's/source: pima, into: codes/into: codes/' p.yaml >bad.yaml
run 3 "$mine" run bad.yaml
says err "an encoding needs model:, source:"

# ---- forged stages: an error, never a score ----------------------------------------------------------------
forge() {
  cp my.db forged.db
  sqlite3 forged.db "$1" >/dev/null 2>&1
  run 3 "$mine" predict forged.db on_tree pima --into x
  says err "model"
}
forge "UPDATE dm_tensor SET data = zeroblob(length(data)) WHERE name LIKE '0/%'"
forge "DELETE FROM dm_tensor WHERE name LIKE '0/%'"
forge "UPDATE dm_model SET transform = json_remove(transform, '\$.stages[0]') WHERE name = 'on_tree'"
run 0 "$mine" report my.db -o report.html
grep -q '3 features of a model by autoencoder' report.html || complain "the report does not name the stage"
grep -q '</html>' report.html || complain "the report is not whole"
finish
