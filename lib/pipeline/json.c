/* Results of the verbs as the JSON that the commands print. */
#include <dm/pipeline.h>

#include <math.h>
#include <string.h>

void dm_import_json(const dm_import_result *r, double seconds, dm_json_out *j) {
  dm_json_object(j);
  dm_json_put_string(j, "table", r->table);
  dm_json_put_int(j, "rows", (int64_t)r->rows);
  dm_json_put_int(j, "rejects", (int64_t)r->rejects);
  dm_json_key(j, "columns");
  dm_json_array(j);
  for (size_t i = 0; i < r->n_columns; i++) {
    dm_json_object(j);
    dm_json_put_string(j, "name", r->columns[i].name);
    dm_json_put_string(j, "type", dm_type_name(r->columns[i].type));
    dm_json_end_object(j);
  }
  dm_json_end_array(j);
  dm_json_key(j, "notes");
  dm_json_array(j);
  for (size_t i = 0; i < r->n_notes; i++) dm_json_string(j, r->notes[i]);
  dm_json_end_array(j);
  dm_json_put_double(j, "seconds", seconds);
  dm_json_end_object(j);
}

static void scored_json(const dm_predict_result *p, const char *table, const char *file, dm_json_out *j) {
  dm_json_put_string(j, "model", p->meta.name);
  dm_json_put_int(j, "version", p->meta.version);
  dm_json_put_int(j, "rows", (int64_t)p->rows);
  dm_json_put_int(j, "rejects", (int64_t)p->rejects);
  dm_json_put_string(j, "table", table);
  dm_json_put_string(j, "file", file);
}

void dm_predict_json(const dm_predict_result *p, const char *table, const char *file, dm_json_out *j) {
  dm_json_object(j);
  scored_json(p, table, file, j);
  dm_json_put_double(j, "seconds", p->seconds);
  dm_json_end_object(j);
}

void dm_encode_json(const dm_predict_result *p, const char *table, const char *file, dm_json_out *j) {
  dm_json_object(j);
  scored_json(p, table, file, j);
  dm_json_put_int(j, "columns", (int64_t)p->columns);
  dm_json_put_double(j, "seconds", p->seconds);
  dm_json_end_object(j);
}

static void split_json(const char *name, const dm_metric *metrics, size_t n, dm_json_out *json) {
  dm_json_key(json, name);
  dm_json_object(json);
  for (size_t i = 0; i < n; i++)
    if (isfinite(metrics[i].value)) {
      dm_json_key(json, metrics[i].name);
      dm_json_double(json, metrics[i].value);
    }
  dm_json_end_object(json);
}

void dm_train_json(const dm_train_result *r, dm_json_out *json) {
  dm_json_object(json);
  dm_json_put_string(json, "model", r->meta.name);
  dm_json_put_int(json, "version", r->meta.version);
  dm_json_put_string(json, "method", r->meta.method);
  dm_json_put_string(json, "task", r->meta.task);
  dm_json_put_string(json, "target", r->meta.target);
  dm_json_put_string(json, "features_from", r->features_from);
  dm_json_put_int(json, "rows", (int64_t)r->rows);
  dm_json_put_int(json, "rejects", (int64_t)r->rejects);
  dm_json_put_int(json, "test_rows", (int64_t)r->test_rows);
  dm_json_put_int(json, "columns", (int64_t)r->columns);
  dm_json_put_double(json, "seconds", r->seconds);
  dm_json_key(json, "params");
  dm_json_raw(json, r->meta.params_json, strlen(r->meta.params_json));
  dm_json_key(json, "metrics");
  dm_json_object(json);
  split_json("train", r->train, r->n_train, json);
  split_json("test", r->test, r->n_test, json);
  if (r->n_cv) {
    split_json("cv", r->cv, r->n_cv, json);
    split_json("cv_sd", r->cv_sd, r->n_cv_sd, json);
  }
  dm_json_end_object(json);
  dm_json_end_object(json);
}

void dm_evaluation_json(const dm_evaluation *e, dm_json_out *j) {
  dm_json_object(j);
  dm_json_put_string(j, "model", e->meta.name);
  dm_json_put_int(j, "version", e->meta.version);
  dm_json_put_int(j, "rows", (int64_t)e->rows);
  dm_json_put_int(j, "rejects", (int64_t)e->rejects);
  split_json("metrics", e->metrics, e->n_metrics, j);
  dm_json_end_object(j);
}

static void stored_metrics_json(const dm_model_metric *metrics, size_t n, dm_json_out *j) {
  dm_json_key(j, "metrics");
  dm_json_object(j);
  for (size_t i = 0; i < n; i++) {
    if (i == 0 || strcmp(metrics[i].split, metrics[i - 1].split) != 0) {
      if (i) dm_json_end_object(j);
      dm_json_key(j, metrics[i].split);
      dm_json_object(j);
    }
    dm_json_key(j, metrics[i].name);
    dm_json_double(j, metrics[i].value);
  }
  if (n) dm_json_end_object(j);
  dm_json_end_object(j);
}

void dm_model_json(const dm_model_meta *m, const dm_model_metric *metrics, size_t n, dm_json_out *j) {
  dm_json_object(j);
  dm_json_put_string(j, "model", m->name);
  dm_json_put_int(j, "version", m->version);
  dm_json_put_bool(j, "active", m->active);
  dm_json_put_string(j, "status", m->status);
  dm_json_put_string(j, "method", m->method);
  dm_json_put_string(j, "task", m->task);
  dm_json_put_string(j, "target", m->target);
  dm_json_put_int(j, "rows", m->rows);
  dm_json_key(j, "params");
  dm_json_raw(j, m->params_json, strlen(m->params_json));
  stored_metrics_json(metrics, n, j);
  dm_json_put_string(j, "source", m->source_sql);
  dm_json_put_int(j, "seed", (int64_t)m->seed);
  dm_json_put_string(j, "started", m->started);
  dm_json_put_double(j, "seconds", m->seconds);
  dm_json_put_string(j, "sha256", m->sha256);
  dm_json_end_object(j);
}
