#!/bin/sh
# dm-mine train, predict, evaluate, models, audit, report, run.
. "$(dirname "$0")/lib.sh"

"$clean" import my.db "$data/pima.csv" --null NA --quiet
"$clean" import my.db "$data/iris.csv" --quiet

run 0 "$mine" train tree my.db pima --target diabetes --model d --test 0.25 --json
key '$.model' d
key '$.version' 1
key '$.method' tree
key '$.task' classify
key '$.rows' 768
key '$.columns' 8
sql :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.metrics.test.accuracy') > 0.65" 1
run 0 "$mine" train tree my.db pima --target diabetes --model d --max-depth 3 --criterion entropy
run 0 "$mine" models my.db --json
key '$[0].active' 0
key '$[1].version' 2
run 0 "$mine" models my.db show d
says out "glucose"

# predictions: table, file, standard output, SELECT, the same rows
run 0 "$mine" predict my.db d pima --into scored --json
key '$.rows' 768
key '$.table' scored
sql my.db "SELECT group_concat(name) FROM pragma_table_info('scored')" "dm_id,prediction,score,p_neg,p_pos"
sql my.db "SELECT count(*) FROM scored WHERE abs(p_neg + p_pos - 1) > 1e-12 OR score <> max(p_neg, p_pos)" 0
run 2 "$mine" predict my.db d pima --into scored
run 0 "$mine" predict my.db d pima --into scored --replace
run 0 "$mine" predict my.db d@2 'SELECT * FROM pima ORDER BY dm_id DESC' -o down.csv
[ "$(sed -n 2p down.csv | cut -d, -f1)" = 768 ] || complain "the order of the source is not kept"
run 0 "$mine" predict my.db d "$data/pima.csv" --null NA
sqlite3 -csv -header my.db "SELECT prediction FROM scored" | tr -d '\r' >a
cut -d, -f2 out >b
same a b
run 3 "$mine" predict my.db d iris
says err "glucose"
run 0 "$mine" evaluate my.db d pima --json
key '$.rows' 768
run 3 "$mine" evaluate my.db d 'SELECT glucose, pregnant, pressure, triceps, insulin, mass, pedigree, age FROM pima'

# classes that are texts of numbers, and a source that has the numbers
run 0 "$mine" train tree my.db "SELECT glucose, age, CAST(diabetes = 'pos' AS TEXT) AS y FROM pima" --target y --model digits
run 0 "$mine" evaluate my.db digits "SELECT glucose, age, diabetes = 'pos' AS y FROM pima" --json
key '$.rows' 768

# regression, folds, a file as source, a database in memory
run 0 "$mine" train tree :memory: "$data/airquality.csv" --null NA --target Ozone --task regress --folds 5 --json
key '$.task' regress
sql :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '\$.metrics.cv.rmse') BETWEEN 10 AND 35" 1

# the same bits for any number of threads
for threads in 1 2; do
  run 0 "$mine" train tree "t$threads.db" "$data/breast-cancer.csv" --target diagnosis --test 0.25 --threads $threads
done
[ "$(sqlite3 t1.db 'SELECT sha256 FROM dm_model')" = "$(sqlite3 t2.db 'SELECT sha256 FROM dm_model')" ] || complain "threads change the model"
checks=$((checks + 1))

# wrong words and data
run 2 "$mine" train forrest my.db pima --target diabetes
run 2 "$mine" train tree my.db pima --target diabtes
says err "did you mean 'diabetes'?"
run 2 "$mine" train tree my.db pimma --target diabetes
says err "did you mean"
run 2 "$mine" train tree my.db pima
run 2 "$mine" train tree my.db nothere.csv --target diabetes
says err "file of that name"
run 2 "$mine" train tree my.db pima --target diabetes --max-depht 3
says err "did you mean"
run 2 "$mine" train tree my.db pima --target diabetes --max-depth -1
says err "max-depth = -1"
run 2 "$mine" train tree my.db pima --target diabetes --test 1.5
run 2 "$mine" train tree my.db pima --target diabetes --features glucose,nope
run 3 "$mine" train tree my.db pima --target diabetes --task regress
run 3 "$mine" train tree my.db "SELECT glucose, 'a' AS y FROM pima" --target y
says err "one class"
run 3 "$mine" train tree my.db "SELECT glucose, diabetes FROM pima LIMIT 1" --target diabetes
run 3 "$mine" train tree my.db "SELECT glucose, diabetes FROM pima WHERE 0" --target diabetes
run 3 "$mine" train tree my.db "SELECT 9e999 AS x, diabetes FROM pima" --target diabetes
says err "x"
run 3 "$mine" train tree my.db "SELECT glucose, 9007199254740992 + dm_id % 3 AS y FROM pima" --target y
says err "below 2^53"
run 3 "$mine" train tree my.db "SELECT glucose, dm_id * 1e305 AS y FROM pima" --target y
says err "below 1e150"
run 0 "$mine" train tree my.db "SELECT glucose, CAST(9007199254740992 + dm_id % 3 AS TEXT) AS y FROM pima" --target y --model odd
run 0 "$mine" train tree my.db "SELECT NULL AS empty, 1 AS same, glucose, diabetes FROM pima" --target diabetes --model odd
run 3 "$mine" train tree my.db "SELECT broken FROM" --target diabetes
run 4 "$mine" predict nothere.db d pima
run 2 "$mine" predict my.db nothere pima
run 2 "$mine" predict my.db d@9 pima
run 2 "$mine" models my.db dropp d

