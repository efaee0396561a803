/*
 * Search with at most 64 items left: a row is a mask, and what a set leaves of
 * the rows is short, since rows that became equal are one.
 *
 *   items  d c b a      to the sets with c: rows with c, without c and d;       of the last items, all sets at once:
 *   row 1  1 1 0 1      b, a counted in one pass;                               table[rows that have exactly these],
 *   row 2  0 1 0 1      infrequent ones removed, perfect ones set aside         then summed up over all supersets:
 *   row 3  0 1 1 1      ->  mask a weight 2 · mask ba weight 1                  supports of all 2^k sets
 *
 * Sources: the 16-items machine and perfect extensions of Borgelt, Frequent
 * item set mining, 2012, 4.4-4.5; database reduction of Uno, Kiyomi & Arimura,
 * LCM ver. 2, FIMI 2004; sums over supersets: Yates, The design and analysis
 * of factorial experiments, 1937.
 */
#include "patterns/hybrid.h"

/* Fewer rows are not worth the look for equal ones. */
enum { FEW_ROWS = 32 };

/* ---- equal rows ---------------------------------------------------------------- */

/* Open addressing; a place holds 1 + the row that stands for all with its mask. */
dm_status hybrid_masks_merge(hybrid_worker *w, hybrid_masks *node) {
  if (node->n <= FEW_ROWS) return DM_OK;
  unsigned bits = 65 - (unsigned)__builtin_clzll(node->n);
  size_t places = (size_t)1 << bits, kept = 0;
  dm_stack_mark mark = dm_stack_at(&w->memory);
  uint32_t *place = hybrid_take(w, places, sizeof *place);
  if (!place) return DM_EBUDGET;
  memset(place, 0, places * sizeof *place);
  for (size_t r = 0; r < node->n; r++) {
    uint64_t mask = node->mask[r];
    uint32_t weight = node->weight[r];
    size_t at = (mask * 0x9e3779b97f4a7c15u) >> (64 - bits);
    while (place[at] && node->mask[place[at] - 1] != mask) at = (at + 1) & (places - 1);
    if (place[at]) {
      node->weight[place[at] - 1] += weight;
    } else {
      node->mask[kept] = mask;
      node->weight[kept] = weight;
      place[at] = (uint32_t)++kept;
    }
  }
  node->n = kept;
  dm_stack_back(&w->memory, mark);
  return DM_OK;
}

/* ---- the first columns together ---------------------------------------------------- */

unsigned hybrid_masks_together(const hybrid_worker *w, const hybrid_masks *node) {
  unsigned few = hybrid_table_columns(node->n);
  if (few > node->columns) few = node->columns;
  if (!w->e->counts || node->columns == few) return few;
  uint32_t run[65] = {0}, sum = 0; /* weight of the rows that have the first q columns and not the next */
  for (size_t r = 0; r < node->n; r++) run[~node->mask[r] ? __builtin_ctzll(~node->mask[r]) : 64] += node->weight[r];
  unsigned q = 64;
  while (q > few && (sum += run[q]) < w->h->min) q--;
  return q < node->columns ? q : node->columns;
}

static void list_table(hybrid_worker *w, const hybrid_masks *node, uint32_t set, uint32_t with) {
  const uint32_t *table = w->table;
  dm_emit *e = w->e;
  for (; with && hybrid_goes_on(w); with &= ~(0x80000000u >> __builtin_clz(with))) {
    unsigned last = 31 - (unsigned)__builtin_clz(with);
    uint32_t both = set | 1u << last, support = table[both], next = 0;
    size_t perfect = e->n_perfect;
    dm_emit_push(e, node->item[last]);
    for (uint32_t left = with & ((1u << last) - 1); left; left &= left - 1) {
      uint32_t one = left & -left, more = table[both | one];
      if (more == support)
        dm_emit_perfect(e, node->item[__builtin_ctz(one)]);
      else if (more >= w->h->min)
        next |= one;
    }
    dm_emit_set(e, support);
    if (next && e->n < w->h->max_size) list_table(w, node, both, next);
    dm_emit_unperfect(e, perfect);
    dm_emit_pop(e);
  }
}

