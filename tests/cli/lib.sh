# Sourced by the tests of the commands: a folder of their own, and checks that
# say what was wanted. usage in a test: . "$(dirname "$0")/lib.sh"; ...; finish
: "${DM_BUILD:?the build directory}" "${DM_SOURCE:?the source directory}"
clean=$DM_BUILD/tools/dm-clean
mine=$DM_BUILD/tools/dm-mine
data=$DM_SOURCE/datasets
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
checks=0 failures=0
complain() { failures=$((failures + 1)); echo "FAIL: $*"; [ ! -s out ] || sed 's/^/  out: /' out | head -n 10; [ ! -s err ] || sed 's/^/  err: /' err | head -n 10; }

# run CODE COMMAND... : standard output in out, standard error in err
run() {
  want=$1; shift
  checks=$((checks + 1))
  "$@" >out 2>err </dev/null
  code=$?
  [ "$code" = "$want" ] || complain "exit $code, want $want: $*"
}
# says FILE TEXT: the file (out or err) holds the text
says() { checks=$((checks + 1)); grep -qF -- "$2" "$1" || complain "no '$2' in $1 of the last command"; }
# sql DB QUERY WANTED
sql() {
  checks=$((checks + 1))
  got=$(sqlite3 "$1" "$2" 2>&1)
  [ "$got" = "$3" ] || complain "$2 gives '$got', want '$3'"
}
same() { checks=$((checks + 1)); cmp -s "$1" "$2" || complain "$1 and $2 differ"; }
# key EXPRESSION WANTED: of the JSON document in out, by SQLite's json path
key() {
  checks=$((checks + 1))
  got=$(sqlite3 :memory: "SELECT json_extract(CAST(readfile('out') AS TEXT), '$1')" 2>&1)
  [ "$got" = "$2" ] || complain "$1 is '$got', want '$2'"
}
finish() {
  echo "$checks checks, $failures failures"
  [ "$failures" = 0 ]
}
