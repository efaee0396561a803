#!/bin/sh
# Unpacks the images and runs bench_nn.py with a Python that has PyTorch: the
# system's own is tried first, since another may come first in PATH.
# usage: bench_nn.sh BENCH_NN [PAIRS]
images=$DM_SHARED/data/images
[ -f "$images/mnist10k-train-images.idx3.gz" ] || { echo "skipped: the images are not there"; exit 77; }
folder=${DM_BUILD:?}/bench-nn
mkdir -p "$folder" || exit 1
for part in images.idx3 labels.idx1; do
  gunzip -c "$images/mnist10k-train-$part.gz" >"$folder/$part" || exit 1
done
for python in /usr/bin/python3 python3; do
  "$python" -c 'import torch' 2>/dev/null || continue
  exec "$python" "$(dirname "$0")/bench_nn.py" "$1" "$folder/images.idx3" "$folder/labels.idx1" "$folder" ${2:+"$2"}
done
echo "skipped: no Python with PyTorch"
exit 77
