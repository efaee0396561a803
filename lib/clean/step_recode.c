/* recode: a table of old and new values. */
#include "clean/run.h"

#include <stdio.h>
#include <string.h>

typedef struct recode {
  dm_dict *from;          /* old texts */
  const dm_yaml **to;     /* [n] new values, in the order of the dictionary */
  size_t n;
  bool other_missing;
  /* while it runs */
  const dm_table_column *column;
  dm_type type;           /* of the column after the step */
  char number[512];
} recode;

static void free_recode(void *arguments) { dm_dict_free(((recode *)arguments)->from); }

static dm_status parse_map(const dm_clean_parser *in, const dm_yaml *map, recode *r, dm_error *err) {
  if (map->type != DM_YAML_MAP || map->n == 0) {
    dm_status s = dm_yaml_fail(map, in->file, err, "'map' gives a new value for each old one");
    dm_error_hint(err, "for instance  map: {m: male, f: female}");
    return s;
  }
  dm_status s = dm_dict_new(in->ctx, &r->from, err);
  if (s != DM_OK) return s;
  r->to = dm_arena_alloc(in->arena, map->n, sizeof *r->to, err);
  if (!r->to) return DM_EBUDGET;
  for (const dm_yaml *node = map->first; node; node = node->next) {
    size_t index;
    if (node->type != DM_YAML_SCALAR) return dm_yaml_fail(node, in->file, err, "the new value of '%s' is one value", node->key);
    s = dm_dict_add(r->from, node->key, strlen(node->key), &index, err);
    if (s != DM_OK) return s;
    r->to[index] = node;
    r->n = index + 1;
  }
  return DM_OK;
}

static dm_status parse_recode(const dm_clean_parser *in, const dm_yaml *args, dm_clean_step *step, dm_error *err) {
  static const char *const others[] = {"keep", "missing", NULL};
  recode *r = step->arguments = dm_arena_alloc(in->arena, 1, sizeof *r, err);
  if (!r) return DM_EBUDGET;
  const dm_yaml *map, *both = dm_yaml_get(args, "columns");
  unsigned other = 0;
  if (both && dm_yaml_get(args, "column")) return dm_yaml_fail(both, in->file, err, "'column' and 'columns' are the same: give one");
  dm_status s = dm_clean_arg_columns(in, step, args, both ? "columns" : "column", false, &step->columns, err);
  if (s == DM_OK) s = dm_clean_arg_need(in, step, args, "map", &map, err);
  if (s == DM_OK) s = parse_map(in, map, r, err);
  if (s == DM_OK) s = dm_clean_arg_choice(in, args, "other", others, 0, &other, err);
  r->other_missing = other == 1;
  return s;
}

static bool is_missing(const dm_yaml *node) { return !node->quoted && dm_yaml_is_null(node); }

/* A number column stays one when every new value is of its type. */
static dm_type type_after(const recode *r, dm_type had) {
  if (had != DM_INTEGER && had != DM_REAL) return had;
  for (size_t i = 0; i < r->n; i++) {
    int64_t whole;
    double real;
    const dm_yaml *to = r->to[i];
    if (is_missing(to)) continue;
    bool fits = had == DM_INTEGER ? dm_text_to_int(to->scalar, to->length, &whole) : dm_text_to_double(to->scalar, to->length, &real);
    if (to->quoted || !fits) return DM_TEXT;
  }
  return had;
}

static void new_value(const recode *r, const dm_yaml *to, dm_value *out) {
  *out = (dm_value){DM_NULL};
  if (is_missing(to)) return;
  if (r->type == DM_INTEGER && dm_text_to_int(to->scalar, to->length, &out->integer)) out->type = DM_INTEGER;
  else if (r->type == DM_REAL && dm_text_to_double(to->scalar, to->length, &out->real)) out->type = DM_REAL;
  else *out = (dm_value){.type = DM_TEXT, .text = {to->scalar, to->length}};
}

static dm_status recode_cell(void *user, const dm_value *old, dm_value *out, dm_clean_outcome *outcome, dm_error *err) {
  recode *r = user;
  dm_str text;
  (void)err;
  if (old->type == DM_BLOB) return DM_OK;
  dm_clean_cell_text(r->column, old, r->number, &text);
  size_t at = dm_dict_find(r->from, text.p, text.n);
  if (at == DM_DICT_NONE && old->type == DM_REAL) { /* 1 finds 1.0 */
    text = (dm_str){r->number, dm_text_of_double(old->real, false, r->number)};
    at = dm_dict_find(r->from, text.p, text.n);
  }
  if (at == DM_DICT_NONE && !r->other_missing) return DM_OK;
  if (at != DM_DICT_NONE) new_value(r, r->to[at], out);
  *outcome = DM_CLEAN_NEW;
  return DM_OK;
}

static dm_status run_recode(dm_clean_run *run, const dm_clean_step *step, dm_error *err) {
  recode r = *(const recode *)step->arguments;
  size_t *columns, n;
  dm_buf_printf(run->detail, ": %zu value%s%s", r.n, r.n == 1 ? "" : "s", r.other_missing ? ", all others become missing" : "");
  dm_status s = dm_clean_run_columns(run, &step->columns, &columns, &n, err);
  for (size_t i = 0; i < n && s == DM_OK; i++) {
    dm_table_column column = run->table.columns[columns[i]];
    r.column = &column;
    r.type = type_after(&r, column.type);
    dm_clean_mapping mapping = {.map = recode_cell, .user = &r, .what = "a known value",
                                .type = r.type == column.type ? DM_NULL : r.type};
    s = dm_clean_map_column(run, columns[i], &mapping, err);
  }
  return s;
}

static const char *const recode_keys[] = {"column", "columns", "map", "other", NULL};
const dm_clean_kind dm_clean_recode = {
    "recode", "{column: A, map: {old: new, ...}, other: keep|missing}",
    "exchanges values by a table, null means missing; numbers that get texts make the column TEXT", recode_keys, parse_recode,
    run_recode, free_recode};
