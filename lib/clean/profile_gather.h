/* Values of one column with their counts, gathered in one pass, within a limit of memory. */
#ifndef DM_CLEAN_PROFILE_GATHER_H
#define DM_CLEAN_PROFILE_GATHER_H

#include <dm/data.h>

/**
 * A column of one type. Numbers are counted in a hash table while they are
 * few, then kept as an array of sortable keys; texts are counted in a
 * dictionary. `over` says that the limit was passed, or that the column holds
 * more than one type: then nothing is kept and SQLite has to sort.
 */
typedef struct dm_gather {
  dm_ctx *ctx;
  dm_type type; /* of the values seen; DM_NULL: none yet */
  bool over;
  uint64_t n, missing;
  size_t bytes, limit;
  uint64_t *slots, *slot_counts; /* open addressing, count 0 = free */
  size_t n_slots, n_few;
  uint64_t *keys;                /* [n] once there are too many for the table */
  size_t capacity;
  dm_dict *texts;
  uint64_t *counts;              /* [of the dictionary] */
  size_t n_counts;
} dm_gather;

typedef dm_status (*dm_group_fn)(void *user, dm_value v, uint64_t count, dm_error *err);

void dm_gather_init(dm_gather *g, dm_ctx *ctx, size_t limit);
void dm_gather_clear(dm_gather *g);
dm_status dm_gather_add(dm_gather *g, const dm_value *v, dm_error *err);
/** Least and greatest number; false when there are none. Call after dm_gather_sort. */
bool dm_gather_range(const dm_gather *g, double *min, double *max);
/** Must come before range and each; may find that there is no memory to sort (over). */
dm_status dm_gather_sort(dm_gather *g, dm_error *err);
/** Every distinct value with its count: numbers ascending, texts in the order of their first appearance. */
dm_status dm_gather_each(dm_gather *g, dm_group_fn fn, void *user, dm_error *err);

#endif
