/* SRC: a table, a SELECT, or a data file. Tables win over files of the same name. */
#include <dm/pipeline.h>

#include <string.h>
#include <sys/stat.h>

/* Where the database cannot say, true: the file is not read in its stead, and reading the table says what is wrong. */
static bool is_table(dm_store *store, const char *text) {
  dm_arena *arena = NULL;
  if (dm_arena_new(dm_store_ctx(store), 0, &arena, NULL) != DM_OK) return true;
  dm_table table;
  bool found = dm_store_table(store, text, arena, &table, NULL) != DM_EUSAGE;
  dm_arena_free(arena);
  return found;
}

bool dm_src_is_file(dm_store *store, const char *text) {
  struct stat st;
  return stat(text, &st) == 0 && !S_ISDIR(st.st_mode) && !is_table(store, text);
}

dm_status dm_src_frame(dm_store *store, const dm_src *src, const char *const *columns, size_t n, dm_frame **out, char *digest,
                       dm_error *err) {
  if (!dm_src_is_file(store, src->text)) return dm_store_frame(store, src->text, columns, n, out, digest, err);
  static const dm_csv_options detect;
  return dm_file_frame(dm_store_ctx(store), src->text, src->reading ? src->reading : &detect, out, digest, err);
}
