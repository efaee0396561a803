/* What a training leaves in the database: one transaction. */
#include "pipeline/train.h"

#include <math.h>
#include <string.h>

/* Everything that is written, in one transaction. */
dm_status dm_job_save(dm_store *store, const dm_job *j, const dm_src *src, const dm_scorer *scorer, const dm_outcome *test, dm_arena *arena,
                      dm_train_result *out, dm_error *err) {
  dm_buf params;
  dm_json_out json;
  dm_buf_init(&params, j->ctx, err);
  dm_json_out_init(&json, &params, false);
  dm_params_json(j->params, &json);
  if (dm_buf_status(&params) != DM_OK) return DM_EBUDGET;
  dm_model_meta *m = &out->meta;
  m->name = j->options->model ? j->options->model : j->options->method;
  m->method = j->learner->name;
  m->task = j->classify ? "classify" : "regress";
  m->target = j->frame->columns[j->target].name;
  m->status = "ready";
  m->params_json = dm_arena_strdup(arena, params.p, params.n, err);
  m->source_sql = dm_arena_strdup(arena, src->text, strlen(src->text), err);
  m->source_digest = dm_arena_strdup(arena, j->digest, strlen(j->digest), err);
  m->lib_version = DM_VERSION;
  m->rows = (int64_t)out->rows;
  m->seed = dm_ctx_seed(j->ctx);
  m->seconds = out->seconds;
  dm_buf_clear(&params);
  if (!m->params_json || !m->source_sql || !m->source_digest) return DM_EBUDGET;
  m->name = dm_arena_strdup(arena, m->name, strlen(m->name), err);
  m->target = dm_arena_strdup(arena, m->target, strlen(m->target), err);
  if (!m->name || !m->target) return DM_EBUDGET;

  dm_model_metric metrics[4 * DM_METRICS_MAX];
  size_t n = 0;
  const struct { const char *split; const dm_metric *metrics; size_t n; } parts[] = {
      {"train", out->train, out->n_train}, {"test", out->test, out->n_test}, {"cv", out->cv, out->n_cv}, {"cv_sd", out->cv_sd, out->n_cv_sd}};
  for (size_t p = 0; p < 4; p++)
    for (size_t i = 0; i < parts[p].n; i++)
      if (isfinite(parts[p].metrics[i].value))
        metrics[n++] = (dm_model_metric){parts[p].split, parts[p].metrics[i].name, parts[p].metrics[i].value};

  int64_t run;
  dm_status s = dm_store_begin(store, err);
  if (s != DM_OK) return s;
  s = dm_store_ensure_schema(store, err);
  if (s == DM_OK) s = dm_run_start(store, "train", m->params_json, NULL, &run, err);
  if (s == DM_OK) s = dm_registry_save(store, scorer, m, metrics, n, arena, err);
  if (s == DM_OK && test->n) s = dm_report_evaluation_save(store, m->id, "test", test->n, test->k, test->truth, test->value, test->k ? test->proba : NULL, err);
  if (s == DM_OK) s = dm_run_end(store, run, "done", err);
  if (s == DM_OK) s = dm_store_commit(store, err);
  if (s != DM_OK) dm_store_rollback(store);
  return s;
}
