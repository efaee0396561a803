/* Parts of rows: what the plain and the grouped splits share. */
#ifndef DM_DATA_SPLIT_H
#define DM_DATA_SPLIT_H

#include <dm/data.h>

/** Codes 0 … k-1 of n rows. */
typedef struct dm_strata {
  uint32_t *code;
  size_t k;
} dm_strata;

/**
 * Deals whole groups to n_parts parts so that each part gets about its share
 * of every class.
 * @param share [n_parts] of all rows, sum 1.
 * @param keep_in_first every class must stay in part 0 (the training part).
 * @param part [n] written.
 */
dm_status dm_split_groups(dm_ctx *ctx, size_t n, const dm_strata *classes, const dm_strata *groups, size_t n_parts,
                          const double *share, bool keep_in_first, dm_rng *rng, uint32_t *part, dm_error *err);

#endif
