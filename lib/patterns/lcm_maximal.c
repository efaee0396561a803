/*
 * Maximal sets, each found once and none stored, on rows of bits.
 *
 * As in lcm_closed.c a set P is extended by heads of its tail; two things are
 * other. A set is maximal when nothing can be added to it, so of items that
 * are out it must be known how often they are in its rows: merged rows add
 * these counts up.
 *
 *   bits of the tail   weight   counts of what is out
 *   1 1 0 1               7        7 0 3
 *   0 1 1 1               2        1 2 0
 *
 * And not every item of the tail becomes a head: items are gathered, the most
 * frequent first, as long as P with all of them is frequent. A maximal set
 * without any other item of the tail is P with all that was gathered, or is
 * found elsewhere; so only the others become heads. It is the pivot of Bron &
 * Kerbosch, CACM 16(9), 1973, for sets, and covers the look-ahead of Bayardo,
 * SIGMOD 1998. The test without a store of sets: Uno, Kiyomi & Arimura, LCM
 * ver. 2, FIMI 2004.
 */
#include "patterns/lcm_merge.h"

/* ---- what is out ------------------------------------------------------------------- */

/* How often each of them is in the rows. @param sum [n_out] */
static void add_out(const dm_lcm_counted *rows, const uint32_t *row, size_t n, uint32_t *sum) {
  size_t n_out = rows->n_out;
  memset(sum, 0, n_out * sizeof *sum);
  for (size_t r = 0; r < n; r++) {
    const uint32_t *x = rows->x + row[r] * n_out;
    for (size_t j = 0; j < n_out; j++) sum[j] += x[j];
  }
}

static bool reaches(const uint32_t *sum, size_t n, uint64_t least) {
  bool any = false;
  for (size_t j = 0; j < n; j++) any |= sum[j] >= least;
  return any;
}

/* ---- the gathered items ---------------------------------------------------------------- */

bool dm_lcm_gather(dm_lcm_worker *w, const uint64_t *a, const uint64_t *weight, size_t n_rows, uint64_t tail, dm_lcm_gathered *g) {
  *g = (dm_lcm_gathered){.n = n_rows, .row = dm_lcm_take(w, n_rows + 1, sizeof *g->row)};
  if (!g->row) return false;
  for (size_t r = 0; r < n_rows; r++) {
    g->row[r] = (uint32_t)r;
    g->support += weight[r];
  }
  for (; tail; tail &= tail - 1) {
    uint64_t bit = tail & (0 - tail), support = 0;
    for (size_t i = 0; i < g->n; i++) support += weight[g->row[i]] & (0 - (uint64_t)((a[g->row[i]] & bit) != 0));
    if (support < w->search->min_support) continue;
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
      uint32_t row = g->row[i];
      g->row[n] = row;
      n += (a[row] & bit) != 0;
    }
    g->n = n;
    g->items |= bit;
    g->support = support;
  }
  return true;
}

/* Of the tail nothing more goes with it. */
static bool found_gathered(dm_lcm_worker *w, const dm_lcm_counted *rows, const dm_lcm_gathered *g) {
  uint32_t *sum = dm_lcm_take(w, rows->n_out + 1, sizeof *sum);
  if (!sum) return false;
  add_out(rows, g->row, g->n, sum);
  if (reaches(sum, rows->n_out, w->search->min_support)) return true;
  size_t before = w->e->n;
  dm_lcm_push_bits(w, g->items);
  dm_lcm_found(w, g->support);
  dm_lcm_pop_to(w, before);
  return true;
}

/* ---- heads --------------------------------------------------------------------------------- */

typedef struct head_rows {
  size_t n;             /* rows that have the head: */
  uint64_t *a, *weight; /* [n] */
  uint32_t *row;        /* [n] their numbers */
  uint64_t all, any;
  uint32_t *out;        /* [n_out] how often outer items are in them */
  uint64_t count[DM_LCM_BITS];
} head_rows;

static bool look_at(dm_lcm_worker *w, const dm_lcm_counted *rows, uint64_t bit, head_rows *h) {
  size_t room = rows->n + DM_LCM_SLACK;
  *h = (head_rows){.all = ~(uint64_t)0, .a = dm_lcm_take(w, room, 2 * sizeof *h->a)};
  if (!h->a || !(h->row = dm_lcm_take(w, room, sizeof *h->row)) || !(h->out = dm_lcm_take(w, rows->n_out + 1, sizeof *h->out))) return false;
  h->weight = h->a + room;
  h->n = w->search->kernels->select(rows->a, rows->weight, rows->n, bit, h->a, h->weight, h->row);
  for (size_t r = 0; r < h->n; r++) {
    h->all &= h->a[r];
    h->any |= h->a[r];
  }
  return true;
}

