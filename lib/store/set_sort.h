/*
 * Itemsets in the order in which they are stored: by size, then by support
 * (falling), then by their codes. What is more than fits in a chunk of memory
 * goes to a file without a name, sorted, and is merged at the end.
 *
 *   sets -> chunk -- full: sorted --> run 0 | run 1 | …   file
 *             last chunk, sorted  -----------------------> merge -> dm_set_sort_next
 *
 *   a set in words of 32 bits:  n  support (low, high)  code 0 … code n-1
 */
#ifndef DM_STORE_SET_SORT_H
#define DM_STORE_SET_SORT_H

#include <dm/core.h>

typedef struct dm_set_sort dm_set_sort;

/** @param directory of the file, NULL: everything stays in memory. @param chunk words that are kept in memory, 0 = 16 MB */
dm_status dm_set_sort_new(dm_ctx *ctx, const char *directory, size_t chunk, dm_set_sort **out, dm_error *err);
void dm_set_sort_free(dm_set_sort *s); /* NULL allowed */
/** @param codes [n] ascending */
dm_status dm_set_sort_add(dm_set_sort *s, const uint32_t *codes, size_t n, uint64_t support, dm_error *err);
/** After the last add. */
dm_status dm_set_sort_finish(dm_set_sort *s, dm_error *err);
/** The next set in words, borrowed until the next call; NULL at the end. */
dm_status dm_set_sort_next(dm_set_sort *s, const uint32_t **set, dm_error *err);

static inline uint64_t dm_set_support(const uint32_t *set) { return set[1] | (uint64_t)set[2] << 32; }

#endif
