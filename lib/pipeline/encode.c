/*
 * Learned features of rows, into a table or a file:
 *
 *   dm_id | e1 | e2 | … em          REAL
 *   dm_id | code                    BLOB of m float32, little end first
 */
#include "pipeline/scored.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void number_cells(const dm_scored_table *t, size_t r, dm_value *out) {
  for (size_t c = 0; c < t->n; c++) {
    float v = t->scored.code[r * t->n + c];
    out[c] = isnan(v) ? (dm_value){.type = DM_NULL} : (dm_value){.type = DM_REAL, .real = (double)v};
  }
}

/* The code as bytes: of machines whose big end is first, turned where it stands. */
static void blob_cell(const dm_scored_table *t, size_t r, dm_value *out) {
  size_t m = t->scorer->model->n_code;
  float *code = t->scored.code + r * m;
  for (size_t c = 0; c < m; c++) {
    uint32_t bits;
    memcpy(&bits, &code[c], sizeof bits);
    bits = htole32(bits);
    memcpy(&code[c], &bits, sizeof bits);
  }
  out[0] = (dm_value){.type = DM_BLOB, .text = {(const char *)code, m * sizeof *code}};
}

static dm_status name_columns(dm_scored_table *t, const char *model, bool blob, dm_arena *arena, dm_error *err) {
  char name[24];
  size_t m = t->scorer->model->n_code;
  if (m == 0) {
    (void)dm_fail(err, DM_EUSAGE, "model '%s' is by '%s', which learns no features", model, t->scorer->model->learner->name);
    dm_error_hint(err, "features are learned by autoencoders and nets");
    return DM_EUSAGE;
  }
  if (!blob && m + 1 > DM_COLUMNS_MAX) {
    (void)dm_fail(err, DM_EUSAGE, "model '%s' has %zu features, a table has at most %d columns", model, m, DM_COLUMNS_MAX);
    dm_error_hint(err, "--as blob puts them into one column");
    return DM_EUSAGE;
  }
  t->cells = blob ? blob_cell : number_cells;
  dm_status s = dm_scored_columns(t, blob ? 1 : m, arena, err);
  if (s == DM_OK && blob) return dm_scored_name(t, 0, "", dm_str_of("code"), "BLOB", arena, err);
  for (size_t c = 0; s == DM_OK && c < m; c++) {
    (void)snprintf(name, sizeof name, "%zu", c + 1);
    s = dm_scored_name(t, c, "e", dm_str_of(name), "REAL", arena, err);
  }
  return s;
}

dm_status dm_encode(dm_store *store, const char *model, const dm_src *src, const dm_predict_options *options, bool blob, dm_arena *arena,
                    dm_predict_result *out, dm_error *err) {
  dm_scorer *scorer = NULL;
  dm_arena *work = NULL;
  dm_predict_result result = {0};
  dm_scored_table t = {.verb = "encode"};
  double from = dm_seconds();
  dm_status s = dm_registry_load(store, model, arena, &scorer, &result.meta, err);
  t.scorer = scorer;
  if (s == DM_OK) s = dm_arena_new(dm_store_ctx(store), 0, &work, err);
  if (s == DM_OK) s = name_columns(&t, model, blob, work, err);
  if (s == DM_OK && !(t.scored.code = dm_arena_alloc(work, DM_ROWS_BATCH, scorer->model->n_code * sizeof(float), err))) s = DM_EBUDGET;
  if (s == DM_OK) result.columns = scorer->model->n_code;
  if (s == DM_OK) s = dm_scored_write(store, &t, model, src, options, &result, err);
  dm_arena_free(work);
  dm_scorer_free(scorer);
  result.seconds = dm_seconds() - from;
  if (s == DM_OK) *out = result;
  return s;
}
