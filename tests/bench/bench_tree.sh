#!/bin/sh
# Runs bench_tree.py with a Python that has scikit-learn and pandas: the
# system's own is tried first, since another may come first in PATH.
# usage: bench_tree.sh BENCH_TREE [PAIRS]
tables=$DM_SHARED/data/tables
[ -f "$tables/adult.data" ] || { echo "skipped: adult is not there"; exit 77; }
for python in /usr/bin/python3 python3; do
  "$python" -c 'import pandas, sklearn' 2>/dev/null || continue
  exec "$python" "$(dirname "$0")/bench_tree.py" "$1" "$tables" ${2:+"$2"}
done
echo "skipped: no Python with scikit-learn and pandas"
exit 77
