/*
 * The smallest learner of features there is, for tests of stages: each code is
 * a fixed mixture of the columns, and a row's reconstruction error is its
 * distance from the training rows' mean. It uses all that a model may ask for:
 * work of its own, codes, parts, a threshold.
 */
#ifndef DM_TESTS_CODE_LEARNER_H
#define DM_TESTS_CODE_LEARNER_H

#include <dm/model.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef struct codes_model {
  dm_model base;
  double *mean; /* [d] */
  float *mix;   /* [n_code, d] */
} codes_model;

/* Codes of a row by way of the work area, as nets do. */
static void codes_row(const codes_model *c, const double *x, float *work, float *code) {
  for (size_t j = 0; j < c->base.d; j++) work[j] = isnan(x[j]) ? 0.5f : (float)x[j];
  for (size_t k = 0; k < c->base.n_code; k++) {
    float sum = 0;
    for (size_t j = 0; j < c->base.d; j++) sum = fmaf(c->mix[k * c->base.d + j], work[j], sum);
    code[k] = sum;
  }
}

static double codes_error(const codes_model *c, const double *x, double *parts) {
  double sum = 0;
  size_t n = 0;
  for (size_t j = 0; j < c->base.d; j++) {
    double part = (x[j] - c->mean[j]) * (x[j] - c->mean[j]);
    if (parts) parts[j] = part;
    if (isnan(part)) continue;
    sum += part;
    n++;
  }
  return n ? sum / (double)n : 0;
}

static dm_status codes_predict(const dm_model *model, unsigned what, dm_batch *b, dm_error *err) {
  const codes_model *c = (const codes_model *)(const void *)model;
  if ((what & DM_OUT_CODE) && (!b->work || (uintptr_t)b->work % 64)) return dm_fail(err, DM_EINTERNAL, "codes: work is absent or not aligned");
  for (size_t i = 0; i < b->n; i++) {
    const double *x = b->x + i * b->d;
    if (what & DM_OUT_CODE) codes_row(c, x, b->work, b->code + i * model->n_code);
    double error = codes_error(c, x, what & DM_OUT_PARTS ? b->parts + i * b->d : NULL);
    if (what & DM_OUT_VALUE) b->value[i] = error;
  }
  return DM_OK;
}

static void codes_free(dm_model *model) {
  codes_model *c = (codes_model *)(void *)model;
  dm_free(model->ctx, c->mean);
  dm_free(model->ctx, c->mix);
  dm_free(model->ctx, c);
}

static const dm_learner codes_learner;

static dm_status codes_new(dm_ctx *ctx, size_t d, size_t n_code, codes_model **out, dm_error *err) {
  codes_model *c = dm_alloc(ctx, 1, sizeof *c, "codes", err);
  if (!c) return DM_EBUDGET;
  c->base = (dm_model){.learner = &codes_learner, .ctx = ctx, .d = d, .n_code = n_code, .threshold = 1, .work = d * sizeof(float)};
  c->mean = dm_alloc(ctx, d, sizeof *c->mean, "codes", err);
  c->mix = c->mean ? dm_alloc(ctx, n_code * d, sizeof *c->mix, "codes", err) : NULL;
  if (!c->mix) {
    codes_free(&c->base);
    return DM_EBUDGET;
  }
  for (size_t k = 0; k < n_code; k++)
    for (size_t j = 0; j < d; j++) c->mix[k * d + j] = (float)cos((double)((k + 1) * (j + 1)));
  *out = c;
  return DM_OK;
}

static dm_status codes_train(dm_ctx *ctx, const dm_training *training, const dm_params *params, dm_model **out, dm_error *err) {
  const dm_block *block = dm_dataset_block(training->train, DM_BLOCK_DENSE);
  codes_model *c = NULL;
  if (training->train->target) return dm_fail(err, DM_EINTERNAL, "codes: a target that nobody asked for");
  dm_status s = codes_new(ctx, block->d, (size_t)dm_params_int(params, "units"), &c, err);
  if (s != DM_OK) return s;
  const dm_dense *x = block->dense;
  for (size_t j = 0; j < block->d; j++) {
    for (size_t i = 0; i < training->train->n; i++) c->mean[j] += (double)x->x[i * x->stride + j];
    c->mean[j] /= (double)training->train->n;
  }
  *out = &c->base;
  return DM_OK;
}

static dm_status codes_save(const dm_model *model, dm_model_writer *w, dm_error *err) {
  const codes_model *c = (const codes_model *)(const void *)model;
  const size_t shape[] = {model->n_code, model->d};
  dm_json_put_double(w->json, "threshold", model->threshold);
  dm_status s = w->tensor(w, "mean", DM_F64, &model->d, 1, c->mean, err);
  return s == DM_OK ? w->tensor(w, "mix", DM_F32, shape, 2, c->mix, err) : s;
}

static dm_status codes_load(dm_ctx *ctx, const dm_model_reader *r, dm_model **out, dm_error *err) {
  dm_model_reader reader = *r;
  size_t n, shape[2];
  const void *mean, *mix;
  codes_model *c = NULL;
  dm_status s = reader.tensor(&reader, "mean", DM_F64, 1, &n, &mean, err);
  if (s == DM_OK) s = reader.tensor(&reader, "mix", DM_F32, 2, shape, &mix, err);
  if (s == DM_OK && (n != r->d || shape[1] != r->d || shape[0] == 0)) s = dm_fail(err, DM_EINPUT, "codes: tensors that do not fit %zu columns", r->d);
  if (s == DM_OK) s = codes_new(ctx, r->d, shape[0], &c, err);
  if (s != DM_OK) return s;
  memcpy(c->mean, mean, n * sizeof *c->mean);
  memcpy(c->mix, mix, shape[0] * n * sizeof *c->mix);
  c->base.threshold = dm_json_get_double(r->json, "threshold", 0);
  *out = &c->base;
  return DM_OK;
}

static const dm_param codes_params[] = {
    {.name = "units", .type = DM_PARAM_INT, .otherwise = "3", .min = 1, .max = 5000, .help = "codes"},
    {.name = "scale", .type = DM_PARAM_CHOICE, .otherwise = "standard", .choices = "none|standard|minmax", .help = "scaling of columns"},
    {NULL}};

static const dm_learner codes_learner = {
    .name = "codes",
    .summary = "mixtures of columns",
    .tasks = DM_ENCODE,
    .takes = DM_SCALES,
    .params = codes_params,
    .block = DM_BLOCK_DENSE,
    .train = codes_train,
    .predict = codes_predict,
    .save = codes_save,
    .load = codes_load,
    .free = codes_free,
};

#endif
