/*
 * Sources: a row of dm_source tells how a file was read, exactly enough to
 * read a record of it again or to write the same bytes.
 */
#ifndef DM_STORE_SOURCE_H
#define DM_STORE_SOURCE_H

#include "data/typed.h"
#include "store/store.h"

typedef struct dm_source_info {
  int64_t id;
  const char *uri, *sha256, *table;
  uint64_t bytes, records;
  dm_csv_dialect dialect;
  dm_on_extra on_extra;
  const char *const *columns; /* of the table, in the file's order */
  const char *const *headers; /* their texts in the file */
  size_t n_columns;
  const char *preamble; /* the file's text before its first record, BOM and header; NULL when it was not kept */
} dm_source_info;

/**
 * dm_source.options of a file that was read to its end.
 * @param columns [d] names in the table @param first_offset where the first record begins; the file's size when there is none
 */
dm_status dm_source_options_json(const dm_typed *t, const char *const *columns, uint64_t first_offset, dm_buf *out, dm_error *err);
/** DM_EINPUT when the row is gone or its options are not ours. Strings in the arena. */
dm_status dm_source_load(dm_store *store, int64_t id, dm_arena *arena, dm_source_info *out, dm_error *err);
/** The one source of a table; *found false when it has none or several. */
dm_status dm_source_of_table(dm_store *store, const char *table, dm_arena *arena, dm_source_info *out, bool *found, dm_error *err);

#endif
