#!/bin/sh
# Runs bench_patterns.py; see there. The system's own Python is tried first: it needs no package.
for python in /usr/bin/python3 python3; do
  "$python" -c '' 2>/dev/null && exec "$python" "$(dirname "$0")/bench_patterns.py" "$@"
done
echo "skipped: no Python"
exit 77
