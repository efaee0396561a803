/*
 * The database that a miner works on: frequent items only, recoded so that
 * code 0 is the most frequent one (ties: the code in the transactions decides),
 * equal rows merged and weighted. What a support of at least min_support
 * leaves over, and no more.
 *
 *   transactions   milk bread | bread | milk bread beer | bread       (4 transactions)
 *   min_support 2  codes: bread 0 (4), milk 1 (2)
 *   rows           {0, 1} weight 2 · {0} weight 2
 */
#ifndef DM_PATTERNS_ITEMDB_H
#define DM_PATTERNS_ITEMDB_H

#include <dm/data.h>

typedef struct dm_itemdb {
  dm_ctx *ctx;
  uint64_t total;       /* N: all transactions with their weights, those without a frequent item too */
  uint64_t min_support; /* >= 1 */
  size_t n_items;       /* frequent ones */
  uint32_t *source;     /* [n_items] code in the transactions */
  uint64_t *support;    /* [n_items], falling */
  dm_csr rows;          /* (n, n_items): distinct rows that are not empty, codes ascending; rows in the order in which they were first seen */
  uint32_t *weight;     /* [n] >= 1 */
} dm_itemdb;

/**
 * @param t read only. @param min_support >= 1.
 * @return DM_EBUDGET. An empty database (n_items 0) is no error.
 * Cost: O(ones). Memory: 4 bytes for each one of the transactions, about 24 a row; less where there are few items. Same rows for any
 * number of threads. Rows may be equal where the weight of one could not hold the sum.
 */
dm_status dm_itemdb_build(dm_ctx *ctx, const dm_transactions *t, uint64_t min_support, dm_itemdb *out, dm_error *err);
/** The same where its rows stand, which are taken: afterwards, also on failure, the transactions have names and supports, but no rows. */
dm_status dm_itemdb_take(dm_ctx *ctx, dm_transactions *t, uint64_t min_support, dm_itemdb *out, dm_error *err);
void dm_itemdb_clear(dm_itemdb *db);

#endif
