#!/bin/sh
# Nets: the same bits from the command and in SQL, row by row and in blocks, with wide and narrow registers, in scoring and in training.
. "$(dirname "$0")/../cli/lib.sh"
dm="$DM_BUILD/sql/dm"
inputs="pregnant, glucose, pressure, triceps, insulin, mass, pedigree, age"

"$clean" import my.db "$data/pima.csv" --null NA --quiet
"$clean" import my.db "$data/airquality.csv" --null NA --quiet
run 0 "$mine" train net my.db pima --target diabetes --model n --epochs 3 --quiet
run 0 "$mine" train net my.db airquality --target Ozone --model o --hidden 64,64 --numeric-embedding none --activation silu --epochs 3 --quiet
run 0 "$mine" train net my.db pima --target mass --features age,glucose,pregnant --model m --hidden 64,64 --numeric-embedding none --epochs 3 --quiet
run 0 "$mine" predict my.db n pima --into n_scored --quiet
run 0 "$mine" predict my.db o airquality --into o_scored --quiet
run 0 "$mine" predict my.db m pima --into m_scored --quiet

# same LEVEL QUERY ROWS : the query counts rows whose figures are the same
same_bits() {
  run 0 env DM_SIMD="$1" sqlite3 -bail my.db ".load $dm" "$2"
  [ "$(cat out)" = "$3" ] || complain "with DM_SIMD=$1 $2 gives '$(head -c 300 out)', want $3"
}
for level in scalar avx2 avx512; do
  same_bits $level "SELECT count(*) FROM pima JOIN n_scored USING (dm_id) WHERE prediction IS dm_predict('n', $inputs) AND score IS dm_score('n', $inputs)
    AND p_pos IS dm_proba('n', 'pos', $inputs)" 768
  same_bits $level "SELECT count(*) FROM dm_apply('n', 'SELECT * FROM pima') a JOIN n_scored s ON s.dm_id = a.row WHERE a.prediction IS s.prediction
    AND a.score IS s.score" 768
  same_bits $level "SELECT count(*) FROM airquality JOIN o_scored USING (dm_id) WHERE prediction IS dm_predict('o', \"Solar.R\", Wind, Temp, Month, Day)" 153
  same_bits $level "SELECT count(*) FROM pima JOIN m_scored USING (dm_id) WHERE prediction IS dm_predict('m', age, glucose, pregnant)" 768
done

# training, too, where no product is large enough for BLAS
for level in scalar avx2 avx512; do
  run 0 env DM_SIMD=$level "$mine" train net "$level.db" "$data/pima.csv" --null NA --target diabetes --epochs 2 --quiet
done
sum() { sqlite3 "$1" "SELECT sha256 FROM dm_model"; }
checks=$((checks + 1))
{ [ -n "$(sum scalar.db)" ] && [ "$(sum scalar.db)" = "$(sum avx2.db)" ] && [ "$(sum avx2.db)" = "$(sum avx512.db)" ]; } || complain "the registers change the model"
finish
