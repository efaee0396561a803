/*
 * The smallest learner there is, for tests of the registry: a linear form of
 * its columns. As a class, the form rounded, modulo the number of classes.
 */
#ifndef DM_TESTS_TOY_LEARNER_H
#define DM_TESTS_TOY_LEARNER_H

#include <dm/model.h>
#include <math.h>
#include <string.h>

typedef struct toy {
  dm_model base;
  double bias, *weight; /* [d] */
} toy;

static double toy_form(const toy *t, const double *x) {
  double sum = t->bias;
  for (size_t i = 0; i < t->base.d; i++) sum += t->weight[i] * (isnan(x[i]) ? 0.25 : x[i]);
  return sum;
}

static dm_status toy_predict(const dm_model *model, unsigned what, dm_batch *b, dm_error *err) {
  const toy *t = (const toy *)(const void *)model;
  size_t k = model->n_classes;
  (void)err;
  for (size_t i = 0; i < b->n; i++) {
    double v = toy_form(t, b->x + i * b->d);
    if (k) v = fmod(fabs(floor(v)), (double)k);
    if (what & DM_OUT_VALUE) b->value[i] = v;
    for (size_t c = 0; (what & DM_OUT_PROBA) && c < k; c++) b->proba[i * k + c] = (double)c == v ? 1 : 0;
  }
  return DM_OK;
}

static dm_status toy_save(const dm_model *model, dm_model_writer *w, dm_error *err) {
  const toy *t = (const toy *)(const void *)model;
  const float nothing = 0;
  size_t shape[2] = {t->base.d, 0};
  dm_json_key(w->json, "bias");
  dm_json_double(w->json, t->bias);
  dm_status s = w->tensor(w, "weight", DM_F64, shape, 1, t->weight, err);
  if (s == DM_OK) s = w->tensor(w, "empty", DM_F32, shape, 2, &nothing, err);
  return s == DM_OK ? w->tensor(w, "note", DM_UTF8, (size_t[]){4}, 1, "toy!", err) : s;
}

static void toy_free(dm_model *model) {
  toy *t = (toy *)(void *)model;
  dm_free(model->ctx, t->weight);
  dm_free(model->ctx, t);
}

static const dm_learner toy_learner;

static dm_status toy_new(dm_ctx *ctx, size_t d, size_t n_classes, double bias, const double *weight, toy **out, dm_error *err) {
  toy *t = dm_alloc(ctx, 1, sizeof *t, "toy", err);
  if (!t) return DM_EBUDGET;
  t->base = (dm_model){&toy_learner, ctx, d, n_classes};
  t->bias = bias;
  t->weight = dm_alloc(ctx, d, sizeof *t->weight, "toy", err);
  if (!t->weight) {
    toy_free(&t->base);
    return DM_EBUDGET;
  }
  memcpy(t->weight, weight, d * sizeof *weight);
  *out = t;
  return DM_OK;
}

static dm_status toy_load(dm_ctx *ctx, const dm_model_reader *r, dm_model **out, dm_error *err) {
  dm_model_reader reader = *r;
  size_t shape[2];
  const void *data, *unused;
  dm_status s = reader.tensor(&reader, "weight", DM_F64, 1, shape, &data, err);
  if (s == DM_OK && shape[0] != r->d) s = dm_fail(err, DM_EINPUT, "toy: %zu weights for %zu columns", shape[0], r->d);
  size_t unused_shape[2];
  if (s == DM_OK) s = reader.tensor(&reader, "empty", DM_F32, 2, unused_shape, &unused, err);
  const double *w = data;
  for (size_t i = 0; s == DM_OK && i < r->d; i++)
    if (!isfinite(w[i])) s = dm_fail(err, DM_EINPUT, "toy: weight %zu is not finite", i);
  const dm_json *bias = dm_json_get(r->json, "bias");
  if (s == DM_OK && (!bias || bias->type < DM_JSON_INT || bias->type > DM_JSON_DOUBLE)) s = dm_fail(err, DM_EINPUT, "toy: no bias");
  toy *t;
  if (s == DM_OK) s = toy_new(ctx, r->d, r->n_classes, bias->real, w, &t, err);
  if (s == DM_OK) *out = &t->base;
  return s;
}

static const dm_param toy_params[] = {{NULL}};

static const dm_learner toy_learner = {
    .name = "toy",
    .summary = "linear form",
    .tasks = DM_CLASSIFY | DM_REGRESS,
    .takes = DM_TAKES_MISSING | DM_TAKES_CATEGORIES | DM_NEEDS_TARGET,
    .params = toy_params,
    .block = DM_BLOCK_RAW,
    .predict = toy_predict,
    .save = toy_save,
    .load = toy_load,
    .free = toy_free,
};

static const dm_learner *const toy_methods[] = {&toy_learner, NULL};

/* A model of all columns of frame but the last, which is the target. */
static inline dm_status toy_scorer(dm_ctx *ctx, const dm_frame *frame, double bias, dm_scorer **out, dm_error *err) {
  size_t d = frame->d - 1, columns[64];
  double weight[64];
  toy *model = NULL;
  dm_encoder *encoder = NULL;
  for (size_t i = 0; i < d; i++) {
    columns[i] = i;
    weight[i] = 1.0 / (double)(i + 3);
  }
  dm_status s = dm_encoder_passthrough(ctx, d, &encoder, err);
  if (s == DM_OK) s = toy_new(ctx, d, frame->columns[d].levels.n, bias, weight, &model, err);
  if (s == DM_OK) s = dm_scorer_new(ctx, frame, columns, d, d, encoder, &model->base, out, err);
  if (s == DM_OK) return s;
  dm_encoder_free(encoder);
  if (model) toy_free(&model->base);
  return s;
}

#endif
