/*
 * Training of the net.
 *
 *   rows that weigh --split--> training part | validation part
 *                                    |
 *   design -> graph -> run -> nn_train (the loop) -> weights of the best epoch -> model
 */
#include "model/target.h"
#include "nn/net_train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  BLOCK = 64,                /* rows that the loss takes at once */
  PERIODIC_COUNT = 16, PERIODIC_UNITS = 4,
  PIECES = 32, PIECE_UNITS = 8,
  ROWS_TO_SPLIT = 10         /* fewer are all learned from */
};
static const double PERIODIC_SIGMA = 0.1;

/* One training: what it learns from. Rows 0 … n-1 are those of the training data, further ones those of a given validation part. */
typedef struct job {
  dm_ctx *ctx;
  const dm_params *params;
  const dm_training *training;
  const dm_dense *x, *valid_x;
  size_t n;
  dm_learned target;
  net_settings settings;
  size_t *rows, *train, *valid, n_train, n_valid;
  float *y, *weights;        /* of all rows; weights NULL = all 1 */
  bool many;                 /* one output for each class */
} job;

/* ---- rows and loss, as the steps ask for them ---------------------------------------- */

static void feed_rows(const void *user, const size_t *rows, size_t n, bool training, dm_rng *rng, dm_real *out) {
  const job *j = user;
  (void)training, (void)rng;
  size_t d = j->x->d;
  for (size_t i = 0; i < n; i++) {
    const dm_dense *from = rows[i] < j->n ? j->x : j->valid_x;
    memcpy(out + i * d, from->x + (rows[i] < j->n ? rows[i] : rows[i] - j->n) * from->stride, d * sizeof *out);
  }
}

/* Smoothed labels are for learning; what is measured is the loss itself. */
static double loss_of_rows(const void *user, const size_t *rows, size_t n, const dm_real *out, double scale, dm_real *g_out, double *weight) {
  const job *j = user;
  const net_settings *set = &j->settings;
  size_t k = j->many ? j->target.fitted : 1;
  double sum = 0, p = j->target.fitted && !g_out ? 0 : set->loss_parameter;
  *weight = 0;
  for (size_t from = 0; from < n; from += BLOCK) {
    float y[BLOCK], weights[BLOCK];
    size_t m = n - from < BLOCK ? n - from : BLOCK;
    for (size_t i = 0; i < m; i++) {
      y[i] = j->y[rows[from + i]];
      weights[i] = j->weights ? j->weights[rows[from + i]] : 1;
      *weight += (double)weights[i];
    }
    sum += dm_loss_rows(set->loss, p, m, k, out + from * k, k, y, j->weights ? weights : NULL, scale, g_out ? g_out + from * k : NULL, k);
  }
  return sum;
}

/* ---- what can be learned from --------------------------------------------------------- */

static dm_status check_cells(const dm_dense *x, const char *of, dm_error *err) {
  for (size_t i = 0; i < x->n; i++)
    for (size_t c = 0; c < x->d; c++)
      if (!isfinite(x->x[i * x->stride + c])) {
        (void)dm_fail(err, DM_EINPUT, "net: row %zu%s holds a number beyond 3.4e38 in encoded column %zu", i + 1, of, c + 1);
        dm_error_hint(err, "--scale robust brings columns near 1");
        return DM_EINPUT;
      }
  return DM_OK;
}

static dm_status read_data(job *j, dm_error *err) {
  const dm_dataset *data = j->training->train, *valid = j->training->valid;
  const dm_block *block = dm_dataset_block(data, DM_BLOCK_DENSE), *valid_block = valid ? dm_dataset_block(valid, DM_BLOCK_DENSE) : NULL;
  if (!block || block->d == 0) return dm_fail(err, DM_EINPUT, "net: there is no column to learn from");
  if (valid && (!valid_block || valid_block->d != block->d || !valid->target))
    return dm_fail(err, DM_EINPUT, "net: the validation part has other columns than the training part");
  j->x = block->dense;
  j->valid_x = valid_block ? valid_block->dense : NULL;
  j->n = data->n;
  dm_status s = check_cells(j->x, "", err);
  if (s == DM_OK && j->valid_x) s = check_cells(j->valid_x, " of the validation part", err);
  return s == DM_OK ? dm_learned_read(j->ctx, "net", data, NET_CLASSES_MAX, &j->target, err) : s;
}

