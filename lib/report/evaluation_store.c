/* Evaluations in dm_tensor: small little-endian tensors beside the model's own; read with every number
 * checked. */
#include "report/evaluation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_u64(unsigned char *out, uint64_t v) {
  for (size_t i = 0; i < 8; i++) out[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t get_u64(const unsigned char *p) {
  uint64_t v = 0;
  for (size_t i = 0; i < 8; i++) v |= (uint64_t)p[i] << (8 * i);
  return v;
}

/* ---- writing ------------------------------------------------------------------- */

typedef struct writer {
  dm_ctx *ctx;
  dm_stmt *insert;
  const char *split;
} writer;

/* rows * columns words of 8 bytes; columns 0: a vector. */
static dm_status write_tensor(writer *w, const char *name, const char *dtype, size_t rows, size_t columns,
                              const uint64_t *words, dm_error *err) {
  char full[96], shape[64];
  (void)snprintf(full, sizeof full, "eval/%s/%s", w->split, name);
  if (columns)
    (void)snprintf(shape, sizeof shape, "[%zu,%zu]", rows, columns);
  else
    (void)snprintf(shape, sizeof shape, "[%zu]", rows);
  size_t n = rows * (columns ? columns : 1);
  unsigned char *bytes = dm_alloc(w->ctx, n ? n : 1, 8, "evaluation", err);
  if (!bytes) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++) put_u64(bytes + 8 * i, words[i]);
  bool row;
  dm_status s = dm_stmt_bind_text(w->insert, 2, full, err);
  if (s == DM_OK) s = dm_stmt_bind_text(w->insert, 3, dtype, err);
  if (s == DM_OK) s = dm_stmt_bind_text(w->insert, 4, shape, err);
  if (s == DM_OK)
    s = dm_stmt_bind(w->insert, 5, (dm_value){.type = DM_BLOB, .text = {(const char *)bytes, 8 * n}}, err);
  if (s == DM_OK) s = dm_stmt_step(w->insert, &row, err);
  (void)dm_stmt_reset(w->insert, NULL);
  dm_free(w->ctx, bytes);
  return s;
}

static dm_status write_counts(writer *w, const char *name, size_t rows, size_t columns,
                              const uint64_t *counts, dm_error *err) {
  return write_tensor(w, name, "i64", rows, columns, counts, err);
}

static dm_status write_reals(writer *w, const char *name, size_t rows, size_t columns, const double *values,
                             dm_error *err) {
  uint64_t words[2 * DM_EVALUATION_POINTS];
  size_t n = rows * (columns ? columns : 1);
  if (n > sizeof words / sizeof *words)
    return dm_fail(err, DM_EINTERNAL, "evaluation: '%s' has %zu values", name, n);
  memcpy(words, values, n * sizeof *words);
  return write_tensor(w, name, "f64", rows, columns, words, err);
}

static dm_status write_classes(writer *w, const dm_report_evaluation *e, dm_error *err) {
  uint64_t codes[DM_EVALUATION_CLASSES + 1];
  double auc[DM_EVALUATION_CLASSES + 1];
  for (size_t i = 0; i < e->k; i++) {
    codes[i] = (uint64_t)e->classes[i];
    auc[i] = e->roc[i].auc;
  }
  dm_status s = write_counts(w, "classes", e->k, 0, codes, err);
  if (s == DM_OK) s = write_counts(w, "confusion", e->k, e->k, e->confusion, err);
  if (s == DM_OK) s = write_reals(w, "auc", e->k, 0, auc, err);
  for (size_t i = 0; i < e->k && s == DM_OK; i++) {
    if (e->roc[i].n == 0) continue;
    double points[2 * DM_EVALUATION_POINTS];
    for (size_t p = 0; p < e->roc[i].n && p < DM_EVALUATION_POINTS; p++) {
      points[2 * p] = e->roc[i].fpr[p];
      points[2 * p + 1] = e->roc[i].tpr[p];
    }
    char name[32];
    (void)snprintf(name, sizeof name, "roc/%zu", i);
    s = write_reals(w, name, e->roc[i].n, 2, points, err);
  }
  return s;
}

static dm_status write_regression(writer *w, const dm_report_evaluation *e, dm_error *err) {
  dm_status s = write_reals(w, "edges", e->n_bins + 1, 0, e->edges, err);
  if (s == DM_OK) s = write_counts(w, "residuals", e->n_bins, 0, e->residuals, err);
  if (s == DM_OK) s = write_reals(w, "range", 2, 0, (double[2]){e->lo, e->hi}, err);
  if (s == DM_OK) s = write_counts(w, "scatter", e->grid, e->grid, e->scatter, err);
  return s;
}

