#!/bin/sh
# dm-clean profile, apply, history, undo, why, export.
. "$(dirname "$0")/lib.sh"

"$clean" import my.db "$data/biopsy-dirty.csv" --table biopsy --null NA --quiet
digest() { sqlite3 my.db ".dump biopsy" "SELECT * FROM dm_column WHERE table_name = 'biopsy'" | sha256sum; }
start=$(digest)
cat >recipe.yaml <<'R'
table: biopsy
steps:
  - trim: {columns: class}
  - case: {columns: class, to: lower}
  - parse_date: {columns: sampled, formats: ['%Y-%m-%d', '%m/%d/%Y']}
  - fill: {columns: V6, with: median}
  - drop_duplicates: {}
  - derive: {column: total, as: 'V1 + V2 + V3', type: integer}
R
run 0 "$clean" apply my.db recipe.yaml --dry-run --json
key '$.dry_run' 1
[ "$(digest)" = "$start" ] || complain "a dry run changed the table"
run 0 "$clean" apply my.db recipe.yaml
says out "undo"
sql my.db "SELECT group_concat(class) FROM (SELECT DISTINCT class FROM biopsy ORDER BY 1)" "benign,malignant"
sql my.db "SELECT count(*) FROM biopsy WHERE V6 IS NULL OR sampled NOT LIKE '____-__-__'" 0
sql my.db "SELECT count(*) FROM biopsy WHERE total <> V1 + V2 + V3" 0
row=$(sqlite3 my.db "SELECT row_id FROM dm_change WHERE column = 'class' AND row_id > 0 LIMIT 1")
run 0 "$clean" why my.db biopsy "$row" class
says out "biopsy-dirty.csv:"
says out "2:case"
run 0 "$clean" why my.db biopsy "$row" class --json
run 0 "$clean" history my.db
says out "apply"
run_id=$(sqlite3 my.db "SELECT max(id) FROM dm_run WHERE command = 'apply'")
run 0 "$clean" undo my.db "$run_id"
says out "run $run_id is undone"
[ "$(digest)" = "$start" ] || complain "undo did not bring the start back"
checks=$((checks + 1))
run 2 "$clean" undo my.db "$run_id"
run 2 "$clean" undo my.db 99999

# a later run on the same cells must be undone first
printf 'table: biopsy\nsteps:\n  - trim: {columns: class}\n' >one.yaml
printf 'table: biopsy\nsteps:\n  - case: {columns: class, to: upper}\n' >two.yaml
run 0 "$clean" apply my.db one.yaml
first=$(sqlite3 my.db "SELECT max(id) FROM dm_run")
run 0 "$clean" apply my.db two.yaml
run 2 "$clean" undo my.db "$first"
says err "run $((first + 1))"
run 0 "$clean" undo my.db $((first + 1))
run 0 "$clean" undo my.db "$first"
[ "$(digest)" = "$start" ] || complain "two undos did not bring the start back"

# profile
run 0 "$clean" profile my.db biopsy
says out "missing 16"
run 0 "$clean" profile my.db biopsy --json --report profile.html
grep -q '<svg' profile.html || complain "no chart in profile.html"
run 2 "$clean" profile my.db biopsi
says err "did you mean"

printf 't,n\n%s,4119999\n"x\033[31mred\nblue",1\n' "$(awk 'BEGIN { for (i = 0; i < 20; i++) printf "a\303\251" }')" >odd.csv
run 0 "$clean" import odd.db odd.csv
run 0 "$clean" profile odd.db odd
says out "max 4119999"
says out "x.[31mred.blue (1)"
iconv -f UTF-8 -t UTF-8 out >same.txt 2>&1 || complain "a character was cut in two"
run 0 "$clean" why odd.db odd 2
says out "'x.[31mred"

# recipes that are wrong, each at its place
bad() { # CODE PLACE TEXT, recipe on standard input
  cat >bad.yaml
  run "$1" "$clean" apply my.db bad.yaml
  says err "bad.yaml:$2"
  says err "$3"
}
bad 3 "4:" "trimm" <<'R'
table: biopsy
steps:
  - trim: {columns: class}
  - trimm: {columns: class}
R
bad 3 "3:" "clas" <<'R'
table: biopsy
steps:
  - trim: {columns: clas}
R
bad 3 "3:" "V1 +" <<'R'
table: biopsy
steps:
  - derive: {column: x, as: 'V1 +', type: real}
R
bad 3 "3:1:" "YAML" <<'R'
table: biopsy
steps: [ {trim: }
R
[ "$(digest)" = "$start" ] || complain "a wrong recipe changed the table"
run 4 "$clean" apply my.db nothere.yaml

# export
run 0 "$clean" export my.db "SELECT ID, class FROM biopsy WHERE dm_id <= 2" -o - --format jsonl
sql :memory: "SELECT count(*) FROM (SELECT value FROM json_each('[' || replace(trim(CAST(readfile('out') AS TEXT), char(10)), char(10), ',') || ']'))" 2
run 2 "$clean" export my.db nothere -o x.csv
[ ! -e x.csv ] || complain "x.csv was made"
run 3 "$clean" export my.db "SELECT nope FROM biopsy" -o x.csv
run 2 "$clean" export my.db biopsy
finish
