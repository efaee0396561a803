#include "clean/summary.h"

#include <math.h>

void dm_clean_moments_add(dm_clean_moments *m, double v, uint64_t count) {
  double c = (double)count, n = (double)m->n, add = v * c, sum = m->sum + add;
  m->lost += fabs(m->sum) >= fabs(add) ? m->sum - sum + add : add - sum + m->sum;
  m->sum = sum;
  double delta = v - m->mean;
  m->n += count;
  m->mean += delta * (c / (n + c));
  m->m2 += delta * delta * (n * c / (n + c));
}

double dm_clean_moments_mean(const dm_clean_moments *m) {
  if (m->n == 0) return (double)NAN;
  double sum = m->sum + m->lost;
  return isfinite(sum) ? sum / (double)m->n : m->mean; /* the sum may be too large where the mean is not */
}

double dm_clean_moments_sd(const dm_clean_moments *m) { return m->n < 2 ? (double)NAN : sqrt(m->m2 / (double)(m->n - 1)); }

void dm_clean_quantile_init(dm_clean_quantile *q, double p, uint64_t n) {
  double h = n ? (double)(n - 1) * p : 0;
  *q = (dm_clean_quantile){.share = h - floor(h), .at = (uint64_t)floor(h), .low = (double)NAN, .high = (double)NAN};
}

void dm_clean_quantile_add(dm_clean_quantile *q, double v, uint64_t before, uint64_t count) {
  if (q->at >= before && q->at < before + count) q->low = v;
  if (q->at + 1 >= before && q->at + 1 < before + count) q->high = v;
}

double dm_clean_quantile_value(const dm_clean_quantile *q) { return q->share > 0 ? q->low + q->share * (q->high - q->low) : q->low; }
