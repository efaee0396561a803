/*
 * A net to scalars and named tensors and back. What is read may be forged: the
 * graph is built by the same checks as for a user's line, sizes are compared
 * before anything of their size is made, and numbers must be finite.
 */
#include "nn/net_model.h"
#include "nn/saved.h"

#include <math.h>
#include <string.h>

/* Scoring of a block may not want more than this, whatever a forged line says. */
#define WORK_MAX ((size_t)1 << 30)

dm_status net_save(const dm_model *model, dm_model_writer *w, dm_error *err) {
  const net_model *m = (const net_model *)model;
  const net_design *d = &m->design;
  const size_t n_w[1] = {m->graph->n_w}, n_state[1] = {m->graph->n_state}, classes[1] = {m->fitted};
  const size_t edges[2] = {net_numbers(d), d->count + 1};
  dm_json_put_string(w->json, "net", d->line);
  dm_json_put_string(w->json, "numeric_embedding", net_numeric_name(d->numeric));
  if (d->numeric != NET_NUMERIC_NONE) {
    dm_json_put_int(w->json, "numeric_count", (int64_t)d->count);
    dm_json_put_int(w->json, "numeric_units", (int64_t)d->units);
    dm_json_put_double(w->json, "numeric_sigma", d->sigma);
  }
  dm_json_put_int(w->json, "embedding_dim", (int64_t)d->embedding_dim);
  if (!m->fitted) {
    dm_json_put_double(w->json, "mean", m->mean);
    dm_json_put_double(w->json, "scale", m->scale);
  }
  dm_json_put_int(w->json, "epochs", m->epochs);
  dm_json_put_int(w->json, "best_epoch", m->best_epoch);
  dm_json_put_double(w->json, "train_loss", m->train_loss);
  if (isfinite(m->valid_loss)) dm_json_put_double(w->json, "valid_loss", m->valid_loss);
  dm_status s = w->tensor(w, "weights", DM_F32, n_w, 1, m->w, err);
  if (s == DM_OK && n_state[0]) s = w->tensor(w, "state", DM_F32, n_state, 1, m->state, err);
  if (s == DM_OK && m->fitted) s = w->tensor(w, "classes", DM_I32, classes, 1, m->classes, err);
  if (s == DM_OK && d->numeric == NET_NUMERIC_PIECEWISE) s = w->tensor(w, "edges", DM_F64, edges, 2, d->edges, err);
  return s;
}

/* ---- load ------------------------------------------------------------------------- */

/* The parts as they came. */
typedef struct stored {
  net_design design;
  size_t fitted;
  const int32_t *classes;
} stored;

static dm_status damaged(dm_error *err, const char *what) { return dm_fail(err, DM_EINPUT, "net: the model is damaged: %s", what); }

/* Codes of at least two classes, ascending. */
static dm_status read_classes(dm_model_reader *r, stored *in, dm_error *err) {
  size_t shape[1];
  dm_status s = r->tensor(r, "classes", DM_I32, 1, shape, (const void **)&in->classes, err);
  if (s != DM_OK) return s;
  in->fitted = shape[0];
  if (in->fitted < 2 || in->fitted > r->n_classes || in->fitted > NET_CLASSES_MAX)
    return dm_fail(err, DM_EINPUT, "net: the model is damaged: %zu classes, want 2 to %zu", in->fitted, r->n_classes);
  for (size_t i = 0; i < in->fitted; i++)
    if (in->classes[i] < 0 || (size_t)in->classes[i] >= r->n_classes || (i && in->classes[i] <= in->classes[i - 1]))
      return dm_fail(err, DM_EINPUT, "net: the model is damaged: class %zu has the code %d", i, in->classes[i]);
  return DM_OK;
}

static bool read_count(const dm_json *json, const char *key, size_t *out) { return nn_saved_count(dm_json_get(json, key), NN_SIZE_MAX, out); }