# forged models: an error, never a score
forge() {
  cp my.db forged.db
  sqlite3 forged.db "$1" >/dev/null 2>&1
  run 3 "$mine" predict forged.db d pima --into x
  says err "model"
}
forge "UPDATE dm_model SET sha256 = 'x' WHERE name = 'd'"
forge "UPDATE dm_model SET inputs = replace(inputs, 'glucose', 'insulin') WHERE name = 'd'"
forge "UPDATE dm_tensor SET data = zeroblob(length(data)) WHERE name LIKE '%threshold'"
forge "UPDATE dm_tensor SET shape = '[999999999]'"
forge "DELETE FROM dm_tensor WHERE name LIKE '%left'"

# locked by somebody else: an error after the busy timeout
( sqlite3 my.db "BEGIN EXCLUSIVE" ".system sleep 8" ) & holder=$!
sleep 1
run 4 "$mine" train tree my.db pima --target diabetes
says err "lock"
wait $holder

# somebody reads for longer than the busy timeout: the model is not thrown away
cp my.db read.db
( sqlite3 read.db "BEGIN; SELECT count(*) FROM pima" ".system sleep 7" >/dev/null ) & holder=$!
sleep 1
run 0 "$mine" train tree read.db pima --target diabetes
says err "waiting up to 60 s"
wait $holder

# what only training by epochs has is refused for a tree; the folds that cannot be measured are named
for option in '--time-limit 5' '--checkpoint 3' '--checkpoint 0' --resume; do
  run 2 "$mine" train tree my.db pima --target diabetes $option
  says err "tree does not train by epochs"
done
run 2 "$mine" train tree my.db pima --target diabetes --time-limit 0
says err "--time-limit = 0"
run 2 "$mine" train tree my.db pima --target diabetes --checkpoint 1.5
says err "--checkpoint = 1.5"
awk 'BEGIN { print "a,y"; for (i = 1; i <= 30; i++) print i "," (i == 30 ? "rare" : "x") }' >rare.csv
run 3 "$mine" train tree :memory: rare.csv --target y --folds 3
says err "of 3 holds out the only row of class 'rare': only class 'x' is left to learn from"
awk 'BEGIN { print "a,y"; for (i = 1; i <= 30; i++) print i "," (i == 30 ? "rare" : i % 2 ? "x" : "z") }' >rare.csv
run 0 "$mine" train tree :memory: rare.csv --target y --folds 3
says err "of 3 holds out the only row of class 'rare': its model does not know the class"

# audit
run 0 "$mine" audit my.db d --row 5
says out "pima.csv:6"
run 0 "$mine" audit my.db d --row 5 --json
key '$.row' 5
key '$.origin.line' 6
key '$.origin.verified' 1
key '$.origin.raw' "$(sed -n 6p "$data/pima.csv")"
run 2 "$mine" audit my.db d --row 99999
run 2 "$mine" audit my.db d --row x

# text that names rows is left out unless asked for
run 1 "$clean" import names.db "$data/biopsy-dirty.csv" --table b --null NA --quiet
run 0 "$mine" train tree names.db b --target class --ignore ID --model m --json
says err "column 'sampled' is left out"
key '$.columns' 10
run 0 "$mine" train tree names.db b --target class --features V1,sampled --model m --json
key '$.columns' 2
run 3 "$mine" train tree names.db 'SELECT sampled, class FROM b' --target class
says err "no column is left"

# the record's text whatever the file's encoding; the bytes counted are the file's
printf 'name;x;y\nM\374ller;1;a\n"\305s\r\nB";2;b\n' >latin.csv
for i in 3 4 5 6 7 8; do printf 'gr\374n;%d;a\n' $i; done >>latin.csv
run 0 "$clean" import latin.db latin.csv --table t
run 0 "$mine" train tree latin.db t --target y --features x --model m
run 0 "$mine" audit latin.db m --row 1 --json
key '$.origin.raw' 'Müller;1;a'
key '$.origin.byte_offset' 9
key '$.origin.bytes' 10
run 0 "$mine" audit latin.db m --row 3
says out 'grün;3;a'
run 0 "$clean" why latin.db t 1 --json
key '$.origin.raw' 'Müller;1;a'
iconv -f ISO-8859-1 -t UTF-16 latin.csv >wide.csv
run 0 "$clean" import latin.db wide.csv --table w
run 0 "$mine" train tree latin.db w --target y --features x --model w
run 0 "$mine" audit latin.db w --row 3 --json
key '$.origin.raw' 'grün;3;a'
key '$.origin.bytes' 16

