/*
 * Association rules from frequent sets:
 *
 *   sets -> index -> rules that are confident -> without needless ones -> tested -> in order, the best of them
 */
#include "patterns/rules.h"

#include "patterns/fisher.h"

#include <math.h>

static dm_status check_options(const dm_itemsets *sets, uint64_t total, const dm_rule_options *o, dm_error *err) {
  if (!(o->min_confidence >= 0 && o->min_confidence <= 1))
    return dm_fail(err, DM_EUSAGE, "rules: min-confidence = %g, want 0 <= number <= 1", o->min_confidence);
  if (!(o->max_q >= 0 && o->max_q <= 1)) return dm_fail(err, DM_EUSAGE, "rules: max-q = %g, want 0 <= number <= 1", o->max_q);
  if (!(o->min_improvement >= 0 && o->min_improvement <= 1))
    return dm_fail(err, DM_EUSAGE, "rules: min-improvement = %g, want 0 <= number <= 1", o->min_improvement);
  if ((unsigned)o->measure >= DM_N_MEASURES) return dm_fail(err, DM_EUSAGE, "rules: no measure %d", (int)o->measure);
  if (o->has_min_measure && isnan(o->min_measure)) return dm_fail(err, DM_EUSAGE, "rules: the bound of %s is not a number", dm_measure_name(o->measure));
  for (size_t i = 0; i < sets->n; i++)
    if (sets->support[i] == 0 || sets->support[i] > total)
      return dm_fail(err, DM_EUSAGE, "rules: a set has support %llu of %llu transactions", (unsigned long long)sets->support[i],
                     (unsigned long long)total);
  return DM_OK;
}

static bool all_may(const dm_itemsets *sets, size_t set, const uint8_t *appear, unsigned where) {
  for (size_t i = sets->start[set]; i < sets->start[set + 1] && appear; i++)
    if (!(appear[sets->items[i]] & where)) return false;
  return true;
}

double dm_rules_tests(const dm_itemsets *sets, const dm_rule_options *options) {
  size_t max_head = options->max_head ? options->max_head : 1;
  const uint8_t *appear = options->appear;
  double heads = 0, tests = 0;
  for (size_t i = 0; i < sets->n; i++)
    heads += sets->start[i + 1] - sets->start[i] <= max_head && all_may(sets, i, appear, DM_APPEAR_HEAD);
  for (size_t i = 0; i < sets->n; i++) {
    if (!all_may(sets, i, appear, DM_APPEAR_BODY)) continue;
    tests += heads;
    for (size_t j = sets->start[i]; j < sets->start[i + 1] && max_head == 1; j++) tests -= !appear || appear[sets->items[j]] & DM_APPEAR_HEAD;
  }
  return tests;
}

/* q of each rule, and away with those beyond max_q. */
static dm_status test(dm_ctx *ctx, const dm_itemsets *sets, uint64_t total, const dm_rule_options *o, rules_found *rules, double *q, size_t *n,
                      dm_error *err) {
  double limit = o->max_q > 0 ? o->max_q : 1;
  if (o->has_min_measure && o->measure == DM_Q_VALUE && o->min_measure < limit) limit = o->min_measure;
  int threads = (int)dm_ctx_threads(ctx);
#pragma omp parallel for schedule(static, 1024) num_threads(threads) if (threads > 1 && *n > 4096)
  for (size_t i = 0; i < *n; i++) {
    dm_rule_counts c = rules_counts(sets, &rules[i], total);
    q[i] = dm_fisher_greater(&c);
  }
  dm_status s = dm_q_values(ctx, q, *n, dm_rules_tests(sets, o), q, err);
  if (s != DM_OK) return s;
  size_t kept = 0;
  for (size_t i = 0; i < *n; i++) {
    if (!(q[i] <= limit)) continue;
    rules[kept] = rules[i];
    q[kept++] = q[i];
  }
  *n = kept;
  return DM_OK;
}

static void write_rules(const dm_itemsets *sets, uint64_t total, const rules_found *found, const double *q, size_t n, dm_rule *rules) {
  for (size_t i = 0; i < n; i++) {
    const rules_found *r = &found[i];
    rules[i] = (dm_rule){.body = rules_items(sets, r->body), .head = rules_items(sets, r->head),
                         .n_body = (uint32_t)rules_size(sets, r->body), .n_head = (uint32_t)rules_size(sets, r->head),
                         .counts = rules_counts(sets, r, total), .q = q ? q[i] : (double)NAN};
  }
}

dm_status dm_rules_make(dm_ctx *ctx, const dm_itemsets *sets, uint64_t total, const dm_rule_options *options, dm_arena *arena, dm_rule **rules,
                        size_t *n, dm_error *err) {
  rules_index x = {0};
  rules_found *found = NULL;
  double *q = NULL;
  size_t m = 0;
  dm_status s = check_options(sets, total, options, err);
  if (s == DM_OK) s = rules_index_build(ctx, sets, &x, err);
  if (s == DM_OK) s = rules_find(ctx, &x, total, options, &found, &m, err);
  if (s == DM_OK && (options->drop_redundant || options->min_improvement > 0)) s = rules_prune(ctx, &x, total, options, found, &m, err);
  rules_index_clear(ctx, &x);
  if (s == DM_OK && (options->max_q > 0 || options->measure == DM_Q_VALUE)) {
    q = dm_alloc(ctx, m ? m : 1, sizeof *q, "rules: q-values", err);
    s = q ? test(ctx, sets, total, options, found, q, &m, err) : DM_EBUDGET;
  }
  if (s == DM_OK) s = rules_sort(ctx, sets, total, options, found, q, m, err);
  if (s == DM_OK && options->top && options->top < m) m = options->top;
  if (s == DM_OK) {
    dm_rule *out = dm_arena_alloc(arena, m ? m : 1, sizeof *out, err);
    if (out) {
      write_rules(sets, total, found, q, m, out);
      *rules = out;
      *n = m;
    } else {
      s = DM_EBUDGET;
    }
  }
  dm_free(ctx, q);
  dm_free(ctx, found);
  return s;
}
