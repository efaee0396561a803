/* Readers of transactions, behind dm_store_transactions; each fills a builder that the caller frees or finishes. */
#ifndef DM_STORE_TRANSACTIONS_H
#define DM_STORE_TRANSACTIONS_H

#include "store/push.h"

/** One row an item: columns tid and item of SRC, and count or NULL. */
dm_status dm_pairs_read(dm_store *store, const char *src, const char *tid, const char *item, const char *count, dm_arena *arena,
                        dm_transactions_builder **out, dm_error *err);
/** One row a transaction: column basket of SRC, and count or NULL. */
dm_status dm_baskets_read(dm_store *store, const char *src, const char *basket, const dm_basket_options *splitting, const char *count,
                          dm_arena *arena, dm_transactions_builder **out, dm_error *err);
/** How often a transaction counts. @param column its name, for messages. @return DM_EINPUT naming the row (from 1). */
dm_status dm_weight_of(sqlite3_value *v, const char *column, size_t row, uint64_t *out, dm_error *err);

#endif
