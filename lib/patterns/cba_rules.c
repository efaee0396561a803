/*
 * Class-association rules from frequent sets of items and classes: rules whose
 * head is a class, in the order in which they are tried.
 *
 * A rule that a shorter body with the same class and at least its confidence
 * makes needless never comes to fire: the other one stands before it and has
 * all its rows. Pessimistic pruning takes out more: a rule that
 * has fewer errors to be feared without one of its conditions. Of n rows with e errors are
 * feared, at 25 % (z = 0.6745),
 *
 *   (e + z^2/2 + z sqrt(e (n - e) / n + z^2/4)) / (n + z^2)   of each row
 *
 * Source: Liu, Hsu & Ma, Integrating classification and association rule
 * mining, KDD 1998, section 3; Quinlan, C4.5, 1993, section 4.2 (here by the
 * normal approximation of the binomial's bound).
 */
#include "patterns/cba.h"
#include "patterns/rules.h"

#include <math.h>

enum { MAX_SETS = 300000, LONGEST = RULES_SET_MAX - 2 };

/* ---- frequent sets ----------------------------------------------------------------------- */

/* The most conditions with which sets are at most MAX_SETS; 1 in any case. */
static dm_status choose_size(const cba_data *data, const dm_transactions *t, dm_mine_options *o, dm_error *err) {
  uint64_t n;
  size_t longest = data->d < LONGEST ? data->d : LONGEST;
  o->max_size = longest + 1; /* with the class */
  dm_status s = dm_itemsets_count(data->ctx, t, o, MAX_SETS + 1, &n, err);
  if (s != DM_OK || n <= MAX_SETS) return s;
  for (size_t size = 2; s == DM_OK && size < longest; size++) {
    o->max_size = size + 1;
    s = dm_itemsets_count(data->ctx, t, o, MAX_SETS + 1, &n, err);
    if (s == DM_OK && n > MAX_SETS) break;
  }
  o->max_size--;
  dm_log(data->ctx, DM_LOG_NOTICE, "cba: rules have at most %zu conditions: with more there are over %d sets", o->max_size - 1, MAX_SETS);
  return s;
}

static dm_status mine(const cba_data *data, const cba_limits *limits, dm_arena *arena, dm_itemsets *sets, dm_error *err) {
  uint64_t *support = dm_arena_alloc(arena, data->n_items, sizeof *support, err);
  if (!support) return DM_EBUDGET;
  for (size_t i = 0; i < data->rows.start[data->n]; i++) support[data->rows.index[i]]++;
  const dm_transactions t = {.ctx = data->ctx, .rows = data->rows, .total = data->n, .n_items = data->n_items, .support = support};
  dm_mine_options o = {.kind = DM_FREQUENT, .min_support = limits->min_support};
  dm_status s = DM_OK;
  if (limits->max_size)
    o.max_size = (limits->max_size < LONGEST ? limits->max_size : LONGEST) + 1;
  else
    s = choose_size(data, &t, &o, err);
  return s == DM_OK ? dm_itemsets_mine(data->ctx, &t, &o, arena, sets, err) : s;
}

/* ---- pessimistic pruning --------------------------------------------------------------------- */

static double feared(double n, double errors) {
  const double z = 0.6744897501960817;
  return (errors + z * z / 2 + z * sqrt(errors * (n - errors) / n + z * z / 4)) / (n + z * z);
}

static double feared_of(const dm_itemsets *sets, uint32_t set, uint32_t body) {
  double n = (double)sets->support[body];
  return feared(n, n - (double)sets->support[set]);
}

/* Whether a condition of the rule can be left out. The class is the last item of its set. */
static bool is_too_long(const rules_index *x, const dm_rule *r) {
  uint64_t head = rules_item_key(x, r->head[0]), body = 0;
  for (uint32_t i = 0; i < r->n_body; i++) body += rules_item_key(x, r->body[i]);
  double own = feared((double)r->counts.body, (double)(r->counts.body - r->counts.both));
  for (uint32_t i = 0; r->n_body > 1 && i < r->n_body; i++) {
    uint64_t shorter = body - rules_item_key(x, r->body[i]);
    uint32_t set = rules_index_find(x, shorter + head), rest = rules_index_find(x, shorter);
    if (feared_of(x->sets, set, rest) < own) return true;
  }
  return false;
}

static dm_status prune(dm_ctx *ctx, const dm_itemsets *sets, dm_rule *rules, size_t *n, dm_error *err) {
  rules_index index = {0};
  size_t kept = 0;
  dm_status s = rules_index_build(ctx, sets, &index, err);
  if (s != DM_OK) return s;
  for (size_t i = 0; i < *n; i++)
    if (!is_too_long(&index, &rules[i])) rules[kept++] = rules[i];
  rules_index_clear(ctx, &index);
  *n = kept;
  return DM_OK;
}

/* ---- rules --------------------------------------------------------------------------------------- */

static dm_status make_rules(const cba_data *data, const cba_limits *limits, const dm_itemsets *sets, dm_arena *arena, dm_rule **rules, size_t *n,
                            dm_error *err) {
  uint8_t *appear = dm_alloc(data->ctx, data->n_items, sizeof *appear, "cba", err);
  if (!appear) return DM_EBUDGET;
  for (size_t i = 0; i < data->n_items; i++) appear[i] = i < data->first[data->d] ? DM_APPEAR_BODY : DM_APPEAR_HEAD;
  const dm_rule_options o = {.min_confidence = limits->min_confidence, .max_head = 1, .appear = appear, .drop_redundant = true};
  dm_status s = dm_rules_make(data->ctx, sets, data->n, &o, arena, rules, n, err);
  dm_free(data->ctx, appear);
  return s == DM_OK && limits->pessimistic ? prune(data->ctx, sets, *rules, n, err) : s;
}

dm_status cba_find_rules(const cba_data *data, const cba_limits *limits, dm_arena *arena, cba_rule **rules, size_t *n, dm_error *err) {
  dm_itemsets sets = {0};
  dm_rule *made = NULL;
  size_t m = 0;
  dm_status s = mine(data, limits, arena, &sets, err);
  if (s == DM_OK) s = make_rules(data, limits, &sets, arena, &made, &m, err);
  if (s != DM_OK) return s;
  cba_rule *out = dm_arena_alloc(arena, m, sizeof *out, err);
  if (!out) return DM_EBUDGET;
  for (size_t i = 0; i < m; i++) out[i] = (cba_rule){made[i].body, made[i].n_body, made[i].head[0] - data->first[data->d]};
  dm_log(data->ctx, DM_LOG_INFO, "cba: %zu sets, %zu rules", sets.n, m);
  *rules = out;
  *n = m;
  return DM_OK;
}
