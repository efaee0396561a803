/*
 * The smallest learner with epochs, for tests of long trainings: a linear
 * form by stochastic gradient descent with momentum. It can be made to fail,
 * or to see Ctrl-C, in the middle of an epoch.
 */
#ifndef DM_TESTS_EPOCH_LEARNER_H
#define DM_TESTS_EPOCH_LEARNER_H

#include <dm/pipeline.h>
#include <math.h>
#include <string.h>

/* What the next training meets; a learner has no other way to be told without a parameter of the model. */
static struct {
  uint64_t fail_in, cancel_in; /* epoch, 0 = never */
  size_t spared;               /* so many trainings meet nothing of it */
  size_t fits;                 /* trainings begun */
  double time_limit;           /* that the last one was given */
} epoch_test;

typedef struct epoch_model {
  dm_model base;
  double *weight; /* [d + 1], the last is the bias */
} epoch_model;

typedef struct epoch_state {
  size_t d, n;
  double *weight, *velocity; /* [d + 1] */
  size_t *order;             /* [n], shuffled anew from the order before */
  dm_rng rng;
  uint64_t epoch; /* whole ones */
} epoch_state;

static double epoch_form(const double *weight, const float *x, size_t d) {
  double sum = weight[d];
  for (size_t i = 0; i < d; i++) sum += weight[i] * (double)x[i];
  return sum;
}

static dm_status epoch_predict(const dm_model *model, unsigned what, dm_batch *b, dm_error *err) {
  const epoch_model *m = (const epoch_model *)(const void *)model;
  (void)err;
  for (size_t i = 0; i < b->n; i++) {
    double v = m->weight[b->d];
    for (size_t c = 0; c < b->d; c++) v += m->weight[c] * b->x[i * b->d + c];
    if (what & DM_OUT_VALUE) b->value[i] = v;
  }
  return DM_OK;
}

static void epoch_free(dm_model *model) {
  epoch_model *m = (epoch_model *)(void *)model;
  dm_free(model->ctx, m->weight);
  dm_free(model->ctx, m);
}

static const dm_learner epoch_learner;

static dm_status epoch_new(dm_ctx *ctx, size_t d, const double *weight, dm_model **out, dm_error *err) {
  epoch_model *m = dm_alloc(ctx, 1, sizeof *m, "epochs", err);
  if (!m) return DM_EBUDGET;
  m->base = (dm_model){.learner = &epoch_learner, .ctx = ctx, .d = d};
  m->weight = dm_alloc(ctx, d + 1, sizeof *m->weight, "epochs", err);
  if (!m->weight) {
    epoch_free(&m->base);
    return DM_EBUDGET;
  }
  memcpy(m->weight, weight, (d + 1) * sizeof *weight);
  *out = &m->base;
  return DM_OK;
}

static dm_status epoch_save(const dm_model *model, dm_model_writer *w, dm_error *err) {
  const epoch_model *m = (const epoch_model *)(const void *)model;
  size_t shape[1] = {model->d + 1};
  return w->tensor(w, "weight", DM_F64, shape, 1, m->weight, err);
}

static dm_status epoch_load(dm_ctx *ctx, const dm_model_reader *r, dm_model **out, dm_error *err) {
  dm_model_reader reader = *r;
  size_t shape[1];
  const void *weight;
  dm_status s = reader.tensor(&reader, "weight", DM_F64, 1, shape, &weight, err);
  if (s == DM_OK && shape[0] != r->d + 1) s = dm_fail(err, DM_EINPUT, "epochs: %zu weights for %zu columns", shape[0], r->d);
  return s == DM_OK ? epoch_new(ctx, r->d, weight, out, err) : s;
}

/* ---- training ---------------------------------------------------------------- */

static dm_status epoch_write(const epoch_state *t, const dm_training_hooks *h, dm_error *err) {
  if (!h || !h->is_due || !h->is_due(h->user, t->epoch)) return DM_OK;
  dm_model_writer *w;
  size_t shape[1] = {t->d + 1}, rows[1] = {t->n};
  dm_status s = h->checkpoint(h->user, t->epoch, &w, err);
  if (s != DM_OK) return s;
  dm_json_put_int(w->json, "epoch", (int64_t)t->epoch);
  s = w->tensor(w, "weight", DM_F64, shape, 1, t->weight, err);
  if (s == DM_OK) s = w->tensor(w, "velocity", DM_F64, shape, 1, t->velocity, err);
  if (s == DM_OK) s = w->tensor(w, "order", DM_I64, rows, 1, t->order, err);
  if (s == DM_OK) s = w->tensor(w, "rng", DM_U8, (size_t[]){sizeof t->rng}, 1, &t->rng, err);
  dm_status closed = h->close(h->user, s == DM_OK, err);
  return s == DM_OK ? closed : s;
}

