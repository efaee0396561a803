#!/bin/sh
# dm-mine rules: transactions from each kind of source, numbers, files, limits, words that are wrong.
. "$(dirname "$0")/lib.sh"

rules() { want=$1; shift; run "$want" "$mine" rules "$@"; }
# refused CODE TEXT COMMAND... : the text is in the message or its hint
refused() { wanted=$2; want=$1; shift 2; rules "$want" "$@"; says err "$wanted"; }

printf 'milk bread\nbread\nmilk bread beer\nbread\n\nbeer beer\n' >shop.dat
printf 'order,product\n1,milk\n1,bread\n2,bread\n3,milk\n3,bread\n3,beer\n4,bread\n5,\n6,beer\n6,beer\n' >shop.csv
printf 'id,words,times\n1,"milk,bread",1\n2,bread,2\n3,"milk, ""bread"",beer",1\n5,,1\n6,"beer, beer",1\n' >words.csv
"$clean" import shop.db shop.csv --quiet
"$clean" import shop.db words.csv --quiet

# the same transactions from wherever they come: six, three items, four frequent sets, two closed ones of two at most
for source in ':memory: shop.dat --format basket' ':memory: shop.csv --tid order --item product' 'shop.db shop --tid order --item product' \
              ':memory: words.csv --basket words --count times' 'shop.db words --basket words --count times'; do
  # shellcheck disable=SC2086
  rules 0 $source --min-support 2 --json --quiet --count-only
  key '$.transactions' 6
  key '$.items' 3
  key '$.itemsets' 4
  key '$.rules' ''
  key '$.model' ''
  # shellcheck disable=SC2086
  rules 0 $source --min-support 2 --kind closed --count-only --json
  key '$.itemsets' 3
  # shellcheck disable=SC2086
  rules 0 $source --min-support 2 --min-confidence 0.5 -o - --quiet
  says out '"[""milk""]","[""bread""]",2,0.3333333333333333,0.3333333333333333,1,1.5,'
  says out '"[""bread""]","[""milk""]",2,'
done
rules 0 shop.db 'SELECT "order" AS tid, product FROM shop WHERE product <> '"'beer'" --tid tid --item product --min-support 1 --count-only --json
key '$.items' 2
rules 0 :memory: shop.dat --format basket --min-support 2
says out '4 frequent sets with a support of at least 2'
says err 'note: 1 items stood more than once in a transaction'
says err 'note: 1 of 6 transactions are empty; they count'

# columns as items, of any table
printf 'age,job,smokes,n\n30,cook,1,1\n40,cook,0,2\n50,smith,,1\n60,smith,1,1\n,cook,1,1\n' >people.csv
"$clean" import shop.db people.csv --quiet
for source in ':memory: people.csv' 'shop.db people' 'shop.db SELECT*FROM(people)'; do
  # shellcheck disable=SC2086
  rules 0 $source --columns age,job --bins 2 --min-support 2 -o - --quiet
  sort out >got
  printf '"[""age=[30, 50)""]",2\n"[""age=[50, 60]""]",2\n"[""job=cook""]",3\n"[""job=smith""]",2\nitems,support\n' >want
  grep -v , got >/dev/null || grep -v '","' got >singles
  same singles want
  # shellcheck disable=SC2086
  rules 0 $source --count n --min-support 3 --json --count-only
  key '$.transactions' 6
  key '$.itemsets' 2
  # shellcheck disable=SC2086
  rules 0 $source --one-hot --columns smokes --min-support 1 -o - --quiet
  printf 'items,support\n"[""smokes""]",3\n' >want
  same out want
done
refused 2 'two columns order and product: a row for each item?' shop.db shop --min-support 2
says err 'hint: --tid order --item product; or --columns order,product'
rules 0 shop.db shop --columns order,product --min-support 2 --json --count-only
key '$.transactions' 10
refused 2 'did you mean job?' shop.db people --columns jobs --min-support 2
refused 2 'names '"'job'"' twice' shop.db people --columns job,job --min-support 2
refused 2 'cannot be --count and one of' shop.db people --columns job,n --count n --min-support 2
refused 2 '--one-hot and --bins exclude each other' shop.db people --one-hot --bins 3 --min-support 2
refused 2 '--tid and --columns exclude each other' shop.db shop --tid order --item product --columns product --min-support 2
refused 3 'job' shop.db people --one-hot --columns job --min-support 2

