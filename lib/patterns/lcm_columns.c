/*
 * Sets of at most 64 transactions: a word per item says which of them have it.
 * Rows that count several times have as many bits.
 *
 *   rows of P   0 1 2 3 4        P + a: transactions 0 2 3
 *   a           1 . 1 1 .        what follows: all columns cut down to these
 *   b           1 1 . 1 .
 *
 * The search is that of lcm_closed.c and lcm_maximal.c; at this size it is
 * cheapest to keep what is out as columns, too.
 */
#include "patterns/lcm.h"

typedef struct columns {
  uint64_t *bits;
  uint32_t *item; /* code in the itemdb */
  size_t n;
} columns;

/* Columns of the next level, and what is left of the room for those after it. */
typedef struct room {
  uint64_t *bits;
  uint32_t *item;
} room;

static inline room room_behind(room r, size_t n) { return (room){r.bits + n, r.item + n}; }

static bool search_closed(dm_lcm_worker *w, columns tail, columns out, room free);

/* Items of `from` that are in enough of the rows, but not in all. @param full NULL, or those in all, in w->list */
static size_t narrow(dm_lcm_worker *w, columns from, uint64_t rows, room to, size_t *full) {
  return w->search->kernels->narrow(from.bits, from.item, from.n, rows, (unsigned)w->search->min_support, to.bits, to.item, w->list, full);
}

/* @param out the outer items and heads before it, but for those of the tail */
static bool closed_head(dm_lcm_worker *w, columns tail, size_t head, columns out, room free) {
  const dm_lcm_kernels *k = w->search->kernels;
  uint64_t rows = tail.bits[head];
  columns done = {tail.bits + head + 1, tail.item + head + 1, tail.n - head - 1};
  if (k->covers(out.bits, out.n, rows) || k->covers(done.bits, done.n, rows)) return true;
  size_t before = w->e->n, full = 0;
  size_t n = narrow(w, (columns){tail.bits, tail.item, head}, rows, free, &full);
  if (!w->e->counts) {
    dm_emit_push(w->e, tail.item[head]);
    for (size_t i = 0; i < full; i++) dm_emit_push(w->e, w->list[i]);
  }
  dm_lcm_found(w, (uint64_t)__builtin_popcountll(rows));
  bool ok = true;
  if (n) {
    columns next = {free.bits, free.item, n};
    free = room_behind(free, n);
    size_t m = narrow(w, out, rows, free, NULL);
    m += narrow(w, done, rows, room_behind(free, m), NULL);
    ok = search_closed(w, next, (columns){free.bits, free.item, m}, room_behind(free, m));
  }
  dm_lcm_pop_to(w, before);
  return ok;
}

static bool search_closed(dm_lcm_worker *w, columns tail, columns out, room free) {
  for (size_t head = tail.n; head-- > 0;)
    if (w->e->stop || !closed_head(w, tail, head, out, free)) return false;
  return true;
}

/* ---- maximal sets ---------------------------------------------------------------------- */

static bool search_maximal(dm_lcm_worker *w, uint64_t rows, columns tail, columns out, room free);

/* Whether one of the columns is frequent in the rows. */
static bool meets(const dm_lcm_worker *w, columns c, uint64_t rows) {
  return w->search->kernels->meets(c.bits, c.n, rows, (unsigned)w->search->min_support);
}

static bool maximal_head(dm_lcm_worker *w, columns tail, size_t head, columns out, room free) {
  const dm_lcm_kernels *k = w->search->kernels;
  uint64_t rows = tail.bits[head];
  columns done = {tail.bits + head + 1, tail.item + head + 1, tail.n - head - 1};
  if (k->covers(out.bits, out.n, rows) || k->covers(done.bits, done.n, rows)) return true;
  size_t before = w->e->n, full = 0;
  columns next = {free.bits, free.item, narrow(w, (columns){tail.bits, tail.item, head}, rows, free, &full)};
  if (!w->e->counts) {
    dm_emit_push(w->e, tail.item[head]);
    for (size_t i = 0; i < full; i++) dm_emit_push(w->e, w->list[i]);
  }
  bool ok = true;
  if (next.n) {
    free = room_behind(free, next.n);
    size_t m = narrow(w, out, rows, free, NULL);
    m += narrow(w, done, rows, room_behind(free, m), NULL);
    ok = search_maximal(w, rows, next, (columns){free.bits, free.item, m}, room_behind(free, m));
  } else if (!meets(w, out, rows) && !meets(w, done, rows)) {
    dm_lcm_found(w, (uint64_t)__builtin_popcountll(rows));
  }
  dm_lcm_pop_to(w, before);
  return ok;
}

