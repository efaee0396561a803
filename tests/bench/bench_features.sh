#!/bin/sh
# Runs bench_features.py with a Python that has NumPy: the system's own is
# tried first. Wants DM_BUILD and DM_SHARED.
# usage: bench_features.sh [DRAWS]
images=$DM_SHARED/data/images
[ -f "$images/mnist10k-train-images.idx3.gz" ] || { echo "skipped: the images are not there"; exit 77; }
for python in /usr/bin/python3 python3; do
  "$python" -c 'import numpy' 2>/dev/null || continue
  exec "$python" "$(dirname "$0")/bench_features.py" "$DM_BUILD/tools" "$images" ${1:+"$1"}
done
echo "skipped: no Python with NumPy"
exit 77
