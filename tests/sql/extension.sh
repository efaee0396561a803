#!/bin/sh
# The extension in the sqlite3 shell: the same bits as dm-mine predict, binding
# by name, current models, clear errors.
. "$(dirname "$0")/../cli/lib.sh"
dm="$DM_BUILD/sql/dm"
shell() { sqlite3 -bail my.db ".load $dm" "$@"; }
inputs="pregnant, glucose, pressure, triceps, insulin, mass, pedigree, age"

"$clean" import my.db "$data/pima.csv" --null NA --quiet
"$clean" import my.db "$data/airquality.csv" --null NA --quiet
"$mine" train tree my.db pima --target diabetes --model d --quiet
"$mine" train tree my.db airquality --target Ozone --model o --quiet
"$mine" predict my.db d pima --into scored --quiet
"$mine" predict my.db o airquality --into ozone_scored --quiet

# gives QUERY WANTED
gives() {
  run 0 shell "$1"
  [ "$(cat out)" = "$2" ] || complain "$1 gives '$(head -c 300 out)', want '$2'"
}
# fails QUERY TEXT
fails() {
  run 1 shell "$1"
  says err "$2"
}

gives "SELECT count(*) FROM pima JOIN scored USING (dm_id) WHERE prediction IS dm_predict('d', $inputs) AND score IS dm_score('d', $inputs)
       AND p_pos IS dm_proba('d', 'pos', $inputs) AND p_neg IS dm_proba('d', 'neg', $inputs)" 768
gives "SELECT count(*) FROM dm_apply('d', 'SELECT * FROM pima') a JOIN scored s ON s.dm_id = a.row
       WHERE a.prediction IS s.prediction AND a.score IS s.score AND a.probabilities ->> '\$.pos' IS s.p_pos" 768
gives "SELECT count(*) FROM dm_apply('d', 'SELECT age, mass, dm_id, pedigree, insulin, triceps, pressure, glucose, pregnant FROM pima ORDER BY age DESC') a
       JOIN scored s ON s.dm_id = a.row WHERE a.score IS s.score" 768
gives "SELECT source ->> '\$.age' FROM dm_apply('d', 'pima') LIMIT 1" 50
gives "SELECT count(*), sum(prediction IS NOT dm_predict('o', \"Solar.R\", Wind, Temp, Month, Day)) FROM airquality JOIN ozone_scored USING (dm_id)" "153|0"
gives "SELECT typeof(prediction), typeof(probabilities) FROM dm_apply('o', 'airquality') LIMIT 1" "real|null"
gives "SELECT group_concat(name || version || active) FROM dm_models" "d11,o11"
gives "SELECT dm_version()" "0.1.0"
gives "SELECT dm_debug() ->> '\$.cblas_is_fast'" 1
gives "SELECT count(DISTINCT dm_predict(CASE WHEN dm_id % 2 THEN 'd' ELSE 'd@1' END, $inputs)) FROM pima" 2

# a model trained anew is seen by the next statement of an open connection
run 0 sh -c "printf '%s\n' '.load $dm' \"SELECT dm_proba('d', 'pos', 1, 100, 70, 20, 80, 30, 0.5, 30) AS p;\" \
  \".shell $mine train tree my.db pima --target diabetes --model d --max-depth 1 --quiet\" \
  \"SELECT dm_proba('d', 'pos', 1, 100, 70, 20, 80, 30, 0.5, 30);\" \"SELECT dm_proba('d@1', 'pos', 1, 100, 70, 20, 80, 30, 0.5, 30);\" | sqlite3 my.db"
[ "$(sed -n 1p out)" != "$(sed -n 2p out)" ] || complain "a new version is not seen"
[ "$(sed -n 1p out)" = "$(sed -n 3p out)" ] || complain "d@1 is not the first version"

# a version activated and rolled back is forgotten
run 0 shell "SELECT dm_score('d', 1, 100, 70, 20, 80, 30, 0.5, 30)" "BEGIN; UPDATE dm_active SET model_id = (SELECT min(id) FROM dm_model WHERE name = 'd') WHERE name = 'd'" \
  "SELECT dm_score('d', 1, 100, 70, 20, 80, 30, 0.5, 30)" "ROLLBACK" "SELECT dm_score('d', 1, 100, 70, 20, 80, 30, 0.5, 30)"
[ "$(sed -n 1p out)" != "$(sed -n 2p out)" ] || complain "a version activated in the transaction is not seen"
[ "$(sed -n 1p out)" = "$(sed -n 3p out)" ] || complain "a version that was rolled back still scores"

fails "SELECT dm_predict('nope', 1)" "nope"
fails "SELECT dm_predict('d', 1, 2)" "takes 8 features, got 2"
fails "SELECT dm_predict('d', 'x', 2, 3, 4, 5, 6, 7, 8)" "pregnant"
fails "SELECT dm_predict('d', 9e999, 2, 3, 4, 5, 6, 7, 8)" "pregnant"
fails "SELECT dm_predict(NULL, 1, 2, 3, 4, 5, 6, 7, 8)" "NULL"
fails "SELECT dm_predict()" "model"
fails "SELECT dm_proba('d', 'maybe', $inputs) FROM pima" "maybe"
fails "SELECT * FROM dm_apply('d', 'SELECT glucose FROM pima')" "pregnant"
fails "SELECT * FROM dm_apply('d', 'DELETE FROM pima')" "dm"
fails "SELECT * FROM dm_apply('d')" "SELECT"
gives "SELECT count(*) FROM pima" 768
cp my.db view.db
run 1 sqlite3 -bail view.db ".load $dm" "CREATE VIEW v AS SELECT * FROM dm_apply('d', 'pima')" "SELECT * FROM v"
says err "unsafe"

# a registry that is no plain table is refused
cp my.db forged.db
sqlite3 forged.db "ALTER TABLE dm_model RENAME TO real_model; CREATE VIEW dm_model AS SELECT * FROM real_model" >/dev/null 2>&1
run 1 sqlite3 -bail forged.db ".load $dm" "SELECT dm_predict('d', $inputs) FROM pima"
cp my.db forged.db
sqlite3 forged.db "CREATE TRIGGER t AFTER INSERT ON dm_model BEGIN DELETE FROM pima; END"
run 1 sqlite3 -bail forged.db ".load $dm" "SELECT dm_predict('d', $inputs) FROM pima"
says err "trigger"

# no models at all
run 0 sqlite3 empty.db ".load $dm" "SELECT count(*) FROM dm_models"
run 1 sqlite3 -bail empty.db ".load $dm" "SELECT dm_predict('d', 1)"

# a host in Python: load, score, close, again and again
python=/usr/bin/python3
if [ -x $python ] && $python -c 'import sqlite3; sqlite3.connect(":memory:").enable_load_extension(True)' 2>/dev/null; then
  cat >host.py <<P
import sqlite3, os
for i in range(30):
    db = sqlite3.connect("my.db")
    db.enable_load_extension(True)
    db.load_extension("$dm")
    n = db.execute("SELECT count(dm_predict('d', $inputs)) FROM pima").fetchone()[0]
    assert n == 768, n
    db.close()
pid = os.fork()
if pid == 0:
    db = sqlite3.connect("my.db")
    db.enable_load_extension(True)
    db.load_extension("$dm")
    os._exit(0 if db.execute("SELECT count(*) FROM dm_apply('d', 'pima')").fetchone()[0] == 768 else 1)
assert os.waitpid(pid, 0)[1] == 0
print("ok")
P
  run 0 $python host.py
  says out ok
else
  echo "no system python3 with loadable extensions: its part is left out"
fi
finish
