/* Powers of ten in 128 bits: what reading and printing doubles both stand on. */
#ifndef DM_TEXT_POWERS10_H
#define DM_TEXT_POWERS10_H

#include <stdint.h>

enum { DM_POW10_MIN = -342, DM_POW10_MAX = 324, DM_POW10_EXACT = 55 };

/**
 * 10^k = (high * 2^64 + low) * 2^(floor(log2(10^k)) - 127), rounded up to an
 * integer: the top bit of high is set, and the value is at most one unit of
 * low too large. Exact for 0 ≤ k ≤ DM_POW10_EXACT, where 5^k fits 128 bits.
 */
typedef struct dm_pow10 {
  uint64_t high, low;
} dm_pow10;

extern const dm_pow10 dm_pow10_table[DM_POW10_MAX - DM_POW10_MIN + 1];

/* floor(log2(10^k)), good for |k| ≤ 1233 */
static inline int dm_pow10_log2(int k) { return (k * 1741647) >> 19; }

#endif
