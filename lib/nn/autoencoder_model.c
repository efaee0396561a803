/* The autoencoder's net from its shape, and the model around it. */
#include "nn/autoencoder.h"

#include <string.h>

/* ---- graph ----------------------------------------------------------------------------- */

/* Numbers and flags as they are, codes as rows of tables: side by side. @param memory scratch */
static dm_status add_columns(nn_graph *g, const autoencoder_shape *shape, dm_arena *memory, size_t *node, dm_error *err) {
  const nn_cells *cells = &shape->cells;
  size_t n = cells->n_numbers + shape->n_flags, parts[2], n_parts = 0;
  size_t *numbers = dm_arena_alloc(memory, n + 1, sizeof *numbers, err);
  if (!numbers) return DM_EBUDGET;
  memcpy(numbers, cells->numbers, cells->n_numbers * sizeof *numbers);
  for (size_t i = 0; i < shape->n_flags; i++) numbers[cells->n_numbers + i] = cells->d + i;
  const size_t input = 0;
  const nn_attributes plain = {.columns = numbers, .n_columns = n};
  const nn_attributes codes = {.columns = cells->categories, .levels = cells->levels, .n_columns = cells->n_categories};
  dm_status s = n ? nn_graph_add(g, &nn_op_columns, &input, 1, &plain, 0, &parts[n_parts++], err) : DM_OK;
  if (s == DM_OK) s = nn_graph_add(g, &nn_op_embedding, &input, 1, &codes, 0, &parts[n_parts++], err);
  *node = parts[0];
  return s == DM_OK && n_parts > 1 ? nn_graph_add(g, &nn_op_concat, parts, n_parts, NULL, 0, node, err) : s;
}

static dm_status add_layer(nn_graph *g, size_t units, dm_activation f, double dropout, size_t *node, dm_error *err) {
  const nn_attributes dense = {.units = units, .activation = f, .rate = f == DM_ACT_LEAKY ? NN_LEAKY_SLOPE : 0};
  dm_status s = nn_graph_add(g, &nn_op_dense, node, 1, &dense, 0, node, err);
  return s == DM_OK && dropout > 0 ? nn_graph_add(g, &nn_op_dropout, node, 1, &(nn_attributes){.rate = dropout}, 0, node, err) : s;
}

dm_status autoencoder_graph(dm_ctx *ctx, const autoencoder_shape *shape, double dropout, nn_graph **out, size_t *code, size_t *output,
                            dm_error *err) {
  nn_graph *g = NULL;
  dm_arena *memory = NULL;
  size_t at = 0;
  dm_status s = dm_arena_new(ctx, 0, &memory, err);
  if (s == DM_OK) s = nn_graph_new(ctx, shape->cells.d + shape->n_flags, &g, err);
  if (s == DM_OK && shape->cells.n_categories) s = add_columns(g, shape, memory, &at, err);
  for (size_t i = 0; s == DM_OK && i < shape->n_hidden; i++) s = add_layer(g, shape->hidden[i], shape->activation, dropout, &at, err);
  if (s == DM_OK) s = add_layer(g, shape->latent, DM_ACT_LINEAR, 0, &at, err);
  *code = at;
  for (size_t i = shape->n_hidden; s == DM_OK && i-- > 0;) s = add_layer(g, shape->hidden[i], shape->activation, dropout, &at, err);
  if (s == DM_OK) s = add_layer(g, shape->cells.size, DM_ACT_LINEAR, 0, &at, err);
  *output = at;
  dm_arena_free(memory);
  if (s != DM_OK) {
    nn_graph_free(g);
    return s;
  }
  *out = g;
  return DM_OK;
}

/* ---- model ------------------------------------------------------------------------------- */

static dm_status copy(dm_arena *memory, const void *from, size_t n, size_t size, void **out, dm_error *err) {
  if (!(*out = dm_arena_alloc(memory, n + 1, size, err))) return DM_EBUDGET;
  if (n) memcpy(*out, from, n * size);
  return DM_OK;
}

static dm_status copy_shape(autoencoder *m, const autoencoder_shape *shape, dm_error *err) {
  void *numbers, *categories, *levels, *flagged, *fill;
  const nn_cells *c = &shape->cells;
  dm_status s = copy(m->memory, c->numbers, c->n_numbers, sizeof *c->numbers, &numbers, err);
  if (s == DM_OK) s = copy(m->memory, c->categories, c->n_categories, sizeof *c->categories, &categories, err);
  if (s == DM_OK) s = copy(m->memory, c->levels, c->n_categories, sizeof *c->levels, &levels, err);
  if (s == DM_OK) s = copy(m->memory, shape->flagged, shape->n_flags, sizeof *shape->flagged, &flagged, err);
  if (s == DM_OK) s = copy(m->memory, shape->fill, c->d, sizeof *shape->fill, &fill, err);
  if (s != DM_OK) return s;
  m->shape = *shape;
  m->shape.cells.numbers = numbers;
  m->shape.cells.categories = categories;
  m->shape.cells.levels = levels;
  m->shape.flagged = flagged;
  m->shape.fill = fill;
  return DM_OK;
}