static dm_status epoch_read(epoch_state *t, const dm_training_hooks *h, dm_error *err) {
  if (!h || !h->resume) return DM_OK;
  dm_model_reader r = *h->resume;
  size_t shape[1];
  const void *weight, *velocity, *order, *rng;
  dm_status s = r.tensor(&r, "weight", DM_F64, 1, shape, &weight, err);
  if (s == DM_OK && (r.d != t->d || shape[0] != t->d + 1)) s = dm_fail(err, DM_EINPUT, "epochs: a checkpoint of other columns");
  if (s == DM_OK) s = r.tensor(&r, "velocity", DM_F64, 1, shape, &velocity, err);
  if (s == DM_OK) s = r.tensor(&r, "order", DM_I64, 1, shape, &order, err);
  if (s == DM_OK && shape[0] != t->n) s = dm_fail(err, DM_EINPUT, "epochs: a checkpoint of other rows");
  if (s == DM_OK) s = r.tensor(&r, "rng", DM_U8, 1, shape, &rng, err);
  if (s != DM_OK) return s;
  memcpy(t->weight, weight, (t->d + 1) * sizeof(double));
  memcpy(t->velocity, velocity, (t->d + 1) * sizeof(double));
  memcpy(t->order, order, t->n * sizeof(size_t));
  memcpy(&t->rng, rng, sizeof t->rng);
  t->epoch = (uint64_t)dm_json_get_int(r.json, "epoch", 0);
  return DM_OK;
}

static dm_status epoch_one(dm_ctx *ctx, epoch_state *t, const dm_dataset *data, const dm_training_hooks *h, dm_error *err) {
  const dm_dense *x = data->blocks->dense;
  double loss = 0;
  dm_rng_shuffle(&t->rng, t->order, t->n);
  for (size_t i = 0; i < t->n; i++) {
    bool now = i == t->n / 2 && epoch_test.fits > epoch_test.spared;
    if (now && t->epoch + 1 == epoch_test.fail_in) return dm_fail(err, DM_EINPUT, "epochs: broken");
    if (now && t->epoch + 1 == epoch_test.cancel_in) dm_ctx_cancel(ctx);
    dm_status s = dm_ctx_check(ctx, err);
    if (s != DM_OK) return s;
    const float *row = x->x + t->order[i] * x->stride;
    double e = epoch_form(t->weight, row, t->d) - data->target[t->order[i]];
    loss += e * e / (double)t->n;
    for (size_t c = 0; c <= t->d; c++) {
      t->velocity[c] = 0.5 * t->velocity[c] - 1e-3 * e * (c < t->d ? (double)row[c] : 1);
      t->weight[c] += t->velocity[c];
    }
  }
  t->epoch++;
  return h && h->epoch ? h->epoch(h->user, t->epoch, "train_loss", loss, err) : DM_OK;
}

static dm_status epoch_train(dm_ctx *ctx, const dm_training *training, const dm_params *params, dm_model **out, dm_error *err) {
  const dm_dataset *data = training->train;
  const dm_training_hooks *h = training->hooks;
  uint64_t epochs = (uint64_t)dm_params_int(params, "epochs");
  epoch_state t = {.d = data->blocks->d, .n = data->n};
  dm_arena *memory;
  epoch_test.fits++;
  epoch_test.time_limit = h ? h->time_limit : -1;
  dm_status s = dm_arena_new(ctx, 0, &memory, err);
  if (s != DM_OK) return s;
  t.weight = dm_arena_alloc(memory, t.d + 1, sizeof(double), err);
  t.velocity = dm_arena_alloc(memory, t.d + 1, sizeof(double), err);
  t.order = dm_arena_alloc(memory, t.n, sizeof(size_t), err);
  if (!t.weight || !t.velocity || !t.order) s = DM_EBUDGET;
  dm_rng_init(&t.rng, dm_ctx_seed(ctx), 1000);
  for (size_t i = 0; s == DM_OK && i < t.n; i++) t.order[i] = i;
  if (s == DM_OK) s = epoch_read(&t, h, err);
  while (s == DM_OK && t.epoch < epochs) {
    s = epoch_one(ctx, &t, data, h, err);
    if (s == DM_OK) s = epoch_write(&t, h, err);
  }
  if (s == DM_OK) s = epoch_new(ctx, t.d, t.weight, out, err);
  dm_arena_free(memory);
  return s;
}

static const dm_param epoch_params[] = {
    {.name = "epochs", .type = DM_PARAM_INT, .otherwise = "10", .min = 1, .max = 1000, .help = "epochs"},
    {.name = "rate", .type = DM_PARAM_DOUBLE, .otherwise = "0.001", .min = 0, .max = 1, .help = "nothing: a second parameter"},
    {.name = NULL}};

static const dm_learner epoch_learner = {
    .name = "epochs",
    .summary = "linear form by descent",
    .tasks = DM_REGRESS,
    .takes = DM_NEEDS_TARGET | DM_HAS_EPOCHS,
    .params = epoch_params,
    .block = DM_BLOCK_DENSE,
    .train = epoch_train,
    .predict = epoch_predict,
    .save = epoch_save,
    .load = epoch_load,
    .free = epoch_free,
};

#endif
