#!/bin/sh
# Start-up of the commands: median of 21 runs of --version. Wanted: below 10 ms.
for name in dm-clean dm-mine; do
  for i in $(seq 21); do
    from=$(date +%s%N); "$DM_BUILD/tools/$name" --version >/dev/null; to=$(date +%s%N)
    echo $(( (to - from) / 1000 ))
  done | sort -n | awk -v n="$name" '{ t[NR] = $1 } END { printf "%s --version: median %.1f ms, least %.1f, most %.1f (wanted: below 10)\n", n, t[11] / 1000, t[1] / 1000, t[NR] / 1000 }'
done