# kinds of items, items left out
printf 'item,kind\nmilk,dairy\nbread,food\ndairy,food\n' >kinds.csv
rules 0 :memory: shop.dat --format basket --hierarchy kinds.csv --min-support 2 -o - --quiet
sed 's/^"\[""\(.*\)""\]",/\1 /; s/"",""/+/g' out | sort >got
printf 'beer 2\nbread 4\nbread+dairy 2\nbread+milk 2\ndairy 2\nfood 4\nitems,support\nmilk 2\n' >want
sed 's/dairy+bread/bread+dairy/; s/milk+bread/bread+milk/' got | sort >got2
same got2 want
rules 0 :memory: shop.dat --format basket --hierarchy kinds.csv --never food,dairy --min-support 2 --json
key '$.itemsets' 4
refused 2 'with a hierarchy there are no closed sets' :memory: shop.dat --format basket --hierarchy kinds.csv --kind closed --min-support 2
refused 2 'did you mean milk?' :memory: shop.dat --format basket --never milc --min-support 2
printf 'a,b\nb,a\n' >loop.csv
refused 3 'ancestor' :memory: shop.dat --format basket --hierarchy loop.csv --min-support 2
refused 3 'want 2: an item, and what it is a kind of' :memory: shop.dat --format basket --hierarchy shop.dat --min-support 2
refused 4 'nothere.csv' :memory: shop.dat --format basket --hierarchy nothere.csv --min-support 2

# sizes, kinds, the largest supports, sides of a rule
rules 0 :memory: shop.dat --format basket --min-support 1 --min-size 2 --max-size 2 -o sets.tsv --quiet
cut -f2 sets.tsv | sort >got
printf '1\n1\n2\nsupport\n' >want
same got want
rules 0 :memory: shop.dat --format basket --top 2 -o - --quiet
printf 'items,support\n"[""bread""]",4\n"[""milk""]",2\n' >want
same out want
rules 0 :memory: shop.dat --format basket --top 1 --kind maximal --min-support 2 -o top.jsonl --quiet
printf '{"items":["beer"],"support":2}\n' >want
same top.jsonl want
rules 0 :memory: shop.dat --format basket --min-support 2 --min-confidence 0 --left milk -o r.jsonl --quiet
says r.jsonl '{"antecedent":["milk"],"consequent":["bread"],"support":2,'
[ "$(wc -l <r.jsonl)" = 1 ] || complain "--left milk leaves milk in a head"
rules 0 :memory: shop.dat --format basket --min-support 2 --min-confidence 0 --right milk -o r.txt --quiet
printf '{bread} => {milk}  support 2  confidence 0.5  lift 1.5\n' >want
same r.txt want
rules 0 :memory: shop.dat --format basket --min-support 1 --min-confidence 1 --json --count-only
key '$.rules' 3
rules 0 :memory: shop.dat --format basket --min-support 1 --min-confidence 1 --redundant drop --json --count-only
key '$.rules' 2
rules 0 :memory: shop.dat --format basket --min-support 2 --min-confidence 0.4 --measure lift --top 1 -o - --quiet
says out '"[""milk""]","[""bread""]"'

# a model: sets by size and support, rules, and a second reading that comes from what was kept
rules 0 shop.db shop --tid order --item product --min-support 1 --min-confidence 0.5
says out 'model rules@1, tables dm_itemset and dm_rule'
says out '{milk} => {bread} '
sql shop.db "SELECT group_concat(id || items || support, ' ') FROM dm_itemset" \
  '1["bread"]4 2["milk"]2 3["beer"]2 4["milk","bread"]2 5["milk","beer"]1 6["bread","beer"]1 7["milk","bread","beer"]1'
sql shop.db "SELECT count(*), sum(support), sum(confidence), count(lift), count(fisher_p) FROM dm_rule" '8|10|5.5|8|8'
sql shop.db "SELECT method, task, rows, source_sql, length(source_digest), json_extract(params, '\$.min_confidence') FROM dm_model" 'rules|rules|6|shop|64|0.5'
sql shop.db "SELECT value FROM dm_metric WHERE name = 'itemsets'" 7.0
sql shop.db "SELECT count(*) FROM dm_packed" 1
rules 0 shop.db shop --tid order --item product --min-support 2 --kind closed --into closed --json
key '$.model' closed
key '$.version' 1
sql shop.db "SELECT count(*) FROM dm_itemset JOIN dm_model m ON m.id = model_id WHERE name = 'closed'" 3
rules 0 shop.db shop.dat --format basket --min-support 1 --top 3 --json
key '$.version' 2
sql shop.db "SELECT group_concat(items, ' ') FROM dm_itemset WHERE model_id = (SELECT max(id) FROM dm_model)" '["bread"] ["milk"] ["beer"]'
run 0 "$mine" models shop.db show rules@1
says out '{milk} => {bread}'
[ "$(sqlite3 shop.db 'SELECT count(*) FROM dm_run WHERE command = '"'rules'")" = 3 ] || complain "three runs wanted"
refused 2 'gone at the end' :memory: shop.dat --format basket --min-support 1 --into x
refused 2 '--into and -o exclude each other' shop.db shop.dat --format basket --min-support 1 --into x -o y
refused 2 '--into and --count-only exclude each other' shop.db shop.dat --format basket --min-support 1 --into x --count-only
refused 2 'x@y' shop.db shop.dat --format basket --min-support 1 --into x@y
cp shop.db before.db
refused 5 'limit 3' shop.db shop.dat --format basket --min-support 1 --limit 3
same shop.db before.db
rules 0 new.db shop.dat --format basket --min-support 1 --json
key '$.model' rules

