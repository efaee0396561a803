/*
 * Scoring: blocks of rows through the net, then the error of each cell in
 * double with our own exp and log, so that a row has the same bits in every
 * batch and on every CPU.
 */
#include "matrix/kernels/kernels.h"
#include "nn/autoencoder.h"

#include <math.h>

static double within_reach(double v) {
  return v > AUTOENCODER_REACH ? AUTOENCODER_REACH : v < -AUTOENCODER_REACH ? -AUTOENCODER_REACH : v;
}

/* One encoded row to a row of the net. */
static void net_row(const autoencoder_shape *shape, const double *x, double *out) {
  const nn_cells *c = &shape->cells;
  for (size_t j = 0; j < c->d; j++) out[j] = isnan(x[j]) ? shape->fill[j] : within_reach(x[j]);
  for (size_t j = 0; j < c->n_categories; j++) out[c->categories[j]] = x[c->categories[j]]; /* no code stays none */
  for (size_t i = 0; i < shape->n_flags; i++) out[c->d + i] = isnan(x[shape->flagged[i]]) ? 1 : 0;
}

/* (s - y)^2 */
static double number_error(double y, dm_real s) {
  double r = (double)s - within_reach(y);
  return r * r;
}

/* log(sum_c exp(s_c)) - s_y */
static double category_error(size_t levels, double y, const dm_real *s) {
  size_t truth = nn_cells_code(levels, y);
  if (truth == SIZE_MAX) return (double)NAN;
  double top = (double)s[0], sum = 0;
  for (size_t c = 1; c < levels; c++) top = (double)s[c] > top ? (double)s[c] : top;
  for (size_t c = 0; c < levels; c++) sum += dm_k_exp((double)s[c] - top);
  return top - (double)s[truth] + dm_k_log(sum);
}

/* Where the sum of a row's parts and their number gather. */
typedef struct row_error {
  double sum;
  size_t n;
  bool finite;
} row_error;

static void add_part(row_error *e, double part, double *to) {
  if (to) *to = part;
  if (isnan(part)) return;
  e->sum += part;
  e->n++;
}

/* @param parts [d] or NULL */
static row_error rebuild_error(const nn_cells *c, const double *x, const dm_real *out, double *parts) {
  row_error e = {.finite = true};
  for (size_t j = 0; j < c->size; j++) e.finite &= isfinite(out[j]) != 0;
  for (size_t j = 0; j < c->n_numbers; j++) {
    size_t column = c->numbers[j];
    add_part(&e, number_error(x[column], out[j]), parts ? parts + column : NULL);
  }
  size_t at = c->n_numbers;
  for (size_t j = 0; j < c->n_categories; j++) {
    size_t column = c->categories[j];
    add_part(&e, category_error(c->levels[j], x[column], out + at), parts ? parts + column : NULL);
    at += c->levels[j];
  }
  return e;
}

static dm_status not_finite(size_t row, dm_error *err) {
  return dm_fail(err, DM_EINPUT, "autoencoder: what it makes of row %zu of the batch is not finite: its inputs are too large", row + 1);
}

static dm_status write_codes(const autoencoder *m, const dm_real *code, size_t from, size_t n, dm_batch *batch, dm_error *err) {
  size_t k = m->base.n_code;
  for (size_t i = 0; i < n; i++)
    for (size_t c = 0; c < k; c++) {
      if (!isfinite(code[i * k + c])) return not_finite(from + i, err);
      batch->code[(from + i) * k + c] = (float)code[i * k + c];
    }
  return DM_OK;
}

static dm_status write_errors(const autoencoder *m, unsigned what, const dm_real *out, size_t from, size_t n, dm_batch *batch, dm_error *err) {
  const nn_cells *c = &m->shape.cells;
  for (size_t i = 0; i < n; i++) {
    row_error e = rebuild_error(c, batch->x + (from + i) * c->d, out + i * c->size, what & DM_OUT_PARTS ? batch->parts + (from + i) * c->d : NULL);
    if (!e.finite) return not_finite(from + i, err);
    if (what & DM_OUT_VALUE) batch->value[from + i] = e.n ? e.sum / (double)e.n : 0; /* nothing is known of the row: nothing is unusual */
  }
  return DM_OK;
}

dm_status autoencoder_predict(const dm_model *model, unsigned what, dm_batch *batch, dm_error *err) {
  const autoencoder *m = (const autoencoder *)model;
  bool rebuild = what & (DM_OUT_VALUE | DM_OUT_PARTS);
  if (!rebuild && !(what & DM_OUT_CODE)) return DM_OK;
  const nn_scoring *net = rebuild ? &m->rebuilding : &m->encoding;
  double *rows = (double *)((char *)batch->work + m->rows_at);
  for (size_t from = 0; from < batch->n; from += NN_SCORE_ROWS) {
    size_t n = batch->n - from < NN_SCORE_ROWS ? batch->n - from : NN_SCORE_ROWS, width = m->graph->nodes[0].size;
    for (size_t i = 0; i < n; i++) net_row(&m->shape, batch->x + (from + i) * batch->d, rows + i * width);
    nn_score(net, rows, n, batch->work);
    dm_status s = what & DM_OUT_CODE ? write_codes(m, nn_score_value(net, batch->work, m->code), from, n, batch, err) : DM_OK;
    if (s == DM_OK && rebuild) s = write_errors(m, what, nn_score_value(net, batch->work, m->output), from, n, batch, err);
    if (s != DM_OK) return s;
  }
  return DM_OK;
}
