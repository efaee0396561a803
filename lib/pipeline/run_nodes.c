/* Values of a pipeline file's nodes; each keeps the first error in *s and then does nothing. */
#include "pipeline/run.h"

#include <stdio.h>
#include <string.h>

const char *dm_run_text(const dm_run *r, const dm_yaml *map, const char *key, dm_status *s, dm_error *err) {
  const dm_yaml *v = dm_yaml_get(map, key);
  if (!v || dm_yaml_is_null(v) || *s != DM_OK) return NULL;
  if (v->type != DM_YAML_SCALAR) {
    *s = dm_yaml_fail(v, r->file, err, "%s wants one value", key);
    return NULL;
  }
  return v->scalar;
}

bool dm_run_flag(const dm_run *r, const dm_yaml *map, const char *key, dm_status *s, dm_error *err) {
  const dm_yaml *v = dm_yaml_get(map, key);
  bool value = false;
  if (v && *s == DM_OK && !dm_yaml_is_bool(v, &value)) *s = dm_yaml_fail(v, r->file, err, "%s wants true or false", key);
  return value;
}

/* A list of texts, or one text. */
const char *const *dm_run_texts(const dm_run *r, const dm_yaml *map, const char *key, size_t *n, dm_status *s, dm_error *err) {
  const dm_yaml *v = dm_yaml_get(map, key);
  *n = 0;
  if (!v || *s != DM_OK) return NULL;
  size_t count = v->type == DM_YAML_SCALAR ? 1 : v->n;
  const char **out = dm_arena_alloc(r->arena, count + 1, sizeof *out, err);
  if (!out) {
    *s = DM_EBUDGET;
    return NULL;
  }
  for (const dm_yaml *e = v->type == DM_YAML_SCALAR ? v : v->first; e && *n < count; e = e->next) {
    if (v->type == DM_YAML_MAP || e->type != DM_YAML_SCALAR) {
      *s = dm_yaml_fail(e, r->file, err, "%s wants a list of texts", key);
      return NULL;
    }
    out[(*n)++] = e->scalar;
  }
  return out;
}

double dm_run_number(const dm_run *r, const dm_yaml *map, const char *key, double otherwise, dm_status *s, dm_error *err) {
  const dm_yaml *v = dm_yaml_get(map, key);
  double out = otherwise;
  if (v && *s == DM_OK && (v->type != DM_YAML_SCALAR || !dm_text_to_double(v->scalar, v->length, &out)))
    *s = dm_yaml_fail(v, r->file, err, "%s wants a number", key);
  return out;
}

/* One of a NULL-ended list of words; its place, or 0 when absent. */
int dm_run_word(const dm_run *r, const dm_yaml *map, const char *key, const char *const *words, dm_status *s, dm_error *err) {
  const char *v = dm_run_text(r, map, key, s, err);
  if (!v) return 0;
  for (int i = 0; words[i]; i++)
    if (strcmp(words[i], v) == 0) return i;
  *s = dm_yaml_fail(dm_yaml_get(map, key), r->file, err, "%s = '%s' is not known", key, v);
  return 0;
}

/* Relative paths are relative to the pipeline file. */
const char *dm_run_path(const dm_run *r, const char *path, dm_status *s, dm_error *err) {
  if (!path || *s != DM_OK || path[0] == '/' || strcmp(path, ":memory:") == 0) return path;
  const char *slash = strrchr(r->file, '/');
  if (!slash) return path;
  const char *out = dm_arena_printf(r->arena, err, "%.*s/%s", (int)(slash - r->file), r->file, path);
  if (!out) *s = DM_EBUDGET;
  return out;
}
