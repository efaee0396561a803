/* Rules out of dm_rule, their items as places in one list of names; colours of values. */
#include "report/rule_list.h"

#include <dm/text.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
  dm_arena *arena;
  dm_dict *names;
} reader;

static dm_status damaged(dm_error *err, const char *what) { return dm_fail(err, DM_EINPUT, "dm_rule is damaged: %s", what); }

/* ["bread","milk"] */
static dm_status read_items(const reader *r, dm_value cell, const uint32_t **items, size_t *n, dm_error *err) {
  const dm_json *list = NULL;
  dm_status s = cell.type == DM_TEXT ? dm_json_parse(r->arena, cell.text.p, cell.text.n, &list, err) : damaged(err, "items are no text");
  if (s == DM_EINPUT) return damaged(err, "items are no JSON");
  if (s != DM_OK) return s;
  if (list->type != DM_JSON_ARRAY) return damaged(err, "items are no list");
  uint32_t *codes = dm_arena_alloc(r->arena, list->n + 1, sizeof *codes, err);
  if (!codes) return DM_EBUDGET;
  size_t at = 0;
  for (const dm_json *e = list->first; e; e = e->next) {
    size_t code;
    if (e->type != DM_JSON_STRING) return damaged(err, "an item is no text");
    if ((s = dm_dict_add(r->names, e->string.p, e->string.n, &code, err)) != DM_OK) return s;
    codes[at++] = (uint32_t)code;
  }
  *items = codes;
  *n = at;
  return DM_OK;
}

static dm_status read_row(const reader *r, const dm_stmt *q, dm_rule_row *row, dm_error *err) {
  dm_status s = read_items(r, dm_stmt_value(q, 0), &row->body, &row->n_body, err);
  if (s == DM_OK) s = read_items(r, dm_stmt_value(q, 1), &row->head, &row->n_head, err);
  if (s != DM_OK) return s;
  row->support = (uint64_t)dm_stmt_int(q, 2);
  double *const numbers[] = {&row->share, &row->confidence, &row->lift};
  for (int i = 0; i < 3; i++) {
    dm_value v = dm_stmt_value(q, 3 + i);
    *numbers[i] = v.type == DM_REAL ? v.real : (double)NAN;
    if (!isfinite(*numbers[i])) return damaged(err, "a measure is no finite number");
  }
  return DM_OK;
}

static dm_status copy_names(const reader *r, dm_rule_list *out, dm_error *err) {
  out->n_names = dm_dict_n(r->names);
  dm_str *names = dm_arena_alloc(r->arena, out->n_names + 1, sizeof *names, err);
  if (!names) return DM_EBUDGET;
  for (size_t i = 0; i < out->n_names; i++) {
    dm_str key = dm_dict_key(r->names, i);
    names[i].n = key.n;
    if (!(names[i].p = dm_arena_strdup(r->arena, key.p, key.n, err))) return DM_EBUDGET;
  }
  out->names = names;
  return DM_OK;
}

dm_status dm_rule_list_read(dm_store *store, int64_t model_id, size_t most, dm_arena *arena, dm_rule_list *out, dm_error *err) {
  reader r = {.arena = arena};
  dm_stmt *q = NULL;
  bool more = false;
  dm_rule_list list = {0};
  dm_rule_row *rows = dm_arena_alloc(arena, most + 1, sizeof *rows, err);
  dm_status s = rows ? dm_dict_new(dm_store_ctx(store), &r.names, err) : DM_EBUDGET;
  if (s == DM_OK)
    s = dm_stmt_prepare(store,
                        "SELECT antecedent, consequent, support, share, confidence, lift, count(*) OVER () FROM main.dm_rule"
                        " WHERE model_id = ?1 ORDER BY lift DESC, support DESC, id LIMIT ?2",
                        &q, err);
  if (s == DM_OK) s = dm_stmt_bind_int(q, 1, model_id, err);
  if (s == DM_OK) s = dm_stmt_bind_int(q, 2, (int64_t)most, err);
  while (s == DM_OK && (s = dm_stmt_step(q, &more, err)) == DM_OK && more && list.n < most) {
    list.of = (uint64_t)dm_stmt_int(q, 6);
    s = read_row(&r, q, &rows[list.n++], err);
  }
  dm_stmt_free(q);
  list.rows = rows;
  if (s == DM_OK) s = copy_names(&r, &list, err);
  dm_dict_free(r.names);
  if (s == DM_OK) *out = list;
  return s;
}

/* ---- colours ------------------------------------------------------------------ */

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

size_t dm_heat_cuts(size_t n, double *v, double cuts[DM_HEAT - 1]) {
  size_t m = 0;
  if (n == 0) return 0;
  qsort(v, n, sizeof *v, by_value);
  for (size_t i = 1; i < DM_HEAT; i++) {
    double cut = v[i * n / DM_HEAT];
    if (cut > v[0] && (m == 0 || cut > cuts[m - 1])) cuts[m++] = cut;
  }
  return m;
}

/* From light to dark, and apart in hue: also told from each other in grey. */
const char *dm_heat_colour(size_t n, const double *cuts, double v) {
  static const char *const colours[DM_HEAT] = {"#F5B335", "#EE7F2D", "#D9442F", "#A01C4B", "#4B0F56"};
  size_t i = 0;
  while (i < n && v >= cuts[i]) i++;
  return colours[n ? i * (DM_HEAT - 1) / n : DM_HEAT / 2];
}