/* The place of a class among the fitted ones; SIZE_MAX when it has none. */
static size_t place_of(const dm_learned *t, double code) {
  for (size_t c = 0; c < t->fitted; c++)
    if ((double)t->classes[c] == code) return c;
  return SIZE_MAX;
}

/* Targets and weights of a given validation part; rows of classes that training has not are left out. */
static void add_given_valid(job *j) {
  const dm_dataset *valid = j->training->valid;
  for (size_t i = 0; i < valid->n; i++) {
    double target = valid->target[i], weight = valid->weights ? valid->weights[i] : 1;
    size_t place = j->target.fitted ? place_of(&j->target, target) : 0;
    if (place == SIZE_MAX || !isfinite(target) || !(weight > 0)) continue;
    j->y[j->n + i] = (float)(j->target.fitted ? (double)place : (target - j->target.mean) / j->target.scale);
    if (j->weights) j->weights[j->n + i] = (float)weight;
    j->valid[j->n_valid++] = j->n + i;
  }
}

/* Training and validation part of the rows that weigh; none is spared where all are needed. */
static dm_status split(job *j, dm_error *err) {
  const dm_dataset *data = j->training->train;
  size_t m = 0;
  for (size_t i = 0; i < j->n; i++)
    if (!data->weights || data->weights[i] > 0) j->rows[m++] = i;
  memcpy(j->train, j->rows, m * sizeof *j->train);
  j->n_train = m;
  bool asked = !dm_params_is_auto(j->params, "validation");
  if (j->training->valid || !(j->settings.validation > 0) || (m < ROWS_TO_SPLIT && !asked)) return DM_OK;
  double *columns = dm_alloc(j->ctx, 2 * m, sizeof *columns, "validation split", err);
  if (!columns) return DM_EBUDGET;
  for (size_t i = 0; i < m; i++) {
    columns[i] = data->target[j->rows[i]];
    columns[m + i] = data->groups ? data->groups[j->rows[i]] : 0;
  }
  dm_error why = {0};
  dm_status s = dm_split(j->ctx, m, j->settings.validation, dm_ctx_seed(j->ctx), data->n_classes ? columns : NULL, data->groups ? columns + m : NULL,
                         j->train, &j->n_train, j->valid, &j->n_valid, &why);
  dm_free(j->ctx, columns);
  if (s == DM_EINPUT && !asked) { /* no row can be spared */
    memcpy(j->train, j->rows, m * sizeof *j->train);
    j->n_train = m;
    j->n_valid = 0;
    return DM_OK;
  }
  if (s != DM_OK) {
    if (err) *err = why;
    return s;
  }
  for (size_t i = 0; i < j->n_train; i++) j->train[i] = j->rows[j->train[i]];
  for (size_t i = 0; i < j->n_valid; i++) j->valid[i] = j->rows[j->valid[i]];
  return DM_OK;
}

static dm_status gather(job *j, dm_error *err) {
  const dm_dataset *data = j->training->train, *valid = j->training->valid;
  size_t all = j->n + (valid ? valid->n : 0);
  bool weighted = data->weights || (valid && valid->weights);
  if (!(j->y = dm_alloc(j->ctx, all, sizeof *j->y, "target", err)) || !(j->rows = dm_alloc(j->ctx, j->n, sizeof *j->rows, "rows", err)) ||
      !(j->train = dm_alloc(j->ctx, j->n, sizeof *j->train, "rows", err)) || !(j->valid = dm_alloc(j->ctx, all, sizeof *j->valid, "rows", err)) ||
      (weighted && !(j->weights = dm_alloc(j->ctx, all, sizeof *j->weights, "weights", err))))
    return DM_EBUDGET;
  double scale = (double)j->n / j->target.total; /* weights of mean 1, so that none is lost in float */
  for (size_t i = 0; i < j->n; i++) j->y[i] = (float)j->target.y[i];
  for (size_t i = 0; weighted && i < all; i++) j->weights[i] = i < j->n && data->weights ? (float)(data->weights[i] * scale) : 1;
  dm_status s = split(j, err);
  if (s == DM_OK && valid) add_given_valid(j);
  return s;
}

