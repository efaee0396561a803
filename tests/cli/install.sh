#!/bin/sh
# An installed libdm is found by pkg-config and links, shared and static; the
# installed commands run without the build folder. usage: install.sh BUILD CC
. "$(dirname "$0")/lib.sh"
cc=$1
run 0 meson install -C "$DM_BUILD" --no-rebuild --destdir "$folder/root"
prefix=$(find root -name dm-clean -type f | head -n 1 | sed 's|/bin/dm-clean$||')
pc=$(dirname "$(find root -name dm.pc)")
cat >use.c <<'C'
#include <dm/dm.h>
#include <stdio.h>
int main(void) {
  dm_ctx *ctx;
  dm_store *store;
  dm_ctx_options options = {.learners = dm_methods};
  if (dm_ctx_new(&options, &ctx, NULL) != DM_OK || dm_store_open(ctx, ":memory:", DM_STORE_WRITE, &store, NULL) != DM_OK) return 1;
  dm_store_close(store);
  dm_ctx_free(ctx);
  puts("linked " DM_VERSION);
  return 0;
}
C
export PKG_CONFIG_PATH="$folder/$pc" PKG_CONFIG_SYSROOT_DIR=
flags="-I$folder/$prefix/include -L$folder/$(dirname "$pc")"
# shellcheck disable=SC2086,SC2046
{
  run 0 $cc use.c $flags $(pkg-config --libs-only-l dm) -o shared
  run 0 env LD_LIBRARY_PATH="$folder/$(dirname "$pc")" ./shared
  says out "linked 0.1.0"
  # libdm.a with the shared libraries it names; theirs are their own matter
  needs=$(pkg-config --print-requires-private dm | sed 's/[<>=].*//')
  run 0 $cc use.c $flags "$folder/$(dirname "$pc")/libdm.a" $(pkg-config --libs $needs) -fopenmp -lm -o static
  run 0 ./static
}
run 0 "$prefix/bin/dm-clean" import i.db "$data/iris.csv" --quiet
run 0 "$prefix/bin/dm-mine" train tree i.db iris --target species
run 0 sqlite3 i.db ".load $folder/$(find root -name dm.so | sed 's/\.so$//')" "SELECT dm_version()"
finish
