#!/bin/sh
# dm-clean import: what comes in, what is set aside, what is refused.
. "$(dirname "$0")/lib.sh"

# the file that is broken on purpose
run 1 "$clean" import my.db "$data/biopsy-dirty.csv" --table biopsy --null NA
says out "accepted 696, rejected 16 (table dm_reject)"
sql my.db "SELECT count(*), min(dm_id), max(dm_id) FROM biopsy" "696|1|696"
sql my.db "SELECT group_concat(line) FROM (SELECT line FROM dm_reject ORDER BY line)" "35,48,106,247,300,358,359,363,392,444,471,479,517,572,642,676"
sql my.db "SELECT name FROM pragma_table_info('biopsy') LIMIT 1" "dm_id"
sql my.db "SELECT type FROM pragma_table_info('biopsy') WHERE name = 'V1'" "INTEGER"
sql my.db "SELECT type FROM pragma_table_info('biopsy') WHERE name = 'V6'" "INTEGER"

# an existing table
run 2 "$clean" import my.db "$data/iris.csv" --table biopsy
says err "hint:"
run 0 "$clean" import my.db "$data/iris.csv" --table biopsy --replace --json
key '$.rows' 150
key '$.rejects' 0
key '$.columns[0].name' sepal_length
key '$.columns[0].type' REAL
run 0 "$clean" import my.db "$data/iris.csv" --table biopsy --append
sql my.db "SELECT count(*), max(dm_id) FROM biopsy" "300|300"

# every clean set comes back with its bytes
for name in iris wine breast-cancer digits survey house-votes; do
  run 0 "$clean" import round.db "$data/$name.csv" --table t --replace --quiet
  run 0 "$clean" export round.db t -o back.csv
  same back.csv "$data/$name.csv"
done
for name in airquality biopsy pima; do
  run 0 "$clean" import round.db "$data/$name.csv" --table t --replace --null NA
  run 0 "$clean" export round.db t -o back.csv
  same back.csv "$data/$name.csv"
done

# nothing is altered
printf 'zip,id,big,mixed,e\n007,12345678901234567890,9007199254740993,1.50,1e5\n100,1,2,2.25,2\n' >keep.csv
run 0 "$clean" import keep.db keep.csv
sql keep.db "SELECT zip, id, big, mixed, e FROM keep WHERE dm_id = 1" "007|12345678901234567890|9007199254740993|1.5|1e5"
sql keep.db "SELECT group_concat(type) FROM pragma_table_info('keep')" "INTEGER,TEXT,TEXT,INTEGER,REAL,TEXT"
run 0 "$clean" export keep.db keep -o back.csv
same back.csv keep.csv

# widening far behind the sample
awk 'BEGIN { print "n,x"; for (i = 1; i <= 300000; i++) if (i == 200000) print "oops,1.5"; else printf "%d,%d\n", i, i % 10 }' >wide.csv
run 0 "$clean" import wide.db wide.csv
says out "note: "
sql wide.db "SELECT group_concat(type), (SELECT n FROM wide WHERE dm_id = 200000), (SELECT x FROM wide WHERE dm_id = 1), (SELECT typeof(n) FROM wide LIMIT 1) FROM pragma_table_info('wide')" "INTEGER,TEXT,REAL|oops|1.0|text"
run 0 "$clean" export wide.db wide -o back.csv
same back.csv wide.csv

# forms of files
printf 'a;b\r\n1;x\r\n2;y\r\n' >semi.csv
run 0 "$clean" import f.db semi.csv
sql f.db "SELECT a, b FROM semi" "1|x
2|y"
run 0 "$clean" export f.db semi -o back.csv
same back.csv semi.csv
printf 'a\tb\n1\tx\n' >tab.tsv
run 0 "$clean" import f.db tab.tsv
sql f.db "SELECT b FROM tab" x
printf '\357\273\277a,b\n1,\303\251\n' >bom.csv
run 0 "$clean" import f.db bom.csv
sql f.db "SELECT name FROM pragma_table_info('bom') WHERE cid = 1" a
run 0 "$clean" export f.db bom -o back.csv
same back.csv bom.csv
printf 'n,t\n1,caf\351 cr\350me\n2,na\357ve\n3,d\351j\340 vu\n' >latin1.csv
run 0 "$clean" import f.db latin1.csv
sql f.db "SELECT t FROM latin1 WHERE n = 2" "naïve"
printf 'n,t\n1,pommes \340 la carte\n2,vis \340 vis\n3,\340 moi\n' >alone.csv
run 0 "$clean" import f.db alone.csv
sql f.db "SELECT t FROM alone WHERE n = 2" "vis à vis"
printf '\377\376a\000,\000b\000\n\0001\000,\000\351\000\n\000' >utf16.csv
run 0 "$clean" import f.db utf16.csv
sql f.db "SELECT a, b FROM utf16" "1|é"
printf 'a,a,,"x ""y""; DROP TABLE t"\n1,2,3,4\n' >names.csv
run 0 "$clean" import f.db names.csv
sql f.db "SELECT group_concat(name, '/') FROM pragma_table_info('names') WHERE cid > 0" 'a/a_2/c3/x "y"; DROP TABLE t'
says out "note:"
printf 'a,b\n1,2\n' >head.csv
run 0 "$clean" import f.db head.csv --header no
sql f.db "SELECT c1, c2 FROM head" "a|b
1|2"
run 0 "$clean" import f.db head.csv --table two --columns p,q --header yes
sql f.db "SELECT p, q FROM two" "1|2"

