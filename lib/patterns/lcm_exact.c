/*
 * Maximal sets where rows of bits are still many: all items keep their bits,
 * up to 64 that may be of the tail in `a` and 64 others in `x`, and rows are
 * merged only when they are equal. As soon as counts of what is out need
 * little memory, the search goes on with them (lcm_maximal.c).
 *
 *   a    tail 1 1 0 1   out 0 1      x   out 1 0 0 1      weight 1
 */
#include "patterns/lcm_merge.h"

/* ---- over to counts ------------------------------------------------------------------ */

/* Number of a bit among those of `items`, for each. @return how many */
static size_t number_bits(uint64_t items, size_t n, uint8_t number[DM_LCM_BITS]) {
  for (; items; items &= items - 1) number[__builtin_ctzll(items)] = (uint8_t)n++;
  return n;
}

static inline void count_bits(uint32_t *count, uint64_t bits, const uint8_t *number, uint32_t weight) {
  for (; bits; bits &= bits - 1) count[number[__builtin_ctzll(bits)]] += weight;
}

/* @param fits false: there would be too many counts */
static bool to_counted(dm_lcm_worker *w, const dm_lcm_exact *rows, const dm_lcm_out *out, uint64_t tail, dm_lcm_counted *to, bool *fits) {
  uint8_t in_a[DM_LCM_BITS], in_x[DM_LCM_BITS];
  size_t n_out = number_bits(out->x, number_bits(out->a, 0, in_a), in_x);
  dm_lcm_merger m;
  dm_stack_mark table;
  uint32_t *merged = dm_lcm_take(w, rows->n + 1, sizeof *merged);
  if (!merged || !dm_lcm_merge_open(w, rows->n, 0, &m, &table)) return false;
  for (size_t r = 0; r < rows->n; r++) merged[r] = (uint32_t)dm_lcm_merge_row(&m, rows->a[r] & tail, rows->weight[r], NULL);
  dm_stack_back(&w->stack, table);
  *to = (dm_lcm_counted){.n = m.rows.n, .n_out = n_out, .a = m.rows.a, .weight = m.rows.weight};
  if (!(*fits = to->n * n_out <= w->search->max_counts)) return true;
  if (!(to->x = dm_lcm_take(w, to->n * n_out + 1, sizeof *to->x))) return false;
  memset(to->x, 0, to->n * n_out * sizeof *to->x);
  for (size_t r = 0; r < rows->n; r++) {
    count_bits(to->x + merged[r] * n_out, rows->a[r] & out->a, in_a, (uint32_t)rows->weight[r]);
    count_bits(to->x + merged[r] * n_out, rows->x[r] & out->x, in_x, (uint32_t)rows->weight[r]);
  }
  return true;
}

/* ---- rows of a head ---------------------------------------------------------------------- */

static uint64_t frequent_bits(uint64_t items, const uint64_t *count, uint64_t least) {
  uint64_t kept = 0;
  for (; items; items &= items - 1) kept |= (uint64_t)(count[__builtin_ctzll(items)] >= least) << __builtin_ctzll(items);
  return kept;
}

static bool select_rows(dm_lcm_worker *w, const dm_lcm_exact *rows, uint64_t bit, dm_lcm_exact *to) {
  size_t room = rows->n + DM_LCM_SLACK;
  uint64_t *memory = dm_lcm_take(w, room, 3 * sizeof *memory);
  if (!memory) return false;
  *to = (dm_lcm_exact){.a = memory, .weight = memory + room, .x = memory + 2 * room};
  dm_stack_mark mark = dm_stack_at(&w->stack);
  uint32_t *row = dm_lcm_take(w, room, sizeof *row);
  if (!row) return false;
  to->n = w->search->kernels->select(rows->a, rows->weight, rows->n, bit, to->a, to->weight, row);
  for (size_t r = 0; r < to->n; r++) to->x[r] = rows->x[row[r]];
  dm_stack_back(&w->stack, mark);
  return true;
}

/* Removes what is not kept. */
static void cut(dm_lcm_exact *rows, uint64_t a, uint64_t x) {
  for (size_t r = 0; r < rows->n; r++) {
    rows->a[r] &= a;
    rows->x[r] &= x;
  }
}

