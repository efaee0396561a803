/*
 * A training as it stood after an epoch, kept in memory and as a checkpoint.
 * Going on from there gives the same bits as never having stopped: what else a
 * step depends on (order of the rows, dropout, learning rate) follows from the
 * seed and the number of the epoch or step.
 */
#include "nn/train_state.h"

#include <math.h>
#include <string.h>

void nn_training_keep(nn_training *t) {
  size_t n;
  const float *state = dm_optimizer_state(t->optimizer, &n);
  memcpy(t->kept, t->r->w, t->r->graph->n_w * sizeof *t->kept);
  if (t->r->graph->n_state) memcpy(t->kept + t->r->graph->n_w, t->r->state, t->r->graph->n_state * sizeof *t->kept);
  if (n) memcpy(t->kept + t->n_kept, state, n * sizeof *t->kept);
  t->kept_t = dm_optimizer_t(t->optimizer);
}

dm_status nn_training_go_back(nn_training *t, dm_error *err) {
  size_t n;
  (void)dm_optimizer_state(t->optimizer, &n);
  memcpy(t->r->w, t->kept, t->r->graph->n_w * sizeof *t->kept);
  if (t->r->graph->n_state) memcpy(t->r->state, t->kept + t->r->graph->n_w, t->r->graph->n_state * sizeof *t->kept);
  return dm_optimizer_restore(t->optimizer, t->kept_t, t->kept + t->n_kept, n, err);
}

/* ---- writing -------------------------------------------------------------------- */

/* What must be the same for a training to be gone on with. */
typedef struct sameness {
  const char *name;
  uint64_t value;
} sameness;
enum { SAMENESSES = 7 };

static void list_sameness(const nn_training *t, sameness out[SAMENESSES]) {
  const nn_train_options *o = t->options;
  const sameness list[SAMENESSES] = {{"rows", t->n_train},  {"validation rows", t->n_valid},           {"parameters", t->r->graph->n_w},
                                     {"epochs", o->epochs}, {"batch size", o->batch}, {"patience", o->patience},
                                     {"seed", dm_ctx_seed(t->ctx)}};
  memcpy(out, list, sizeof list);
}

static void put_count(dm_json_out *json, const char *key, uint64_t value) { dm_json_put_int(json, key, (int64_t)value); }

static void put_scalars(const nn_training *t, dm_json_out *json) {
  sameness same[SAMENESSES];
  list_sameness(t, same);
  dm_json_key(json, "training");
  dm_json_object(json);
  for (size_t i = 0; i < SAMENESSES; i++) put_count(json, same[i].name, same[i].value);
  dm_json_end_object(json);
  put_count(json, "epoch", t->epoch);
  put_count(json, "steps", t->kept_t);
  put_count(json, "rollbacks", t->rollbacks);
  dm_json_put_double(json, "factor", t->factor);
  dm_json_put_double(json, "train_loss", t->train_loss);
  if (t->schedule.kind == DM_SCHEDULE_PLATEAU) {
    dm_json_put_double(json, "plateau_rate", t->schedule.rate);
    dm_json_put_double(json, "plateau_best", t->schedule.best);
    put_count(json, "plateau_bad", t->schedule.bad);
  }
  if (!t->best) return;
  dm_early_stop_state best;
  dm_early_stop_state_of(t->best, &best);
  dm_json_put_double(json, "valid_loss", t->valid_loss);
  put_count(json, "best_epoch", best.best_at + 1);
  dm_json_put_double(json, "best_loss", best.best);
  dm_json_put_double(json, "best_train_loss", t->best_train_loss);
}

static dm_status put_floats(dm_model_writer *w, const char *name, const float *x, size_t n, dm_error *err) {
  return n ? w->tensor(w, name, DM_F32, &n, 1, x, err) : DM_OK;
}

dm_status nn_training_save(nn_training *t, bool last, dm_error *err) {
  const dm_training_hooks *h = t->hooks;
  if (!h->checkpoint || t->saved == t->epoch || (!last && h->is_due && !h->is_due(h->user, t->epoch))) return DM_OK;
  dm_model_writer *w = NULL;
  dm_status s = h->checkpoint(h->user, t->epoch, &w, err);
  if (s != DM_OK) return s;
  size_t n_w = t->r->graph->n_w, n_state = t->r->graph->n_state, n;
  (void)dm_optimizer_state(t->optimizer, &n);
  put_scalars(t, w->json);
  s = put_floats(w, "weights", t->kept, n_w, err);
  if (s == DM_OK) s = put_floats(w, "state", t->kept + n_w, n_state, err);
  if (s == DM_OK) s = put_floats(w, "optimizer", t->kept + t->n_kept, n, err);
  if (s == DM_OK && t->best) {
    dm_early_stop_state best;
    dm_early_stop_state_of(t->best, &best);
    s = put_floats(w, "best", best.weights, t->n_kept, err);
  }
  dm_status closed = h->close ? h->close(h->user, s == DM_OK, s == DM_OK ? err : NULL) : DM_OK;
  if (s == DM_OK) t->saved = t->epoch;
  return s == DM_OK ? closed : s;
}

/* ---- reading ----------------------------------------------------------------------- */

static dm_status damaged(const nn_training *t, const char *what, dm_error *err) {
  return dm_fail(err, DM_EINPUT, "%s: the checkpoint is damaged: %s", t->options->name, what);
}

