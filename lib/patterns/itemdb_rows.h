/* How the rows of an item database are made: what both ways are given. */
#ifndef DM_PATTERNS_ITEMDB_ROWS_H
#define DM_PATTERNS_ITEMDB_ROWS_H

#include "patterns/itemdb.h"

enum { NOT_FREQUENT = UINT32_MAX, ITEMDB_PARTS = 64 };

typedef struct itemdb_job {
  dm_ctx *ctx;
  const dm_transactions *t;
  dm_csr *take;         /* rows of t that may be changed and taken, or NULL */
  uint64_t min_support;
  dm_itemdb *db;        /* items and supports are there; rows and weight are made */
  const uint32_t *code; /* [n_items of t] code in db, or NOT_FREQUENT */
  size_t parts;         /* threads: rows first[i] … first[i + 1] - 1 are part i */
  size_t first[ITEMDB_PARTS + 1];
} itemdb_job;

/** Are there so few items that rows are better taken as bits? */
bool itemdb_takes_bits(const itemdb_job *j);
dm_status itemdb_bit_rows(const itemdb_job *j, dm_error *err);
dm_status itemdb_list_rows(const itemdb_job *j, dm_error *err);

/** How often row r counts. */
static inline uint32_t itemdb_weight(const dm_transactions *t, size_t r) { return t->weight ? t->weight[r] : 1; }

#endif