static bool search(dm_lcm_worker *w, const dm_lcm_exact *rows, const dm_lcm_out *out, uint64_t tail, const uint64_t *count);

static bool go_on(dm_lcm_worker *w, dm_lcm_exact *rows, const dm_lcm_out *out, uint64_t tail, const uint64_t *count) {
  dm_lcm_counted counted;
  bool fits;
  dm_stack_mark mark = dm_stack_at(&w->stack);
  if (!to_counted(w, rows, out, tail, &counted, &fits)) return false;
  if (fits) return dm_lcm_maximal(w, &counted, tail, count);
  dm_stack_back(&w->stack, mark);
  cut(rows, tail | out->a, out->x);
  return search(w, rows, out, tail, count);
}

bool dm_lcm_exact_head(dm_lcm_worker *w, const dm_lcm_exact *rows, const dm_lcm_out *out, unsigned head, uint64_t tail, uint64_t support) {
  const dm_lcm_kernels *k = w->search->kernels;
  uint64_t least = w->search->min_support, in_a[DM_LCM_BITS], in_x[DM_LCM_BITS];
  dm_stack_mark mark = dm_stack_at(&w->stack);
  dm_lcm_exact next;
  if (!select_rows(w, rows, (uint64_t)1 << head, &next)) return false;
  k->count(next.a, next.weight, next.n, tail | out->a, in_a);
  k->count(next.x, next.weight, next.n, out->x, in_x);
  bool ok = true;
  if (!frequent_bits(out->a, in_a, support) && !frequent_bits(out->x, in_x, support)) {
    size_t before = w->e->n;
    uint64_t full = frequent_bits(tail, in_a, support), open = frequent_bits(tail & ~full, in_a, least);
    dm_lcm_out still = {frequent_bits(out->a, in_a, least), frequent_bits(out->x, in_x, least)};
    dm_lcm_push(w, w->code[head]);
    dm_lcm_push_bits(w, full);
    if (open)
      ok = go_on(w, &next, &still, open, in_a);
    else if (!still.a && !still.x)
      dm_lcm_found(w, support);
    dm_lcm_pop_to(w, before);
  }
  dm_stack_back(&w->stack, mark);
  return ok;
}

bool dm_lcm_exact_found(dm_lcm_worker *w, const dm_lcm_exact *rows, const dm_lcm_out *out, const dm_lcm_gathered *g) {
  uint64_t in_a[DM_LCM_BITS] = {0}, in_x[DM_LCM_BITS] = {0}, least = w->search->min_support;
  for (size_t i = 0; i < g->n; i++) {
    uint64_t weight = rows->weight[g->row[i]];
    for (uint64_t left = rows->a[g->row[i]] & out->a; left; left &= left - 1) in_a[__builtin_ctzll(left)] += weight;
    for (uint64_t left = rows->x[g->row[i]] & out->x; left; left &= left - 1) in_x[__builtin_ctzll(left)] += weight;
  }
  if (frequent_bits(out->a, in_a, least) || frequent_bits(out->x, in_x, least)) return true;
  size_t before = w->e->n;
  dm_lcm_push_bits(w, g->items);
  dm_lcm_found(w, g->support);
  dm_lcm_pop_to(w, before);
  return true;
}

/* All maximal sets with the one that was pushed. */
static bool search(dm_lcm_worker *w, const dm_lcm_exact *rows, const dm_lcm_out *out, uint64_t tail, const uint64_t *count) {
  dm_lcm_gathered g;
  if (w->e->stop || !dm_lcm_gather(w, rows->a, rows->weight, rows->n, tail, &g)) return false;
  dm_lcm_out now = *out;
  for (uint64_t heads = tail & ~g.items; heads;) {
    unsigned head = 63 - (unsigned)__builtin_clzll(heads);
    heads &= ~((uint64_t)1 << head);
    tail &= ~((uint64_t)1 << head);
    if (!dm_lcm_exact_head(w, rows, &now, head, tail, count[head])) return false;
    now.a |= (uint64_t)1 << head;
  }
  return dm_lcm_exact_found(w, rows, out, &g);
}
