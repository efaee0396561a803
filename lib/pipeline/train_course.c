/*
 * The course of a training by epochs: figures of epochs, checkpoints, what
 * an interruption leaves.
 *
 *   learner, after each epoch --figures--> figures[]
 *                             --state----> open --whole--> kept --when due--> row 'training'
 *
 * The state after the last whole epoch is always kept in memory: when the
 * user presses Ctrl-C in the middle of an epoch, it is what gets written.
 */
#include "pipeline/train.h"

#include <string.h>

enum { AUTO_SECONDS = 60 };

/* ---- what is written ------------------------------------------------------------------ */

/* {"epoch":…,"same":{…},"cv":[…]} */
static void state_json(const dm_course *c, dm_buf *out) {
  dm_json_out j;
  dm_json_out_init(&j, out, false);
  dm_json_object(&j);
  dm_json_put_int(&j, "epoch", (int64_t)c->kept_epoch);
  dm_json_key(&j, "same");
  dm_json_raw(&j, c->same, strlen(c->same));
  dm_json_key(&j, "cv");
  dm_json_array(&j);
  for (size_t i = 0; i < c->result->n_cv; i++) {
    dm_json_object(&j);
    dm_json_put_string(&j, "name", c->result->cv[i].name);
    dm_json_put_double(&j, "mean", c->result->cv[i].value);
    dm_json_put_double(&j, "sd", c->result->cv_sd[i].value);
    dm_json_end_object(&j);
  }
  dm_json_end_array(&j);
  dm_json_end_object(&j);
}

/* Figures of whole epochs that are not in the database yet. */
static dm_status write_figures(dm_course *c, int64_t id, uint64_t epoch, dm_error *err) {
  size_t from = id == c->meta.id ? c->n_written : 0, to = from;
  while (to < c->n_figures && c->figures[to].epoch <= (int64_t)epoch) to++;
  return dm_registry_add_epochs(c->store, id, c->figures + from, to - from, err);
}

static dm_status write_kept(dm_course *c, dm_error *err) {
  dm_buf state;
  dm_model_meta m = c->meta;
  m.seconds = dm_course_seconds(c);
  dm_buf_init(&state, dm_store_ctx(c->store), err);
  state_json(c, &state);
  dm_status s = dm_buf_status(&state);
  if (s == DM_OK) s = dm_store_begin(c->store, err);
  if (s == DM_OK) s = dm_registry_save_training(c->store, c->kept, state.p, &m, err);
  if (s == DM_OK) s = write_figures(c, m.id, c->kept_epoch, err);
  if (s == DM_OK) s = dm_store_commit(c->store, err);
  if (s != DM_OK) dm_store_rollback(c->store);
  dm_buf_clear(&state);
  if (s != DM_OK) return s;
  c->meta.id = m.id;
  c->meta.version = m.version;
  c->written_epoch = c->kept_epoch;
  for (c->n_written = 0; c->n_written < c->n_figures && c->figures[c->n_written].epoch <= (int64_t)c->kept_epoch;) c->n_written++;
  dm_log(dm_store_ctx(c->store), DM_LOG_INFO, "checkpoint of epoch %llu: '%s@%lld'", (unsigned long long)c->written_epoch, m.name,
         (long long)m.version);
  return DM_OK;
}

/* ---- hooks of the learner --------------------------------------------------------------- */

/* Names of figures are few, and come again every epoch. */
static const char *keep_name(dm_course *c, const char *name, dm_error *err) {
  for (size_t i = c->n_figures, seen = 0; i-- > 0 && seen < 32; seen++)
    if (strcmp(c->figures[i].name, name) == 0) return c->figures[i].name;
  return dm_arena_strdup(c->memory, name, strlen(name), err);
}

static dm_status add_figure(dm_course *c, int64_t epoch, const char *name, double value, dm_error *err) {
  if (c->n_figures == c->capacity) {
    size_t capacity = c->capacity ? c->capacity * 2 : 256;
    dm_model_epoch *grown = dm_realloc(dm_store_ctx(c->store), c->figures, capacity, sizeof *grown, "figures of epochs", err);
    if (!grown) return DM_EBUDGET;
    c->figures = grown;
    c->capacity = capacity;
  }
  const char *kept = keep_name(c, name, err);
  if (!kept) return DM_EBUDGET;
  c->figures[c->n_figures++] = (dm_model_epoch){.epoch = epoch, .name = kept, .value = value};
  return DM_OK;
}

static dm_status on_epoch(void *user, uint64_t epoch, const char *name, double value, dm_error *err) {
  return add_figure(user, (int64_t)epoch, name, value, err);
}

static bool on_is_due(void *user, uint64_t epoch) {
  const dm_course *c = user;
  return epoch > c->kept_epoch;
}

static dm_status on_checkpoint(void *user, uint64_t epoch, dm_model_writer **out, dm_error *err) {
  dm_course *c = user;
  (void)err;
  c->open_epoch = epoch;
  *out = dm_checkpoint_open(c->open);
  return DM_OK;
}

