/* The part `rules` of a pipeline: what the verb rules has as options stands here as keys. */
#include "pipeline/run.h"

#include <math.h>
#include <string.h>

static const char *const kinds[] = {"frequent", "closed", "maximal", "generators", NULL};

/* A whole number from `least` on; 0 when absent. */
static size_t whole(const dm_run *r, const dm_yaml *node, const char *key, double least, dm_status *s, dm_error *err) {
  double v = dm_run_number(r, node, key, 0, s, err);
  const dm_yaml *at = dm_yaml_get(node, key);
  if (at && *s == DM_OK && !(v >= least && v <= 0x1p53 && v == floor(v)))
    *s = dm_yaml_fail(at, r->file, err, "%s wants a whole number from %g on", key, least);
  return *s == DM_OK ? (size_t)v : 0;
}

/* A share; `otherwise` when absent. */
static double share(const dm_run *r, const dm_yaml *node, const char *key, double otherwise, dm_status *s, dm_error *err) {
  double v = dm_run_number(r, node, key, otherwise, s, err);
  if (*s == DM_OK && !(v >= 0 && v <= 1)) *s = dm_yaml_fail(dm_yaml_get(node, key), r->file, err, "%s wants a share from 0 to 1", key);
  return v;
}

static void read_source(const dm_run *r, const dm_yaml *node, dm_src *src, dm_rules_options *o, dm_status *s, dm_error *err) {
  static const char *const formats[] = {"", "basket", NULL};
  src->text = dm_run_text(r, node, "source", s, err);
  o->transaction_file = dm_run_word(r, node, "format", formats, s, err) == 1;
  if (o->transaction_file) src->text = dm_run_path(r, src->text, s, err);
  o->tid = dm_run_text(r, node, "tid", s, err);
  o->item = dm_run_text(r, node, "item", s, err);
  o->basket = dm_run_text(r, node, "basket", s, err);
  o->delimiter = dm_run_text(r, node, "delimiter", s, err);
  o->columns = dm_run_texts(r, node, "columns", &o->n_columns, s, err);
  o->one_hot = dm_run_flag(r, node, "one_hot", s, err);
  o->bins = whole(r, node, "bins", 2, s, err);
  o->count = dm_run_text(r, node, "count", s, err);
  o->hierarchy = dm_run_path(r, dm_run_text(r, node, "hierarchy", s, err), s, err);
  o->never = dm_run_texts(r, node, "never", &o->n_never, s, err);
  if (*s == DM_OK && o->delimiter && strlen(o->delimiter) != 1)
    *s = dm_yaml_fail(dm_yaml_get(node, "delimiter"), r->file, err, "delimiter wants one character");
}

/* What is asked of rules; only beside min_confidence. */
static void read_wanted(const dm_run *r, const dm_yaml *node, dm_rules_options *o, dm_status *s, dm_error *err) {
  static const char *const about_rules[] = {"measure", "left", "right", "max_head", "max_q", "redundant", "min_improvement"};
  static const char *const redundant[] = {"keep", "drop", NULL};
  dm_rule_options *w = &o->rules;
  o->has_confidence = dm_yaml_get(node, "min_confidence") != NULL;
  for (size_t i = 0; *s == DM_OK && !o->has_confidence && i < sizeof about_rules / sizeof *about_rules; i++)
    if (dm_yaml_get(node, about_rules[i]))
      *s = dm_yaml_fail(dm_yaml_get(node, about_rules[i]), r->file, err, "%s is about rules, which are made with min_confidence", about_rules[i]);
  w->min_confidence = share(r, node, "min_confidence", 0, s, err);
  const char *measure = dm_run_text(r, node, "measure", s, err);
  w->measure = DM_CONFIDENCE;
  if (*s == DM_OK && measure && (*s = dm_measure_parse(measure, &w->measure, err)) != DM_OK) {
    const dm_yaml *at = dm_yaml_get(node, "measure");
    dm_error_at(err, r->file, at->line, at->column);
  }
  if (measure && !o->top) o->top = SIZE_MAX; /* all, in its order */
  o->left = dm_run_texts(r, node, "left", &o->n_left, s, err);
  o->right = dm_run_texts(r, node, "right", &o->n_right, s, err);
  w->max_head = dm_yaml_get(node, "max_head") ? whole(r, node, "max_head", 1, s, err) : 1;
  w->max_q = share(r, node, "max_q", 0, s, err);
  w->min_improvement = share(r, node, "min_improvement", 0, s, err);
  w->drop_redundant = dm_run_word(r, node, "redundant", redundant, s, err) == 1;
}

static dm_status read_rules(const dm_run *r, const dm_yaml *node, dm_src *src, dm_rules_options *o, dm_error *err) {
  static const char *const known[] = {"source",   "format", "tid",            "item",    "basket", "delimiter", "columns", "one_hot", "bins", "count", "hierarchy", "never",    "min_support", "kind", "algorithm",
                                      "min_size", "max_size", "limit",        "top",     "min_confidence", "measure", "left", "right",     "max_head",
                                      "max_q",    "redundant", "min_improvement", "into", "file"};
  dm_status s = dm_yaml_check_keys(node, r->file, known, sizeof known / sizeof *known, err);
  read_source(r, node, src, o, &s, err);
  o->min_support = dm_run_text(r, node, "min_support", &s, err);
  o->kind = (dm_itemset_kind)dm_run_word(r, node, "kind", kinds, &s, err);
  o->algorithm = dm_run_text(r, node, "algorithm", &s, err);
  o->min_size = whole(r, node, "min_size", 1, &s, err);
  o->max_size = whole(r, node, "max_size", 1, &s, err);
  o->has_limit = dm_yaml_get(node, "limit") != NULL;
  o->limit = whole(r, node, "limit", 0, &s, err);
  o->top = whole(r, node, "top", 1, &s, err);
  read_wanted(r, node, o, &s, err);
  o->into = dm_run_text(r, node, "into", &s, err);
  o->path = dm_run_path(r, dm_run_text(r, node, "file", &s, err), &s, err);
  if (s == DM_OK && (!src->text || !o->into == !o->path))
    s = dm_yaml_fail(node, r->file, err, "rules need source:, and one of into: NAME or file: PATH");
  return s;
}

dm_status dm_run_rules(dm_run *r, const dm_yaml *node, size_t index, dm_error *err) {
  dm_rules_options o = {0};
  dm_src src = {0};
  dm_rules_result result;
  bool skip;
  dm_status s = read_rules(r, node, &src, &o, err);
  if (s != DM_OK || r->checking) return s;
  s = dm_run_part_begin(r, "rules", index, node, o.transaction_file ? src.text : NULL, &skip, err);
  if (s != DM_OK) return s;
  if (skip) {
    dm_run_skipped(r);
    return DM_OK;
  }
  s = dm_mine_rules(r->ctx, r->store, &src, &o, r->arena, &result, err);
  if (s == DM_OK) dm_rules_json(&result, &r->json);
  r->result->n_models += s == DM_OK && result.saved;
  return s == DM_OK ? dm_run_part_end(r, err) : s;
}
