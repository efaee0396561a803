/*
 * Rows of a source, scored and written: what predict and encode share. Each
 * says which columns stand behind dm_id and what is in them.
 *
 *   source -> dm_rows -> dm_scorer_rows, in batches -> cells -> table, or a temporary one that is exported to a file
 *
 * dm_id is no key of that table: its rows stand in the order of the source,
 * and a source may give a row twice.
 */
#ifndef DM_PIPELINE_SCORED_H
#define DM_PIPELINE_SCORED_H

#include "pipeline/rows.h"

enum { DM_COLUMNS_MAX = 2000 }; /* of an SQLite table */

typedef struct dm_scored_table {
  const char *verb; /* "predict": of the run, and for progress */
  const dm_scorer *scorer;
  size_t n;         /* columns behind dm_id */
  const char **names, **types;
  dm_scored scored; /* what is wanted of a batch of DM_ROWS_BATCH rows */
  /** Cells [n] of row r of the batch. */
  void (*cells)(const struct dm_scored_table *t, size_t r, dm_value *out);
} dm_scored_table;

/** Room for n columns and names, in arena. */
dm_status dm_scored_columns(dm_scored_table *t, size_t n, dm_arena *arena, dm_error *err);
/** Names column i "<prefix><name>", with a number behind it when an earlier one has that name without regard to case. */
dm_status dm_scored_name(dm_scored_table *t, size_t i, const char *prefix, dm_str name, const char *type, dm_arena *arena, dm_error *err);
/** Scores src and writes it as options say: a table with its run in one transaction, or a file. Fills rows and rejects of out. */
dm_status dm_scored_write(dm_store *store, const dm_scored_table *t, const char *model, const dm_src *src, const dm_predict_options *options,
                          dm_predict_result *out, dm_error *err);

#endif
