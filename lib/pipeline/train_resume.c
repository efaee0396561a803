/* Whether a training may go on from a checkpoint: only when all that it depends on is the same, since the result has the same bits then. */
#include "pipeline/train.h"

#include <string.h>

/* What the row of a training does not say by itself. */
static const char *same_json(const dm_job *j, dm_error *err) {
  dm_buf text;
  dm_json_out json;
  dm_buf_init(&text, j->ctx, err);
  dm_json_out_init(&json, &text, false);
  dm_json_object(&json);
  dm_json_key(&json, "features");
  dm_json_array(&json);
  for (size_t c = 0; c < j->d; c++) dm_json_string(&json, j->frame->columns[j->columns[c]].name);
  dm_json_end_array(&json);
  dm_json_put_string(&json, "features_from", j->features_sha256);
  dm_json_put_string(&json, "group", j->group == SIZE_MAX ? NULL : j->frame->columns[j->group].name);
  dm_json_put_double(&json, "test", j->options->test);
  dm_json_put_int(&json, "folds", (int64_t)j->options->folds);
  dm_json_end_object(&json);
  const char *out = dm_buf_status(&text) == DM_OK ? dm_arena_strdup(j->memory, text.p, text.n, err) : NULL;
  dm_buf_clear(&text);
  return out;
}

static dm_status differs(const dm_model_meta *was, const char *what, const char *now, const char *then, dm_error *err) {
  (void)dm_fail(err, DM_EUSAGE, "resume: %s is %.200s, the training '%s@%lld' was begun with %.200s", what, now, was->name,
                (long long)was->version, then);
  dm_error_hint(err, "give what it was begun with; or train anew without --resume; dm-mine models DB drop %s@%lld takes it away", was->name,
                (long long)was->version);
  return DM_EUSAGE;
}

static dm_status same_text(const dm_model_meta *was, const char *what, const char *now, const char *then, dm_error *err) {
  if (!now || !then) return now == then ? DM_OK : differs(was, what, now ? now : "none", then ? then : "none", err);
  return strcmp(now, then) == 0 ? DM_OK : differs(was, what, now, then, err);
}

/* Each member of one object has the same value in the other. */
static dm_status same_members(const dm_job *j, const dm_model_meta *was, const dm_json *now, const dm_json *then, dm_error *err) {
  dm_status s = DM_OK;
  for (const dm_json *a = now->first; s == DM_OK && a; a = a->next) {
    const dm_json *b = dm_json_get(then, a->key);
    dm_buf x, y;
    dm_buf_init(&x, j->ctx, err);
    dm_buf_init(&y, j->ctx, err);
    dm_json_canonical(a, &x);
    if (b) dm_json_canonical(b, &y);
    s = dm_buf_status(&x);
    if (s == DM_OK) s = dm_buf_status(&y);
    if (s == DM_OK) s = same_text(was, a->key, x.p, b ? y.p : NULL, err);
    dm_buf_clear(&x);
    dm_buf_clear(&y);
  }
  return s;
}

static dm_status same_objects(const dm_job *j, const dm_model_meta *was, const char *now, const char *then, dm_error *err) {
  const dm_json *a, *b;
  dm_status s = dm_json_parse(j->memory, now, strlen(now), &a, err);
  if (s == DM_OK) s = dm_json_parse(j->memory, then, strlen(then), &b, err);
  return s == DM_OK ? same_members(j, was, a, b, err) : s;
}

static dm_status same_seed(const dm_model_meta *now, const dm_model_meta *was, dm_error *err) {
  char a[DM_NUMBER_MAX], b[DM_NUMBER_MAX];
  a[dm_text_of_int((int64_t)now->seed, a)] = 0;
  b[dm_text_of_int((int64_t)was->seed, b)] = 0;
  return same_text(was, "seed", a, b, err);
}

static dm_status same_row(const dm_job *j, const dm_model_meta *now, const dm_model_meta *was, dm_error *err) {
  dm_status s = same_text(was, "method", now->method, was->method, err);
  if (s == DM_OK) s = same_text(was, "dm", now->lib_version, was->lib_version, err);
  if (s == DM_OK) s = same_text(was, "task", now->task, was->task, err);
  if (s == DM_OK) s = same_text(was, "target", now->target, was->target, err);
  if (s == DM_OK) s = same_seed(now, was, err);
  if (s == DM_OK) s = same_objects(j, was, now->params_json, was->params_json, err);
  return s == DM_OK ? same_text(was, "the SHA-256 of the source's rows", now->source_digest, was->source_digest, err) : s;
}

