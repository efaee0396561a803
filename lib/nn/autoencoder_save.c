/*
 * An autoencoder to scalars and tensors and back:
 *
 *   {"hidden": [256], "latent": 64, "activation": "relu", "flags": [3], "threshold": 0.04, "epochs": 30, "train_loss": …, "valid_loss": …}
 *   fill f64 [d]      w f32 [parameters], layer by layer
 *
 * What is read may be forged: shapes and numbers are bounded here, so that it
 * can be scored without checks.
 */
#include "nn/autoencoder.h"
#include "nn/saved.h"

#include <math.h>
#include <string.h>

static void put_sizes(dm_json_out *json, const char *key, const size_t *x, size_t n) {
  dm_json_key(json, key);
  dm_json_array(json);
  for (size_t i = 0; i < n; i++) dm_json_int(json, (int64_t)x[i]);
  dm_json_end_array(json);
}

dm_status autoencoder_save(const dm_model *model, dm_model_writer *w, dm_error *err) {
  const autoencoder *m = (const autoencoder *)model;
  const size_t columns[1] = {model->d}, parameters[1] = {m->graph->n_w};
  put_sizes(w->json, "hidden", m->shape.hidden, m->shape.n_hidden);
  dm_json_put_int(w->json, "latent", (int64_t)m->shape.latent);
  dm_json_put_string(w->json, "activation", nn_activation_name(m->shape.activation));
  put_sizes(w->json, "flags", m->shape.flagged, m->shape.n_flags);
  dm_json_put_double(w->json, "threshold", model->threshold);
  dm_json_put_int(w->json, "epochs", m->epochs);
  dm_json_put_double(w->json, "train_loss", m->train_loss);
  if (!isnan(m->valid_loss)) dm_json_put_double(w->json, "valid_loss", m->valid_loss);
  dm_status s = w->tensor(w, "fill", DM_F64, columns, 1, m->shape.fill, err);
  return s == DM_OK ? w->tensor(w, "w", DM_F32, parameters, 1, m->w, err) : s;
}

/* ---- load ------------------------------------------------------------------------------- */

static dm_status bad(const char *what, dm_error *err) { return dm_fail(err, DM_EINPUT, "autoencoder: the model is damaged: %s", what); }

static dm_status read_layers(const dm_json *json, autoencoder_shape *shape, dm_error *err) {
  const dm_json *hidden = dm_json_get(json, "hidden");
  if (!hidden || hidden->type != DM_JSON_ARRAY || hidden->n > AUTOENCODER_LAYERS_MAX) return bad("no list of up to 8 hidden layers", err);
  for (const dm_json *v = hidden->first; v; v = v->next)
    if (!nn_saved_count(v, NN_WIDTH_MAX, &shape->hidden[shape->n_hidden]) || shape->hidden[shape->n_hidden++] == 0)
      return bad("a hidden layer is not 1 to 65536 wide", err);
  if (!nn_saved_count(dm_json_get(json, "latent"), NN_WIDTH_MAX, &shape->latent) || shape->latent == 0)
    return bad("the latent layer is not 1 to 65536 wide", err);
  if (!nn_activation_parse(dm_json_get_string(json, "activation", ""), &shape->activation)) return bad("no known activation", err);
  return DM_OK;
}

/* Columns with flags: numbers, ascending. */
static dm_status read_flags(const dm_json *json, const size_t *levels, dm_arena *memory, autoencoder_shape *shape, dm_error *err) {
  const dm_json *list = dm_json_get(json, "flags");
  size_t d = shape->cells.d;
  if (!list || list->type != DM_JSON_ARRAY || list->n > d) return bad("no list of flags", err);
  size_t *flagged = dm_arena_alloc(memory, list->n + 1, sizeof *flagged, err);
  if (!flagged) return DM_EBUDGET;
  for (const dm_json *v = list->first; v; v = v->next, shape->n_flags++) {
    size_t i = shape->n_flags;
    if (!nn_saved_count(v, d - 1, &flagged[i]) || (levels && levels[flagged[i]]) || (i && flagged[i] <= flagged[i - 1]))
      return bad("flags are not ascending columns of numbers", err);
  }
  shape->flagged = flagged;
  return DM_OK;
}

static dm_status read_fill(dm_model_reader *r, autoencoder_shape *shape, dm_error *err) {
  size_t n = 0;
  dm_status s = r->tensor(r, "fill", DM_F64, 1, &n, (const void **)&shape->fill, err);
  if (s != DM_OK) return s;
  if (n != r->d) return bad("not one fill for each column", err);
  for (size_t i = 0; i < n; i++)
    if (!(fabs(shape->fill[i]) <= AUTOENCODER_REACH)) return bad("a fill is not a number within reach", err);
  return DM_OK;
}

/* What is stored is looked at before room for parameters is made: layers may be forged. */
static dm_status read_parameters(dm_model_reader *r, autoencoder *m, dm_error *err) {
  const float *w = NULL;
  dm_status s = nn_saved_floats(r, "autoencoder", "w", m->graph->n_w, &w, err);
  if (s == DM_OK) s = autoencoder_allocate(m, err);
  if (s == DM_OK) memcpy(m->w, w, m->graph->n_w * sizeof *w);
  return s;
}

dm_status autoencoder_load(dm_ctx *ctx, const dm_model_reader *given, dm_model **out, dm_error *err) {
  dm_model_reader r = *given; /* its tensor call takes it unqualified */
  autoencoder_shape shape = {0};
  autoencoder *m = NULL;
  dm_arena *memory = NULL;
  double threshold = dm_json_get_double(r.json, "threshold", (double)NAN);
  if (r.n_classes) return bad("it has classes", err);
  if (r.d == 0) return bad("it has no column", err);
  if (!(threshold >= 0) || isinf(threshold)) return bad("the threshold is not a number >= 0", err);
  dm_status s = dm_arena_new(ctx, 0, &memory, err);
  if (s == DM_OK) s = nn_cells_init(&shape.cells, memory, r.levels, r.d, err);
  if (s == DM_OK) s = read_layers(r.json, &shape, err);
  if (s == DM_OK) s = read_flags(r.json, r.levels, memory, &shape, err);
  if (s == DM_OK) s = read_fill(&r, &shape, err);
  if (s == DM_OK) s = autoencoder_new(ctx, &shape, &m, err);
  if (s == DM_OK) s = read_parameters(&r, m, err);
  dm_arena_free(memory);
  if (s != DM_OK) {
    autoencoder_free(m ? &m->base : NULL);
    return s == DM_EUSAGE ? DM_EINPUT : s; /* layers that do not fit were not typed by anybody */
  }
  m->base.threshold = threshold;
  m->epochs = dm_json_get_int(r.json, "epochs", 0);
  m->train_loss = dm_json_get_double(r.json, "train_loss", (double)NAN);
  m->valid_loss = dm_json_get_double(r.json, "valid_loss", (double)NAN);
  *out = &m->base;
  return DM_OK;
}
