/* What a training leaves in the database: one transaction. */
#include "pipeline/train.h"

#include <math.h>
#include <string.h>

enum { PATIENCE = 60 }; /* seconds: the work of hours is not thrown away because somebody reads */

static const char *params_text(const dm_job *j, dm_arena *arena, dm_error *err) {
  dm_buf params;
  dm_json_out json;
  dm_buf_init(&params, j->ctx, err);
  dm_json_out_init(&json, &params, false);
  dm_params_json(j->params, &json);
  const char *out = dm_buf_status(&params) == DM_OK ? dm_arena_strdup(arena, params.p, params.n, err) : NULL;
  dm_buf_clear(&params);
  return out;
}

dm_status dm_job_describe(const dm_job *j, const dm_src *src, dm_arena *arena, dm_train_result *out, dm_error *err) {
  char now[32];
  const char *name = j->options->model ? j->options->model : j->options->method, *target = j->encodes ? NULL : j->frame->columns[j->target].name;
  dm_model_meta *m = &out->meta;
  dm_time_utc(now);
  *m = (dm_model_meta){
      .method = j->learner->name,
      .task = j->encodes ? "encode" : j->classify ? "classify" : "regress",
      .status = DM_STATUS_READY,
      .lib_version = DM_VERSION,
      .rows = (int64_t)j->n,
      .seed = dm_ctx_seed(j->ctx),
      .name = dm_arena_strdup(arena, name, strlen(name), err),
      .target = target ? dm_arena_strdup(arena, target, strlen(target), err) : NULL,
      .params_json = params_text(j, arena, err),
      .source_sql = dm_arena_strdup(arena, src->text, strlen(src->text), err),
      .source_digest = dm_arena_strdup(arena, j->digest, strlen(j->digest), err),
      .started = dm_arena_strdup(arena, now, strlen(now), err),
  };
  if (!m->name || (target && !m->target) || !m->params_json || !m->source_sql || !m->source_digest || !m->started) return DM_EBUDGET;
  out->columns = j->d;
  out->rejects = j->frame->rejects;
  return dm_registry_check_name(m->name, err);
}

static size_t collect_metrics(const dm_train_result *r, dm_model_metric metrics[4 * DM_METRICS_MAX]) {
  const struct { const char *split; const dm_metric *metrics; size_t n; } parts[] = {
      {"train", r->train, r->n_train}, {"test", r->test, r->n_test}, {"cv", r->cv, r->n_cv}, {"cv_sd", r->cv_sd, r->n_cv_sd}};
  size_t n = 0;
  for (size_t p = 0; p < 4; p++)
    for (size_t i = 0; i < parts[p].n; i++)
      if (isfinite(parts[p].metrics[i].value))
        metrics[n++] = (dm_model_metric){parts[p].split, parts[p].metrics[i].name, parts[p].metrics[i].value};
  return n;
}

static dm_status write_all(dm_store *store, const dm_job *j, const dm_scorer *scorer, const dm_outcome *shown, dm_course *course, dm_arena *arena,
                           dm_train_result *out, dm_error *err) {
  dm_model_meta *m = &out->meta;
  dm_model_metric metrics[4 * DM_METRICS_MAX];
  size_t n = collect_metrics(out, metrics);
  int64_t run;
  dm_status s = dm_store_ensure_schema(store, err);
  if (s == DM_OK) s = dm_run_start(store, "train", m->params_json, NULL, &run, err);
  if (s == DM_OK) s = dm_registry_save(store, scorer, m, metrics, n, arena, err);
  if (s == DM_OK) s = dm_course_end(course, m->id, err);
  if (s == DM_OK) s = dm_job_report(store, j, scorer, m->id, shown, err);
  return s == DM_OK ? dm_run_end(store, run, "done", err) : s;
}

dm_status dm_job_save(dm_store *store, const dm_job *j, const dm_scorer *scorer, const dm_outcome *shown, dm_course *course, dm_arena *arena,
                      dm_train_result *out, dm_error *err) {
  out->meta.id = course->meta.id;
  out->meta.version = course->meta.version;
  out->meta.started = course->meta.started;
  out->meta.seconds = out->seconds;
  dm_store_waits(store, PATIENCE, false);
  dm_status s = dm_store_begin(store, err);
  if (s == DM_OK) {
    s = write_all(store, j, scorer, shown, course, arena, out, err);
    if (s == DM_OK) s = dm_store_commit(store, err);
    if (s != DM_OK) dm_store_rollback(store);
  }
  dm_store_waits(store, 0, false);
  return s;
}
