/* The classifier to named tensors and back. What is read may be forged: it is bounded here, so that it can be scored without checks. */
#include "patterns/cba.h"

#include <math.h>
#include <string.h>

dm_status cba_save(const dm_model *model, dm_model_writer *w, dm_error *err) {
  const cba_model *m = (const cba_model *)model;
  const size_t columns[1] = {model->d + 1}, cuts[1] = {m->n_cuts}, rules[1] = {m->n_rules + 1}, conditions[1] = {m->n_conditions};
  const size_t counts[2] = {m->n_rules + 1, model->n_classes};
  const struct {
    const char *name;
    dm_dtype type;
    const size_t *shape;
    size_t rank;
    const void *data;
  } tensors[] = {
      {"cut_start", DM_I32, columns, 1, m->cut_start}, {"cut", DM_F64, cuts, 1, m->cuts},      {"start", DM_I32, rules, 1, m->start},
      {"feature", DM_I32, conditions, 1, m->feature},  {"code", DM_I32, conditions, 1, m->code}, {"count", DM_F64, counts, 2, m->count},
  };
  dm_json_put_int(w->json, "rules", (int64_t)m->n_rules);
  dm_status s = DM_OK;
  for (size_t i = 0; s == DM_OK && i < sizeof tensors / sizeof *tensors; i++)
    s = w->tensor(w, tensors[i].name, tensors[i].type, tensors[i].shape, tensors[i].rank, tensors[i].data, err);
  return s;
}

/* ---- load ------------------------------------------------------------------------------ */

typedef struct stored {
  size_t rules, conditions, cuts;
  const int32_t *cut_start, *start, *feature, *code;
  const double *cut, *count;
} stored;

static dm_status damaged(dm_error *err, const char *what) { return dm_fail(err, DM_EINPUT, "cba: the model is damaged: %s", what); }

static dm_status bad(dm_error *err, size_t rule, const char *what) {
  return dm_fail(err, DM_EINPUT, "cba: the model is damaged: rule %zu: %s", rule + 1, what);
}

static dm_status read_tensors(dm_model_reader *r, stored *in, dm_error *err) {
  size_t shape[2], columns = 0, rules = 0, codes = 0;
  const struct {
    const char *name;
    dm_dtype type;
    size_t *n;
    const void **to;
  } tensors[] = {
      {"cut_start", DM_I32, &columns, (const void **)&in->cut_start}, {"cut", DM_F64, &in->cuts, (const void **)&in->cut},
      {"start", DM_I32, &rules, (const void **)&in->start},           {"feature", DM_I32, &in->conditions, (const void **)&in->feature},
      {"code", DM_I32, &codes, (const void **)&in->code},
  };
  dm_status s = r->tensor(r, "count", DM_F64, 2, shape, (const void **)&in->count, err);
  if (s != DM_OK) return s;
  if (shape[0] < 1 || shape[0] > INT32_MAX || shape[1] != r->n_classes || shape[1] < 1) return damaged(err, "tensor 'count' has another shape");
  in->rules = shape[0] - 1;
  for (size_t i = 0; s == DM_OK && i < sizeof tensors / sizeof *tensors; i++) {
    s = r->tensor(r, tensors[i].name, tensors[i].type, 1, shape, tensors[i].to, err);
    if (s == DM_OK) *tensors[i].n = shape[0];
  }
  if (s != DM_OK) return s;
  if (columns != r->d + 1 || rules != in->rules + 1 || codes != in->conditions) return damaged(err, "its tensors do not fit together");
  return in->cuts > INT32_MAX || in->conditions > INT32_MAX ? damaged(err, "it is too large") : DM_OK;
}

/* Starts that rise from 0 to n. */
static bool are_starts(const int32_t *start, size_t n_starts, size_t n) {
  if (start[0] != 0 || start[n_starts - 1] < 0 || (size_t)start[n_starts - 1] != n) return false;
  for (size_t i = 1; i < n_starts; i++)
    if (start[i] < start[i - 1]) return false;
  return true;
}