/* Puts items that are frequent together first. @return how many; rows: those that have them all */
static size_t gather(const dm_lcm_worker *w, uint64_t *rows, columns tail, room free) {
  room order = {tail.bits, tail.item};
  size_t n = 0, others = 0;
  for (size_t i = 0; i < tail.n; i++) {
    bool taken = (uint64_t)__builtin_popcountll(*rows & tail.bits[i]) >= w->search->min_support;
    room to = taken ? room_behind(order, n) : room_behind(free, others);
    *rows &= taken ? tail.bits[i] : ~(uint64_t)0;
    to.bits[0] = tail.bits[i];
    to.item[0] = tail.item[i];
    n += taken;
    others += !taken;
  }
  for (size_t i = 0; i < others; i++) {
    order.bits[n + i] = free.bits[i];
    order.item[n + i] = free.item[i];
  }
  return n;
}

/* @param tail not empty; its order is changed */
static bool search_maximal(dm_lcm_worker *w, uint64_t rows, columns tail, columns out, room free) {
  size_t gathered = gather(w, &rows, tail, free);
  for (size_t head = tail.n; head-- > gathered;)
    if (w->e->stop || !maximal_head(w, tail, head, out, free)) return false;
  if (meets(w, out, rows)) return true;
  size_t before = w->e->n;
  if (!w->e->counts)
    for (size_t i = 0; i < gathered; i++) dm_emit_push(w->e, tail.item[i]);
  dm_lcm_found(w, (uint64_t)__builtin_popcountll(rows));
  dm_lcm_pop_to(w, before);
  return true;
}

/* ---- from rows of items ------------------------------------------------------------- */

/* What a bit stands for: rows that count w times are w bits. */
static inline uint64_t next_bits(unsigned *at, uint32_t weight) {
  uint64_t bits = (weight == 64 ? ~(uint64_t)0 : ((uint64_t)1 << weight) - 1) << *at;
  *at += weight;
  return bits;
}

/* Adds rows to the columns of the items before `end`. @return items that have any, in `list` */
static inline size_t add_row(uint64_t *column, uint32_t *list, size_t n, const uint32_t *p, const uint32_t *end, uint64_t bits) {
  for (; p < end; p++) {
    uint64_t before = column[*p];
    column[*p] = before | bits;
    list[n] = *p;
    n += before == 0;
  }
  return n;
}

/* Takes the frequent ones of the columns, and leaves zeros. */
static size_t take_columns(dm_lcm_worker *w, const dm_lcm_node *node, const uint32_t *list, size_t n, uint64_t *bits, uint32_t *item) {
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    uint64_t column = w->count[list[i]];
    w->count[list[i]] = 0;
    bits[kept] = column;
    item[kept] = node->code[list[i]];
    kept += (uint64_t)__builtin_popcountll(column) >= w->search->min_support;
  }
  return kept;
}

bool dm_lcm_columns_head(dm_lcm_worker *w, const dm_lcm_node *node, size_t head) {
  const uint32_t *rows = node->in + node->in_start[head];
  size_t n_rows = node->in_start[head + 1] - node->in_start[head], n = 0, m = 0;
  uint32_t *tail_list = w->list, *out_list = w->word; /* all of it is written before it is read */
  unsigned at = 0;
  for (size_t r = 0; r < n_rows; r++) __builtin_prefetch(node->start + rows[r]);
  for (size_t r = 0; r < n_rows; r++) __builtin_prefetch(node->index + node->start[rows[r]]);
  for (size_t r = 0; r < n_rows; r++) {
    const uint32_t *p = node->index + node->start[rows[r]], *end = node->index + node->start[rows[r] + 1];
    uint64_t bits = next_bits(&at, node->weight[rows[r]]);
    for (; *p < head; p++) {
      uint64_t before = w->count[*p];
      w->count[*p] = before | bits;
      tail_list[n] = *p;
      n += before == 0;
    }
    m = add_row(w->count, out_list, m, p + 1, end, bits);
  }
  /* with each level a column has at least one row less */
  size_t room_n = (n + m + 1) * ((size_t)node->count[head] - (size_t)w->search->min_support + 3) + 16;
  dm_stack_mark mark = dm_stack_at(&w->stack);
  room free;
  bool ok = (free.bits = dm_lcm_take(w, room_n, sizeof *free.bits)) && (free.item = dm_lcm_take(w, room_n, sizeof *free.item));
  if (ok) {
    columns tail = {free.bits, free.item, take_columns(w, node, tail_list, n, free.bits, free.item)};
    free.bits[tail.n] = at == 64 ? ~(uint64_t)0 : ((uint64_t)1 << at) - 1;
    free.item[tail.n++] = node->code[head];
    free = room_behind(free, tail.n);
    columns out = {free.bits, free.item, take_columns(w, node, out_list, m, free.bits, free.item)};
    free = room_behind(free, out.n);
    ok = w->search->kind == DM_CLOSED ? closed_head(w, tail, tail.n - 1, out, free) : maximal_head(w, tail, tail.n - 1, out, free);
  }
  dm_stack_back(&w->stack, mark);
  return ok;
}
