/*
 * Recipes from YAML. Everything that can be checked without the table is
 * checked here, so that a recipe with a mistake changes nothing; columns are
 * looked up when their step runs, because earlier steps may add them.
 */
#include "clean/recipe.h"

#include <string.h>

/* A node that stands where a key stands, for messages about the key. */
static const dm_yaml *at_key(dm_arena *arena, const dm_yaml *node, dm_error *err) {
  dm_yaml *place = dm_arena_alloc(arena, 1, sizeof *place, err);
  if (!place) return NULL;
  *place = (dm_yaml){.type = DM_YAML_SCALAR, .scalar = node->key, .line = node->key_line, .column = node->key_column, .source = node->source};
  return place;
}

static dm_status find_kind(const dm_clean_parser *in, const dm_yaml *place, const char *name, const dm_clean_kind **out, dm_error *err) {
  const char *names[32];
  size_t n = 0;
  for (; dm_clean_kinds[n]; n++) {
    names[n] = dm_clean_kinds[n]->name;
    if (strcmp(names[n], name) == 0) {
      *out = dm_clean_kinds[n];
      return DM_OK;
    }
  }
  dm_status s = dm_yaml_fail(place, in->file, err, "unknown step '%s'", name);
  const char *near = dm_text_nearest(name, names, n);
  if (near) {
    dm_error_hint(err, "did you mean '%s'?", near);
  } else {
    char list[400] = "";
    for (size_t i = 0; i < n; i++) {
      if (i) strncat(list, ", ", sizeof list - strlen(list) - 1);
      strncat(list, names[i], sizeof list - strlen(list) - 1);
    }
    dm_error_hint(err, "steps: %s", list);
  }
  return s;
}

static dm_status parse_step(const dm_clean_parser *in, const dm_yaml *item, size_t k, dm_clean_step *step, dm_error *err) {
  static const dm_yaml nothing = {.type = DM_YAML_MAP};
  const dm_yaml *args = &nothing, *place = item;
  const char *name = item->scalar;
  if (item->type == DM_YAML_MAP && item->n == 1) {
    name = item->first->key;
    args = item->first;
    place = at_key(in->arena, args, err);
    if (!place) return DM_EBUDGET;
  } else if (item->type != DM_YAML_SCALAR || dm_yaml_is_null(item)) {
    dm_status s = dm_yaml_fail(item, in->file, err, "a step is one name with its arguments%s",
                               item->type == DM_YAML_MAP && item->n > 1 ? ", here are several" : "");
    dm_error_hint(err, "write for instance  - trim: {columns: [name, city]}");
    return s;
  }
  dm_status s = find_kind(in, place, name, &step->kind, err);
  if (s != DM_OK) return s;
  if (args->type == DM_YAML_SCALAR && dm_yaml_is_null(args)) args = &nothing;
  if (args->type != DM_YAML_MAP) {
    s = dm_yaml_fail(args, in->file, err, "the arguments of '%s' are a map", name);
    dm_error_hint(err, "%s: %s", name, step->kind->arguments);
    return s;
  }
  step->place = place;
  step->args = args;
  step->rule = dm_arena_printf(in->arena, err, "%zu:%s", k, name);
  if (!step->rule) return DM_EBUDGET;
  size_t n_keys = 0;
  while (step->kind->keys[n_keys]) n_keys++;
  s = dm_yaml_check_keys(args, in->file, step->kind->keys, n_keys, err);
  return s == DM_OK ? step->kind->parse(in, args, step, err) : s;
}

/* Is the text a number as JSON spells them? 007 and .5 are not: they stay texts. */
static bool is_json_number(const char *p, size_t n) {
  double real;
  if (!dm_text_to_double(p, n, &real)) return false;
  const char *digits = p + (*p == '-');
  if (*digits < '0' || *digits > '9' || (*digits == '0' && digits[1] >= '0' && digits[1] <= '9')) return false;
  const char *point = memchr(p, '.', n);
  return !point || (point[1] >= '0' && point[1] <= '9');
}

static void write_scalar(const dm_yaml *node, dm_json_out *j) {
  bool truth;
  if (node->quoted) dm_json_string_n(j, node->scalar, node->length);
  else if (dm_yaml_is_null(node)) dm_json_null(j);
  else if (dm_yaml_is_bool(node, &truth)) dm_json_bool(j, truth);
  else if (is_json_number(node->scalar, node->length)) dm_json_raw(j, node->scalar, node->length);
  else dm_json_string_n(j, node->scalar, node->length);
}

