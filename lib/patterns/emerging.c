/*
 * Emerging patterns: sets whose share grows from one group of transactions to
 * the other.
 *
 * Supports in group 1 are counted along the sets in the order of their items,
 * which are the paths of a tree: the rows of a prefix are found once and serve
 * all sets that go on from it. Those in group 0 are what is left.
 *
 *   sets  a | a b | a b c | a c | b      rows of  a -> a b -> a b c
 *                                                   -> a c           b
 *
 * A set is minimal when it grows more than all its subsets. Sets are gone
 * through by size, and each keeps the most that it or any set within it grows:
 * so only the subsets with one item less are looked at.
 *
 * Source: Dong & Li, Efficient mining of emerging patterns: discovering trends
 * and differences, KDD 1999.
 */
#include "patterns/fisher.h"
#include "patterns/item_rows.h"
#include "patterns/rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS = 2, LOOK = 4096 };

/* A set where sets are put in some order. */
typedef struct listed {
  const uint32_t *items;
  uint32_t n, set;
} listed;

typedef struct search {
  dm_ctx *ctx;
  const dm_transactions *t;
  const uint8_t *group;
  const dm_itemsets *sets;
  const dm_emerging_options *o;
  uint64_t total[GROUPS];
  listed *order;        /* [sets] */
  uint64_t *support1;   /* [sets] in group 1 */
  double *most[GROUPS]; /* [sets] the largest growth into the group of the set and its subsets */
  bool *minimal[GROUPS];
} search;

/* ---- checks -------------------------------------------------------------------------------- */

static uint64_t weight_of(const dm_transactions *t, size_t r) { return t->weight ? t->weight[r] : 1; }

static dm_status count_groups(search *x, const uint64_t *total, dm_error *err) {
  for (size_t r = 0; r < x->t->rows.n; r++) {
    if (x->group[r] >= GROUPS) return dm_fail(err, DM_EUSAGE, "emerging: transaction %zu is of group %u, want 0 or 1", r + 1, x->group[r]);
    x->total[x->group[r]] += weight_of(x->t, r);
  }
  for (unsigned g = 0; g < GROUPS; g++) {
    if (total && total[g] < x->total[g])
      return dm_fail(err, DM_EUSAGE, "emerging: group %u has %llu transactions, %llu of which are not empty", g, (unsigned long long)total[g],
                     (unsigned long long)x->total[g]);
    if (total) x->total[g] = total[g];
    if (!x->total[g]) return dm_fail(err, DM_EUSAGE, "emerging: group %u has no transaction", g);
  }
  return DM_OK;
}

static dm_status check(const dm_transactions *t, const dm_itemsets *sets, const dm_emerging_options *o, dm_error *err) {
  if (!(o->min_growth >= 1)) return dm_fail(err, DM_EUSAGE, "emerging: growth = %g, want >= 1", o->min_growth);
  if (!(o->max_q >= 0 && o->max_q <= 1)) return dm_fail(err, DM_EUSAGE, "emerging: max-q = %g, want 0 <= number <= 1", o->max_q);
  for (size_t i = 0; i < sets->n; i++)
    for (size_t k = sets->start[i]; k < sets->start[i + 1]; k++)
      if (sets->items[k] >= t->n_items)
        return dm_fail(err, DM_EUSAGE, "emerging: set %zu has item %u, the transactions have %zu", i + 1, sets->items[k], t->n_items);
  return DM_OK;
}

/* ---- supports in group 1 --------------------------------------------------------------------- */

static int by_items(const void *a, const void *b) {
  const listed *x = a, *y = b;
  for (uint32_t i = 0; i < x->n && i < y->n; i++)
    if (x->items[i] != y->items[i]) return x->items[i] < y->items[i] ? -1 : 1;
  return (x->n > y->n) - (x->n < y->n);
}

static int by_size(const void *a, const void *b) {
  const listed *x = a, *y = b;
  return x->n != y->n ? (x->n > y->n) - (x->n < y->n) : (x->set > y->set) - (x->set < y->set);
}

/* Rows of group 1 of each prefix of the set at hand, one behind the other. */
typedef struct prefixes {
  item_rows rows;
  const uint32_t *items;
  size_t depth, n[RULES_SET_MAX + 1], first[RULES_SET_MAX + 2];
  uint32_t *stack;
  size_t capacity;
} prefixes;

static dm_status go_on(search *x, prefixes *p, uint32_t item, dm_error *err) {
  size_t from = p->first[p->depth], n = p->n[p->depth], to = from + n;
  if (to + n > p->capacity) {
    size_t more = 2 * (to + n);
    uint32_t *stack = dm_realloc(x->ctx, p->stack, more, sizeof *stack, "emerging: rows of sets", err);
    if (!stack) return DM_EBUDGET;
    p->stack = stack;
    p->capacity = more;
  }
  p->depth++;
  p->first[p->depth] = to;
  p->n[p->depth] = item_rows_keep(&p->rows, item, p->stack + from, n, p->stack + to);
  return DM_OK;
}