# rejects: too few, too many, merge, drop, strict
printf 'a,b,c\n1,2,3\n4,5\n6,7,8,9\n' >ragged.csv
run 1 "$clean" import r.db ragged.csv
says out "accepted 1, rejected 2 (table dm_reject)"
sql r.db "SELECT line, CAST(raw AS TEXT) FROM dm_reject ORDER BY line" "3|4,5
4|6,7,8,9"
run 1 "$clean" import r.db ragged.csv --table m --on-extra merge
sql r.db "SELECT c FROM m WHERE a = 6" "8,9"
run 1 "$clean" import r.db ragged.csv --table d --on-extra drop
sql r.db "SELECT c FROM d WHERE a = 6" "8"
run 3 "$clean" import s.db ragged.csv --strict
says err "ragged.csv:3:"
says err "hint:"
sql s.db "SELECT count(*) FROM sqlite_schema WHERE name = 'ragged'" 0
run 3 "$clean" import s.db ragged.csv --strict --json
key '$.error.code' 3
key '$.error.line' 3
printf 'a,b\n1,"open\n2,x\n3,"y"\n' >quote.csv
run 1 "$clean" import r.db quote.csv
sql r.db "SELECT a, b FROM quote" "2|x
3|y"
printf 'a,b\n1,x\n2,\000y\n3,\377\376\n4,z\n5,w\n6,v\n' >bytes.csv
run 1 "$clean" import r.db bytes.csv --encoding UTF-8
sql r.db "SELECT group_concat(a) FROM bytes" "1,4,5,6"
awk 'BEGIN { printf "a,b\n1,"; for (i = 0; i < 1100000; i++) printf "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"; print "\n2,x" }' >huge.csv
run 1 "$clean" import r.db huge.csv --memory 200M
sql r.db "SELECT a, b FROM huge" "2|x"
rm -f huge.csv

# blanks of the layout are no data, and come back
printf 'a, b, c\n1, x y, 2\n2, , 3\n3, "p, q", 4\n' >spaced.csv
run 0 "$clean" import f.db spaced.csv
sql f.db "SELECT b FROM spaced WHERE a IN (1, 3)" "x y
p, q"
run 0 "$clean" export f.db spaced -o back.csv
same back.csv spaced.csv
printf 'a, b\n1,  x\n2, y\n' >ragged-blanks.csv
run 0 "$clean" import f.db ragged-blanks.csv --table blanks
run 0 "$clean" export f.db blanks -o back.csv
printf 'a, b\n1,x\n2,y\n' >want.csv
same back.csv want.csv

# wider than any table, and not taken for one column
awk 'BEGIN { for (r = 0; r < 2; r++) for (i = 0; i < 40000; i++) printf "%s%s", r ? i : "c" i, i < 39999 ? "," : "\n" }' >broad.csv
run 3 "$clean" import broad.db broad.csv
says err "broad.csv:1: error: more than 32767 fields"
says err "hint:"

# several files: all of them or none
printf 'a,b\n1,2\n' >good.csv
run 3 "$clean" import several.db good.csv ragged.csv --strict
sql several.db "SELECT count(*) FROM sqlite_schema WHERE name IN ('good', 'ragged')" 0
run 4 "$clean" import several.db good.csv missing.csv
sql several.db "SELECT count(*) FROM sqlite_schema WHERE name = 'good'" 0
run 2 "$clean" import several.db good.csv ragged.csv --table t
sql several.db "SELECT count(*) FROM sqlite_schema WHERE name = 't'" 0
run 1 "$clean" import several.db good.csv ragged.csv --json
key '$[0].table' good
key '$[1].rejects' 2

# the place in the file, as text, whatever the encoding
run 0 "$clean" why f.db utf16 1 --json
key '$.origin.raw' '1,é'
key '$.origin.byte_offset' 10
key '$.origin.bytes' 6
run 0 "$clean" why f.db latin1 2 --json
key '$.origin.raw' '2,naïve'
run 0 "$clean" why f.db latin1 2
says out '2,naïve'

# what cannot be read
run 4 "$clean" import x.db missing.csv
says err "missing.csv"
run 4 "$clean" import x.db .
: >empty.csv
run 3 "$clean" import x.db empty.csv
printf 'a,b\n' >header.csv
run 0 "$clean" import x.db header.csv --header yes
sql x.db "SELECT count(*) FROM header" 0
run 2 "$clean" import x.db "$data/iris.csv" --table dm_source
run 2 "$clean" import x.db "$data/iris.csv" --table sqlite_x
run 2 "$clean" import x.db "$data/iris.csv" --delimeter ';'
says err "did you mean --delimiter?"
run 2 "$clean" imprt x.db
says err "did you mean import?"
run 3 "$clean" import x.db "$data/iris.csv" --table enc --encoding no-such-encoding
sql x.db "SELECT count(*) FROM sqlite_schema WHERE name IN ('enc', 'iris')" 0

# databases that cannot be written
run 0 "$clean" import ro.db "$data/iris.csv"
if [ "$(id -u)" != 0 ]; then
  chmod 444 ro.db
  run 4 "$clean" import ro.db "$data/wine.csv"
fi
printf 'this is no database, but long enough to be read as one, several times over' >no.db
run 4 "$clean" import no.db "$data/wine.csv"
run 4 "$clean" profile nothere.db
finish