/* Means and deviations of the folds: they were measured before the first checkpoint. */
static dm_status take_folds(dm_course *c, const dm_json *cv, const char *owner, dm_error *err) {
  dm_train_result *r = c->result;
  for (const dm_json *m = cv ? cv->first : NULL; m; m = m->next) {
    const char *name = dm_json_get_string(m, "name", NULL);
    if (!name || r->n_cv == DM_METRICS_MAX) return dm_fail(err, DM_EINPUT, "checkpoint of '%s': its metrics cannot be read", owner);
    if (!(name = dm_arena_strdup(c->arena, name, strlen(name), err))) return DM_EBUDGET;
    r->cv[r->n_cv++] = (dm_metric){name, dm_json_get_double(m, "mean", 0)};
    r->cv_sd[r->n_cv_sd++] = (dm_metric){name, dm_json_get_double(m, "sd", 0)};
  }
  return DM_OK;
}

/* @return DM_EUSAGE when the training was begun with something else. */
static dm_status go_on(dm_course *c, const dm_job *j, const dm_model_meta *was, dm_error *err) {
  const dm_json *state, *same;
  dm_status s = same_row(j, &c->meta, was, err);
  if (s == DM_OK) s = dm_registry_load_training(c->store, was, c->memory, &state, &c->reader, err);
  if (s == DM_OK) s = dm_json_parse(c->memory, c->same, strlen(c->same), &same, err);
  if (s == DM_OK) s = same_members(j, was, same, dm_json_get(state, "same"), err);
  if (s == DM_OK) s = take_folds(c, dm_json_get(state, "cv"), was->name, err);
  int64_t epoch = s == DM_OK ? dm_json_get_int(state, "epoch", 0) : 1;
  if (epoch < 1) s = dm_fail(err, DM_EINPUT, "checkpoint of '%s': epoch %lld", was->name, (long long)epoch);
  if (s != DM_OK) return s;
  if (!(c->meta.started = dm_arena_strdup(c->arena, was->started, strlen(was->started), err))) return DM_EBUDGET;
  c->meta.id = was->id;
  c->meta.version = was->version;
  c->written_epoch = c->kept_epoch = (uint64_t)epoch;
  c->spent = was->seconds;
  c->resumes = true;
  dm_log(j->ctx, DM_LOG_NOTICE, "'%s@%lld' goes on after epoch %lld", was->name, (long long)was->version, (long long)epoch);
  return DM_OK;
}

dm_status dm_course_resume(dm_course *c, const dm_job *j, dm_error *err) {
  dm_resume resume = j->options->resume;
  dm_model_meta was;
  dm_error why = {0};
  bool found = false, recorded = false;
  if (!(c->same = same_json(j, err))) return DM_EBUDGET;
  dm_status s = dm_store_has_schema(c->store, &recorded, err);
  if (recorded) s = dm_registry_find_training(c->store, c->meta.name, c->memory, &was, &found, err);
  if (s != DM_OK) return s;
  if (!found && resume == DM_RESUME_YES) dm_log(j->ctx, DM_LOG_NOTICE, "no unfinished training of '%s': it begins anew", c->meta.name);
  if (!found) return DM_OK;
  if (resume == DM_RESUME_NO || !c->by_epochs) {
    dm_log(j->ctx, DM_LOG_NOTICE, "the training '%s@%lld' is not finished: --resume goes on with it, dm-mine models DB drop %s@%lld takes it away",
           was.name, (long long)was.version, was.name, (long long)was.version);
    return DM_OK;
  }
  s = go_on(c, j, &was, &why);
  if (s == DM_EUSAGE && resume == DM_RESUME_IF_SAME) {
    dm_log(j->ctx, DM_LOG_NOTICE, "%s: training begins anew", why.message);
    return DM_OK;
  }
  if (s != DM_OK && err) *err = why;
  return s;
}
