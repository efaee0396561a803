/* Figures of a sample given as values in ascending order with their counts: the same bits however they were gathered. */
#ifndef DM_CLEAN_SUMMARY_H
#define DM_CLEAN_SUMMARY_H

#include <dm/core.h>

/** Mean by a compensated sum (whole results stay whole), squares about the mean by Welford with counts (West 1979). */
typedef struct dm_clean_moments {
  uint64_t n;
  double sum, lost;  /* Neumaier */
  double mean, m2;   /* Welford */
} dm_clean_moments;

void dm_clean_moments_add(dm_clean_moments *m, double v, uint64_t count);
double dm_clean_moments_mean(const dm_clean_moments *m); /* NaN when n = 0 */
double dm_clean_moments_sd(const dm_clean_moments *m);   /* n - 1; NaN when n < 2 */

/** The q-quantile of n values by linear interpolation: h = (n-1)q, x[⌊h⌋] + (h-⌊h⌋)(x[⌊h⌋+1] - x[⌊h⌋]) (type 7). */
typedef struct dm_clean_quantile {
  double share;
  uint64_t at;
  double low, high;
} dm_clean_quantile;

void dm_clean_quantile_init(dm_clean_quantile *q, double p, uint64_t n);
/** @param before how many values came already. */
void dm_clean_quantile_add(dm_clean_quantile *q, double v, uint64_t before, uint64_t count);
double dm_clean_quantile_value(const dm_clean_quantile *q);

#endif
