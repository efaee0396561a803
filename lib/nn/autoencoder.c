/*
 * The autoencoder in the table of methods: parameters, checks, training.
 *
 *   table -> fill, flags, spread (training part) -> graph -> nn_train -> model -> threshold (validation part)
 *
 * Numbers come with NaN where a cell is missing: the encoder imputes nothing,
 * so that the learner knows which cells to leave out of the loss, in columns
 * too that training rows had whole.
 * Sources: Hinton & Salakhutdinov, Science 2006; Vincent et al., JMLR 2010 (denoising).
 */
#include "nn/autoencoder_feed.h"
#include "nn/settings.h"

#include <dm/optim.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const dm_param parameters[] = {
    {"hidden", DM_PARAM_TEXT, "256", 1, 100, false, "256,128", "widths of the encoder's hidden layers, which the decoder mirrors; none: no such layer"},
    {"latent", DM_PARAM_INT, "auto", 1, NN_WIDTH_MAX, false, NULL, "features to learn; auto: a quarter of the outputs, 2 to 64"},
    {"activation", DM_PARAM_CHOICE, "silu", 0, 0, false, NN_ACTIVATIONS "|linear", "of the hidden layers; features are linear"},
    {"noise", DM_PARAM_DOUBLE, "0.3", 0, 0.95, false, NULL, "share of cells that are corrupted in training and must be restored; 0: plain"},
    {"noise_kind", DM_PARAM_CHOICE, "mask", 0, 0, false, "mask|gaussian|swap", "corrupted cells are hidden, shaken, or those of another row"},
    {"dropout", DM_PARAM_DOUBLE, "0", 0, 0.95, false, NULL, "share of hidden units left out in a step"},
    {"optimizer", DM_PARAM_CHOICE, "adam", 0, 0, false, NN_OPTIMIZERS, "how weights follow the gradient"},
    {"lr", DM_PARAM_DOUBLE, "auto", 0, 1e3, true, NULL, "learning rate; auto: that of the optimizer, 0.001 of adam"},
    {"batch_size", DM_PARAM_INT, "auto", 1, INT32_MAX, false, NULL, "rows of a step; auto: a tenth of the rows, 16 to 128"},
    {"epochs", DM_PARAM_INT, "auto", 1, INT32_MAX, false, NULL, "passes over the rows at most; auto: 3000 steps, 20 to 300 epochs"},
    {"patience", DM_PARAM_INT, "10", 0, INT32_MAX, false, NULL, "epochs without a better validation loss that end training; 0: never"},
    {"validation", DM_PARAM_DOUBLE, "0.1", 0, 0.9, false, NULL, "share of the rows kept for choosing the best epoch and the threshold"},
    {"weight_decay", DM_PARAM_DOUBLE, "0", 0, 1e3, false, NULL, "pull of weights to 0, as the optimizer has it"},
    {"schedule", DM_PARAM_CHOICE, "cosine", 0, 0, false, NN_SCHEDULES, "learning rate over the steps"},
    {"clip", DM_PARAM_DOUBLE, "0", 0, DBL_MAX, false, NULL, "largest norm of the gradient; 0: any"},
    {"scale", DM_PARAM_CHOICE, "robust", 0, 0, false, NN_SCALES, "what numbers are brought to: the unit of their errors"},
    {"max_levels", DM_PARAM_INT, "100", 1, 65536, false, NULL, "levels of a category that are told apart, the most frequent"},
    {"threshold", DM_PARAM_DOUBLE, "0.99", 0, 1, false, NULL, "share of the validation rows whose reconstruction error is usual"},
    {NULL},
};

static void encoding(const dm_params *params, dm_encode_options *out) {
  *out = (dm_encode_options){.impute_numeric = DM_IMPUTE_NONE, .impute_category = DM_IMPUTE_CONSTANT, .categories = DM_CODE_ORDINAL, .other = true,
                             .max_levels = (size_t)dm_params_int(params, "max_levels")};
  (void)dm_scale_parse(dm_params_choice(params, "scale"), &out->scale); /* one of its choices */
}