/* table[s] = weight of the rows that have all columns of s. */
static void fill_table(hybrid_worker *w, const hybrid_masks *node, unsigned columns) {
  uint64_t some = ((uint64_t)1 << columns) - 1;
  memset(w->table, 0, (columns < 4 ? 16 : (size_t)1 << columns) * sizeof *w->table);
  for (size_t r = 0; r < node->n; r++) w->table[node->mask[r] & some] += node->weight[r];
  w->h->k->subset_sums(w->table, columns);
  w->table[0] = node->support; /* rows that have none of the columns were left out on the way */
}

void hybrid_masks_first(hybrid_worker *w, const hybrid_masks *node, unsigned columns) {
  bool is_empty = w->e->n == 0 && w->e->n_perfect == 0;
  if (!w->e->counts) {
    if (!is_empty) dm_emit_set(w->e, node->support);
    fill_table(w, node, columns);
    if (w->e->n < w->h->max_size) list_table(w, node, 0, (1u << columns) - 1);
  } else if (columns > HYBRID_TABLE) { /* all of them together are frequent, and so is every choice of them */
    if (columns == 64) hybrid_add(w, UINT64_MAX); /* one short of them */
    hybrid_add(w, (columns < 64 ? (uint64_t)1 << columns : 1) - is_empty);
  } else {
    fill_table(w, node, columns);
    hybrid_add(w, w->h->k->at_least(w->table, (size_t)1 << columns, w->h->min) - is_empty);
  }
}

/* ---- column by column ---------------------------------------------------------------- */

/* What is frequent and not perfect stays in the rows; the perfect ones go to the emit. */
static dm_status reduce(hybrid_worker *w, const hybrid_masks *node, unsigned column, hybrid_masks *to) {
  uint32_t count[64 + DM_K_SPARE];
  uint64_t keep = 0;
  w->h->k->counts(to->mask, to->weight, to->n, column, count);
  for (unsigned c = 0; c < column; c++) {
    if (count[c] == to->support) {
      dm_emit_perfect(w->e, node->item[c]);
    } else if (count[c] >= w->h->min) {
      keep |= (uint64_t)1 << c;
      to->item[to->columns++] = node->item[c];
    }
  }
  if (to->columns == 0) return DM_OK;
  if (to->columns < column) w->h->k->squeeze(to->mask, to->n, keep);
  return to->columns > hybrid_table_columns(to->n) ? hybrid_masks_merge(w, to) : DM_OK;
}

dm_status hybrid_masks_extend(hybrid_worker *w, const hybrid_masks *node, unsigned column) {
  dm_emit *e = w->e;
  size_t perfect = e->n_perfect;
  dm_stack_mark mark = dm_stack_at(&w->memory);
  hybrid_masks to = {.mask = hybrid_take(w, node->n + DM_K_SPARE, sizeof *to.mask)};
  if (!to.mask || !(to.weight = hybrid_take(w, node->n + DM_K_SPARE, sizeof *to.weight))) return DM_EBUDGET;
  to.n = w->h->k->select(node->mask, node->weight, node->n, column, to.mask, to.weight, &to.support);
  dm_emit_push(e, node->item[column]);
  dm_status s = e->n < w->h->max_size ? reduce(w, node, column, &to) : DM_OK;
  if (s == DM_OK && to.columns == 0)
    hybrid_leaf(w, to.support);
  else if (s == DM_OK)
    s = hybrid_masks_search(w, &to);
  dm_emit_unperfect(e, perfect);
  dm_emit_pop(e);
  dm_stack_back(&w->memory, mark);
  return s;
}

dm_status hybrid_masks_search(hybrid_worker *w, const hybrid_masks *node) {
  unsigned together = hybrid_masks_together(w, node);
  hybrid_masks_first(w, node, together);
  dm_status s = DM_OK;
  for (unsigned c = node->columns; c-- > together && s == DM_OK && hybrid_goes_on(w);) s = hybrid_masks_extend(w, node, c);
  return s;
}
