/* One import under way: what its files share. */
#ifndef DM_STORE_IMPORT_JOB_H
#define DM_STORE_IMPORT_JOB_H

#include "data/typed.h"
#include "store/store.h"

enum { DM_IMPORT_NAME_MAX = 200, DM_IMPORT_COLUMNS_MAX = 1999 /* SQLite's 2000, less dm_id */ };

typedef struct dm_import_job {
  dm_store *store;
  const char *path;
  const dm_import_options *options;
  dm_arena *arena;
  dm_typed *t;
  const char *table;
  const char **names;    /* [d] column of the table for each of the file */
  dm_table target;       /* append: the table as it is */
  size_t *places;        /* append: [d] place of names[i] in target */
  bool append;
  int64_t run_id, source_id, first_id;
  uint64_t first_offset; /* of the first record in the file; its size when there is none */
  dm_format *formats;    /* [d] after the last pass */
  const char **notes;    /* of the import itself, before those of the reader */
  size_t n_notes, notes_capacity;
} dm_import_job;

/** DM_EUSAGE for a name that a table cannot have. */
dm_status dm_import_check_name(const char *name, dm_error *err);
dm_status dm_import_note(dm_import_job *job, dm_error *err, const char *format, ...) DM_PRINTF(3, 4);

/* ---- appending (import_append.c) ---------------------------------------------- */

/** Finds the table's column for each of the file; DM_EUSAGE when they are not the same columns. Sets the types to go on with. */
dm_status dm_import_match(dm_import_job *job, dm_error *err);
/**
 * After the file's types are known (a whole pass or dm_typed_settle): joins
 * them with the cells that the table holds. Columns that must change are
 * rebuilt, which is noted, and their cells printed as they came.
 * @param *rebuilt true when a column's type changed: rows of this file must come again.
 */
dm_status dm_import_join_types(dm_import_job *job, bool dry, bool *rebuilt, dm_error *err);

/* ---- what stands beside the rows (import_records.c) ------------------------------ */

typedef struct dm_import_records dm_import_records;
/** Writes dm_reject and dm_origin for the batches of one pass. */
dm_status dm_import_records_open(dm_store *store, int64_t source_id, const char *table, dm_import_records **out, dm_error *err);
dm_status dm_import_records_add(dm_import_records *records, const dm_rows *batch, int64_t first_id, dm_error *err);
void dm_import_records_close(dm_import_records *records); /* NULL allowed */

/** The row of dm_source, counts still open; run_id and path are the job's. */
dm_status dm_import_source_begin(dm_import_job *job, dm_error *err);
/** Completes it, and writes dm_column. */
dm_status dm_import_source_end(dm_import_job *job, dm_error *err);
/** Takes a table away with all that import and cleaning noted of it. */
dm_status dm_import_drop(dm_import_job *job, dm_error *err);

#endif