/* @return those of `items` that are in enough rows */
static uint64_t count_items(const dm_lcm_worker *w, head_rows *h, uint64_t items) {
  uint64_t kept = 0;
  w->search->kernels->count(h->a, h->weight, h->n, items, h->count);
  for (uint64_t left = items; left; left &= left - 1) {
    unsigned i = (unsigned)__builtin_ctzll(left);
    kept |= (uint64_t)(h->count[i] >= w->search->min_support) << i;
  }
  return kept;
}

/* Writes the counts of a row for the next level: of outer items that stay, and of heads before this one. */
static void write_out(const dm_lcm_counted *rows, const head_rows *h, size_t r, const uint32_t *kept, size_t n_kept, uint64_t done, uint32_t *x) {
  const uint32_t *from = rows->x + h->row[r] * rows->n_out;
  for (size_t j = 0; j < n_kept; j++) x[j] = from[kept[j]];
  for (; done; done &= done - 1) x[n_kept++] = (uint32_t)h->weight[r] & (0 - (uint32_t)(h->a[r] >> __builtin_ctzll(done) & 1));
}

/* The rows of the head, merged where they are equal in the tail. @param done heads before this one that are in enough rows */
static bool next_rows(dm_lcm_worker *w, const dm_lcm_counted *rows, const head_rows *h, uint64_t tail, uint64_t done, dm_lcm_counted *next) {
  uint32_t *kept = dm_lcm_take(w, rows->n_out + 1, sizeof *kept);
  if (!kept) return false;
  size_t n_kept = 0;
  for (size_t j = 0; j < rows->n_out; j++)
    if (h->out[j] >= w->search->min_support) kept[n_kept++] = (uint32_t)j;
  *next = (dm_lcm_counted){.n_out = n_kept + (size_t)__builtin_popcountll(done)};
  next->a = dm_lcm_take(w, 2 * h->n, sizeof *next->a);
  next->x = next->a ? dm_lcm_take(w, (h->n + 1) * next->n_out + 1, sizeof *next->x) : NULL;
  if (!next->x) return false;
  next->weight = next->a + h->n;
  dm_stack_mark mark = dm_stack_at(&w->stack);
  dm_lcm_merger m = {.rows = {.a = next->a, .weight = next->weight}, .tail = ~(uint64_t)0};
  if (!dm_lcm_merge_table(w, &m, h->n)) return false;
  for (size_t r = 0; r < h->n; r++) {
    size_t n = m.rows.n, at = dm_lcm_merge_row(&m, h->a[r] & tail, h->weight[r], NULL);
    uint32_t *x = next->x + n * next->n_out, *to = next->x + at * next->n_out;
    write_out(rows, h, r, kept, n_kept, done, x);
    if (at < n)
      for (size_t j = 0; j < next->n_out; j++) to[j] += x[j];
  }
  next->n = m.rows.n;
  dm_stack_back(&w->stack, mark);
  return true;
}

/* @param tail what may follow the head @param done heads before it */
static bool maximal_head(dm_lcm_worker *w, const dm_lcm_counted *rows, unsigned head, uint64_t tail, uint64_t done, uint64_t support) {
  dm_stack_mark mark = dm_stack_at(&w->stack);
  head_rows h;
  if (!look_at(w, rows, (uint64_t)1 << head, &h)) return false;
  bool ok = true;
  size_t before = w->e->n;
  if (h.all & done) goto done;
  add_out(rows, h.row, h.n, h.out);
  if (reaches(h.out, rows->n_out, support)) goto done;
  uint64_t open = count_items(w, &h, h.any & ~h.all & (tail | done));
  dm_lcm_push(w, w->code[head]);
  dm_lcm_push_bits(w, h.all & tail);
  if (open & tail) {
    dm_lcm_counted next;
    ok = next_rows(w, rows, &h, open & tail, open & done, &next) && dm_lcm_maximal(w, &next, open & tail, h.count);
  } else if (!(open & done) && !reaches(h.out, rows->n_out, w->search->min_support)) {
    dm_lcm_found(w, support);
  }
  dm_lcm_pop_to(w, before);
done:
  dm_stack_back(&w->stack, mark);
  return ok;
}

bool dm_lcm_maximal(dm_lcm_worker *w, const dm_lcm_counted *rows, uint64_t tail, const uint64_t *count) {
  if (w->e->stop) return false;
  dm_stack_mark mark = dm_stack_at(&w->stack);
  dm_lcm_gathered g;
  bool ok = dm_lcm_gather(w, rows->a, rows->weight, rows->n, tail, &g);
  uint64_t done = 0;
  for (uint64_t heads = tail & ~g.items; ok && heads;) {
    unsigned head = 63 - (unsigned)__builtin_clzll(heads);
    uint64_t bit = (uint64_t)1 << head;
    heads &= ~bit;
    ok = maximal_head(w, rows, head, tail & ~done & ~bit, done, count[head]);
    done |= bit;
  }
  ok = ok && found_gathered(w, rows, &g);
  dm_stack_back(&w->stack, mark);
  return ok;
}