static dm_status start(search *x, prefixes *p, dm_error *err) {
  size_t n = x->t->rows.n;
  dm_status s = item_rows_init(x->ctx, &x->t->rows, &p->rows, err);
  if (s == DM_OK && !(p->stack = dm_alloc(x->ctx, 2 * n + 1, sizeof *p->stack, "emerging: rows of sets", err))) s = DM_EBUDGET;
  if (s != DM_OK) return s;
  p->capacity = 2 * n + 1;
  for (size_t r = 0; r < n; r++)
    if (x->group[r]) p->stack[p->n[0]++] = (uint32_t)r;
  return DM_OK;
}

static dm_status count_set(search *x, prefixes *p, uint32_t set, dm_error *err) {
  const uint32_t *items = rules_items(x->sets, set);
  size_t n = rules_size(x->sets, set), shared = 0;
  uint64_t support = 0;
  while (shared < p->depth && shared < n && items[shared] == p->items[shared]) shared++;
  p->depth = shared;
  p->items = items;
  for (size_t i = shared; i < n; i++) {
    dm_status s = go_on(x, p, items[i], err);
    if (s != DM_OK) return s;
  }
  for (size_t i = 0; i < p->n[n]; i++) support += weight_of(x->t, p->stack[p->first[n] + i]);
  x->support1[set] = support;
  if (support > x->sets->support[set] || x->sets->support[set] - support > x->total[0])
    return dm_fail(err, DM_EUSAGE, "emerging: set %u has support %llu, which these transactions do not give it", set + 1,
                   (unsigned long long)x->sets->support[set]);
  return DM_OK;
}

static dm_status count_sets(search *x, dm_error *err) {
  prefixes p = {0};
  dm_status s = start(x, &p, err);
  for (uint32_t i = 0; i < x->sets->n; i++) x->order[i] = (listed){rules_items(x->sets, i), (uint32_t)rules_size(x->sets, i), i};
  qsort(x->order, x->sets->n, sizeof *x->order, by_items);
  for (size_t i = 0; s == DM_OK && i < x->sets->n; i++) {
    if (i % LOOK == 0) {
      dm_progress(x->ctx, "emerging", (double)i, (double)x->sets->n, "sets");
      s = dm_ctx_check(x->ctx, err);
    }
    if (s == DM_OK) s = count_set(x, &p, x->order[i].set, err);
  }
  item_rows_clear(&p.rows);
  dm_free(x->ctx, p.stack);
  return s;
}

/* ---- growth ------------------------------------------------------------------------------------- */

static uint64_t support_in(const search *x, uint32_t set, unsigned g) { return g ? x->support1[set] : x->sets->support[set] - x->support1[set]; }

/* Into group g; 0 when the set is not there. */
static double growth_of(const search *x, uint32_t set, unsigned g) {
  uint64_t here = support_in(x, set, g), there = support_in(x, set, !g);
  if (!here) return 0;
  if (!there) return (double)INFINITY;
  return ((double)here * (double)x->total[!g]) / ((double)there * (double)x->total[g]);
}

static dm_status find_minimal(search *x, const rules_index *index, dm_error *err) {
  qsort(x->order, x->sets->n, sizeof *x->order, by_size);
  for (size_t i = 0; i < x->sets->n; i++) {
    uint32_t set = x->order[i].set;
    size_t n = rules_size(x->sets, set);
    uint64_t key = rules_set_key(index, set);
    double most[GROUPS] = {0};
    for (size_t k = 0; n > 1 && k < n; k++) {
      uint32_t subset = rules_index_find(index, key - rules_item_key(index, rules_items(x->sets, set)[k]));
      if (subset == RULES_NONE) return dm_fail(err, DM_EUSAGE, "emerging: set %u is there without one of its subsets", set + 1);
      for (unsigned g = 0; g < GROUPS; g++)
        if (x->most[g][subset] > most[g]) most[g] = x->most[g][subset];
    }
    for (unsigned g = 0; g < GROUPS; g++) {
      double growth = growth_of(x, set, g);
      x->minimal[g][set] = growth > most[g];
      x->most[g][set] = growth > most[g] ? growth : most[g];
    }
  }
  return DM_OK;
}

/* ---- what is told --------------------------------------------------------------------------------- */

static bool is_wanted(const search *x, uint32_t set, unsigned g) {
  double growth = growth_of(x, set, g);
  if (!(growth >= x->o->min_growth) || !(growth > 1) || (x->o->jumping && !isinf(growth))) return false;
  return support_in(x, set, g) >= x->o->min_support;
}

