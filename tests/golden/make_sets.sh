#!/bin/sh
# Prints the numbers of sets that tests/golden/sets.h holds: frequent, closed and maximal, by LCM 5.3 (Uno), and by Borgelt's Eclat beside it.
# usage: DM_MINERS=FOLDER make_sets.sh FOLDER_WITH_DAT_FILES        FOLDER has lcm and eclat
set -eu
count_lcm() { # data, support, letter: the number of sets, without the empty one, which stands in the line of the sets of size 0
  "$DM_MINERS/lcm" "$3" "$1" "$2" 2>/dev/null | awk '/^[0-9]+$/ && n < 2 { n++; v[n] = $1 } END { print v[1] - v[2] }'
}
count_eclat() { # -S200: sets of all transactions, too
  "$DM_MINERS/eclat" "-t$3" "-s-$2" -S200 "$1" 2>&1 | grep -aoE '\[[0-9]+ set\(s\)\] done' | grep -oE '[0-9]+' | head -1
}
while read -r data support; do
  for kind in 's F' 'c C' 'm M'; do
    # connect 20000 has more frequent sets than one would count
    [ "$data $support ${kind% *}" = 'connect 20000 s' ] && continue
    echo "$data $support ${kind% *} $(count_lcm "$1/$data.dat" "$support" "${kind#* }") $(count_eclat "$1/$data.dat" "$support" "${kind% *}")"
  done
done <<'ROWS'
mushroom 1000
mushroom 406
mushroom 81
connect 50000
connect 40000
connect 20000
retail 9
retail 4
T10I4D100K 10
ROWS
