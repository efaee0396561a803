/* Distinct values of a column: what bins, levels and modes are made from. */
#ifndef DM_MATRIX_DISTINCT_H
#define DM_MATRIX_DISTINCT_H

#include <dm/core.h>

/**
 * Room for columns of up to n values, used again for each. After a run:
 *
 *   x[]       7.5  2.0  NaN  7.5          values  2.0  7.5      k = 2
 *   code[]    1    0    2    1            counts  1    2        n_missing = 1
 */
typedef struct dm_distinct {
  dm_ctx *ctx;
  size_t capacity;
  uint32_t *code;   /* [n] place of each value, k where it is NaN */
  double *values;   /* [k] ascending; -0 counts as 0; both may be overwritten until the next run */
  uint32_t *counts; /* [k] */
  size_t k, n_missing;
  void *sorting; /* scratch */
} dm_distinct;

/** @param n at most UINT32_MAX - 1. Holds 28 bytes for each value. */
dm_status dm_distinct_init(dm_distinct *work, dm_ctx *ctx, size_t n, dm_error *err);
void dm_distinct_clear(dm_distinct *work);
/** @param x [n] n ≤ capacity. Cost: O(n), hashing where values are few, radix sort where they are many. */
void dm_distinct_run(dm_distinct *work, size_t n, const double *x);

#endif