# models move between files
run 0 "$mine" models my.db export d model.db
run 0 "$mine" models other.db import d model.db
"$clean" import other.db "$data/pima.csv" --null NA --quiet
run 0 "$mine" predict other.db d pima --into scored
[ "$(sqlite3 other.db 'SELECT * FROM scored' | sha256sum)" = "$(sqlite3 my.db 'SELECT * FROM scored' | sha256sum)" ] || complain "an imported model scores otherwise"
run 2 "$mine" models my.db export d ./my.db
says err "itself"
run 2 "$mine" models my.db import d my.db
run 0 "$mine" models my.db activate d@1
run 0 "$mine" models my.db drop d@2
run 2 "$mine" models my.db activate d@2
sql my.db "SELECT group_concat(command) FROM (SELECT command FROM dm_run WHERE command LIKE 'models%' ORDER BY id)" "models activate,models drop"
sql other.db "SELECT count(*) FROM dm_run WHERE command = 'models import'" 1

# options that say how a file is read have no meaning for a table
run 2 "$mine" train tree my.db pima --target diabetes --null NA
says err "--null"
run 2 "$mine" predict my.db d 'SELECT * FROM pima' --delimiter ';'

# report and the pipeline file
run 0 "$mine" report my.db -o report.html
grep -q '</html>' report.html || complain "the report is not whole"
grep -qiE 'src="http|href="http|@import|url\(http' report.html && complain "the report wants the network"
# what is drawn of learned features: of the test part, of the training part without one
"$clean" import enc.db "$data/iris.csv" --quiet
run 0 "$mine" train autoencoder enc.db iris --ignore species --model ae --test 0.4 --hidden 16 --latent 3 --epochs 12
sql enc.db "SELECT count(DISTINCT epoch) BETWEEN 2 AND 12 FROM dm_epoch WHERE name IN ('train_loss', 'valid_loss')" 1
sql enc.db "SELECT count(*) FROM dm_tensor WHERE name IN ('eval/test/reconstruction/errors', 'eval/test/latent/xy')" 2
run 0 "$mine" train autoencoder enc.db iris --ignore species --model whole --hidden 16 --latent 3 --epochs 12
sql enc.db "SELECT count(*) FROM dm_tensor WHERE name IN ('eval/train/reconstruction/errors', 'eval/train/latent/xy')" 2
sql enc.db "SELECT count(*) FROM dm_metric AS m JOIN dm_model AS d ON d.id = m.model_id WHERE d.name = 'whole' AND split = 'train'" 3
run 0 "$mine" train logistic enc.db iris --target species --features-from ae --model on_ae --test 0.4
sql enc.db "SELECT count(*) FROM dm_tensor AS t JOIN dm_model AS d ON d.id = t.model_id WHERE d.name = 'on_ae' AND t.name LIKE 'eval/test/latent/%'" 0
run 0 "$mine" train net enc.db iris --target species --model n --test 0.4 --epochs 8
sql enc.db "SELECT count(*) FROM dm_tensor AS t JOIN dm_model AS d ON d.id = t.model_id WHERE d.name = 'n' AND t.name = 'eval/test/latent/groups'" 1
run 0 "$mine" report enc.db -o enc.html
for text in 'Errors of reconstruction, 60 test rows' 'Latent map, 60 test rows' 'Errors of reconstruction, 150 training rows' 'Learning curves' \
  'The 10 largest errors of the test rows' 'coloured by the true class' '3 features of a model by autoencoder: '; do
  grep -q "$text" enc.html || complain "the report lacks: $text"
done
cp enc.html first.html
run 0 "$mine" report enc.db -o enc.html
cmp -s first.html enc.html || complain "the same state gives two reports"

cat >p.yaml <<P
database: made/p.db
sources:
  - {file: $data/biopsy-dirty.csv, table: b, null: NA}
clean:
  - table: b
    steps:
      - trim: {columns: class}
      - case: {columns: class, to: lower}
models:
  - {method: tree, source: b, target: class, ignore: [ID, sampled, note], model: m, test: 0.25}
predict:
  - {model: m, source: b, into: s}
report: made/r.html
P
run 1 "$mine" run p.yaml
says out "accepted 696, rejected 16"
sql made/p.db "SELECT count(*) FROM s" 696
run 1 "$mine" run p.yaml --json
key '$.sources[0].rows' 696
sql made/p.db "SELECT count(*), max(version) FROM dm_model" "2|2"
run 0 "$mine" run p.yaml --resume
sql made/p.db "SELECT count(*), max(version) FROM dm_model" "2|2"
sed 's/test: 0.25/tets: 0.25/' p.yaml >bad.yaml
run 3 "$mine" run bad.yaml
says err "bad.yaml:10:"
says err "did you mean"
sed 's/test: 0.25/time_limit: 5/' p.yaml >bad.yaml
run 3 "$mine" run bad.yaml
says err "tree does not train by epochs: time_limit is not for it"
printf 'database: late.db\nsources:\n  - {file: %s}\nmodels:\n  - {method: forrest, source: iris, target: species}\n' "$data/iris.csv" >late.yaml
run 3 "$mine" run late.yaml
says err "late.yaml:5:"
[ ! -e late.db ] || complain "a pipeline with a wrong method was begun"
finish
