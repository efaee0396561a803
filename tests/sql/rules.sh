#!/bin/sh
# Rules in SQL: the table of a model's rules, what they recommend to a basket,
# models that change, and arguments that cannot be.
. "$(dirname "$0")/../cli/lib.sh"
dm="$DM_BUILD/sql/dm"
make=$DM_BUILD/tests/sql/make_rules
shell() { sqlite3 -bail my.db ".load $dm" "$@"; }
gives() {
  run 0 shell "$1"
  [ "$(cat out)" = "$2" ] || complain "$1 gives '$(head -c 600 out)', want '$2'"
}
fails() {
  run 1 shell "$1"
  says err "$2"
}

cat >shop.txt <<'END'
bread,milk,brown sugar
bread,milk
bread,milk,beer
milk,beer
bread,"a ""b"", c"
bread,milk,"a ""b"", c"

beer
END
run 0 "$make" my.db shop shop.txt 2 0.5 , 1
run 0 "$make" my.db pairs shop.txt 2 0.5 , 2

# ---- the table ------------------------------------------------------------------
gives "SELECT antecedent, consequent, support, share, coverage, round(confidence, 4), lift FROM dm_rules('shop') ORDER BY id" \
'["a \"b\", c"]|["bread"]|2|0.25|0.25|1.0|1.6
["bread"]|["milk"]|4|0.5|0.625|0.8|1.28
["milk"]|["bread"]|4|0.5|0.625|0.8|1.28
["beer"]|["milk"]|2|0.25|0.375|0.6667|1.06666666666667'
columns="antecedent, consequent, support, share, coverage, confidence, lift, leverage, conviction, cosine, jaccard, kulczynski, imbalance,
  zhang, added_value, chi_square, fisher_p, q_value, id"
gives "SELECT count(*) FROM (SELECT $columns FROM dm_rules('shop') EXCEPT SELECT $columns FROM dm_rule WHERE model_id = 1)" 0
gives "SELECT count(*) FROM (SELECT $columns FROM dm_rule WHERE model_id = 2 EXCEPT SELECT $columns FROM dm_rules('pairs@1'))" 0
gives "SELECT group_concat(name, ' ') FROM pragma_table_info('dm_rules')" \
  "antecedent consequent support share coverage confidence lift leverage conviction cosine jaccard kulczynski imbalance zhang added_value chi_square fisher_p q_value id"
gives "SELECT round(fisher_p, 10), round(q_value, 10), conviction FROM dm_rules('shop') WHERE id = 1" "0.3571428571|1.0|Inf"
gives "SELECT count(*) FROM dm_rules('shop') AS a JOIN dm_rules('shop') AS b ON a.antecedent = b.consequent" 4
gives "SELECT name, (SELECT count(*) FROM dm_rules(name)) FROM dm_models ORDER BY name" "pairs|4
shop|4"
gives "CREATE TEMP VIEW v AS SELECT * FROM dm_rules('shop'); SELECT count(*) FROM v" 4

# ---- recommendations --------------------------------------------------------------
milk='[{"item":"bread","confidence":0.8,"lift":1.28,"support":4,"antecedent":["milk"],"rule":3}]'
gives "SELECT dm_recommend('shop', 'milk')" "$milk"
gives "SELECT dm_recommend('shop', '[\"milk\"]')" "$milk"
gives "SELECT dm_recommend('shop', ' milk , milk,caviar,')" "$milk"
gives "SELECT dm_recommend('shop@1', json_array('milk', NULL, 7))" "$milk"
gives "SELECT dm_recommend('shop', 'bread,milk,beer'), dm_recommend('shop', ''), dm_recommend('shop', '[]'), dm_recommend('shop', NULL) IS NULL" "[]|[]|[]|1"
gives "SELECT dm_recommend('shop', json_array('a \"b\", c', 'beer'), 1)" \
  '[{"item":"bread","confidence":1.0,"lift":1.6,"support":2,"antecedent":["a \"b\", c"],"rule":1}]'
