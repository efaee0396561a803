/*
 * Rows of bits that become equal are merged as they come: looked up by their
 * bits in the tail, weights added, and of all else only what both have is kept.
 */
#ifndef DM_PATTERNS_LCM_MERGE_H
#define DM_PATTERNS_LCM_MERGE_H

#include "patterns/lcm.h"

#include <string.h>

enum { DM_LCM_FEW = 16 }; /* rows that are gone through one by one */

typedef struct dm_lcm_merger {
  dm_lcm_bits rows;
  size_t words;
  uint64_t tail;
  uint32_t *slot; /* number of a row, or UINT32_MAX; NULL: few rows */
  unsigned shift;
} dm_lcm_merger;

/** Memory for finding one of up to n rows. */
static inline bool dm_lcm_merge_table(dm_lcm_worker *w, dm_lcm_merger *m, size_t n) {
  if (n <= DM_LCM_FEW) return true;
  unsigned bits = 65 - (unsigned)__builtin_clzll(n);
  m->shift = 64 - bits;
  if (!(m->slot = dm_lcm_take(w, (size_t)1 << bits, sizeof *m->slot))) return false;
  memset(m->slot, 0xff, sizeof *m->slot << bits);
  return true;
}

/** Which row has these bits in the tail; where a new one stands when none has. */
static inline size_t dm_lcm_merge_find(dm_lcm_merger *m, uint64_t key) {
  const uint64_t *a = m->rows.a;
  size_t n = m->rows.n;
  if (!m->slot) {
    size_t r = 0;
    while (r < n && (a[r] & m->tail) != key) r++;
    return r;
  }
  size_t last = ((size_t)1 << (64 - m->shift)) - 1, at = key * UINT64_C(0x9e3779b97f4a7c15) >> m->shift;
  for (; m->slot[at] != UINT32_MAX; at = (at + 1) & last)
    if ((a[m->slot[at]] & m->tail) == key) return m->slot[at];
  m->slot[at] = (uint32_t)n;
  return n;
}

/** @param x [words] @return number of the row */
static inline size_t dm_lcm_merge_row(dm_lcm_merger *m, uint64_t a, uint64_t weight, const uint64_t *x) {
  size_t at = dm_lcm_merge_find(m, a & m->tail), words = m->words;
  if (at == m->rows.n) {
    m->rows.a[at] = a;
    m->rows.weight[at] = weight;
    for (size_t j = 0; j < words; j++) m->rows.x[at * words + j] = x[j];
    m->rows.n++;
  } else {
    m->rows.a[at] &= a;
    m->rows.weight[at] += weight;
    for (size_t j = 0; j < words; j++) m->rows.x[at * words + j] &= x[j];
  }
  return at;
}

/** A merger of up to n rows; its table is given back with the mark, while the rows stay. */
static inline bool dm_lcm_merge_open(dm_lcm_worker *w, size_t n, size_t words, dm_lcm_merger *m, dm_stack_mark *table) {
  uint64_t *memory = dm_lcm_take(w, n, (2 + words) * sizeof *memory);
  if (!memory) return false;
  *m = (dm_lcm_merger){.rows = {.a = memory, .weight = memory + n, .x = memory + 2 * n}, .words = words, .tail = ~(uint64_t)0};
  *table = dm_stack_at(&w->stack);
  return dm_lcm_merge_table(w, m, n);
}

#endif
