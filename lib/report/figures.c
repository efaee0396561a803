/* Tensors of the report: written whole, read with their type, shape and every word checked. */
#include "report/figures.h"

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

static void name_of(const dm_figures *f, const char *name, char out[128]) {
  (void)snprintf(out, 128, "eval/%s/%s%s", f->split, f->group, name);
}

static void shape_of(size_t rows, size_t columns, char out[64]) {
  if (columns)
    (void)snprintf(out, 64, "[%zu,%zu]", rows, columns);
  else
    (void)snprintf(out, 64, "[%zu]", rows);
}

dm_status dm_figures_damaged(const dm_figures *f, const char *name, dm_error *err) {
  char full[128];
  name_of(f, name, full);
  return dm_fail(err, DM_EINPUT, "report: tensor '%s' is damaged", full);
}

void dm_figures_close(dm_figures *f) {
  dm_stmt_free(f->statement);
  f->statement = NULL;
}

/* ---- writing ------------------------------------------------------------------- */

dm_status dm_figures_check_split(const char *split, dm_error *err) {
  size_t n = strspn(split, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
  if (n >= 1 && n <= 32 && split[n] == 0) return DM_OK;
  return dm_fail(err, DM_EUSAGE, "report: split '%s', want 1 to 32 letters, digits, '-' or '_'", split);
}

/* Groups stand beside what has none, and outlive it. */
static dm_status clear(dm_store *store, int64_t model_id, const char *split, const char *group,
                       dm_error *err) {
  if (*group)
    return dm_store_exec(store, err,
                         "DELETE FROM main.dm_tensor WHERE model_id = %lld AND name GLOB 'eval/%s/%s*'",
                         (long long)model_id, split, group);
  return dm_store_exec(store, err,
                       "DELETE FROM main.dm_tensor WHERE model_id = %lld AND name GLOB 'eval/%s/*'"
                       " AND name NOT GLOB 'eval/%s/reconstruction/*' AND name NOT GLOB 'eval/%s/latent/*'",
                       (long long)model_id, split, split, split);
}

/* Takes *f, its model bound as ?1 of the statement, to *out. */
static dm_status open_figures(dm_store *store, int64_t model_id, const char *sql, dm_figures *f, dm_figures *out, dm_error *err) {
  dm_status s = dm_stmt_prepare(store, sql, &f->statement, err);
  if (s == DM_OK) s = dm_stmt_bind_int(f->statement, 1, model_id, err);
  if (s == DM_OK)
    *out = *f;
  else
    dm_figures_close(f);
  return s;
}

dm_status dm_figures_open_write(dm_store *store, int64_t model_id, const char *split, const char *group,
                                dm_figures *out, dm_error *err) {
  dm_figures f = {.ctx = dm_store_ctx(store), .split = split, .group = group};
  dm_status s = dm_figures_check_split(split, err);
  if (s == DM_OK) s = clear(store, model_id, split, group, err);
  if (s != DM_OK) return s;
  return open_figures(store, model_id, "INSERT INTO main.dm_tensor(model_id, name, part, dtype, shape, data) VALUES(?1, ?2, 0, ?3, ?4, ?5)", &f,
                      out, err);
}

static dm_status put(dm_figures *f, const char *name, const char *dtype, size_t rows, size_t columns,
                     const void *words, dm_error *err) {
  char full[128], shape[64];
  name_of(f, name, full);
  shape_of(rows, columns, shape);
  size_t n = rows * (columns ? columns : 1);
  if (n > DM_FIGURES_BYTES / 8)
    return dm_fail(err, DM_EINTERNAL, "report: '%s' has %zu values", full, n);
  unsigned char *bytes = dm_alloc(f->ctx, n ? n : 1, 8, "report", err);
  if (!bytes) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++) {
    uint64_t word;
    memcpy(&word, (const unsigned char *)words + 8 * i, 8);
    put_u64(bytes + 8 * i, word);
  }
  bool row;
  dm_status s = dm_stmt_bind_text(f->statement, 2, full, err);
  if (s == DM_OK) s = dm_stmt_bind_text(f->statement, 3, dtype, err);
  if (s == DM_OK) s = dm_stmt_bind_text(f->statement, 4, shape, err);
  if (s == DM_OK)
    s = dm_stmt_bind(f->statement, 5, (dm_value){.type = DM_BLOB, .text = {(const char *)bytes, 8 * n}}, err);
  if (s == DM_OK) s = dm_stmt_step(f->statement, &row, err);
  (void)dm_stmt_reset(f->statement, NULL);
  dm_free(f->ctx, bytes);
  return s;
}

dm_status dm_figures_put_counts(dm_figures *f, const char *name, size_t rows, size_t columns,
                                const uint64_t *v, dm_error *err) {
  return put(f, name, "i64", rows, columns, v, err);
}

