#!/bin/sh
# Make every CSV file of this folder and SHA256SUMS again from Debian's packages.
#
# usage: make-datasets.sh [DIR]     (default: the folder of this script)
#
# needs: apt-get install --no-install-recommends python3-sklearn r-base-core r-cran-mass r-cran-mlbench
# Nothing in DIR changes unless all of it could be made. To compare instead of
# replacing:  make-datasets.sh /tmp/again && cmp /tmp/again/SHA256SUMS SHA256SUMS
set -eu
LC_ALL=C
export LC_ALL

here=$(cd -- "$(dirname -- "$0")" && pwd)
dir=${1:-$here}
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

# Debian's Python packages belong to the system's own python3; another one may
# come first in PATH.
"${PYTHON:-/usr/bin/python3}" "$here/make-sklearn.py" "$new"
Rscript "$here/make-r.R" "$new"
sh "$here/make-dirty.sh" "$new"
(cd "$new" && sha256sum -- *.csv > SHA256SUMS)

mkdir -p "$dir"
cp -- "$new"/*.csv "$new/SHA256SUMS" "$dir"