/* One training. */
typedef struct job {
  dm_ctx *ctx;
  const dm_params *params;
  dm_arena *memory;
  autoencoder_shape shape;
  autoencoder_data data;
  size_t n, *rows;             /* all: training part, then validation part */
  size_t n_train, n_valid;
  nn_train_options options;
  nn_train_result result;
} job;

/* ---- what is learned from ------------------------------------------------------------- */

static dm_status refuse(const char *what, const char *hint, dm_error *err) {
  (void)dm_fail(err, DM_EINPUT, "autoencoder: %s", what);
  if (hint) dm_error_hint(err, "%s", hint);
  return DM_EINPUT;
}

static dm_status check_cells(const job *j, dm_error *err) {
  size_t given = 0;
  for (size_t i = 0; i < j->n; i++) {
    const float *x = autoencoder_row(&j->data, i);
    for (size_t c = 0; c < j->shape.cells.d; c++) {
      given += x[c] == x[c];
      if (!(fabs((double)x[c]) > AUTOENCODER_REACH)) continue;
      (void)dm_fail(err, DM_EINPUT, "autoencoder: row %zu holds a number beyond 1e15 in encoded column %zu", i + 1, c + 1);
      dm_error_hint(err, "--scale robust brings columns near 1");
      return DM_EINPUT;
    }
  }
  return given ? DM_OK : refuse("all cells are missing: nothing to learn", NULL, err);
}

/* Validation rows are those given, or a part that is cut off. */
static dm_status choose_rows(job *j, const dm_dataset *train, const dm_dataset *valid, dm_error *err) {
  double share = dm_params_double(j->params, "validation");
  j->n = train->n + (valid ? valid->n : 0);
  size_t *test = dm_arena_alloc(j->memory, j->n, sizeof *test, err);
  j->rows = test ? dm_arena_alloc(j->memory, j->n, sizeof *j->rows, err) : NULL;
  if (!j->rows) return DM_EBUDGET;
  for (size_t i = 0; i < j->n; i++) j->rows[i] = i;
  j->n_train = train->n;
  j->n_valid = valid ? valid->n : 0;
  if (valid || !(share * (double)train->n >= 1)) return DM_OK;
  dm_status s = dm_split(j->ctx, train->n, share, dm_ctx_seed(j->ctx), NULL, train->groups, j->rows, &j->n_train, test, &j->n_valid, err);
  if (s == DM_OK) memcpy(j->rows + j->n_train, test, j->n_valid * sizeof *test);
  return s;
}

/* Mean and deviation of each number's training cells, and a flag where some are missing. */
static dm_status describe_columns(job *j, dm_error *err) {
  const nn_cells *c = &j->shape.cells;
  double *fill = dm_arena_alloc(j->memory, c->d, sizeof *fill, err), *spread = dm_arena_alloc(j->memory, c->d, sizeof *spread, err);
  size_t *flagged = dm_arena_alloc(j->memory, c->d, sizeof *flagged, err), *given = dm_arena_alloc(j->memory, c->d, sizeof *given, err);
  if (!fill || !spread || !flagged || !given) return DM_EBUDGET;
  for (int pass = 0; pass < 2; pass++) {
    for (size_t i = 0; i < j->n_train; i++) {
      const float *x = autoencoder_row(&j->data, j->rows[i]);
      for (size_t k = 0; k < c->n_numbers; k++) {
        size_t column = c->numbers[k];
        double v = (double)x[column], off = v - fill[column];
        if (isnan(v)) continue;
        if (pass)
          spread[column] += off * off;
        else
          fill[column] += off / (double)++given[column];
      }
    }
  }
  for (size_t k = 0; k < c->n_numbers; k++) {
    size_t column = c->numbers[k];
    if (given[column]) spread[column] = sqrt(spread[column] / (double)given[column]);
    if (given[column] < j->n_train) flagged[j->shape.n_flags++] = column;
  }
  j->shape.fill = fill;
  j->shape.flagged = flagged;
  j->data.spread = spread;
  return DM_OK;
}

