/* Rows of codes that are being read: each code once in a row, in the order of the source, and how often each code was seen. */
#ifndef DM_DATA_CODE_ROWS_H
#define DM_DATA_CODE_ROWS_H

#include <dm/data.h>

#include "data/items.h"

typedef struct dm_seen {
  uint32_t row;   /* the last row that has the code, from 1 */
  uint32_t count; /* rows that have it */
} dm_seen;

typedef struct dm_code_rows {
  dm_ctx *ctx;
  size_t n;        /* rows that are closed and not empty */
  size_t *start;   /* [capacity + 1] the row that is open begins at start[n] */
  size_t capacity;
  uint32_t *index; /* [index_capacity] */
  size_t n_index, index_capacity;
  dm_seen *seen;   /* [n_seen] */
  size_t n_seen;
  uint64_t empty, repeated;
} dm_code_rows;

dm_status dm_code_rows_init(dm_code_rows *rows, dm_ctx *ctx, dm_error *err);
void dm_code_rows_clear(dm_code_rows *rows);
/** Room for so many codes and rows more. */
dm_status dm_code_rows_reserve(dm_code_rows *rows, size_t codes, size_t n, dm_error *err);
/** Codes below n_codes may come from now on. */
dm_status dm_code_rows_codes(dm_code_rows *rows, size_t n_codes, dm_error *err);

/** One code for the open row; there is room for it. */
static inline void dm_code_rows_add(dm_code_rows *rows, uint32_t code) {
  dm_seen *seen = &rows->seen[code];
  uint32_t row = (uint32_t)rows->n + 1, fresh = seen->row != row;
  seen->row = row;
  seen->count += fresh;
  rows->index[rows->n_index] = code;
  rows->n_index += fresh;
  rows->repeated += !fresh;
}

/** Closes the row; there is room for one more. @return false: it was empty, and is none */
static inline bool dm_code_rows_end(dm_code_rows *rows) {
  bool any = rows->n_index > rows->start[rows->n];
  rows->n += any;
  rows->start[rows->n] = rows->n_index;
  rows->empty += !any;
  return any;
}

/** Transactions of the rows, which are taken, as are items and weight; when it fails nothing is. */
dm_status dm_code_rows_finish(dm_code_rows *rows, dm_items *items, uint32_t *weight, uint64_t total, uint64_t empty, dm_transactions **out, dm_error *err);

#endif