# support as a number and as a share, rounded up
for s in 2 0.33 33% 33.3% 0.2; do rules 0 :memory: shop.dat --format basket --min-support $s --json; key '$.min_support' 2; done
rules 0 :memory: shop.dat --format basket --min-support 100% --json
key '$.min_support' 6
awk 'BEGIN { for (i = 0; i < 100; i++) print "a" }' >hundred.dat
for s in 7 7% 0.07; do rules 0 :memory: hundred.dat --format basket --min-support $s --json; key '$.min_support' 7; done
for s in 0 -1 5x '' 101% 0% 1.5 1.0 nan inf 1e400 -0.1 -5%; do refused 2 'a share of them such as 0.01 or 1%' :memory: shop.dat --format basket --min-support "$s"; done
refused 2 'above the number of transactions, 6' :memory: shop.dat --format basket --min-support 7
refused 2 'needs --min-support' :memory: shop.dat --format basket
for c in -0.1 1.1 x nan; do refused 2 'min-confidence' :memory: shop.dat --format basket --min-support 2 --min-confidence $c; done

# limits and memory: how many, and a support that fits
seq 1 40 | tr '\n' ' ' >one.dat
yes "$(cat one.dat)" | head -n 3 >three.dat
cat shop.dat three.dat >mixed.dat
refused 5 '--min-support 4 fits' :memory: mixed.dat --format basket --min-support 2 --limit 100
says err ' frequent sets, limit 100'
refused 5 '--min-support 4 fits' :memory: mixed.dat --format basket --min-support 2 --min-confidence 0.5
refused 5 '--min-support 4 fits' :memory: mixed.dat --format basket --min-support 2 --min-confidence 0.5 --limit 0 --max-size 6 --memory 20M
says err '4598482 frequent sets take about'
rules 0 :memory: mixed.dat --format basket --min-support 2 --count-only --json
key '$.itemsets' 1099511627779
rules 0 :memory: mixed.dat --format basket --min-support 2 --kind closed --json
key '$.itemsets' 4

# odd items: commas, quotes, newlines; one item in all rows
printf 'a b;"c ""d"""\n"x\ny";a b\n' >odd.dat
rules 0 :memory: odd.dat --format basket --delimiter ';' --min-support 1 -o odd.csv --quiet
sqlite3 :memory: '.mode csv' '.import odd.csv t' "SELECT count(*), sum(items = '[\"x\\ny\"]'), sum(items = '[\"c \\\"d\\\"\"]') FROM t" | tr -d '\r' >got
printf '5,1,1\n' >want
same got want
awk 'BEGIN { for (i = 0; i < 50; i++) print "always i" i % 5 }' >always.dat
rules 0 :memory: always.dat --format basket --min-support 50 --json
key '$.itemsets' 1
rules 0 :memory: always.dat --format basket --min-support 10 --kind closed --json
key '$.itemsets' 6
rules 0 :memory: always.dat --format basket --min-support 10 --kind generators --json
key '$.itemsets' 5