/* ---- the design ------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* Half of the edges are quantiles of the n sorted values, half of the distinct ones: a column that is mostly one value has the others to part, too. */
static void pick_edges(float *column, size_t n, size_t count, double *edges) {
  size_t distinct = 0, halves[2] = {(count + 2) / 2, (count + 1) / 2}, at = 0;
  for (size_t t = 0; t < halves[0]; t++) edges[at++] = (double)column[halves[0] > 1 ? (n - 1) * t / (halves[0] - 1) : 0];
  for (size_t i = 0; i < n; i++)
    if (i == 0 || column[i] != column[distinct - 1]) column[distinct++] = column[i];
  for (size_t t = 0; t < halves[1]; t++) edges[at++] = (double)column[(distinct - 1) * (2 * t + 1) / (2 * halves[1])];
  for (size_t i = 1; i < at; i++)
    for (size_t k = i; k > 0 && edges[k] < edges[k - 1]; k--) {
      double larger = edges[k - 1];
      edges[k - 1] = edges[k];
      edges[k] = larger;
    }
}

static dm_status find_edges(const job *j, const net_design *design, double *edges, dm_error *err) {
  float *column = dm_alloc(j->ctx, j->n_train, sizeof *column, "edges of pieces", err);
  if (!column) return DM_EBUDGET;
  for (size_t c = 0; c < design->d; c++) {
    if (design->levels && design->levels[c]) continue;
    for (size_t i = 0; i < j->n_train; i++) column[i] = j->x->x[j->train[i] * j->x->stride + c];
    qsort(column, j->n_train, sizeof *column, by_number);
    pick_edges(column, j->n_train, design->count, edges);
    edges += design->count + 1;
  }
  dm_free(j->ctx, column);
  return DM_OK;
}

static dm_status make_model(const job *j, net_model **out, dm_error *err) {
  const net_settings *set = &j->settings;
  net_design design = {.d = j->x->d, .levels = dm_dataset_block(j->training->train, DM_BLOCK_DENSE)->levels, .numeric = set->numeric,
                       .embedding_dim = set->embedding_dim, .line = set->line};
  double *edges = NULL;
  dm_status s = DM_OK;
  if (set->numeric == NET_NUMERIC_PERIODIC) {
    design.count = PERIODIC_COUNT;
    design.units = PERIODIC_UNITS;
    design.sigma = PERIODIC_SIGMA;
  } else if (set->numeric == NET_NUMERIC_PIECEWISE) {
    design.count = PIECES;
    design.units = PIECE_UNITS;
    if (!(edges = dm_alloc(j->ctx, net_numbers(&design) * (PIECES + 1), sizeof *edges, "edges of pieces", err))) return DM_EBUDGET;
    s = find_edges(j, &design, edges, err);
    design.edges = edges;
  }
  if (s == DM_OK) s = net_model_new(j->ctx, &design, j->training->train->n_classes, j->target.fitted, out, err);
  dm_free(j->ctx, edges);
  return s;
}

static net_facts facts_of(const job *j) {
  const dm_block *block = dm_dataset_block(j->training->train, DM_BLOCK_DENSE);
  net_design columns = {.d = block->d, .levels = block->levels};
  size_t most = 0;
  for (size_t c = 0; block->levels && c < block->d; c++) most = block->levels[c] > most ? block->levels[c] : most;
  return (net_facts){.n = j->n, .numbers = net_numbers(&columns), .levels = most, .fitted = j->target.fitted};
}

/* ---- training ------------------------------------------------------------------------------ */

static bool is_constant(const job *j) {
  for (size_t i = 0; i < j->n_train; i++)
    if (j->target.y[j->train[i]] != j->target.y[j->train[0]]) return false;
  return true;
}

/* How often each of a column's codes occurs. */
static void count_codes(const job *j, size_t column, size_t levels, size_t *counts) {
  memset(counts, 0, levels * sizeof *counts);
  for (size_t i = 0; i < j->n_train; i++) {
    float code = j->x->x[j->train[i] * j->x->stride + column];
    if (code >= 0 && code < (float)levels) counts[(size_t)code]++;
  }
}

/* Codes that training never met, such as that of unseen categories, get the mean of those that it did. @param table (levels, units) */
static void fill_unseen(const size_t *counts, size_t levels, size_t units, size_t n, float *table) {
  for (size_t u = 0; u < units; u++) {
    double mean = 0;
    for (size_t l = 0; l < levels; l++) mean += (double)counts[l] / (double)n * (double)table[l * units + u];
    for (size_t l = 0; l < levels; l++)
      if (!counts[l]) table[l * units + u] = (float)mean;
  }
}