dm_status dm_figures_put_codes(dm_figures *f, const char *name, size_t rows, size_t columns, const int64_t *v,
                               dm_error *err) {
  return put(f, name, "i64", rows, columns, v, err);
}

dm_status dm_figures_put_reals(dm_figures *f, const char *name, size_t rows, size_t columns, const double *v,
                               dm_error *err) {
  return put(f, name, "f64", rows, columns, v, err);
}

/* ---- reading -------------------------------------------------------------------- */

dm_status dm_figures_open_read(dm_store *store, int64_t model_id, const char *split, const char *group,
                               dm_arena *arena, dm_figures *out, dm_error *err) {
  dm_figures f = {.ctx = dm_store_ctx(store), .arena = arena, .split = split, .group = group};
  return open_figures(store, model_id,
                      "SELECT dtype, shape, data FROM main.dm_tensor WHERE model_id = ?1 AND name = ?2 AND part = 0 AND length(data) <= 65536",
                      &f, out, err);
}

/* Words of a tensor of that type and shape, of at most `most` rows. NULL words: absent. */
static dm_status get(dm_figures *f, const char *name, const char *dtype, size_t columns, size_t most,
                     size_t *n_rows, uint64_t **words, dm_error *err) {
  char full[128], shape[64];
  name_of(f, name, full);
  *words = NULL;
  *n_rows = 0;
  bool row = false;
  dm_status s = dm_stmt_bind_text(f->statement, 2, full, err);
  if (s == DM_OK) s = dm_stmt_step(f->statement, &row, err);
  if (s == DM_OK && row) {
    dm_value type = dm_stmt_value(f->statement, 0), dims = dm_stmt_value(f->statement, 1),
             data = dm_stmt_value(f->statement, 2);
    size_t wide = columns ? columns : 1, n = data.text.n / 8 / wide;
    shape_of(n, columns, shape);
    if (type.type != DM_TEXT || dims.type != DM_TEXT || data.type != DM_BLOB || n == 0 || n > most ||
        n * wide * 8 != data.text.n || !dm_str_equal(type.text, dm_str_of(dtype)) ||
        !dm_str_equal(dims.text, dm_str_of(shape))) {
      s = dm_figures_damaged(f, name, err);
    } else if (!(*words = dm_arena_alloc(f->arena, n * wide, sizeof **words, err))) {
      s = DM_EBUDGET;
    } else {
      for (size_t i = 0; i < n * wide; i++) (*words)[i] = get_u64((const unsigned char *)data.text.p + 8 * i);
      *n_rows = n;
    }
  }
  (void)dm_stmt_reset(f->statement, NULL);
  return s;
}

dm_status dm_figures_get_counts(dm_figures *f, const char *name, size_t rows, size_t columns,
                                const uint64_t **out, dm_error *err) {
  size_t n = 0;
  uint64_t *words = NULL;
  dm_status s = get(f, name, "i64", columns, rows, &n, &words, err);
  if (s != DM_OK) return s;
  if (!words || n != rows) return dm_figures_damaged(f, name, err);
  for (size_t i = 0; i < rows * (columns ? columns : 1); i++)
    if (words[i] > (uint64_t)1 << 53) return dm_figures_damaged(f, name, err);
  *out = words;
  return DM_OK;
}

dm_status dm_figures_get_codes(dm_figures *f, const char *name, size_t columns, size_t most, int64_t lo,
                               int64_t hi, size_t *n, const int64_t **out, dm_error *err) {
  uint64_t *words = NULL;
  dm_status s = get(f, name, "i64", columns, most, n, &words, err);
  if (s != DM_OK || !words) return s;
  size_t total = *n * (columns ? columns : 1);
  int64_t *codes = dm_arena_alloc(f->arena, total, sizeof *codes, err);
  if (!codes) return DM_EBUDGET;
  memcpy(codes, words, total * sizeof *codes);
  for (size_t i = 0; i < total; i++)
    if (codes[i] < lo || codes[i] > hi) return dm_figures_damaged(f, name, err);
  *out = codes;
  return DM_OK;
}

dm_status dm_figures_get_reals(dm_figures *f, const char *name, size_t columns, size_t most, bool nan_allowed,
                               size_t *n, const double **out, dm_error *err) {
  uint64_t *words = NULL;
  dm_status s = get(f, name, "f64", columns, most, n, &words, err);
  if (s != DM_OK || !words) return s;
  size_t total = *n * (columns ? columns : 1);
  double *values = dm_arena_alloc(f->arena, total, sizeof *values, err);
  if (!values) return DM_EBUDGET;
  memcpy(values, words, total * sizeof *values);
  for (size_t i = 0; i < total; i++)
    if (isinf(values[i]) || (isnan(values[i]) && !nan_allowed)) return dm_figures_damaged(f, name, err);
  *out = values;
  return DM_OK;
}