static dm_status load_cuts(const stored *in, const dm_model_reader *r, cba_model *m, dm_error *err) {
  if (!are_starts(in->cut_start, r->d + 1, in->cuts)) return damaged(err, "its cuts are out of range");
  for (size_t j = 0; j < r->d; j++) {
    if (r->levels[j] >= UINT32_MAX) return damaged(err, "a column has too many levels");
    m->levels[j] = (uint32_t)r->levels[j];
    m->cut_start[j + 1] = (uint32_t)in->cut_start[j + 1];
    if (m->levels[j] && in->cut_start[j] < in->cut_start[j + 1]) return damaged(err, "a category has cuts");
    for (int32_t i = in->cut_start[j]; i < in->cut_start[j + 1]; i++)
      if (!isfinite(in->cut[i]) || (i > in->cut_start[j] && !(in->cut[i] > in->cut[i - 1]))) return damaged(err, "its cuts do not rise");
  }
  if (in->cuts) memcpy(m->cuts, in->cut, in->cuts * sizeof *m->cuts);
  return DM_OK;
}

/* How many items a column has: levels, or bins. */
static size_t n_items(const cba_model *m, size_t j) {
  return m->levels[j] ? m->levels[j] : (size_t)m->cut_start[j + 1] - m->cut_start[j] + 1;
}

static dm_status load_rules(const stored *in, const dm_model_reader *r, cba_model *m, dm_error *err) {
  if (!are_starts(in->start, in->rules + 1, in->conditions)) return damaged(err, "its rules are out of range");
  for (size_t i = 0; i < in->rules; i++) {
    m->start[i + 1] = (uint32_t)in->start[i + 1];
    for (int32_t c = in->start[i]; c < in->start[i + 1]; c++) {
      if (in->feature[c] < 0 || (size_t)in->feature[c] >= r->d) return bad(err, i, "a column is out of range");
      if (c > in->start[i] && in->feature[c] <= in->feature[c - 1]) return bad(err, i, "its columns do not rise");
      if (in->code[c] < 0 || (size_t)in->code[c] >= n_items(m, (size_t)in->feature[c])) return bad(err, i, "a bin or level is out of range");
      m->feature[c] = (uint32_t)in->feature[c];
      m->code[c] = (uint32_t)in->code[c];
    }
  }
  return DM_OK;
}

static dm_status load_counts(const stored *in, const dm_model_reader *r, cba_model *m, dm_error *err) {
  const double most = 9007199254740992.0; /* 2^53 */
  for (size_t i = 0; i <= in->rules; i++)
    for (size_t c = 0; c < r->n_classes; c++) {
      double count = in->count[i * r->n_classes + c];
      if (!(count >= 0 && count <= most)) return bad(err, i, "a count is out of range");
      m->count[i * r->n_classes + c] = count;
    }
  return DM_OK;
}

dm_status cba_load(dm_ctx *ctx, const dm_model_reader *r, dm_model **out, dm_error *err) {
  dm_model_reader reader = *r; /* its tensor call takes it unqualified */
  const dm_learner *learner = dm_learner_find(ctx, "cba", err);
  if (!learner) return DM_EUSAGE;
  stored in = {0};
  dm_status s = read_tensors(&reader, &in, err);
  if (s != DM_OK) return s;
  cba_model *m = NULL;
  const cba_size size = {r->d, r->n_classes, in.rules, in.conditions, in.cuts};
  s = cba_model_new(ctx, learner, &size, &m, err);
  if (s != DM_OK) return s;
  s = load_cuts(&in, r, m, err);
  if (s == DM_OK) s = load_rules(&in, r, m, err);
  if (s == DM_OK) s = load_counts(&in, r, m, err);
  if (s != DM_OK) {
    cba_free(&m->base);
    return s;
  }
  cba_model_finish(m);
  *out = &m->base;
  return DM_OK;
}
