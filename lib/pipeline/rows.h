/*
 * Rows of a source, batch by batch, already bound to a model's inputs: from a
 * statement (any size of table) or from a data file's frame.
 */
#ifndef DM_PIPELINE_ROWS_H
#define DM_PIPELINE_ROWS_H

#include <dm/pipeline.h>

enum { DM_ROWS_BATCH = 1024 };

typedef struct dm_rows dm_rows;

/** Every input must be a column of the source (by name); DM_EINPUT lists those that are not. */
dm_status dm_rows_open(dm_store *store, const dm_scorer *scorer, const dm_src *src, dm_rows **out, dm_error *err);
void dm_rows_close(dm_rows *rows);
/** Records of a data file that did not fit. */
uint64_t dm_rows_rejects(const dm_rows *rows);
/**
 * Next batch: raw [n, d] row-major, ids[n] = dm_id or the ordinal from 1.
 * @return DM_OK with *n = 0 at the end.
 */
dm_status dm_rows_next(dm_rows *rows, size_t *n, const double **raw, const int64_t **ids, dm_error *err);

#endif
