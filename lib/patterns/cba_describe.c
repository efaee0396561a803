/*
 * The classifier as text, and the rule that one row fires:
 *
 *   rules of classes (CBA): 2 rules and a default
 *   1. petal_length <= 2.45: setosa (50 rows, 1.000)
 *   2. petal_length > 2.45, petal_width in (1.65, 1.75]: virginica (...)
 *   otherwise: versicolor (50 rows, 0.9)
 */
#include "patterns/cba.h"

#include <math.h>

static void print_feature(const dm_scorer *scorer, size_t feature, dm_buf *out) {
  if (scorer)
    dm_buf_adds(out, dm_scorer_feature_name(scorer, feature));
  else
    dm_buf_printf(out, "x%zu", feature + 1);
}

static void print_level(const dm_scorer *scorer, size_t feature, uint32_t level, dm_buf *out) {
  if (scorer && level < scorer->features[feature].levels.n) {
    dm_str name = scorer->features[feature].levels.names[level];
    dm_buf_add(out, name.p, name.n);
  } else {
    dm_buf_printf(out, "%u", level);
  }
}

/* "age in (25.5, 38]", "age <= 25.5", "sex = Female"; a column that is not cut: "age is known" */
static void print_condition(const cba_model *m, const dm_scorer *scorer, size_t condition, dm_buf *out) {
  size_t j = m->feature[condition];
  uint32_t code = m->code[condition], n_cuts = m->cut_start[j + 1] - m->cut_start[j];
  const double *cuts = m->cuts + m->cut_start[j];
  print_feature(scorer, j, out);
  if (m->levels[j]) {
    dm_buf_adds(out, " = ");
    print_level(scorer, j, code, out);
  } else if (!n_cuts) {
    dm_buf_adds(out, " is known");
  } else if (code == 0) {
    dm_buf_printf(out, " <= %.6g", cuts[0]);
  } else if (code == n_cuts) {
    dm_buf_printf(out, " > %.6g", cuts[code - 1]);
  } else {
    dm_buf_printf(out, " in (%.6g, %.6g]", cuts[code - 1], cuts[code]);
  }
}

static void print_class(const cba_model *m, const dm_scorer *scorer, size_t rule, dm_buf *out) {
  if (scorer && scorer->target.levels.n == m->base.n_classes) {
    dm_str name = scorer->target.levels.names[(size_t)m->best[rule]];
    dm_buf_add(out, name.p, name.n);
  } else {
    dm_buf_printf(out, "class %.0f", m->best[rule]);
  }
}

/* Rows with the rule's body, and the share of them that have its class. */
static double rows_of(const cba_model *m, size_t rule, double *share) {
  size_t k = m->base.n_classes;
  double rows = 0;
  for (size_t c = 0; c < k; c++) rows += m->count[rule * k + c];
  *share = rows > 0 ? m->count[rule * k + (size_t)m->best[rule]] / rows : 0;
  return rows;
}

dm_status cba_describe(const dm_model *model, const dm_scorer *scorer, dm_buf *out, dm_error *err) {
  const cba_model *m = (const cba_model *)model;
  (void)err;
  dm_buf_printf(out, "rules of classes (CBA): %zu rule%s and a default\n", m->n_rules, m->n_rules == 1 ? "" : "s");
  for (size_t r = 0; r <= m->n_rules; r++) {
    double share, rows = rows_of(m, r, &share);
    if (r == m->n_rules)
      dm_buf_adds(out, "otherwise");
    else
      dm_buf_printf(out, "%zu. ", r + 1);
    for (size_t i = m->start[r]; r < m->n_rules && i < m->start[r + 1]; i++) {
      if (i > m->start[r]) dm_buf_adds(out, ", ");
      print_condition(m, scorer, i, out);
    }
    dm_buf_adds(out, ": ");
    print_class(m, scorer, r, out);
    dm_buf_printf(out, " (%.0f row%s", rows, rows == 1 ? "" : "s");
    if (rows > 0) dm_buf_printf(out, ", %.3f", share);
    dm_buf_adds(out, ")\n");
  }
  return dm_buf_status(out);
}

/* ---- the audit --------------------------------------------------------------------------- */

static void put_text(dm_json_out *out, const char *key, const dm_buf *text) {
  dm_json_key(out, key);
  dm_json_string_n(out, text->p ? text->p : "", text->n);
}

static void put_cell(const cba_model *m, const dm_scorer *scorer, size_t j, double x, dm_buf *text, dm_json_out *out) {
  if (isnan(x) || (m->levels[j] && x < 0)) {
    dm_json_key(out, "value");
    dm_json_null(out);
  } else if (m->levels[j]) {
    dm_buf_reset(text);
    print_level(scorer, j, (uint32_t)x, text);
    put_text(out, "value", text);
  } else {
    dm_json_key(out, "value");
    dm_json_double(out, x);
  }
}

static void put_condition(const cba_model *m, const dm_scorer *scorer, size_t condition, const double *x, dm_buf *text, dm_json_out *out) {
  size_t j = m->feature[condition];
  dm_json_object(out);
  dm_buf_reset(text);
  print_feature(scorer, j, text);
  put_text(out, "feature", text);
  dm_buf_reset(text);
  print_condition(m, scorer, condition, text);
  put_text(out, "test", text);
  put_cell(m, scorer, j, x[j], text, out);
  dm_json_end_object(out);
}

static void put_rule(const cba_model *m, const dm_scorer *scorer, size_t rule, dm_buf *text, dm_json_out *out) {
  double share, rows = rows_of(m, rule, &share);
  dm_json_object(out);
  dm_json_put_int(out, "rule", (int64_t)rule + 1);
  dm_json_put_bool(out, "default", rule == m->n_rules);
  dm_buf_reset(text);
  print_class(m, scorer, rule, text);
  put_text(out, "class", text);
  dm_json_put_double(out, "rows", rows);
  dm_json_put_double(out, "confidence", share);
  dm_json_end_object(out);
}

dm_status cba_trace(const dm_model *model, const dm_scorer *scorer, const double *x, dm_json_out *out, dm_error *err) {
  const cba_model *m = (const cba_model *)model;
  uint32_t *work = dm_alloc(model->ctx, model->d, sizeof *work, "trace", err);
  if (!work) return DM_EBUDGET;
  dm_buf text;
  dm_buf_init(&text, model->ctx, err);
  size_t rule = cba_fires(m, x, work);
  dm_json_array(out);
  for (size_t i = m->start[rule]; rule < m->n_rules && i < m->start[rule + 1]; i++) put_condition(m, scorer, i, x, &text, out);
  put_rule(m, scorer, rule, &text, out);
  dm_json_end_array(out);
  dm_status s = dm_buf_status(&text);
  dm_buf_clear(&text);
  dm_free(model->ctx, work);
  return s == DM_OK ? dm_buf_status(out->buf) : s;
}
