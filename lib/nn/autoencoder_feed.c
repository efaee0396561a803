/* Feed and head of the autoencoder's training. */
#include "nn/autoencoder_feed.h"

#include <math.h>

const float *autoencoder_row(const autoencoder_data *data, size_t row) {
  const dm_dense *x = data->parts[row >= data->first];
  return x->x + (row >= data->first ? row - data->first : row) * x->stride;
}

static double normal(dm_rng *rng) {
  double u = 1 - dm_rng_uniform(rng), angle = 6.283185307179586 * dm_rng_uniform(rng);
  return sqrt(-2 * log(u)) * cos(angle);
}

static dm_real swapped(const autoencoder_data *data, size_t column, dm_rng *rng) {
  float v = autoencoder_row(data, data->train[dm_rng_below(rng, data->n_train)])[column];
  return isnan(v) ? (dm_real)data->shape->fill[column] : (dm_real)v;
}

static void corrupt_number(const autoencoder_data *data, size_t column, dm_rng *rng, dm_real *cell) {
  switch (data->kind) {
  case AUTOENCODER_MASK: *cell = (dm_real)data->shape->fill[column]; break;
  case AUTOENCODER_GAUSSIAN: *cell += (dm_real)(data->spread[column] * normal(rng)); break;
  case AUTOENCODER_SWAP: *cell = swapped(data, column, rng); break;
  }
}

/* One draw a cell decides; what the noise itself draws comes on top. */
static void corrupt(const autoencoder_data *data, dm_rng *rng, dm_real *row) {
  const nn_cells *c = &data->shape->cells;
  uint32_t limit = (uint32_t)(data->noise * 4294967296.0);
  for (size_t j = 0; j < c->n_numbers; j++)
    if (dm_rng_u32(rng) < limit) corrupt_number(data, c->numbers[j], rng, row + c->numbers[j]);
  for (size_t j = 0; j < c->n_categories; j++) {
    if (dm_rng_u32(rng) >= limit) continue;
    size_t column = c->categories[j];
    row[column] = data->kind == AUTOENCODER_MASK ? (dm_real)(c->levels[j] - 2) : swapped(data, column, rng);
  }
}

void autoencoder_feed(const void *user, const size_t *rows, size_t n, bool training, dm_rng *rng, dm_real *out) {
  const autoencoder_data *data = user;
  const autoencoder_shape *shape = data->shape;
  size_t d = shape->cells.d, width = d + shape->n_flags;
  for (size_t i = 0; i < n; i++) {
    const float *x = autoencoder_row(data, rows[i]);
    dm_real *to = out + i * width;
    for (size_t j = 0; j < d; j++) to[j] = x[j] == x[j] ? (dm_real)x[j] : (dm_real)shape->fill[j];
    for (size_t j = 0; j < shape->n_flags; j++) to[d + j] = x[shape->flagged[j]] == x[shape->flagged[j]] ? 0 : 1;
    if (training && data->noise > 0) corrupt(data, rng, to);
  }
}

double autoencoder_loss(const void *user, const size_t *rows, size_t n, const dm_real *out, double scale, dm_real *g_out, double *weight) {
  const autoencoder_data *data = user;
  const nn_cells *c = &data->shape->cells;
  double sum = 0, share = 1 / (double)c->d;
  size_t n_cells = 0;
  for (size_t i = 0; i < n; i++)
    sum += nn_cells_loss(c, autoencoder_row(data, rows[i]), out + i * c->size, scale * share, g_out ? g_out + i * c->size : NULL, &n_cells);
  *weight = share * (double)n_cells;
  return share * sum;
}