static dm_status read_edges(dm_model_reader *r, net_design *d, dm_error *err) {
  size_t shape[2];
  dm_status s = r->tensor(r, "edges", DM_F64, 2, shape, (const void **)&d->edges, err);
  if (s != DM_OK) return s;
  return shape[0] == net_numbers(d) && shape[1] == d->count + 1 ? DM_OK : damaged(err, "edges of its numeric embedding");
}

static dm_status read_design(dm_model_reader *r, net_design *d, dm_error *err) {
  *d = (net_design){.d = r->d, .levels = r->levels, .line = dm_json_get_string(r->json, "net", "")};
  if (strlen(d->line) > NET_LINE_MAX) return damaged(err, "its layers");
  if (!net_numeric_parse(dm_json_get_string(r->json, "numeric_embedding", ""), &d->numeric)) return damaged(err, "its numeric embedding");
  if (!read_count(r->json, "embedding_dim", &d->embedding_dim)) return damaged(err, "its embedding_dim");
  if (d->numeric == NET_NUMERIC_NONE) return DM_OK;
  d->sigma = dm_json_get_double(r->json, "numeric_sigma", (double)NAN);
  if (!read_count(r->json, "numeric_count", &d->count) || !read_count(r->json, "numeric_units", &d->units) || !isfinite(d->sigma))
    return damaged(err, "its numeric embedding");
  return d->numeric == NET_NUMERIC_PIECEWISE ? read_edges(r, d, err) : DM_OK;
}

static dm_status fill(net_model *m, dm_model_reader *r, const stored *in, dm_error *err) {
  const float *w = NULL, *state = NULL;
  dm_status s = nn_saved_floats(r, "net", "weights", m->graph->n_w, &w, err);
  if (s == DM_OK) s = nn_saved_floats(r, "net", "state", m->graph->n_state, &state, err);
  if (s == DM_OK) s = net_model_allocate(m, err);
  if (s != DM_OK) return s;
  if (m->base.work > WORK_MAX) return damaged(err, "a row of it takes more memory than any real net");
  if (w) memcpy(m->w, w, m->graph->n_w * sizeof *w);
  if (state) memcpy(m->state, state, m->graph->n_state * sizeof *state);
  for (size_t i = 0; i < in->fitted; i++) m->classes[i] = (uint32_t)in->classes[i];
  m->mean = m->fitted ? 0 : dm_json_get_double(r->json, "mean", (double)NAN);
  m->scale = m->fitted ? 1 : dm_json_get_double(r->json, "scale", (double)NAN);
  if (!isfinite(m->mean) || !isfinite(m->scale)) return damaged(err, "mean or scale of its target");
  m->epochs = dm_json_get_int(r->json, "epochs", 0);
  m->best_epoch = dm_json_get_int(r->json, "best_epoch", 0);
  m->train_loss = dm_json_get_double(r->json, "train_loss", (double)NAN);
  m->valid_loss = dm_json_get_double(r->json, "valid_loss", (double)NAN);
  return DM_OK;
}

dm_status net_load(dm_ctx *ctx, const dm_model_reader *given, dm_model **out, dm_error *err) {
  dm_model_reader r = *given; /* its tensor call takes it unqualified */
  stored in = {0};
  net_model *m = NULL;
  dm_status s = r.n_classes ? read_classes(&r, &in, err) : DM_OK;
  if (s == DM_OK) s = read_design(&r, &in.design, err);
  if (s == DM_OK) s = net_model_new(ctx, &in.design, r.n_classes, in.fitted, &m, err);
  if (s == DM_EUSAGE && err) { /* what a user is told of a line of his own */
    err->code = DM_EINPUT;
    dm_error_prefix(err, "the model is damaged");
  }
  if (s == DM_EUSAGE) s = DM_EINPUT;
  if (s == DM_OK) s = fill(m, &r, &in, err);
  if (s != DM_OK) {
    net_free(m ? &m->base : NULL);
    return s;
  }
  *out = &m->base;
  return DM_OK;
}