/* The recipe as JSON: quoted scalars stay texts, plain ones stay what they were. */
static void write_node(const dm_yaml *node, dm_json_out *j) {
  if (node->type == DM_YAML_SCALAR) {
    write_scalar(node, j);
    return;
  }
  if (node->type == DM_YAML_MAP) dm_json_object(j);
  else dm_json_array(j);
  for (const dm_yaml *child = node->first; child; child = child->next) {
    if (node->type == DM_YAML_MAP) dm_json_key(j, child->key);
    write_node(child, j);
  }
  if (node->type == DM_YAML_MAP) dm_json_end_object(j);
  else dm_json_end_array(j);
}

static dm_status write_text(dm_recipe *r, const dm_yaml *node, dm_error *err) {
  dm_buf text;
  dm_json_out j;
  dm_buf_init(&text, r->ctx, err);
  dm_json_out_init(&j, &text, false);
  write_node(node, &j);
  dm_status s = dm_buf_status(&text);
  if (s == DM_OK) {
    r->text = dm_arena_strdup(r->arena, text.p, text.n, err);
    if (!r->text) s = DM_EBUDGET;
  }
  dm_buf_clear(&text);
  return s;
}

static dm_status parse_recipe(dm_recipe *r, const dm_yaml *node, dm_error *err) {
  static const char *const keys[] = {"table", "steps"};
  if (node->type != DM_YAML_MAP) {
    dm_status bad = dm_yaml_fail(node, r->file, err, "a recipe is a map with 'table' and 'steps'");
    dm_error_hint(err, "begin with  table: NAME  and  steps:");
    return bad;
  }
  dm_status s = dm_yaml_check_keys(node, r->file, keys, 2, err);
  if (s != DM_OK) return s;
  const dm_yaml *table = dm_yaml_get(node, "table"), *steps = dm_yaml_get(node, "steps");
  if (!table || table->type != DM_YAML_SCALAR || dm_yaml_is_null(table))
    return dm_yaml_fail(table ? table : node, r->file, err, "'table' wants the name of the table to clean");
  if (!steps || steps->type != DM_YAML_LIST)
    return dm_yaml_fail(steps ? steps : node, r->file, err, "'steps' wants a list of steps");
  r->table = table;
  r->steps = dm_arena_alloc(r->arena, steps->n, sizeof *r->steps, err);
  if (!r->steps) return DM_EBUDGET;
  dm_clean_parser in = {r->ctx, r->arena, r->file};
  for (const dm_yaml *item = steps->first; item; item = item->next) {
    r->n_steps++; /* counted first: what a failed step holds is freed with the rest */
    s = parse_step(&in, item, r->n_steps, &r->steps[r->n_steps - 1], err);
    if (s != DM_OK) return s;
  }
  return write_text(r, node, err);
}

void dm_recipe_free(dm_recipe *r) {
  if (!r) return;
  for (size_t i = 0; i < r->n_steps; i++)
    if (r->steps[i].kind && r->steps[i].kind->free && r->steps[i].arguments) r->steps[i].kind->free(r->steps[i].arguments);
  dm_arena_free(r->arena);
  dm_free(r->ctx, r);
}

static dm_status new_recipe(dm_ctx *ctx, const char *file_name, dm_recipe **out, dm_error *err) {
  dm_recipe *r = dm_alloc(ctx, 1, sizeof *r, "recipe", err);
  if (!r) return DM_EBUDGET;
  r->ctx = ctx;
  dm_status s = dm_arena_new(ctx, 0, &r->arena, err);
  if (s == DM_OK) {
    r->file = dm_arena_strdup(r->arena, file_name, strlen(file_name), err);
    if (!r->file) s = DM_EBUDGET;
  }
  if (s != DM_OK) {
    dm_recipe_free(r);
    return s;
  }
  *out = r;
  return DM_OK;
}

dm_status dm_recipe_from_yaml(dm_ctx *ctx, const char *file_name, const dm_yaml *node, dm_recipe **out, dm_error *err) {
  dm_recipe *r = NULL;
  dm_status s = new_recipe(ctx, file_name, &r, err);
  if (s != DM_OK) return s;
  s = parse_recipe(r, node, err);
  if (s != DM_OK) dm_recipe_free(r);
  else *out = r;
  return s;
}

dm_status dm_recipe_load(dm_ctx *ctx, const char *path, dm_recipe **out, dm_error *err) {
  dm_recipe *r = NULL;
  dm_status s = new_recipe(ctx, path, &r, err);
  if (s != DM_OK) return s;
  const dm_yaml *node = NULL;
  s = dm_yaml_load(r->arena, path, &node, err);
  if (s == DM_OK) s = parse_recipe(r, node, err);
  if (s != DM_OK) dm_recipe_free(r);
  else *out = r;
  return s;
}
