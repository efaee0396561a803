#!/bin/sh
# Spoil biopsy.csv the way real exports are spoilt, and write down the truth.
#
# usage: make-dirty.sh [DIR]        (default: the folder of this script)
#
# Reads DIR/biopsy.csv; writes DIR/biopsy-dirty.csv and its answer sheet
# DIR/biopsy-dirty-truth.csv. Needs sh and any awk; the result has the same
# bytes with each. SEED in the environment picks other rows; README.md
# describes the file of the default seed, 1.
#
# Two columns are invented: `sampled` (dates that rise evenly with the row from
# 1989-01-02 to 1992-07-15) and `note` (empty or a remark). The remarks are
# there so that the file has honest quotes, line breaks in a cell and UTF-8
# beside the broken ones.
set -eu
LC_ALL=C
export LC_ALL

dir=${1:-$(dirname -- "$0")}
truth=$dir/biopsy-dirty-truth.csv

# Not every awk can print NUL, so awk writes octal escapes (\0000, \0374) and
# printf turns them into bytes. No cell has a backslash of its own.
text=$(awk -F, -v seed="${SEED:-1}" -v truth="$truth" '

# Park and Miller 1988: the same numbers in every awk (exact in a double).
function random(n) { state = state * 16807 % 2147483647; return 1 + state % n }

# Proleptic Gregorian date of a day number (day 0 = 1970-01-01).
function iso(day,   era, doe, yoe, doy, mp, d, m) {
    day += 719468
    era = int(day / 146097); doe = day % 146097
    yoe = int((doe - int(doe / 1460) + int(doe / 36524) - int(doe / 146096)) / 365)
    doy = doe - (365 * yoe + int(yoe / 4) - int(yoe / 100))
    mp = int((5 * doy + 2) / 153)
    d = doy - int((153 * mp + 2) / 5) + 1
    m = mp < 10 ? mp + 3 : mp - 9
    return sprintf("%04d-%02d-%02d", yoe + era * 400 + (m <= 2), m, d)
}
function american(date) { return substr(date, 6, 2) "/" substr(date, 9, 2) "/" substr(date, 1, 4) }

# The next row in random order that is free and lies in low..high; now taken.
function pick(low, high,   i) {
    for (i = 1; i <= n; i++)
        if (!(order[i] in used) && order[i] >= low && order[i] <= high) {
            used[order[i]] = 1
            return order[i]
        }
    exit 1
}
function mark(i, kind, column, value) {
    facts[i]++; fact[i, facts[i]] = kind "," column "," value
}

# A remark on `count` free rows: honest content, nothing to repair.
function remark(count, low, high, words,   i) {
    while (count-- > 0) { i = pick(low, high); note[i] = words }
}
# A defect of form: the record is to be rejected.
function damage(kind, how, words,   i) {
    i = pick(20, n - 40); mark(i, kind, "", ""); harm[i] = how; note[i] = words
}
function respell(i, kind, words) { mark(i, kind, "class", class[i]); class[i] = words }
function reformat(i) { mark(i, "date_format", "sampled", date[i]); date[i] = american(date[i]) }

function record(i) {
    return id[i] "," date[i] "," score[i] "," note[i] "," class[i]
}
function damaged(i,   text) {
    text = record(i)
    if (harm[i] == "cut")     sub(/,[^,]*,[^,]*,[^,]*$/, "", text)    # the line stops early
    if (harm[i] == "lost")    text = id[i] "," score[i] "," note[i] "," class[i]  # no date, no comma
    if (harm[i] == "surplus") text = text ","
    return text
}
# Prints a record of `lines` physical lines and its facts.
function put(text, lines, rejected, i,   k) {
    print text
    if (!rejected) row++
    for (k = 1; k <= facts[i]; k++) print line "," (rejected ? "" : row) "," fact[i, k] > truth
    line += lines
}

NR == 1 { next }
{
    n++
    id[n] = $1; class[n] = $NF
    score[n] = $2; for (k = 3; k < NF; k++) score[n] = score[n] "," $k
}
END {
    state = seed % 2147483646 + 1
    for (i = 1; i <= n; i++) { order[i] = i; date[i] = iso(6941 + int((i - 1) * 1290 / (n - 1))) }
    for (i = n; i > 1; i--) { j = random(i); t = order[i]; order[i] = order[j]; order[j] = t }

    # Three quotes that open and never close. The first two are followed by
    # honest quoted cells, the third by no quote at all up to the end.
    q[1] = pick(100, 200); q[2] = pick(350, 450); q[3] = pick(n - 39, n - 20)
    for (k = 1; k <= 3; k++) {
        mark(q[k], "unclosed_quote", "", "")
        note[q[k]] = k == 1 ? "\"second slide" : k == 2 ? "\"repeat; first sample too small" : "\"see chart"
    }
    last = n - 40                           # no honest quote beyond this row

    damage("too_few_fields", "cut", "")
    damage("too_few_fields", "cut", "")
    damage("too_few_fields", "lost", "")
    damage("too_many_fields", "", "repeat, first sample too small")
    damage("too_many_fields", "", "second slide, see chart")
    damage("too_many_fields", "surplus", "")
    damage("invalid_utf8", "", "asked by Dr. M\\0374ller")            # Latin-1
    damage("invalid_utf8", "", "r\\0351p\\0351ter")                   # Latin-1
    damage("invalid_utf8", "", "patient\\0222s second visit")         # Windows-1252
    damage("invalid_utf8", "", "asked by Dr. Mu\\0303")               # cut in the middle of a character
    damage("nul_byte", "", "second\\0000slide")
    damage("nul_byte", "", "\\0000")

    remark(14, 1, n, "second slide")
    remark(12, 1, n, "asked by Dr. Müller")
    remark(6, 1, n, "répéter")
    remark(3, 1, n, "size ≥ 2 cm")
    remark(10, 1, last, "\"repeat, first sample too small\"")
    remark(6, 1, last, "\"second reader: \"\"borderline\"\"\"")
    remark(3, 1, last, "\"first reader: unsure\nsecond reader: sure\"")

    for (k = 1; k <= 12; k++) { i = pick(1, n); respell(i, "case", toupper(class[i])) }
    for (k = 1; k <= 14; k++) { i = pick(1, n); respell(i, "case", toupper(substr(class[i], 1, 1)) substr(class[i], 2)) }
    for (k = 1; k <= 8; k++)  { i = pick(1, n); respell(i, "space", class[i] " ") }
    for (k = 1; k <= 6; k++)  { i = pick(1, n); respell(i, "space", " " class[i]) }
    for (k = 1; k <= 90; k++) reformat(pick(1, n))

    # Copies: 8 with the same bytes, 4 that only write the same row differently.
    # Each comes 1 to 30 records after its original.
    for (k = 1; k <= 12; k++) {
        i = pick(1, n - 35); c = n + k
        do t = i + random(30); while (t in after)
        after[t] = c; copy_of[c] = i
        id[c] = id[i]; date[c] = date[i]; score[c] = score[i]; class[c] = class[i]
    }

    print "line,row,kind,column,truth" > truth
    print "ID,sampled,V1,V2,V3,V4,V5,V6,V7,V8,V9,note,class"
    line = 2
    for (i = 1; i <= n; i++) {
        first[i] = line
        rejected = facts[i] && fact[i, 1] ~ /field|quote|utf8|nul/
        put(damaged(i), note[i] ~ /\n/ ? 2 : 1, rejected, i)
        if (i == 350) { mark(0, "too_few_fields", "", ""); put("-- 350 of 699 --", 1, 1, 0) }
        if (i in after) {
            c = after[i]
            mark(c, c > n + 8 ? "near_duplicate" : "duplicate", "", first[copy_of[c]])
            if (c > n + 10) respell(c, "case", toupper(class[c])); else if (c > n + 8) reformat(c)
            put(record(c), 1, 0, c)
        }
    }
}' "$dir/biopsy.csv")
printf '%b\n' "$text" > "$dir/biopsy-dirty.csv"
