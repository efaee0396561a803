/*
 * Generators by the same conditional databases: whether a set is one is asked
 * of those found before (generators.h). So heads come the most frequent first,
 * and each set after all its subsets; there is one task. Items that are in all
 * rows lead to none and are dropped, and an item that gives none is dropped
 * from the tails of the heads after it, too.
 */
#include "patterns/lcm.h"

bool dm_lcm_generator(dm_lcm_worker *w, uint32_t code, uint64_t support, bool *is_one) {
  dm_emit *e = w->e;
  dm_generators *known = w->search->generators;
  *is_one = false;
  if (e->stop) return false;
  dm_emit_push(e, code);
  if ((*is_one = dm_generators_has_all_below(known, e->items, e->n, support))) {
    w->status = dm_generators_add(known, e->items, e->n, support, w->err);
    if (w->status != DM_OK) return false;
    dm_lcm_found(w, support);
  } else {
    dm_emit_pop(e);
  }
  return true;
}

static bool head_of(dm_lcm_worker *w, const dm_lcm_bits *rows, uint64_t bit, uint64_t tail) {
  dm_lcm_survey s = dm_lcm_look_at(w, rows, bit);
  uint64_t open = s.any & ~s.all & tail, count[DM_LCM_BITS];
  if (!open) return true;
  dm_stack_mark mark = dm_stack_at(&w->stack);
  dm_lcm_bits next;
  bool ok = dm_lcm_next_bits(w, rows, bit, &open, &next, count) && (!open || dm_lcm_generators(w, &next, open, count));
  dm_stack_back(&w->stack, mark);
  return ok;
}

bool dm_lcm_generators(dm_lcm_worker *w, const dm_lcm_bits *rows, uint64_t tail, const uint64_t *count) {
  uint64_t before = 0; /* heads that gave one */
  bool ok = true, is_one;
  for (uint64_t left = tail; left && ok; left &= left - 1) {
    unsigned head = (unsigned)__builtin_ctzll(left);
    uint64_t bit = (uint64_t)1 << head;
    ok = dm_lcm_generator(w, w->code[head], count[head], &is_one);
    if (!ok || !is_one) continue;
    ok = head_of(w, rows, bit, before);
    dm_emit_pop(w->e);
    before |= bit;
  }
  return ok;
}
