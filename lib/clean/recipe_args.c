/* Reading the arguments of steps from YAML. */
#include "clean/recipe.h"

#include <string.h>

dm_status dm_clean_arg_text(const dm_clean_parser *in, const dm_yaml *args, const char *key, const char *otherwise, const char **out,
                            dm_error *err) {
  const dm_yaml *node = dm_yaml_get(args, key);
  if (!node) {
    *out = otherwise;
    return DM_OK;
  }
  if (node->type != DM_YAML_SCALAR || dm_yaml_is_null(node)) return dm_yaml_fail(node, in->file, err, "'%s' wants a text", key);
  *out = node->scalar;
  return DM_OK;
}

dm_status dm_clean_arg_need(const dm_clean_parser *in, const dm_clean_step *step, const dm_yaml *args, const char *key,
                            const dm_yaml **out, dm_error *err) {
  const dm_yaml *node = dm_yaml_get(args, key);
  if (node && !(node->type == DM_YAML_SCALAR && dm_yaml_is_null(node))) {
    *out = node;
    return DM_OK;
  }
  dm_status s = dm_yaml_fail(node ? node : step->place, in->file, err, "step '%s' needs '%s'", step->kind->name, key);
  dm_error_hint(err, "%s: %s", step->kind->name, step->kind->arguments);
  return s;
}

dm_status dm_clean_arg_bool(const dm_clean_parser *in, const dm_yaml *args, const char *key, bool otherwise, bool *out, dm_error *err) {
  const dm_yaml *node = dm_yaml_get(args, key);
  *out = otherwise;
  if (!node || dm_yaml_is_bool(node, out)) return DM_OK;
  return dm_yaml_fail(node, in->file, err, "'%s' is true or false%s%s", key, node->type == DM_YAML_SCALAR ? ", not " : "",
                      node->type == DM_YAML_SCALAR ? node->scalar : "");
}

dm_status dm_clean_arg_choice(const dm_clean_parser *in, const dm_yaml *args, const char *key, const char *const *names,
                              unsigned otherwise, unsigned *out, dm_error *err) {
  const char *word = names[otherwise];
  dm_status s = dm_clean_arg_text(in, args, key, names[otherwise], &word, err);
  if (s != DM_OK) return s;
  unsigned n = 0;
  for (; names[n]; n++)
    if (strcmp(names[n], word) == 0) {
      *out = n;
      return DM_OK;
    }
  char list[256] = "";
  for (unsigned i = 0; i < n; i++) {
    if (i) strncat(list, i + 1 < n ? ", " : " or ", sizeof list - strlen(list) - 1);
    strncat(list, names[i], sizeof list - strlen(list) - 1);
  }
  s = dm_yaml_fail(dm_yaml_get(args, key), in->file, err, "'%s' is %s, not '%s'", key, list, word);
  const char *near = dm_text_nearest(word, names, n);
  if (near) dm_error_hint(err, "did you mean '%s'?", near);
  return s;
}

dm_status dm_clean_arg_on_error(const dm_clean_parser *in, const dm_yaml *args, dm_clean_on_error *out, dm_error *err) {
  static const char *const names[] = {"keep", "missing", "fail", NULL};
  unsigned choice = 0;
  dm_status s = dm_clean_arg_choice(in, args, "on_error", names, 0, &choice, err);
  if (s == DM_OK) *out = (dm_clean_on_error)choice;
  return s;
}

static dm_status check_name(const dm_clean_parser *in, const dm_yaml *node, dm_error *err) {
  if (node->type == DM_YAML_SCALAR && (node->quoted || (!dm_yaml_is_null(node) && node->length > 0))) return DM_OK;
  return dm_yaml_fail(node, in->file, err, "a column name is wanted here");
}

dm_status dm_clean_arg_columns(const dm_clean_parser *in, const dm_clean_step *step, const dm_yaml *args, const char *key,
                               bool optional, dm_clean_columns *out, dm_error *err) {
  const dm_yaml *node = dm_yaml_get(args, key);
  *out = (dm_clean_columns){.all = true};
  if (!node && optional) return DM_OK;
  dm_status s = dm_clean_arg_need(in, step, args, key, &node, err);
  if (s != DM_OK) return s;
  if (node->type == DM_YAML_MAP) return dm_yaml_fail(node, in->file, err, "'%s' is a column or a list of columns, not a map", key);
  if (node->type == DM_YAML_SCALAR && strcmp(node->scalar, "*") == 0) return DM_OK;
  const dm_yaml *first = node->type == DM_YAML_LIST ? node->first : node;
  size_t n = node->type == DM_YAML_LIST ? node->n : 1;
  if (n == 0) return dm_yaml_fail(node, in->file, err, "'%s' names no column", key);
  *out = (dm_clean_columns){.n = n, .nodes = dm_arena_alloc(in->arena, n, sizeof *out->nodes, err)};
  if (!out->nodes) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++, first = first->next) {
    s = check_name(in, first, err);
    if (s != DM_OK) return s;
    out->nodes[i] = first;
    for (size_t j = 0; j < i; j++)
      if (strcmp(out->nodes[j]->scalar, first->scalar) == 0)
        return dm_yaml_fail(first, in->file, err, "column '%s' is named twice", first->scalar);
  }
  return DM_OK;
}