static dm_status check_sameness(const nn_training *t, const dm_json *json, dm_error *err) {
  sameness same[SAMENESSES];
  const dm_json *training = dm_json_get(json, "training");
  list_sameness(t, same);
  for (size_t i = 0; i < SAMENESSES; i++) {
    int64_t got = dm_json_get_int(training, same[i].name, -1);
    if (got == (int64_t)same[i].value) continue;
    (void)dm_fail(err, DM_EINPUT, "%s: the checkpoint is of another training: %s %lld, now %llu", t->options->name, same[i].name, (long long)got,
                  (unsigned long long)same[i].value);
    dm_error_hint(err, "go on with the data and options it was begun with, or begin anew");
    return DM_EINPUT;
  }
  return DM_OK;
}

/* n finite floats into out. */
static dm_status get_floats(const nn_training *t, dm_model_reader *r, const char *name, size_t n, float *out, dm_error *err) {
  const float *x;
  size_t shape[1];
  if (n == 0) return DM_OK;
  dm_status s = r->tensor(r, name, DM_F32, 1, shape, (const void **)&x, err);
  if (s != DM_OK) return s;
  if (shape[0] != n) return dm_fail(err, DM_EINPUT, "%s: the checkpoint is damaged: '%s' has %zu numbers, want %zu", t->options->name, name, shape[0], n);
  for (size_t i = 0; i < n; i++)
    if (!isfinite(x[i])) return dm_fail(err, DM_EINPUT, "%s: the checkpoint is damaged: number %zu of '%s' is not finite", t->options->name, i, name);
  memcpy(out, x, n * sizeof *x);
  return DM_OK;
}

static bool get_count(const dm_json *json, const char *key, uint64_t *out) {
  int64_t v = dm_json_get_int(json, key, -1);
  *out = v < 0 ? 0 : (uint64_t)v;
  return v >= 0;
}

static dm_status get_scalars(nn_training *t, const dm_json *json, dm_error *err) {
  uint64_t rollbacks;
  const double none = (double)NAN;
  t->factor = dm_json_get_double(json, "factor", none);
  t->train_loss = dm_json_get_double(json, "train_loss", none);
  if (!get_count(json, "epoch", &t->epoch) || t->epoch == 0 || t->epoch > t->options->epochs) return damaged(t, "its epoch", err);
  if (!get_count(json, "steps", &t->kept_t) || t->kept_t != t->epoch * t->batches) return damaged(t, "its steps", err);
  if (!get_count(json, "rollbacks", &rollbacks) || rollbacks > NN_ROLLBACKS_MAX) return damaged(t, "its rollbacks", err);
  t->rollbacks = (unsigned)rollbacks;
  if (!(t->factor > 0 && t->factor <= 1)) return damaged(t, "its factor", err);
  if (!isfinite(t->train_loss)) return damaged(t, "its loss", err);
  if (t->schedule.kind != DM_SCHEDULE_PLATEAU) return DM_OK;
  t->schedule.rate = dm_json_get_double(json, "plateau_rate", none);
  t->schedule.best = dm_json_get_double(json, "plateau_best", none);
  if (!(t->schedule.rate >= t->schedule.min_lr && t->schedule.rate <= t->schedule.lr) || !isfinite(t->schedule.best) ||
      !get_count(json, "plateau_bad", &t->schedule.bad))
    return damaged(t, "its schedule", err);
  return DM_OK;
}

/* The best epoch so far; the room of `kept` is used on the way. */
static dm_status get_best(nn_training *t, dm_model_reader *r, dm_error *err) {
  dm_early_stop_state best = {.seen = t->epoch, .best = dm_json_get_double(r->json, "best_loss", (double)NAN), .weights = t->kept};
  t->valid_loss = dm_json_get_double(r->json, "valid_loss", (double)NAN);
  t->best_train_loss = dm_json_get_double(r->json, "best_train_loss", (double)NAN);
  if (!get_count(r->json, "best_epoch", &best.best_at) || best.best_at-- == 0 || !isfinite(best.best) || !isfinite(t->valid_loss) ||
      !isfinite(t->best_train_loss))
    return damaged(t, "its best epoch", err);
  dm_status s = get_floats(t, r, "best", t->n_kept, t->kept, err);
  return s == DM_OK ? dm_early_stop_resume(t->best, &best, err) : s;
}

dm_status nn_training_resume(nn_training *t, dm_error *err) {
  dm_model_reader r = *t->hooks->resume; /* its tensor call takes it unqualified */
  size_t n_w = t->r->graph->n_w, n_state = t->r->graph->n_state, n;
  (void)dm_optimizer_state(t->optimizer, &n);
  dm_status s = check_sameness(t, r.json, err);
  if (s == DM_OK) s = get_scalars(t, r.json, err);
  if (s == DM_OK && t->best) s = get_best(t, &r, err);
  if (s == DM_OK) s = get_floats(t, &r, "weights", n_w, t->kept, err);
  if (s == DM_OK) s = get_floats(t, &r, "state", n_state, t->kept + n_w, err);
  if (s == DM_OK) s = get_floats(t, &r, "optimizer", n, t->kept + t->n_kept, err);
  t->saved = t->epoch;
  return s == DM_OK ? nn_training_go_back(t, err) : s;
}