static dm_status teach_unseen(const job *j, net_model *m, dm_error *err) {
  const net_design *d = &m->design;
  size_t most = 1;
  for (size_t c = 0; d->levels && c < d->d; c++) most = d->levels[c] > most ? d->levels[c] : most;
  size_t *counts = dm_alloc(j->ctx, most, sizeof *counts, "categories", err);
  if (!counts) return DM_EBUDGET;
  for (size_t i = 0; i < m->graph->n; i++) {
    const nn_node *node = &m->graph->nodes[i];
    float *table = m->w + node->w;
    for (size_t c = 0; node->op == &nn_op_embedding && c < node->a.n_columns; c++) {
      size_t levels = node->a.levels[c];
      count_codes(j, node->a.columns[c], levels, counts);
      fill_unseen(counts, levels, node->a.units, j->n_train, table);
      table += levels * node->a.units;
    }
  }
  dm_free(j->ctx, counts);
  return DM_OK;
}

static void keep(const job *j, const nn_run *run, const nn_train_result *result, net_model *m) {
  memcpy(m->w, run->w, m->graph->n_w * sizeof *m->w);
  if (m->graph->n_state) memcpy(m->state, run->state, m->graph->n_state * sizeof *m->state);
  for (size_t c = 0; c < j->target.fitted; c++) m->classes[c] = j->target.classes[c];
  if (!j->target.fitted) {
    bool constant = is_constant(j); /* it comes back as it was */
    m->mean = constant ? j->training->train->target[j->train[0]] : j->target.mean;
    m->scale = constant ? 0 : j->target.scale;
  }
  m->epochs = (int64_t)result->epochs;
  m->best_epoch = (int64_t)result->best_epoch;
  m->train_loss = result->train_loss;
  m->valid_loss = result->valid_loss;
}

static dm_status fit(job *j, net_model *m, dm_error *err) {
  nn_train_options *o = &j->settings.train;
  nn_run *run = NULL;
  nn_train_result result;
  j->many = m->outputs > 1;
  if (m->fitted && !j->many && !(j->settings.loss = dm_loss_find("logistic", err))) return DM_EINTERNAL;
  if (dm_params_is_auto(j->params, "batch_size") && o->batch > j->n_train) o->batch = j->n_train;
  dm_status s = nn_train_check_batch(o, j->n_train, j->n_valid, err);
  if (s == DM_OK) s = nn_run_new(j->ctx, m->graph, m->last, o->batch + 1, 0, &run, err);
  const nn_feed feed = {j, feed_rows};
  const nn_head head = {j, loss_of_rows};
  if (s == DM_OK)
    s = nn_train(run, &feed, &head, j->train, j->n_train, j->valid, j->n_valid, o, j->training->hooks, &result, err);
  if (s == DM_OK) s = net_model_allocate(m, err);
  if (s == DM_OK) {
    keep(j, run, &result, m);
    s = teach_unseen(j, m, err);
  }
  if (s == DM_OK) {
    dm_log(j->ctx, DM_LOG_INFO, "net: %llu epochs of %zu rows in batches of %zu, ended by %s; number %llu kept: training loss %.4g",
           (unsigned long long)result.epochs, j->n_train, o->batch, result.stopped, (unsigned long long)result.best_epoch, result.train_loss);
  }
  nn_run_free(run);
  return s;
}

dm_status net_train(dm_ctx *ctx, const dm_training *training, const dm_params *params, dm_model **out, dm_error *err) {
  job j = {.ctx = ctx, .params = params, .training = training};
  net_model *m = NULL;
  dm_status s = read_data(&j, err);
  if (s == DM_OK) {
    net_facts facts = facts_of(&j);
    s = net_settings_read(params, &facts, &j.settings, err);
  }
  if (s == DM_OK) s = gather(&j, err);
  if (s == DM_OK) s = make_model(&j, &m, err);
  if (s == DM_OK) s = fit(&j, m, err);
  dm_learned_clear(ctx, &j.target);
  dm_free(ctx, j.y);
  dm_free(ctx, j.weights);
  dm_free(ctx, j.rows);
  dm_free(ctx, j.train);
  dm_free(ctx, j.valid);
  if (s != DM_OK) {
    net_free(m ? &m->base : NULL);
    return s;
  }
  *out = &m->base;
  return DM_OK;
}