static dm_status read_data(job *j, const dm_training *training, dm_error *err) {
  const dm_block *block = dm_dataset_block(training->train, DM_BLOCK_DENSE);
  const dm_block *valid = training->valid ? dm_dataset_block(training->valid, DM_BLOCK_DENSE) : NULL;
  if (!block || block->d == 0) return refuse("there is no column to learn from", NULL, err);
  if (training->train->n < 2)
    return dm_fail(err, DM_EINPUT, "autoencoder: %zu row%s to learn from, want 2 or more", training->train->n, training->train->n == 1 ? "" : "s");
  if (valid && valid->d != block->d) return dm_fail(err, DM_EINPUT, "autoencoder: validation rows of %zu columns, want %zu", valid->d, block->d);
  dm_status s = nn_cells_init(&j->shape.cells, j->memory, block->levels, block->d, err);
  if (s == DM_OK) s = choose_rows(j, training->train, valid ? training->valid : NULL, err);
  if (s != DM_OK) return s;
  j->data = (autoencoder_data){.shape = &j->shape, .parts = {block->dense, valid ? valid->dense : NULL}, .first = training->train->n,
                               .train = j->rows, .n_train = j->n_train};
  s = check_cells(j, err);
  return s == DM_OK ? describe_columns(j, err) : s;
}

/* ---- parameters ------------------------------------------------------------------------- */

static dm_status read_hidden(const char *text, autoencoder_shape *shape, dm_error *err) {
  if (strcmp(text, "none") == 0) return DM_OK;
  size_t n = nn_settings_widths(text, AUTOENCODER_LAYERS_MAX, shape->hidden);
  if (n > AUTOENCODER_LAYERS_MAX)
    return dm_fail(err, DM_EUSAGE, "autoencoder: hidden = '%s', want at most %d layers", text, AUTOENCODER_LAYERS_MAX);
  if (n == 0) return dm_fail(err, DM_EUSAGE, "autoencoder: hidden = '%s', want widths from 1 to %d such as 256,128, or none", text, NN_WIDTH_MAX);
  shape->n_hidden = n;
  return DM_OK;
}

static size_t within(double v, size_t low, size_t high) { return v < (double)low ? low : v > (double)high ? high : (size_t)v; }

static dm_status read_params(job *j, dm_error *err) {
  static const char *const noises[] = {"mask", "gaussian", "swap"};
  const dm_params *p = j->params;
  nn_train_options *o = &j->options;
  dm_status s = read_hidden(dm_params_text(p, "hidden"), &j->shape, err);
  if (s == DM_OK) s = nn_settings_begin(p, "autoencoder", o, err);
  if (s != DM_OK) return s;
  (void)nn_activation_parse(dm_params_choice(p, "activation"), &j->shape.activation);
  size_t quarter = (j->shape.cells.size + 3) / 4;
  j->shape.latent = dm_params_size_or(p, "latent", within((double)quarter, 2, 64));
  o->batch = dm_params_size_or(p, "batch_size", within((double)j->n_train / 10, j->n_train < 16 ? j->n_train : 16, 128));
  o->epochs = dm_params_size_or(p, "epochs", within(ceil(3000 * (double)o->batch / (double)j->n_train), 20, 300));
  o->patience = (size_t)dm_params_int(p, "patience");
  o->clip = dm_params_double(p, "clip");
  o->optimizer.weight_decay = dm_params_double(p, "weight_decay");
  o->optimizer.lr = dm_params_double_or(p, "lr", o->optimizer.lr);
  for (size_t i = 0; i < 3; i++)
    if (strcmp(dm_params_choice(p, "noise_kind"), noises[i]) == 0) j->data.kind = (autoencoder_noise)i;
  j->data.noise = dm_params_double(p, "noise");
  return DM_OK;
}

/* ---- training ------------------------------------------------------------------------------ */

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Reconstruction errors of rows as scoring sees them. */
static dm_status rebuild(const job *j, const autoencoder *m, const size_t *rows, size_t n, double *errors, dm_error *err) {
  size_t d = m->base.d;
  double *x = dm_alloc(j->ctx, d, NN_SCORE_ROWS * sizeof *x, "autoencoder", err);
  void *work = x ? dm_alloc(j->ctx, m->base.work, 1, "autoencoder", err) : NULL;
  dm_status s = work ? DM_OK : DM_EBUDGET;
  for (size_t from = 0; s == DM_OK && from < n; from += NN_SCORE_ROWS) {
    dm_batch batch = {.n = n - from < NN_SCORE_ROWS ? n - from : NN_SCORE_ROWS, .d = d, .x = x, .value = errors + from, .work = work};
    for (size_t i = 0; i < batch.n; i++)
      for (size_t c = 0; c < d; c++) x[i * d + c] = (double)autoencoder_row(&j->data, rows[from + i])[c];
    s = autoencoder_predict(&m->base, DM_OUT_VALUE, &batch, err);
  }
  dm_free(j->ctx, work);
  dm_free(j->ctx, x);
  return s;
}

