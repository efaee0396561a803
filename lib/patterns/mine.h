/* One search, for whatever is to become of the sets. */
#ifndef DM_PATTERNS_MINE_H
#define DM_PATTERNS_MINE_H

#include "patterns/miner.h"

/** @param db built here; cleared by the caller in any case. @param r with format, sink and limit; the rest is filled in here. */
dm_status dm_mine_search(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, dm_itemdb *db, dm_reporter_options r, uint64_t *n,
                         bool *limited, dm_error *err);

#endif
