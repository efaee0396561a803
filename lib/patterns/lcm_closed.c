/*
 * Closed sets, each found once and none stored: prefix-preserving closure
 * extension (Uno, Uchida, Asai & Arimura, DS 2004; LCM, FIMI 2003) on rows of
 * bits.
 *
 * A set P is extended by one item after the other of its tail, the head, the
 * rarest first; items behind the head in this order are the tail of what
 * follows, items before it are out. The rows with the head are looked at once:
 *
 *   in all of them, out     the set was found with that item: nothing new here
 *   in all of them, tail    goes into the set (its closure)
 *   in enough, tail         tail of the next level
 *   others                  removed
 *
 * Rows that become equal in their tail are merged: of what is out only the
 * items are kept that all of them have, since only these can be in all rows of
 * some set. On dense data a few rows are left after two or three levels.
 */
#include "patterns/lcm_merge.h"

enum { FEW = DM_LCM_FEW };

dm_lcm_survey dm_lcm_look_at(const dm_lcm_worker *w, const dm_lcm_bits *rows, uint64_t bit) {
  dm_lcm_survey s = {.all = ~(uint64_t)0};
  if (rows->n > FEW) {
    w->search->kernels->survey(rows->a, rows->n, bit, &s.all, &s.any);
    return s;
  }
  for (size_t r = 0; r < rows->n; r++) {
    uint64_t a = rows->a[r], has = (uint64_t)0 - ((a & bit) != 0);
    s.all &= a | ~has;
    s.any |= a & has;
  }
  return s;
}

/* Whether an outer item is in all rows with the bit. */
static bool has_outer(const dm_lcm_worker *w, const dm_lcm_bits *rows, uint64_t bit) {
  for (size_t j = 0; j < w->words; j++) {
    uint64_t all = ~(uint64_t)0;
    for (size_t r = 0; r < rows->n && all; r++)
      if (rows->a[r] & bit) all &= rows->x[r * w->words + j];
    if (all) return true;
  }
  return false;
}

/* ---- the next level's rows ----------------------------------------------------- */

/* Merges rows that are equal in the tail, in their place. @param row where they were in `from` */
static bool merge(dm_lcm_worker *w, const dm_lcm_bits *from, const uint32_t *row, dm_lcm_bits *rows, uint64_t tail) {
  dm_stack_mark mark = dm_stack_at(&w->stack);
  dm_lcm_merger m = {.rows = *rows, .words = w->words, .tail = tail};
  if (!dm_lcm_merge_table(w, &m, rows->n)) return false;
  m.rows.n = 0;
  for (size_t r = 0; r < rows->n; r++) (void)dm_lcm_merge_row(&m, rows->a[r], rows->weight[r], from->x + row[r] * w->words);
  rows->n = m.rows.n;
  dm_stack_back(&w->stack, mark);
  return true;
}

/* The items of `open` that are in enough rows. */
static uint64_t count_open(const dm_lcm_worker *w, const dm_lcm_bits *rows, uint64_t open, uint64_t *count) {
  if (rows->n > FEW) {
    w->search->kernels->count(rows->a, rows->weight, rows->n, open, count);
  } else {
    for (uint64_t left = open; left; left &= left - 1) {
      unsigned i = (unsigned)__builtin_ctzll(left);
      uint64_t sum = 0;
      for (size_t r = 0; r < rows->n; r++) sum += rows->weight[r] & ((uint64_t)0 - (rows->a[r] >> i & 1));
      count[i] = sum;
    }
  }
  uint64_t kept = 0;
  for (uint64_t left = open; left; left &= left - 1) {
    unsigned i = (unsigned)__builtin_ctzll(left);
    kept |= (uint64_t)(count[i] >= w->search->min_support) << i;
  }
  return kept;
}

static size_t select_few(const dm_lcm_bits *from, uint64_t bit, dm_lcm_bits *to, uint32_t *row) {
  size_t n = 0;
  for (size_t r = 0; r < from->n; r++) {
    to->a[n] = from->a[r];
    to->weight[n] = from->weight[r];
    row[n] = (uint32_t)r;
    n += (from->a[r] & bit) != 0;
  }
  return n;
}

bool dm_lcm_next_bits(dm_lcm_worker *w, const dm_lcm_bits *rows, uint64_t bit, uint64_t *open, dm_lcm_bits *next, uint64_t *count) {
  size_t room = rows->n + DM_LCM_SLACK;
  uint64_t *memory = dm_lcm_take(w, room, (w->words + 2) * sizeof *memory);
  uint32_t *row = memory ? dm_lcm_take(w, room, sizeof *row) : NULL;
  if (!row) return false;
  *next = (dm_lcm_bits){.a = memory, .weight = memory + room, .x = memory + 2 * room};
  if (rows->n > FEW)
    next->n = w->search->kernels->select(rows->a, rows->weight, rows->n, bit, next->a, next->weight, row);
  else
    next->n = select_few(rows, bit, next, row);
  *open = count_open(w, next, *open, count);
  return !*open || merge(w, rows, row, next, *open);
}

bool dm_lcm_closed_head(dm_lcm_worker *w, const dm_lcm_bits *rows, unsigned head, uint64_t tail, uint64_t out, uint64_t support) {
  uint64_t bit = (uint64_t)1 << head;
  dm_lcm_survey s = dm_lcm_look_at(w, rows, bit);
  if (s.all & out || (w->words && has_outer(w, rows, bit))) return true;
  size_t before = w->e->n;
  dm_lcm_push(w, w->code[head]);
  dm_lcm_push_bits(w, s.all & tail);
  dm_lcm_found(w, support);
  uint64_t open = s.any & ~s.all & tail;
  bool ok = true;
  if (open) {
    dm_stack_mark mark = dm_stack_at(&w->stack);
    uint64_t count[DM_LCM_BITS];
    dm_lcm_bits next;
    ok = dm_lcm_next_bits(w, rows, bit, &open, &next, count) && (!open || dm_lcm_closed(w, &next, open, out, count));
    dm_stack_back(&w->stack, mark);
  }
  dm_lcm_pop_to(w, before);
  return ok;
}

bool dm_lcm_closed(dm_lcm_worker *w, const dm_lcm_bits *rows, uint64_t tail, uint64_t out, const uint64_t *count) {
  while (tail) {
    unsigned head = 63 - (unsigned)__builtin_clzll(tail);
    uint64_t bit = (uint64_t)1 << head;
    tail &= ~bit;
    if (w->e->stop || !dm_lcm_closed_head(w, rows, head, tail, out, count[head])) return false;
    out |= bit;
  }
  return true;
}
