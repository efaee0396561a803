/*
 * A linear model to named tensors and back. What is read may be forged: shapes,
 * codes and numbers are bounded here, so that it can be scored without checks.
 */
#include "linear/model.h"

#include <math.h>
#include <string.h>

dm_status linear_save(const dm_model *model, dm_model_writer *w, dm_error *err) {
  const linear_model *m = (const linear_model *)model;
  const size_t cells[2] = {m->outputs, model->d}, outputs[1] = {m->outputs}, classes[1] = {m->fitted};
  dm_json_key(w->json, linear_penalty_name(m));
  dm_json_double(w->json, m->penalty);
  dm_json_key(w->json, "iterations");
  dm_json_int(w->json, m->iterations);
  dm_status s = w->tensor(w, "coef", DM_F64, cells, 2, m->coef, err);
  if (s == DM_OK) s = w->tensor(w, "intercept", DM_F64, outputs, 1, m->intercept, err);
  if (s == DM_OK && m->fitted) s = w->tensor(w, "classes", DM_I32, classes, 1, m->classes, err);
  return s;
}

/* ---- load ------------------------------------------------------------------------- */

/* The tensors as they came. */
typedef struct stored {
  size_t fitted;
  const int32_t *classes;
  const double *coef, *intercept;
} stored;

/* Codes of at least two classes, ascending. */
static dm_status read_classes(dm_model_reader *r, const char *name, stored *in, dm_error *err) {
  size_t shape[1];
  dm_status s = r->tensor(r, "classes", DM_I32, 1, shape, (const void **)&in->classes, err);
  if (s != DM_OK) return s;
  in->fitted = shape[0];
  if (in->fitted < 2 || in->fitted > r->n_classes || in->fitted > LINEAR_MAX_CLASSES)
    return dm_fail(err, DM_EINPUT, "%s: the model is damaged: %zu classes, want 2 to %zu", name, in->fitted, r->n_classes);
  for (size_t i = 0; i < in->fitted; i++)
    if (in->classes[i] < 0 || (size_t)in->classes[i] >= r->n_classes || (i && in->classes[i] <= in->classes[i - 1]))
      return dm_fail(err, DM_EINPUT, "%s: the model is damaged: class %zu has the code %d", name, i, in->classes[i]);
  return DM_OK;
}

static dm_status read_numbers(dm_model_reader *r, const char *name, stored *in, dm_error *err) {
  size_t shape[2] = {0, 0}, outputs = in->fitted > 2 ? in->fitted : 1, rows[1] = {0};
  dm_status s = r->tensor(r, "coef", DM_F64, 2, shape, (const void **)&in->coef, err);
  if (s == DM_OK) s = r->tensor(r, "intercept", DM_F64, 1, rows, (const void **)&in->intercept, err);
  if (s != DM_OK) return s;
  if (shape[0] != outputs || shape[1] != r->d || rows[0] != outputs)
    return dm_fail(err, DM_EINPUT, "%s: the model is damaged: %zu x %zu coefficients and %zu intercepts, want %zu x %zu and %zu", name, shape[0],
                   shape[1], rows[0], outputs, r->d, outputs);
  for (size_t i = 0; i < outputs * r->d; i++)
    if (!isfinite(in->coef[i])) return dm_fail(err, DM_EINPUT, "%s: the model is damaged: coefficient %zu is not finite", name, i);
  for (size_t i = 0; i < outputs; i++)
    if (!isfinite(in->intercept[i])) return dm_fail(err, DM_EINPUT, "%s: the model is damaged: intercept %zu is not finite", name, i);
  return DM_OK;
}

static dm_status load(dm_ctx *ctx, const dm_model_reader *given, const char *name, dm_model **out, dm_error *err) {
  dm_model_reader r = *given; /* its tensor call takes it unqualified */
  const dm_learner *learner = dm_learner_find(ctx, name, err);
  if (!learner) return DM_EUSAGE;
  if ((r.n_classes > 0) != (learner->tasks == DM_CLASSIFY))
    return dm_fail(err, DM_EINPUT, "%s: the model is damaged: its target has %zu classes", name, r.n_classes);
  stored in = {0};
  linear_model *m = NULL;
  dm_status s = r.n_classes ? read_classes(&r, name, &in, err) : DM_OK;
  if (s == DM_OK) s = read_numbers(&r, name, &in, err);
  if (s == DM_OK) s = linear_model_new(ctx, learner, r.d, r.n_classes, in.fitted, &m, err);
  if (s != DM_OK) return s;
  for (size_t i = 0; i < in.fitted; i++) m->classes[i] = (uint32_t)in.classes[i];
  if (r.d) memcpy(m->coef, in.coef, m->outputs * r.d * sizeof *m->coef);
  memcpy(m->intercept, in.intercept, m->outputs * sizeof *m->intercept);
  m->penalty = dm_json_get_double(r.json, linear_penalty_name(m), 0);
  m->iterations = dm_json_get_int(r.json, "iterations", 0);
  linear_model_finish(m);
  *out = &m->base;
  return DM_OK;
}

dm_status logistic_load(dm_ctx *ctx, const dm_model_reader *r, dm_model **out, dm_error *err) { return load(ctx, r, "logistic", out, err); }

dm_status linear_load(dm_ctx *ctx, const dm_model_reader *r, dm_model **out, dm_error *err) { return load(ctx, r, "linear", out, err); }
