/*
 * The K sets with the largest support, without a search of all: sets are
 * counted at some supports, each time no further than to K, until the largest
 * is known that has K; what is searched then is little more than what is wanted.
 */
#include "pipeline/rules.h"

#include <stdlib.h>
#include <string.h>

dm_status rules_support_of_top(rules_job *j, dm_error *err) {
  const dm_rules_options *o = j->o;
  dm_mine_options at = j->search;
  uint64_t low = at.min_support, high = j->t->total + 1, n; /* at low there may be fewer than K, too: then it is all of them */
  dm_status s = DM_OK;
  if (at.kind == DM_MAXIMAL) return DM_OK; /* with a larger support other sets are maximal */
  at.limit = 0;
  while (s == DM_OK && high - low > 1) {
    at.min_support = low + (high - low) / 2;
    s = dm_itemsets_count(j->ctx, j->t, &at, o->top, &n, err);
    if (s == DM_OK && n >= o->top)
      low = at.min_support;
    else
      high = at.min_support;
  }
  if (s == DM_OK) j->search.min_support = low;
  return s;
}

/* ---- the best ------------------------------------------------------------------------- */

typedef struct ranked {
  const dm_itemsets *sets;
  size_t i;
} ranked;

static size_t size_of(const dm_itemsets *sets, size_t i) { return sets->start[i + 1] - sets->start[i]; }

static int by_support(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  const dm_itemsets *sets = x->sets;
  if (sets->support[x->i] != sets->support[y->i]) return sets->support[x->i] < sets->support[y->i] ? 1 : -1;
  size_t n = size_of(sets, x->i), m = size_of(sets, y->i);
  if (n != m) return n < m ? -1 : 1;
  const uint32_t *p = sets->items + sets->start[x->i], *q = sets->items + sets->start[y->i];
  for (size_t k = 0; k < n; k++)
    if (p[k] != q[k]) return p[k] < q[k] ? -1 : 1;
  return 0;
}

dm_status rules_best_sets(rules_job *j, dm_error *err) {
  const dm_itemsets all = j->sets;
  size_t n = all.n < j->o->top ? all.n : j->o->top, items = 0;
  ranked *order = dm_alloc(j->ctx, all.n, sizeof *order, "order of the sets", err);
  if (!order) return DM_EBUDGET;
  for (size_t i = 0; i < all.n; i++) order[i] = (ranked){&all, i};
  qsort(order, all.n, sizeof *order, by_support);
  for (size_t i = 0; i < n; i++) items += size_of(&all, order[i].i);
  size_t *start = dm_arena_alloc(j->work, n + 1, sizeof *start, err);
  uint32_t *codes = start ? dm_arena_alloc(j->work, items + 1, sizeof *codes, err) : NULL;
  uint64_t *support = codes ? dm_arena_alloc(j->work, n + 1, sizeof *support, err) : NULL;
  for (size_t i = 0; support && i < n; i++) {
    size_t from = order[i].i;
    start[i + 1] = start[i] + size_of(&all, from);
    memcpy(codes + start[i], all.items + all.start[from], size_of(&all, from) * sizeof *codes);
    support[i] = all.support[from];
  }
  dm_free(j->ctx, order);
  if (!support) return DM_EBUDGET;
  j->sets = (dm_itemsets){.n = n, .start = start, .items = codes, .support = support};
  return DM_OK;
}

/* ---- memory ----------------------------------------------------------------------------- */

dm_status rules_explain_memory(rules_job *j, dm_error *err) {
  enum { BYTES = 64 }; /* of a set of six items, kept and being sorted */
  const uint64_t look = 100000000000;
  dm_error memory = *err, other = {0};
  dm_mine_options o = j->search;
  uint64_t n = 0, fits = 0, room = dm_ctx_budget(j->ctx);
  o.limit = 0;
  if (room == 0 || memory.hint[0] == '-' || dm_itemsets_count(j->ctx, j->t, &o, look, &n, &other) != DM_OK) return DM_EBUDGET;
  (void)dm_fail(err, DM_EBUDGET, "%s%llu %s sets take about %llu MB; %s", n == look ? "at least " : "", (unsigned long long)n, j->r.kind,
                (unsigned long long)(n * BYTES >> 20), memory.message);
  room = room > dm_ctx_memory(j->ctx) ? (room - dm_ctx_memory(j->ctx)) / BYTES / 2 : 0;
  if (room > 0 && dm_itemsets_support_for(j->ctx, j->t, &o, room, &fits, &other) == DM_OK && fits <= j->t->total)
    dm_error_hint(err, "--min-support %llu fits; or raise --memory", (unsigned long long)fits);
  else
    dm_error_hint(err, "raise --memory or --min-support");
  return DM_EBUDGET;
}
