/*
 * Rows of the items: a list for each, and bits for those that are in so many
 * rows that their bits are shorter than the list.
 *
 *   rows {a b} {b} {a b c}      a  0 2    b  0 1 2    c  2      bits of b  1 1 1
 */
#ifndef DM_PATTERNS_ITEM_ROWS_H
#define DM_PATTERNS_ITEM_ROWS_H

#include <dm/matrix.h>

typedef struct item_rows {
  dm_ctx *ctx;
  size_t n_rows, words;
  size_t *start;   /* [items + 1] */
  uint32_t *list;  /* rows of item i: list[start[i]] …, ascending */
  uint64_t **bits; /* [items] → [words], NULL: there is only the list */
  uint64_t *block, *work;
} item_rows;

dm_status item_rows_init(dm_ctx *ctx, const dm_csr *rows, item_rows *out, dm_error *err);
void item_rows_clear(item_rows *x);

static inline size_t item_rows_n(const item_rows *x, uint32_t item) { return x->start[item + 1] - x->start[item]; }

/** Those of the rows, ascending, that have the item. @param out [n], may be `rows`. @return how many */
size_t item_rows_keep(const item_rows *x, uint32_t item, const uint32_t *rows, size_t n, uint32_t *out);
/** Rows that have all items. @param n >= 1 @param out room for the rows of any of the items. Not by two threads at once. */
size_t item_rows_of(const item_rows *x, const uint32_t *items, size_t n, uint32_t *out);

#endif
