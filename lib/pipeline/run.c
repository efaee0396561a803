/*
 * A pipeline file: database, sources, clean, rules, models, encode, predict,
 * report, in that order. Each part is a transaction of its own, so a kill leaves whole parts;
 * --resume skips those that are done (run_resume.c).
 */
#include "pipeline/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const known_parts[] = {"database", "sources", "clean", "rules", "models", "encode", "predict", "report", "title"};

static dm_status run_list(dm_run *r, const dm_yaml *root, const char *name, dm_status (*run)(dm_run *, const dm_yaml *, size_t, dm_error *),
                          dm_error *err) {
  const dm_yaml *list = dm_yaml_get(root, name);
  dm_json_key(&r->json, name);
  dm_json_array(&r->json);
  if (list && list->type != DM_YAML_LIST) return dm_yaml_fail(list, r->file, err, "%s wants a list", name);
  size_t index = 0;
  for (const dm_yaml *node = list ? list->first : NULL; node; node = node->next) {
    if (node->type != DM_YAML_MAP) return dm_yaml_fail(node, r->file, err, "each of %s is a map of keys and values", name);
    dm_status s = run(r, node, ++index, err);
    if (s == DM_EUSAGE && r->checking) s = DM_EINPUT; /* not the command is wrong but the file */
    if (s != DM_OK) {
      if (err) err->code = s;
      if (err && !err->file[0]) dm_error_at(err, r->file, node->line, node->column);
      return s;
    }
  }
  dm_json_end_array(&r->json);
  return DM_OK;
}

static dm_status run_lists(dm_run *r, const dm_yaml *root, dm_error *err) {
  dm_status s = run_list(r, root, "sources", dm_run_source, err);
  if (s == DM_OK) s = run_list(r, root, "clean", dm_run_clean, err);
  if (s == DM_OK) s = run_list(r, root, "rules", dm_run_rules, err);
  if (s == DM_OK) s = run_list(r, root, "models", dm_run_model, err);
  if (s == DM_OK) s = run_list(r, root, "encode", dm_run_encode, err);
  return s == DM_OK ? run_list(r, root, "predict", dm_run_predict, err) : s;
}

/* The whole file is read before anything is done. */
static dm_status check_parts(dm_run *r, const dm_yaml *root, dm_error *err) {
  r->checking = true;
  dm_json_object(&r->json);
  dm_status s = run_lists(r, root, err);
  r->checking = false;
  dm_buf_reset(r->json.buf);
  dm_json_out_init(&r->json, r->json.buf, true);
  return s;
}

static dm_status write_report(dm_run *r, const char *path, const char *title, dm_error *err) {
  dm_buf html;
  dm_outfile *file = NULL;
  dm_report_options o = {.title = title};
  dm_buf_init(&html, r->ctx, err);
  dm_status s = dm_report_html(r->store, &o, &html, err);
  if (s == DM_OK) s = dm_buf_status(&html);
  if (s == DM_OK) s = dm_outfile_open(r->ctx, path, &file, err);
  if (s == DM_OK) s = dm_outfile_write(file, html.p, html.n, err);
  if (s == DM_OK)
    s = dm_outfile_commit(file, err);
  else
    dm_outfile_abort(file);
  dm_buf_clear(&html);
  return s;
}

/* mkdir -p of the folder that path is in. */
static void make_folder(const dm_run *r, const char *path) {
  char *copy = path ? dm_arena_strdup(r->arena, path, strlen(path), NULL) : NULL;
  for (char *p = copy ? copy + 1 : NULL; p && *p; p++)
    if (*p == '/') {
      *p = 0;
      (void)mkdir(copy, 0777); /* what it cannot make, opening the file reports */
      *p = '/';
    }
}

static dm_status run_parts(dm_run *r, const dm_yaml *root, dm_error *err) {
  dm_status s = DM_OK;
  r->result->database = dm_run_path(r, dm_run_text(r, root, "database", &s, err), &s, err);
  r->result->report = dm_run_path(r, dm_run_text(r, root, "report", &s, err), &s, err);
  const char *title = dm_run_text(r, root, "title", &s, err);
  if (s == DM_OK && !r->result->database) s = dm_yaml_fail(root, r->file, err, "a pipeline needs database: PATH");
  if (s == DM_OK) s = check_parts(r, root, err);
  if (s != DM_OK) return s;
  make_folder(r, r->result->database);
  make_folder(r, r->result->report);
  s = dm_store_open(r->ctx, r->result->database, DM_STORE_READ | DM_STORE_WRITE | DM_STORE_CREATE, &r->store, err);
  if (s != DM_OK) return s;
  dm_json_object(&r->json);
  dm_json_put_string(&r->json, "database", r->result->database);
  if (s == DM_OK) s = run_lists(r, root, err);
  if (s == DM_OK && r->result->report) s = write_report(r, r->result->report, title, err);
  dm_json_put_string(&r->json, "report", r->result->report);
  dm_json_end_object(&r->json);
  return s;
}

dm_status dm_pipeline_run(dm_ctx *ctx, const char *path, bool resume, dm_arena *arena, dm_run_result *out, dm_error *err) {
  dm_run_result result = {0};
  dm_run r = {.ctx = ctx, .arena = arena, .file = path, .resume = resume, .result = &result};
  const dm_yaml *root;
  dm_buf text;
  dm_status s = dm_yaml_load(arena, path, &root, err);
  if (s != DM_OK) return s;
  if (root->type != DM_YAML_MAP) return dm_yaml_fail(root, path, err, "a pipeline is a map of keys and values");
  s = dm_yaml_check_keys(root, path, known_parts, sizeof known_parts / sizeof *known_parts, err);
  if (s != DM_OK) return s;
  if (!realpath(path, r.absolute)) (void)snprintf(r.absolute, sizeof r.absolute, "%s", path);
  dm_buf_init(&text, ctx, err);
  dm_json_out_init(&r.json, &text, true);
  s = run_parts(&r, root, err);
  if (s == DM_OK) s = dm_buf_status(&text);
  if (s == DM_OK && !(result.json = dm_arena_strdup(arena, text.p, text.n, err))) s = DM_EBUDGET;
  dm_buf_clear(&text);
  dm_store_close(r.store);
  if (s == DM_OK) *out = result;
  return s;
}