/* What predict needs: values of the net, then its rows. */
static dm_status place_work(autoencoder *m, dm_error *err) {
  size_t code = nn_score_work(&m->encoding), whole = nn_score_work(&m->rebuilding), rows;
  m->rows_at = code > whole ? code : whole;
  if (!dm_size_mul(NN_SCORE_ROWS * sizeof(double), m->graph->nodes[0].size, &rows) || !dm_size_add(m->rows_at, 63, &m->rows_at))
    return dm_fail(err, DM_EBUDGET, "autoencoder: its rows are more than memory can hold");
  m->rows_at = m->rows_at / 64 * 64;
  return dm_size_add(m->rows_at, rows, &m->base.work) ? DM_OK : dm_fail(err, DM_EBUDGET, "autoencoder: its rows are more than memory can hold");
}

dm_status autoencoder_new(dm_ctx *ctx, const autoencoder_shape *shape, autoencoder **out, dm_error *err) {
  const dm_learner *learner = dm_learner_find(ctx, "autoencoder", err);
  autoencoder *m = learner ? dm_alloc(ctx, 1, sizeof *m, "autoencoder", err) : NULL;
  if (!m) return learner ? DM_EBUDGET : DM_EUSAGE;
  *m = (autoencoder){.base = {.learner = learner, .ctx = ctx, .d = shape->cells.d, .n_code = shape->latent}};
  dm_status s = dm_arena_new(ctx, 0, &m->memory, err);
  if (s == DM_OK) s = copy_shape(m, shape, err);
  if (s == DM_OK) s = autoencoder_graph(ctx, shape, 0, &m->graph, &m->code, &m->output, err);
  if (s != DM_OK) {
    autoencoder_free(&m->base);
    return s;
  }
  *out = m;
  return DM_OK;
}

dm_status autoencoder_allocate(autoencoder *m, dm_error *err) {
  const size_t outputs[2] = {m->code, m->output};
  if (!(m->w = dm_alloc(m->base.ctx, m->graph->n_w, sizeof *m->w, "autoencoder", err))) return DM_EBUDGET;
  dm_status s = nn_plan_new(m->graph, outputs, 1, NN_SCORE_ROWS, NN_PLAN_SCORE, &m->code_plan, err);
  if (s == DM_OK) s = nn_plan_new(m->graph, outputs, 2, NN_SCORE_ROWS, NN_PLAN_SCORE, &m->whole_plan, err);
  if (s != DM_OK) return s;
  m->encoding = (nn_scoring){.graph = m->graph, .plan = m->code_plan, .w = m->w};
  m->rebuilding = (nn_scoring){.graph = m->graph, .plan = m->whole_plan, .w = m->w};
  return place_work(m, err);
}

void autoencoder_free(dm_model *model) {
  if (!model) return;
  autoencoder *m = (autoencoder *)model;
  dm_free(model->ctx, m->w);
  nn_plan_free(m->whole_plan);
  nn_plan_free(m->code_plan);
  nn_graph_free(m->graph);
  dm_arena_free(m->memory);
  dm_free(model->ctx, m);
}

/* ---- text ---------------------------------------------------------------------------------- */

dm_status autoencoder_describe(const dm_model *model, const dm_scorer *scorer, dm_buf *out, dm_error *err) {
  (void)scorer, (void)err;
  const autoencoder *m = (const autoencoder *)model;
  const autoencoder_shape *shape = &m->shape;
  dm_buf_printf(out, "autoencoder: %zu columns (%zu numbers, %zu categories) to %zu features, %zu parameters, %lld %s\n", model->d,
                shape->cells.n_numbers, shape->cells.n_categories, shape->latent, m->graph->n_w, (long long)m->epochs,
                m->epochs == 1 ? "epoch" : "epochs");
  dm_buf_printf(out, "  %zu in", m->graph->nodes[0].size);
  for (size_t i = 0; i < shape->n_hidden; i++) dm_buf_printf(out, " | %zu %s", shape->hidden[i], nn_activation_name(shape->activation));
  dm_buf_printf(out, " | %zu features", shape->latent);
  for (size_t i = shape->n_hidden; i-- > 0;) dm_buf_printf(out, " | %zu %s", shape->hidden[i], nn_activation_name(shape->activation));
  dm_buf_printf(out, " | %zu out\n  loss a cell: %.5g in training", shape->cells.size, m->train_loss);
  if (m->valid_loss == m->valid_loss) dm_buf_printf(out, ", %.5g in validation", m->valid_loss);
  dm_buf_printf(out, "\n  rows with a reconstruction error above %.5g are unusual\n", model->threshold);
  return dm_buf_status(out);
}