static bool is_split_name(const char *split) {
  size_t n = strspn(split, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
  return n >= 1 && n <= 32 && split[n] == 0;
}

dm_status dm_report_evaluation_save(dm_store *store, int64_t model_id, const char *split, size_t n, size_t k,
                                    const double *truth, const double *value, const double *proba,
                                    dm_error *err) {
  if (!is_split_name(split))
    return dm_fail(err, DM_EUSAGE, "evaluation: split '%s', want 1 to 32 letters, digits, '-' or '_'", split);
  dm_ctx *ctx = dm_store_ctx(store);
  dm_arena *arena = NULL;
  dm_report_evaluation e;
  writer w = {.ctx = ctx, .split = split};
  dm_status s = dm_arena_new(ctx, 0, &arena, err);
  if (s == DM_OK) s = dm_report_evaluation_compute(arena, ctx, n, k, truth, value, proba, &e, err);
  if (s != DM_OK || e.n == 0) goto done;
  s = dm_store_exec(store, err, "DELETE FROM main.dm_tensor WHERE model_id = %lld AND name GLOB 'eval/%s/*'",
                    (long long)model_id, split);
  if (s == DM_OK)
    s = dm_stmt_prepare(
        store,
        "INSERT INTO main.dm_tensor(model_id, name, part, dtype, shape, data) VALUES(?1, ?2, 0, ?3, ?4, ?5)",
        &w.insert, err);
  if (s == DM_OK) s = dm_stmt_bind_int(w.insert, 1, model_id, err);
  if (s == DM_OK) s = write_counts(&w, "rows", 1, 0, &e.n, err);
  if (s == DM_OK) s = e.k ? write_classes(&w, &e, err) : write_regression(&w, &e, err);
done:
  dm_stmt_free(w.insert);
  dm_arena_free(arena);
  return s;
}

/* ---- reading -------------------------------------------------------------------- */

typedef struct reader {
  dm_arena *arena;
  dm_stmt *select;
  const char *split;
} reader;

static dm_status damaged(const reader *r, const char *name, dm_error *err) {
  return dm_fail(err, DM_EINPUT, "evaluation: tensor 'eval/%s/%s' is damaged", r->split, name);
}

/* Words of a tensor of that type and shape; rows NULL: not to be checked, *n_rows at most `most`. NULL words:
 * absent. */
static dm_status read_tensor(reader *r, const char *name, const char *dtype, size_t columns, size_t most,
                             size_t *n_rows, uint64_t **words, dm_error *err) {
  char full[96], shape[64];
  (void)snprintf(full, sizeof full, "eval/%s/%s", r->split, name);
  *words = NULL;
  *n_rows = 0;
  bool row = false;
  dm_status s = dm_stmt_bind_text(r->select, 2, full, err);
  if (s == DM_OK) s = dm_stmt_step(r->select, &row, err);
  if (s == DM_OK && row) {
    dm_value type = dm_stmt_value(r->select, 0), dims = dm_stmt_value(r->select, 1),
             data = dm_stmt_value(r->select, 2);
    size_t wide = columns ? columns : 1, n = data.text.n / 8 / wide;
    if (columns)
      (void)snprintf(shape, sizeof shape, "[%zu,%zu]", n, columns);
    else
      (void)snprintf(shape, sizeof shape, "[%zu]", n);
    if (type.type != DM_TEXT || dims.type != DM_TEXT || data.type != DM_BLOB || n == 0 || n > most ||
        n * wide * 8 != data.text.n || !dm_str_equal(type.text, dm_str_of(dtype)) ||
        !dm_str_equal(dims.text, dm_str_of(shape))) {
      s = damaged(r, name, err);
    } else if (!(*words = dm_arena_alloc(r->arena, n * wide, sizeof **words, err))) {
      s = DM_EBUDGET;
    } else {
      for (size_t i = 0; i < n * wide; i++) (*words)[i] = get_u64((const unsigned char *)data.text.p + 8 * i);
      *n_rows = n;
    }
  }
  (void)dm_stmt_reset(r->select, NULL);
  return s;
}

/* Counts of exactly that shape, none beyond 2^53. */
static dm_status read_counts(reader *r, const char *name, size_t rows, size_t columns, const uint64_t **out,
                             dm_error *err) {
  size_t n = 0;
  uint64_t *words = NULL;
  dm_status s = read_tensor(r, name, "i64", columns, rows, &n, &words, err);
  if (s != DM_OK) return s;
  if (!words || n != rows) return damaged(r, name, err);
  for (size_t i = 0; i < rows * (columns ? columns : 1); i++)
    if (words[i] > (uint64_t)1 << 53) return damaged(r, name, err);
  *out = words;
  return DM_OK;
}

/* Numbers of [2 … most] rows; NaN only where allowed. *n 0: absent. */
static dm_status read_reals(reader *r, const char *name, size_t columns, size_t most, bool nan_allowed,
                            size_t *n, const double **out, dm_error *err) {
  uint64_t *words = NULL;
  dm_status s = read_tensor(r, name, "f64", columns, most, n, &words, err);
  if (s != DM_OK || !words) return s;
  size_t total = *n * (columns ? columns : 1);
  double *values = dm_arena_alloc(r->arena, total, sizeof *values, err);
  if (!values) return DM_EBUDGET;
  memcpy(values, words, total * sizeof *values);
  for (size_t i = 0; i < total; i++)
    if (isinf(values[i]) || (isnan(values[i]) && !nan_allowed)) return damaged(r, name, err);
  *out = values;
  return DM_OK;
}

static dm_status read_curve(reader *r, size_t i, dm_report_roc *roc, dm_error *err) {
  char name[32];
  (void)snprintf(name, sizeof name, "roc/%zu", i);
  const double *points = NULL;
  dm_status s = read_reals(r, name, 2, DM_EVALUATION_POINTS, false, &roc->n, &points, err);
  if (s != DM_OK || roc->n == 0) return s;
  double *x = dm_arena_alloc(r->arena, 2 * roc->n, sizeof *x, err);
  if (!x) return DM_EBUDGET;
  for (size_t p = 0; p < roc->n; p++) {
    x[p] = points[2 * p];
    x[roc->n + p] = points[2 * p + 1];
    if (!(x[p] >= 0 && x[p] <= 1 && x[roc->n + p] >= 0 && x[roc->n + p] <= 1)) return damaged(r, name, err);
  }
  roc->fpr = x;
  roc->tpr = x + roc->n;
  return DM_OK;
}

static dm_status read_classes(reader *r, dm_report_evaluation *out, dm_error *err) {
  const double *auc = NULL;
  size_t n_auc = 0;
  dm_status s = read_counts(r, "confusion", out->k, out->k, &out->confusion, err);
  if (s == DM_OK) s = read_reals(r, "auc", 0, out->k, true, &n_auc, &auc, err);
  if (s != DM_OK) return s;
  if (n_auc != out->k) return damaged(r, "auc", err);
  dm_report_roc *roc = dm_arena_alloc(r->arena, out->k, sizeof *roc, err);
  if (!roc) return DM_EBUDGET;
  out->roc = roc;
  for (size_t i = 0; i < out->k && s == DM_OK; i++) {
    roc[i].auc = auc[i];
    s = read_curve(r, i, &roc[i], err);
  }
  return s;
}

static dm_status read_regression(reader *r, dm_report_evaluation *out, dm_error *err) {
  const double *range = NULL;
  size_t n = 0;
  dm_status s = read_reals(r, "edges", 0, DM_EVALUATION_BINS + 1, false, &n, &out->edges, err);
  if (s != DM_OK) return s;
  if (n < 2) return damaged(r, "edges", err);
  for (size_t i = 1; i < n; i++)
    if (!(out->edges[i] > out->edges[i - 1])) return damaged(r, "edges", err);
  out->n_bins = n - 1;
  s = read_counts(r, "residuals", out->n_bins, 0, &out->residuals, err);
  if (s == DM_OK) s = read_reals(r, "range", 0, 2, false, &n, &range, err);
  if (s != DM_OK) return s;
  if (n != 2 || !(range[1] > range[0])) return damaged(r, "range", err);
  out->lo = range[0];
  out->hi = range[1];
  out->grid = DM_EVALUATION_GRID;
  return read_counts(r, "scatter", out->grid, out->grid, &out->scatter, err);
}

dm_status dm_report_evaluation_load(dm_store *store, int64_t model_id, const char *split, dm_arena *arena,
                                    dm_report_evaluation *out, bool *found, dm_error *err) {
  reader r = {.arena = arena, .split = split};
  dm_report_evaluation e = {0};
  uint64_t *classes = NULL;
  const uint64_t *rows = NULL;
  *found = false;
  dm_status s = dm_stmt_prepare(
      store,
      "SELECT dtype, shape, data FROM main.dm_tensor WHERE model_id = ?1 AND name = ?2 AND part = 0"
      " AND length(data) <= 65536",
      &r.select, err);
  if (s == DM_OK) s = dm_stmt_bind_int(r.select, 1, model_id, err);
  size_t n = 0;
  uint64_t *words = NULL;
  if (s == DM_OK) s = read_tensor(&r, "rows", "i64", 0, 1, &n, &words, err);
  if (s != DM_OK || !words) goto done;
  s = read_counts(&r, "rows", 1, 0, &rows, err);
  if (s != DM_OK) goto done;
  e.n = rows[0];
  s = read_tensor(&r, "classes", "i64", 0, DM_EVALUATION_CLASSES + 1, &e.k, &classes, err);
  if (s == DM_OK && e.k) {
    int64_t *codes = dm_arena_alloc(arena, e.k, sizeof *codes, err);
    s = codes ? DM_OK : DM_EBUDGET;
    for (size_t i = 0; i < e.k && s == DM_OK; i++) {
      codes[i] = (int64_t)classes[i];
      if (codes[i] < -1) s = damaged(&r, "classes", err);
    }
    e.classes = codes;
  }
  if (s == DM_OK) s = e.k ? read_classes(&r, &e, err) : read_regression(&r, &e, err);
  if (s == DM_OK) {
    *out = e;
    *found = true;
  }
done:
  dm_stmt_free(r.select);
  return s;
}