gives "SELECT json_array_length(dm_recommend('shop', json_array('a \"b\", c', 'beer'))), json_array_length(dm_recommend('shop', '[\"beer\"]', NULL))" "2|1"
gives "SELECT item, confidence, lift, support, antecedent, rule FROM dm_recommendations('shop', 'bread')" 'milk|0.8|1.28|4|["bread"]|2'
gives "SELECT b, item FROM (SELECT 'bread' AS b UNION ALL SELECT NULL UNION ALL SELECT 'beer'), dm_recommendations('shop', b)" "bread|milk
beer|milk"
# each basket of a table: what comes is not in the basket, and the rule says why
gives "CREATE TEMP TABLE basket(items); INSERT INTO basket VALUES('bread,beer'), ('milk'), ('beer');
  SELECT items, group_concat(r.item || ' ' || (r.antecedent = d.antecedent)) FROM basket, dm_recommendations('shop', items) AS r
  JOIN dm_rules('shop') AS d ON d.id = r.rule GROUP BY items" "beer|milk 1
bread,beer|milk 1
milk|bread 1"

# ---- what cannot be -------------------------------------------------------------------
fails "SELECT * FROM dm_rules" "dm_rules wants a model's name"
fails "SELECT * FROM dm_rules(NULL)" "not NULL"
fails "SELECT * FROM dm_rules('shap')" "did you mean 'shop'"
fails "SELECT * FROM dm_recommendations('shop')" "dm_recommendations wants a model's name and a basket"
fails "SELECT dm_recommend('shop')" "wrong number of arguments"
fails "SELECT dm_recommend(NULL, 'milk')" "NULL"
fails "SELECT dm_recommend('shop', '[\"milk\"')" "basket"
fails "SELECT dm_recommend('shop', '[{}]')" "neither a text nor a number"
fails "SELECT * FROM dm_recommendations('shop', '[1')" "basket"
fails "SELECT dm_recommend('shop', 'milk', 0)" "want an integer >= 1"
fails "SELECT dm_predict('shop', 1)" "does not score rows"
"$clean" import my.db "$data/pima.csv" --null NA --quiet
run 0 "$mine" train tree my.db pima --target diabetes --model t
fails "SELECT dm_recommend('t', 'milk')" "it is a model by 'tree', want one by rules"
fails "SELECT * FROM dm_rules('t')" "it is a model by 'tree', want one by rules"

# ---- a new version, a dropped one, a forged one ------------------------------------------
gives "SELECT json_array_length(dm_recommend('shop', 'milk'));
  BEGIN; INSERT INTO dm_model SELECT id + 10, name, 2, method, task, target, status, params, inputs, transform, source_sql, rows, source_digest, seed,
    lib_version, started, seconds, sha256 FROM dm_model WHERE name = 'shop';
  INSERT INTO dm_tensor SELECT model_id + 10, name, part, dtype, shape, data FROM dm_tensor WHERE model_id = 1;
  SELECT count(*) FROM dm_rules('shop@2'); ROLLBACK;
  SELECT count(*) FROM dm_rules('shop')" "1
4
4"
fails "SELECT count(*) FROM dm_rules('shop@2')" "shop"
cp my.db forged.db
sqlite3 forged.db "UPDATE dm_rule SET confidence = 0.1, consequent = '[\"caviar\"]'"
run 0 sqlite3 -bail forged.db ".load $dm" "SELECT dm_recommend('shop', 'milk')"
[ "$(cat out)" = "$milk" ] || complain "rows of dm_rule change what is recommended"
sqlite3 forged.db "UPDATE dm_tensor SET data = zeroblob(length(data)) WHERE name = 'content/counts'"
run 1 sqlite3 -bail forged.db ".load $dm" "SELECT dm_recommend('shop', 'milk')"
says err "shop@1"
run 0 "$mine" models my.db drop pairs
sql my.db "SELECT count(*) FROM dm_rule" 4
fails "SELECT * FROM dm_rules('pairs')" "pairs"
finish
