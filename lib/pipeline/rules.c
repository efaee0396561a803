/*
 * The verb rules: SRC becomes transactions, of these the sets wanted are
 * searched; they are counted, written as they are found, or kept for what is
 * made of them.
 *
 *   SRC -> transactions -+-> number
 *                        +-> file or table, as they are found
 *                        +-> sets in memory -> the best of them -> file or table
 *                                           -> rules            -> file or model
 */
#include "pipeline/rules.h"

#include <string.h>

/* ---- options ------------------------------------------------------------------------- */

static dm_status check_options(const dm_rules_options *o, dm_error *err) {
  const dm_rule_options *r = &o->rules;
  dm_status s = rules_check_source(o, err);
  if (s != DM_OK) return s;
  if (!o->min_support && !(o->top && !o->has_confidence)) {
    (void)dm_fail(err, DM_EUSAGE, "rules needs --min-support S");
    dm_error_hint(err, "a number of transactions such as 20, or a share of them such as 0.01 or 1%%");
    return DM_EUSAGE;
  }
  if (o->count_only && o->path) return dm_fail(err, DM_EUSAGE, "--count-only and -o exclude each other");
  if (o->into && (o->path || o->count_only)) return dm_fail(err, DM_EUSAGE, "--into and %s exclude each other", o->path ? "-o" : "--count-only");
  if (o->into && (s = dm_registry_check_name(o->into, err)) != DM_OK) return s;
  if (o->has_confidence && !(r->min_confidence >= 0 && r->min_confidence <= 1))
    return dm_fail(err, DM_EUSAGE, "min-confidence = %g, want a share from 0 to 1", r->min_confidence);
  return DM_OK;
}

/* ---- sets and rules --------------------------------------------------------------------- */

static dm_status keep_sets(rules_job *j, dm_error *err) {
  const dm_rules_options *o = j->o;
  bool best = o->top && !o->has_confidence;
  dm_status s = best ? rules_support_of_top(j, err) : DM_OK;
  if (s != DM_OK) return s;
  if (j->search.limit) s = dm_itemsets_check_limit(j->ctx, j->t, &j->search, &j->r.itemsets, err);
  if (s != DM_OK) return s;
  s = dm_itemsets_mine(j->ctx, j->t, &j->search, j->work, &j->sets, err);
  if (s == DM_OK && best) s = rules_best_sets(j, err);
  if (s == DM_OK) j->r.itemsets = j->sets.n;
  return s;
}

/* Rules are made of all frequent sets, whatever kind and sizes are asked for. */
static dm_status keep_frequent(rules_job *j, dm_error *err) {
  dm_mine_options all = j->search;
  if (all.kind == DM_FREQUENT && all.min_size <= 1) {
    j->frequent = j->sets;
    return DM_OK;
  }
  all.kind = DM_FREQUENT;
  all.min_size = 0;
  if (j->o->algorithm && j->search.kind != DM_FREQUENT) all.algorithm = NULL;
  dm_status s = all.limit ? dm_itemsets_check_limit(j->ctx, j->t, &all, &(uint64_t){0}, err) : DM_OK;
  return s == DM_OK ? dm_itemsets_mine(j->ctx, j->t, &all, j->work, &j->frequent, err) : s;
}

static dm_status make_rules(rules_job *j, const uint8_t *appear, dm_error *err) {
  dm_rule_options o = j->o->rules;
  o.appear = appear;
  o.top = j->o->min_size ? 0 : j->o->top; /* too short ones do not take the place of others */
  dm_status s = keep_frequent(j, err);
  if (s == DM_OK) s = dm_rules_make(j->ctx, &j->frequent, j->t->total, &o, j->work, &j->rules, &j->n_rules, err);
  if (s != DM_OK) return s;
  size_t n = 0;
  for (size_t i = 0; i < j->n_rules; i++)
    if (j->rules[i].n_body + j->rules[i].n_head >= j->o->min_size) j->rules[n++] = j->rules[i];
  j->n_rules = n;
  j->r.has_rules = true;
  j->r.rules = n;
  return DM_OK;
}

static dm_status run_job(rules_job *j, dm_arena *arena, dm_error *err) {
  double from = dm_seconds();
  const dm_rules_options *o = j->o;
  const uint8_t *appear = NULL;
  dm_status s = rules_read(j, err);
  if (s == DM_OK) s = rules_generalise(j, err);
  if (s == DM_OK) s = rules_restrict(j, &appear, err);
  if (s == DM_OK && o->min_support) s = dm_support_parse(o->min_support, j->t->total, &j->search.min_support, err);
  if (s != DM_OK) return s;
  if (!j->keeps && o->path) return rules_write_found(j, err);
  if (j->keeps)
    s = keep_sets(j, err);
  else if (j->search.limit)
    s = dm_itemsets_check_limit(j->ctx, j->t, &j->search, &j->r.itemsets, err);
  else if (!o->into)
    s = dm_itemsets_count(j->ctx, j->t, &j->search, 0, &j->r.itemsets, err);
  if (s == DM_OK && o->has_confidence) s = make_rules(j, appear, err);
  if (s == DM_OK && o->has_confidence && !o->into && !o->count_only && !o->path) s = rules_make_model(j, arena, err);
  if (s == DM_EBUDGET && j->keeps) return rules_explain_memory(j, err);
  if (s == DM_OK && o->path) s = rules_write_kept(j, err);
  j->r.seconds = dm_seconds() - from;
  return s == DM_OK && o->into ? rules_save(j, arena, err) : s;
}

dm_status dm_mine_rules(dm_ctx *ctx, dm_store *store, const dm_src *src, const dm_rules_options *o, dm_arena *arena, dm_rules_result *out,
                        dm_error *err) {
  rules_job j = {.ctx = ctx, .store = store, .src = src, .o = o, .keeps = o->top || o->has_confidence,
                 .search = {.kind = o->kind, .algorithm = o->algorithm, .min_support = 1, .min_size = o->min_size, .max_size = o->max_size},
                 .r = {.kind = dm_itemset_kind_name(o->kind), .path = o->path}};
  double from = dm_seconds();
  dm_time_utc(j.started);
  j.search.limit = o->has_limit ? o->limit : j.keeps || o->into ? DM_RULES_LIMIT : 0;
  dm_status s = check_options(o, err);
  if (s == DM_OK) s = dm_arena_new(ctx, 0, &j.work, err);
  if (s == DM_OK) s = run_job(&j, arena, err);
  if (s == DM_OK) {
    j.r.transactions = j.t->total;
    j.r.items = j.t->n_items;
    j.r.min_support = j.search.min_support;
    j.r.algorithm = dm_itemsets_algorithm(&j.search);
    j.r.seconds = dm_seconds() - from;
    *out = j.r;
  }
  dm_arena_free(j.work);
  dm_reading_clear(&j.reading);
  dm_transactions_free(j.t);
  return s;
}
