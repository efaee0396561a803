/* Codes of one row in ascending order, each once: a short row is sorted where it stands, a long one goes through bits. */
#ifndef DM_DATA_CODES_H
#define DM_DATA_CODES_H

#include <dm/core.h>

/** Room for sorting rows of codes below `limit`; one for each thread. */
typedef struct dm_codes {
  dm_ctx *ctx;
  uint32_t limit;
  uint64_t *bits;  /* bit c: code c is in the row; all zero between two rows */
  uint64_t *words; /* bit w: word w of bits is not zero */
} dm_codes;

dm_status dm_codes_init(dm_codes *c, dm_ctx *ctx, dm_error *err);
void dm_codes_clear(dm_codes *c);
/** Codes below limit may come from now on. */
dm_status dm_codes_limit(dm_codes *c, size_t limit, dm_error *err);
/** @return how many are left at the begin of row. */
size_t dm_codes_sort(dm_codes *c, uint32_t *row, size_t n);

#endif
