/*
 * Search with 65 to 128 items left and most rows long: a row is two words. The
 * items of the high word lead on first; what they leave fits into one word as
 * soon as 64 items are left, and the low words alone are the search without
 * them.
 *
 *   row      high        low                   to the sets with item 66:
 *    0       0 1 0 1     1 … 0 1               rows 0 and 2, bits below 66
 *    1       1 0 0 0     0 … 1 1               counted, squeezed, merged
 *    2       0 1 1 0     1 … 1 1
 */
#include "patterns/hybrid.h"

typedef struct counts {
  uint32_t low[64 + DM_K_SPARE], high[64 + DM_K_SPARE];
} counts;

/* Rows with the column, of them what stands before it. */
static void select_rows(const hybrid_wide *node, unsigned column, hybrid_wide *to) {
  uint64_t bit = (uint64_t)1 << (column - 64);
  size_t n = 0;
  for (size_t r = 0; r < node->n; r++) {
    bool has = node->high[r] & bit;
    to->low[n] = node->low[r];
    to->high[n] = node->high[r] & (bit - 1);
    to->weight[n] = node->weight[r];
    to->support += has ? node->weight[r] : 0;
    n += has;
  }
  to->n = n;
}

/* What is frequent and not perfect is kept; the perfect ones go to the emit. */
static uint64_t choose(hybrid_worker *w, const uint32_t *count, const uint32_t *item, unsigned n, hybrid_wide *to) {
  uint64_t keep = 0;
  for (unsigned c = 0; c < n; c++) {
    if (count[c] == to->support) {
      dm_emit_perfect(w->e, item[c]);
    } else if (count[c] >= w->h->min) {
      keep |= (uint64_t)1 << c;
      to->item[to->columns++] = item[c];
    }
  }
  return keep;
}

/* The high columns move down behind the low ones. */
static void squeeze(hybrid_worker *w, hybrid_wide *to, uint64_t keep_low, uint64_t keep_high) {
  unsigned low = (unsigned)__builtin_popcountll(keep_low);
  w->h->k->squeeze(to->low, to->n, keep_low);
  w->h->k->squeeze(to->high, to->n, keep_high);
  if (low == 64) return;
  for (size_t r = 0; r < to->n; r++) {
    to->low[r] |= to->high[r] << low;
    to->high[r] = low ? to->high[r] >> (64 - low) : 0;
  }
}

static dm_status search_narrow(hybrid_worker *w, const hybrid_wide *node) {
  hybrid_masks m = {.mask = node->low, .weight = node->weight, .n = node->n, .support = node->support};
  m.columns = node->columns < 64 ? node->columns : 64;
  memcpy(m.item, node->item, m.columns * sizeof *m.item);
  dm_status s = m.columns > hybrid_table_columns(m.n) ? hybrid_masks_merge(w, &m) : DM_OK;
  return s == DM_OK ? hybrid_masks_search(w, &m) : s;
}

dm_status hybrid_wide_search(hybrid_worker *w, const hybrid_wide *node) {
  dm_status s = DM_OK;
  for (unsigned c = node->columns; c-- > 64 && s == DM_OK && hybrid_goes_on(w);) s = hybrid_wide_extend(w, node, c);
  return s == DM_OK ? search_narrow(w, node) : s;
}

dm_status hybrid_wide_extend(hybrid_worker *w, const hybrid_wide *node, unsigned column) {
  dm_emit *e = w->e;
  const dm_k_masks *k = w->h->k;
  size_t perfect = e->n_perfect;
  dm_stack_mark mark = dm_stack_at(&w->memory);
  hybrid_wide to = {.low = hybrid_take(w, node->n + 1, sizeof *to.low)};
  if (!to.low || !(to.high = hybrid_take(w, node->n + 1, sizeof *to.high)) || !(to.weight = hybrid_take(w, node->n + 1, sizeof *to.weight)))
    return DM_EBUDGET;
  select_rows(node, column, &to);
  dm_emit_push(e, node->item[column]);
  if (e->n < w->h->max_size) {
    counts c;
    k->counts(to.low, to.weight, to.n, 64, c.low);
    k->counts(to.high, to.weight, to.n, column - 64, c.high);
    uint64_t low = choose(w, c.low, node->item, 64, &to), high = choose(w, c.high, node->item + 64, column - 64, &to);
    squeeze(w, &to, low, high);
  }
  dm_status s = DM_OK;
  if (to.columns)
    s = hybrid_wide_search(w, &to);
  else
    hybrid_leaf(w, to.support);
  dm_emit_unperfect(e, perfect);
  dm_emit_pop(e);
  dm_stack_back(&w->memory, mark);
  return s;
}