# what contradicts, and what is not there
refused 2 '--tid needs --item COL' shop.db shop --tid order --min-support 2
refused 2 '--item needs --tid COL' shop.db shop --item product --min-support 2
refused 2 '--tid and --basket exclude each other' shop.db shop --tid order --item product --basket x --min-support 2
refused 2 '--format basket and --tid exclude each other' :memory: shop.dat --format basket --tid x --item y --min-support 2
refused 2 '--count and --format basket exclude each other' :memory: shop.dat --format basket --count n --min-support 2
refused 2 'a transaction file has only --delimiter' :memory: shop.dat --format basket --null NA --min-support 2
refused 2 '--count-only and -o exclude each other' :memory: shop.dat --format basket --min-support 2 --count-only -o x
refused 2 'is about rules' :memory: shop.dat --format basket --min-support 2 --max-head 2
refused 2 '--min-size = 3 is above --max-size = 2' :memory: shop.dat --format basket --min-support 2 --min-size 3 --max-size 2
refused 2 "did you mean 'product'?" shop.db shop --tid order --item produkt --min-support 2
refused 2 'did you mean product?' :memory: shop.csv --tid order --item produkt --min-support 2
refused 2 'did you mean words?' :memory: words.csv --basket word --min-support 2
refused 2 'did you mean milk?' :memory: shop.dat --format basket --min-support 2 --min-confidence 0.5 --left milc
refused 2 'named by --left and by --right' :memory: shop.dat --format basket --min-support 2 --min-confidence 0.5 --left milk --right milk
refused 2 'did you mean eclat?' :memory: shop.dat --format basket --min-support 2 --algorithm eclta
refused 2 "did you mean 'lift'?" :memory: shop.dat --format basket --min-support 2 --min-confidence 0.5 --measure lfit
run 2 "$mine" ruels shop.db shop
says err 'did you mean rules?'
refused 2 'did you mean words?' :memory: words.csv --basket words --count wordz --min-support 1
refused 3 "column 'words' is no count" :memory: words.csv --basket words --count words --min-support 1
printf 'k,b,n\n1,a,0\n' >zero.csv
refused 3 'is no count' :memory: zero.csv --basket b --count n --min-support 1
printf 'k,b\n1,"a,""b"\n' >bad.csv
refused 3 "row 1: column 'b'" :memory: bad.csv --basket b --min-support 1
refused 2 'hybrid does not search for closed sets' :memory: shop.dat --format basket --min-support 2 --kind closed --algorithm hybrid
printf 'k,b\n,a\n1,b\n' >who.csv
refused 3 "whose item is this?" :memory: who.csv --tid k --item b --min-support 1
refused 4 'nothere' :memory: nothere.dat --format basket --min-support 1
refused 4 'no/such/folder' :memory: shop.dat --format basket --min-support 1 -o no/such/folder/x.csv
[ ! -e x.csv ] || complain "a file was left behind"
# a file is whole or not there
refused 5 'limit 3' :memory: shop.dat --format basket --min-support 1 --limit 3 -o half.csv
[ ! -e half.csv ] || complain "half a file was left behind"
checks=$((checks + 2))

# a broken search leaves no file; the exit code tells
timeout --foreground -s INT 0.2 "$mine" rules :memory: one.dat --format basket --min-support 1 -o endless.csv >/dev/null 2>err
code=$?
checks=$((checks + 1))
[ "$code" = 124 ] || [ "$code" = 130 ] || complain "exit $code after SIGINT, want 130"
says err interrupted
[ -z "$(ls endless.csv* 2>/dev/null)" ] || complain "a file was left behind: $(ls endless.csv*)"

# every algorithm, every kind: the same sets
for kind in frequent closed maximal generators; do
  for algorithm in auto apriori eclat fpgrowth; do
    rules 0 :memory: mixed.dat --format basket --min-support 4 --kind $kind --algorithm $algorithm -o - --quiet
    sed 's/[]",[]/ /g' out | awk '{ n = split($0, w, " "); delete s; for (i = 1; i < n; i++) s[i] = w[i]; asort_(s, n - 1); line = ""; for (i = 1; i < n; i++) line = line s[i] " "; print line w[n] }
      function asort_(a, k, i, j, t) { for (i = 2; i <= k; i++) { t = a[i]; for (j = i - 1; j > 0 && a[j] > t; j--) a[j + 1] = a[j]; a[j + 1] = t } }' | sort >"$algorithm.txt"
    same "$algorithm.txt" auto.txt
  done
done

# the counts of the literature, where the data is beside the project
folder_of_data=$DM_SHARED/data/baskets
if [ -d "$folder_of_data" ]; then
  for case in mushroom:1000:frequent:123277 mushroom:406:closed:12854 mushroom:406:maximal:1452 retail:88:frequent:7712 T10I4D100K:100:frequent:27532; do
    name=${case%%:*} rest=${case#*:}
    support=${rest%%:*} rest=${rest#*:}
    [ -e "$name.dat" ] || gzip -dc "$folder_of_data/$name.dat.gz" >"$name.dat"
    rules 0 :memory: "$name.dat" --format basket --min-support "$support" --kind "${rest%%:*}" --count-only --json
    key '$.itemsets' "${rest#*:}"
  done
  for threads in 1 2; do
    rules 0 :memory: mushroom.dat --format basket --min-support 1000 -o "m$threads.csv" --threads $threads --quiet
    rules 0 :memory: retail.dat --format basket --min-support 88 --min-confidence 0.8 --threads $threads --json
    key '$.rules' 722
  done
  same m1.csv m2.csv
else
  echo "no baskets beside the project: their counts are skipped"
fi
finish