static bool is_time_to_write(const dm_course *c) {
  return c->every > 0 ? c->kept_epoch % (uint64_t)c->every == 0 : dm_seconds() - c->last >= AUTO_SECONDS;
}

/* A database that cannot be written now is no reason to end a training: it may be by the next time. */
static dm_status on_close(void *user, bool ok, dm_error *err) {
  dm_course *c = user;
  dm_error why = {0};
  c->starved = !ok;
  if (!ok) return DM_OK;
  dm_status s = dm_checkpoint_close(c->open, err);
  if (s != DM_OK) return s;
  dm_checkpoint *whole = c->open;
  c->open = c->kept;
  c->kept = whole;
  c->kept_epoch = c->open_epoch;
  if (!is_time_to_write(c)) return DM_OK;
  s = write_kept(c, &why);
  c->last = dm_seconds();
  if (s == DM_EIO) {
    dm_log(dm_store_ctx(c->store), DM_LOG_WARNING, "no checkpoint of epoch %llu: %s", (unsigned long long)c->kept_epoch, why.message);
    return DM_OK;
  }
  if (s != DM_OK && err) *err = why;
  return s;
}

/* ---- beginning and end --------------------------------------------------------------------- */

double dm_course_seconds(const dm_course *c) { return c->spent + dm_seconds() - c->began; }

/* The figures of the epochs before, as far as the checkpoint goes. */
static dm_status read_figures(dm_course *c, dm_error *err) {
  dm_model_epoch *list = NULL;
  size_t n = 0;
  dm_status s = dm_registry_epochs(c->store, c->meta.id, c->memory, &list, &n, err);
  for (size_t i = 0; s == DM_OK && i < n; i++)
    if (list[i].epoch <= (int64_t)c->written_epoch) s = add_figure(c, list[i].epoch, list[i].name, list[i].value, err);
  c->n_written = c->n_figures;
  return s;
}

dm_status dm_course_begin(dm_course *c, dm_store *store, const dm_job *j, dm_arena *arena, dm_train_result *result, dm_error *err) {
  const dm_train_options *o = j->options;
  *c = (dm_course){.store = store, .memory = j->memory, .arena = arena, .result = result, .meta = result->meta, .every = o->checkpoint};
  c->began = c->last = dm_seconds();
  c->by_epochs = (j->learner->takes & DM_HAS_EPOCHS) != 0;
  c->keeps = c->by_epochs && o->checkpoint != DM_CHECKPOINT_NEVER && strcmp(dm_store_path(store), ":memory:") != 0;
  dm_status s = dm_course_resume(c, j, err);
  if (s == DM_OK && c->resumes) s = read_figures(c, err);
  if (s != DM_OK || !c->by_epochs) return s;
  c->fold = (dm_training_hooks){.time_limit = o->time_limit / (double)(o->folds + 1)};
  c->hooks = (dm_training_hooks){.user = c, .time_limit = c->fold.time_limit, .epoch = on_epoch};
  if (c->resumes) c->hooks.resume = &c->reader;
  if (!c->keeps) return DM_OK;
  c->hooks.is_due = on_is_due;
  c->hooks.checkpoint = on_checkpoint;
  c->hooks.close = on_close;
  s = dm_checkpoint_new(j->ctx, &c->open, err);
  return s == DM_OK ? dm_checkpoint_new(j->ctx, &c->kept, err) : s;
}

void dm_course_clear(dm_course *c) {
  if (!c->store) return;
  dm_checkpoint_free(c->open);
  dm_checkpoint_free(c->kept);
  dm_free(dm_store_ctx(c->store), c->figures);
}

dm_status dm_course_end(dm_course *c, int64_t id, dm_error *err) { return write_figures(c, id, UINT64_MAX >> 1, err); }

void dm_course_broken(dm_course *c, dm_status s, dm_error *err) {
  dm_error why = {0};
  if (s == DM_ECANCEL && c->kept && dm_checkpoint_is_whole(c->kept) && c->kept_epoch > c->written_epoch) {
    dm_store_waits(c->store, 0, true);
    dm_status written = write_kept(c, &why);
    dm_store_waits(c->store, 0, false);
    if (written != DM_OK) {
      dm_error_hint(err, "no checkpoint of epoch %llu: %s", (unsigned long long)c->kept_epoch, why.message);
      return;
    }
  }
  if (s == DM_EBUDGET && c->starved) dm_error_hint(err, "a checkpoint is the training's state once more: --checkpoint 0 does without it");
  if (s != DM_ECANCEL && s != DM_EIO) return;
  if (c->meta.id)
    dm_error_hint(err, "epoch %llu of '%s@%lld' is kept: the same command with --resume goes on", (unsigned long long)c->written_epoch,
                  c->meta.name, (long long)c->meta.version);
  else if (s == DM_EIO && c->by_epochs && !c->keeps)
    dm_error_hint(err, "with checkpoints --resume could go on");
  else if (s == DM_ECANCEL && c->keeps)
    dm_error_hint(err, "no epoch of the model is done yet (folds come first): nothing is kept");
}