static dm_emerging tell(const search *x, uint32_t set, unsigned g) {
  dm_rule_counts c = {support_in(x, set, g), x->sets->support[set], x->total[g], x->total[0] + x->total[1]};
  return (dm_emerging){.items = rules_items(x->sets, set), .n = (uint32_t)rules_size(x->sets, set), .group = g,
                       .support = {support_in(x, set, 0), support_in(x, set, 1)}, .growth = growth_of(x, set, g), .p = dm_fisher_greater(&c)};
}

static int by_worth(const void *a, const void *b) {
  const dm_emerging *x = a, *y = b;
  if (x->growth != y->growth) return x->growth > y->growth ? -1 : 1;
  if (x->p != y->p) return x->p < y->p ? -1 : 1;
  if (x->n != y->n) return x->n < y->n ? -1 : 1;
  for (uint32_t i = 0; i < x->n; i++)
    if (x->items[i] != y->items[i]) return x->items[i] < y->items[i] ? -1 : 1;
  return 0;
}

/* q counts all sets, for both groups, as tests; those that do not grow enough as p = 1. */
static dm_status set_q(const search *x, dm_emerging *all, size_t n, dm_error *err) {
  double *p = dm_alloc(x->ctx, n, sizeof *p, "emerging: q-values", err);
  if (!p) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++) p[i] = all[i].p;
  dm_status s = dm_q_values(x->ctx, p, n, GROUPS * (double)x->sets->n, p, err);
  for (size_t i = 0; s == DM_OK && i < n; i++) all[i].q = p[i];
  dm_free(x->ctx, p);
  return s;
}

static dm_status write(search *x, dm_arena *arena, dm_emerging **out, size_t *n, dm_error *err) {
  size_t m = 0, kept = 0;
  for (uint32_t i = 0; i < x->sets->n; i++) m += is_wanted(x, i, 0) || is_wanted(x, i, 1);
  dm_emerging *all = dm_arena_alloc(arena, m, sizeof *all, err);
  if (!all) return DM_EBUDGET;
  m = 0;
  for (uint32_t i = 0; i < x->sets->n; i++)
    for (unsigned g = 0; g < GROUPS; g++)
      if (is_wanted(x, i, g)) all[m++] = tell(x, i, g);
  dm_status s = set_q(x, all, m, err);
  if (s != DM_OK) return s;
  m = 0;
  for (uint32_t i = 0; i < x->sets->n; i++)
    for (unsigned g = 0; g < GROUPS; g++) {
      if (!is_wanted(x, i, g)) continue;
      const dm_emerging *e = &all[m++];
      if ((x->o->all || x->minimal[g][i]) && (!(x->o->max_q > 0) || e->q <= x->o->max_q)) all[kept++] = *e;
    }
  qsort(all, kept, sizeof *all, by_worth);
  *out = all;
  *n = x->o->top && x->o->top < kept ? x->o->top : kept;
  return DM_OK;
}

static dm_status prepare(search *x, dm_error *err) {
  size_t n = x->sets->n;
  x->order = dm_alloc(x->ctx, n, sizeof *x->order, "emerging: sets", err);
  x->support1 = dm_alloc(x->ctx, n, sizeof *x->support1, "emerging: sets", err);
  bool ok = x->order && x->support1;
  for (unsigned g = 0; g < GROUPS && ok; g++) {
    x->most[g] = dm_alloc(x->ctx, n, sizeof *x->most[g], "emerging: sets", err);
    x->minimal[g] = x->most[g] ? dm_alloc(x->ctx, n, sizeof *x->minimal[g], "emerging: sets", err) : NULL;
    ok = x->minimal[g] != NULL;
  }
  return ok ? DM_OK : DM_EBUDGET;
}

dm_status dm_emerging_find(dm_ctx *ctx, const dm_transactions *t, const uint8_t *group, const uint64_t *total, const dm_itemsets *sets,
                           const dm_emerging_options *options, dm_arena *arena, dm_emerging **out, size_t *n, dm_error *err) {
  search x = {.ctx = ctx, .t = t, .group = group, .sets = sets, .o = options};
  rules_index index = {0};
  dm_status s = check(t, sets, options, err);
  if (s == DM_OK) s = count_groups(&x, total, err);
  if (s == DM_OK) s = rules_index_build(ctx, sets, &index, err);
  if (s == DM_OK) s = prepare(&x, err);
  if (s == DM_OK) s = count_sets(&x, err);
  if (s == DM_OK && !options->all) s = find_minimal(&x, &index, err);
  if (s == DM_OK) s = write(&x, arena, out, n, err);
  rules_index_clear(ctx, &index);
  dm_free(ctx, x.order);
  dm_free(ctx, x.support1);
  for (unsigned g = 0; g < GROUPS; g++) {
    dm_free(ctx, x.most[g]);
    dm_free(ctx, x.minimal[g]);
  }
  return s;
}