/* The quantile of the errors, linear between neighbours. */
static dm_status find_threshold(const job *j, autoencoder *m, dm_error *err) {
  size_t n = j->n_valid ? j->n_valid : j->n_train;
  double *errors = dm_alloc(j->ctx, n, sizeof *errors, "autoencoder", err);
  if (!errors) return DM_EBUDGET;
  dm_status s = rebuild(j, m, j->n_valid ? j->rows + j->n_train : j->rows, n, errors, err);
  if (s == DM_OK) {
    qsort(errors, n, sizeof *errors, ascending);
    double place = dm_params_double(j->params, "threshold") * (double)(n - 1);
    size_t i = (size_t)place, next = i + 1 < n ? i + 1 : i;
    m->base.threshold = errors[i] + (place - (double)i) * (errors[next] - errors[i]);
  }
  dm_free(j->ctx, errors);
  return s;
}

static dm_status train_weights(job *j, const dm_training_hooks *hooks, autoencoder *m, dm_error *err) {
  nn_graph *graph = NULL;
  nn_run *run = NULL;
  size_t code, output;
  const nn_feed feed = {&j->data, autoencoder_feed};
  const nn_head head = {&j->data, autoencoder_loss};
  dm_status s = nn_train_check_batch(&j->options, j->n_train, j->n_valid, err);
  if (s == DM_OK) s = autoencoder_graph(j->ctx, &j->shape, dm_params_double(j->params, "dropout"), &graph, &code, &output, err);
  if (s == DM_OK) s = nn_run_new(j->ctx, graph, output, j->options.batch, 0, &run, err);
  if (s == DM_OK)
    s = nn_train(run, &feed, &head, j->rows, j->n_train, j->rows + j->n_train, j->n_valid, &j->options, hooks, &j->result, err);
  if (s == DM_OK) memcpy(m->w, run->w, graph->n_w * sizeof *m->w);
  nn_run_free(run);
  nn_graph_free(graph);
  return s;
}

static dm_status train(dm_ctx *ctx, const dm_training *training, const dm_params *params, dm_model **out, dm_error *err) {
  job j = {.ctx = ctx, .params = params};
  autoencoder *m = NULL;
  dm_status s = dm_arena_new(ctx, 0, &j.memory, err);
  if (s == DM_OK) s = read_data(&j, training, err);
  if (s == DM_OK) s = read_params(&j, err);
  if (s == DM_OK) s = autoencoder_new(ctx, &j.shape, &m, err);
  if (s == DM_OK) s = autoencoder_allocate(m, err);
  if (s == DM_OK) s = train_weights(&j, training->hooks, m, err);
  if (s == DM_OK) {
    m->epochs = (int64_t)j.result.epochs;
    m->train_loss = j.result.train_loss;
    m->valid_loss = j.result.valid_loss;
    s = find_threshold(&j, m, err);
  }
  dm_arena_free(j.memory);
  if (s != DM_OK) {
    autoencoder_free(m ? &m->base : NULL);
    return s;
  }
  *out = &m->base;
  return DM_OK;
}

const dm_learner dm_learner_autoencoder = {
    .name = "autoencoder",
    .summary = "autoencoder: learned features and reconstruction errors",
    .tasks = DM_ENCODE,
    .takes = DM_TAKES_MISSING | DM_SCALES | DM_HAS_EPOCHS,
    .params = parameters,
    .block = DM_BLOCK_DENSE,
    .encoding = encoding,
    .train = train,
    .predict = autoencoder_predict,
    .save = autoencoder_save,
    .load = autoencoder_load,
    .free = autoencoder_free,
    .describe = autoencoder_describe,
};
