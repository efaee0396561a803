#!/bin/sh
# Installs what is missing, builds, runs the whole pipeline of quickstart.yaml
# on the data in datasets/, and says where the results are.
# Writes only under build/.
set -eu
cd "$(dirname "$0")/.."
sh tools/install-deps.sh

if [ ! -f build/release/build.ninja ]; then
  meson setup build/release --buildtype=release >/dev/null || { cat build/release/meson-logs/meson-log.txt >&2; exit 1; }
fi
ninja -C build/release tools/dm-clean tools/dm-mine sql/dm.so >build/release/build.log 2>&1 || { cat build/release/build.log >&2; exit 1; }

mkdir -p build/quickstart
rm -f build/quickstart/dm.db build/quickstart/report.html
code=0
build/release/tools/dm-mine run tools/quickstart.yaml || code=$?
# 1 says that records were rejected, which the dirty file is there for
[ "$code" -le 1 ] || exit "$code"

cat <<EOF

Database: $PWD/build/quickstart/dm.db
Report:   $PWD/build/quickstart/report.html

Try next:
  build/release/tools/dm-clean why build/quickstart/dm.db biopsy 17 class
  build/release/tools/dm-mine audit build/quickstart/dm.db tumour --row 17
  build/release/tools/dm-mine audit build/quickstart/dm.db diabetes_learned --row 5
  sqlite3 build/quickstart/dm.db ".load build/release/sql/dm" "SELECT dm_predict('diabetes', pregnant, glucose, pressure, triceps, insulin, mass, pedigree, age), diabetes FROM pima LIMIT 5"
EOF
