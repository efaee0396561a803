/*
 * The one interface of all searches for sets, and the table of them.
 *
 * frequent    support >= min_support, not empty
 * closed      frequent, and no superset has the same support
 * maximal     frequent, and no superset is frequent
 * generators  frequent, and no proper subset, the empty one (support N) too, has the same support
 *
 * An item that every transaction has is treated as any other.
 */
#ifndef DM_PATTERNS_MINER_H
#define DM_PATTERNS_MINER_H

#include "patterns/reporter.h"

#include <dm/patterns.h>

typedef struct dm_miner {
  const char *name, *summary; /* "eclat", "vertical bit rows and difference sets" */
  unsigned kinds;             /* bits 1 << DM_FREQUENT … */
  bool limits_size;           /* heeds search->max_size itself; the reporter leaves out longer sets in any case */
  /**
   * Opens and closes the reporter's tasks; the caller calls dm_reporter_finish.
   * @param max_size sets longer than this need not be searched for (SIZE_MAX: all).
   * @return what could not even begin: DM_EBUDGET. Failures of tasks go to the reporter.
   */
  dm_status (*mine)(dm_ctx *ctx, const dm_itemdb *db, dm_itemset_kind kind, size_t max_size, dm_reporter *out, dm_error *err);
} dm_miner;

extern const dm_miner dm_miner_apriori, dm_miner_eclat, dm_miner_fpgrowth; /* classic: readable and complete */
extern const dm_miner dm_miner_hybrid;                                     /* frequent sets, fast */
extern const dm_miner dm_miner_lcm;                                        /* closed sets, maximal sets, generators, fast */

/** NULL-ended table of all searches. */
extern const dm_miner *const dm_miners[];
/** What `auto` means for a database. */
const dm_miner *dm_miner_choose(const dm_itemdb *db, dm_itemset_kind kind);
/** @param name NULL is auto. @return DM_EUSAGE: no such search, or one that does not know the kind. */
dm_status dm_miner_find(const char *name, const dm_itemdb *db, dm_itemset_kind kind, const dm_miner **out, dm_error *err);

#endif
