/*
 * Batches into a table: a virtual table shows the batch to SQLite and one
 * INSERT ... SELECT takes all its rows, without binding cell by cell.
 */
#ifndef DM_STORE_IMPORT_ROWS_H
#define DM_STORE_IMPORT_ROWS_H

#include "data/typed.h"
#include "store/store.h"

typedef struct dm_import_rows dm_import_rows;

/**
 * @param names [d] columns of the table that the batch's columns go to
 */
dm_status dm_import_rows_open(dm_store *store, const char *table, const char *const *names, size_t d, dm_import_rows **out,
                              dm_error *err);
/** Inserts the batch's rows with dm_id from first_id on. */
dm_status dm_import_rows_add(dm_import_rows *rows, const dm_rows *batch, int64_t first_id, dm_error *err);
void dm_import_rows_close(dm_import_rows *rows); /* NULL allowed */

#endif
