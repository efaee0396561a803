/*
 * Rules with the names of their items, made from codes of transactions.
 *
 *   transactions   milk 0, bread 1, beer 2         (in order of appearance)
 *   model          bread 0 (9), milk 1 (7)         (frequent ones, by support)
 *
 * A body's last code is its rarest item: rules are found by it, as a basket
 * rarely has it.
 */
#define _GNU_SOURCE
#include "patterns/rule_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- finding --------------------------------------------------------------------- */

static int by_name(const void *a, const void *b, void *names) {
  return dm_str_compare(((const dm_str *)names)[*(const uint32_t *)a], ((const dm_str *)names)[*(const uint32_t *)b]);
}

static dm_status index_names(dm_rule_model *m, dm_arena *arena, dm_error *err) {
  uint32_t *order = dm_arena_alloc(arena, m->n_items, sizeof *order, err);
  if (!order) return DM_EBUDGET;
  for (uint32_t i = 0; i < m->n_items; i++) order[i] = i;
  if (m->n_items) qsort_r(order, m->n_items, sizeof *order, by_name, (void *)(uintptr_t)m->names);
  for (size_t i = 1; i < m->n_items; i++)
    if (dm_str_equal(m->names[order[i - 1]], m->names[order[i]]))
      return dm_fail(err, DM_EINPUT, "rules: items %u and %u have the same name", order[i - 1], order[i]);
  m->by_name = order;
  return DM_OK;
}

static dm_status index_rules(dm_rule_model *m, dm_arena *arena, dm_error *err) {
  uint32_t *start = dm_arena_alloc(arena, m->n_items + 2, sizeof *start, err);
  uint32_t *rule = start ? dm_arena_alloc(arena, m->n, sizeof *rule, err) : NULL;
  if (!rule) return DM_EBUDGET;
  for (size_t i = 0; i < m->n; i++) start[m->rules[i].body[m->rules[i].n_body - 1] + 2]++;
  for (size_t i = 2; i < m->n_items + 2; i++) start[i] += start[i - 1];
  for (uint32_t i = 0; i < m->n; i++) rule[start[m->rules[i].body[m->rules[i].n_body - 1] + 1]++] = i;
  m->start = start;
  m->rule = rule;
  return DM_OK;
}

dm_status rule_model_index(dm_rule_model *m, dm_arena *arena, dm_error *err) {
  dm_status s = index_names(m, arena, err);
  return s == DM_OK ? index_rules(m, arena, err) : s;
}

size_t dm_rule_model_find(const dm_rule_model *m, dm_str name) {
  size_t low = 0, high = m->n_items;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = dm_str_compare(m->names[m->by_name[middle]], name);
    if (order == 0) return m->by_name[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return SIZE_MAX;
}

/* ---- making ------------------------------------------------------------------------ */

typedef struct item {
  uint64_t support;
  uint32_t code; /* of the transactions */
} item;

static int by_support(const void *a, const void *b) {
  const item *x = a, *y = b;
  if (x->support != y->support) return x->support > y->support ? -1 : 1;
  return x->code < y->code ? -1 : x->code > y->code;
}

/* The items of the model. @param code_of [*n_codes] their codes, UINT32_MAX elsewhere */
static dm_status number_items(const dm_itemsets *sets, dm_arena *arena, item **items, size_t *n, uint32_t **code_of, size_t *n_codes,
                              dm_error *err) {
  size_t singles = 0, codes = 0;
  for (size_t i = 0; sets && i < sets->n; i++) {
    if (sets->start[i + 1] - sets->start[i] != 1) continue;
    singles++;
    if (sets->items[sets->start[i]] >= codes) codes = (size_t)sets->items[sets->start[i]] + 1;
  }
  item *list = dm_arena_alloc(arena, singles, sizeof *list, err);
  uint32_t *map = list ? dm_arena_alloc(arena, codes, sizeof *map, err) : NULL;
  if (!map) return DM_EBUDGET;
  *n = 0;
  for (size_t i = 0; singles && i < sets->n; i++)
    if (sets->start[i + 1] - sets->start[i] == 1) list[(*n)++] = (item){sets->support[i], sets->items[sets->start[i]]};
  qsort(list, *n, sizeof *list, by_support);
  memset(map, 0xff, codes * sizeof *map);
  for (uint32_t i = 0; i < *n; i++) map[list[i].code] = i;
  *items = list;
  *code_of = map;
  *n_codes = codes;
  return DM_OK;
}

/* Codes of the model, ascending. */
static dm_status translate(const uint32_t *from, size_t n, const uint32_t *code_of, size_t n_codes, uint32_t *to, dm_error *err) {
  for (size_t i = 0; i < n; i++) {
    uint32_t code = from[i] < n_codes ? code_of[from[i]] : UINT32_MAX;
    if (code == UINT32_MAX) return dm_fail(err, DM_EUSAGE, "rules: a rule has item %u, which is not among the sets", from[i]);
    size_t at = i;
    for (; at > 0 && to[at - 1] > code; at--) to[at] = to[at - 1];
    to[at] = code;
  }
  return DM_OK;
}

static dm_status copy_rules(const dm_rule_model_parts *parts, const uint32_t *code_of, size_t n_codes, dm_rule_model *m, dm_arena *arena,
                            dm_error *err) {
  size_t all = 0;
  for (size_t i = 0; i < parts->n; i++) all += parts->rules[i].n_body + parts->rules[i].n_head;
  dm_rule *rules = dm_arena_alloc(arena, parts->n, sizeof *rules, err);
  uint32_t *codes = rules ? dm_arena_alloc(arena, all, sizeof *codes, err) : NULL;
  dm_status s = codes ? DM_OK : DM_EBUDGET;
  for (size_t i = 0; i < parts->n && s == DM_OK; i++) {
    const dm_rule *r = &parts->rules[i];
    rules[i] = *r;
    s = translate(r->body, r->n_body, code_of, n_codes, codes, err);
    rules[i].body = codes;
    codes += r->n_body;
    if (s == DM_OK) s = translate(r->head, r->n_head, code_of, n_codes, codes, err);
    rules[i].head = codes;
    codes += r->n_head;
    if (!m->tested) rules[i].q = (double)NAN;
  }
  m->rules = rules;
  m->n = parts->n;
  return s;
}

static dm_status copy_items(const dm_rule_model_parts *parts, const item *items, size_t n, dm_rule_model *m, dm_arena *arena, dm_error *err) {
  dm_str *names = dm_arena_alloc(arena, n, sizeof *names, err);
  uint64_t *support = names ? dm_arena_alloc(arena, n, sizeof *support, err) : NULL;
  if (!support) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++) {
    dm_str name = parts->names[items[i].code];
    names[i] = (dm_str){dm_arena_strdup(arena, name.p, name.n, err), name.n};
    support[i] = items[i].support;
    if (!names[i].p) return DM_EBUDGET;
  }
  m->n_items = n;
  m->names = names;
  m->support = support;
  return DM_OK;
}

dm_status dm_rule_model_make(const dm_rule_model_parts *parts, dm_arena *arena, dm_rule_model **out, dm_error *err) {
  item *items = NULL;
  uint32_t *code_of = NULL;
  size_t n = 0, n_codes = 0;
  if (parts->n >= UINT32_MAX) return dm_fail(err, DM_EUSAGE, "rules: %zu rules are too many for a model", parts->n);
  if (parts->delimiter && strlen(parts->delimiter) > 4) return dm_fail(err, DM_EUSAGE, "rules: '%.20s' is not one character", parts->delimiter);
  dm_rule_model *m = dm_arena_alloc(arena, 1, sizeof *m, err);
  if (!m) return DM_EBUDGET;
  m->total = parts->total;
  m->tested = parts->tests > 0;
  m->tests = parts->tests;
  (void)snprintf(m->delimiter, sizeof m->delimiter, "%s", parts->delimiter ? parts->delimiter : "");
  dm_status s = number_items(parts->sets, arena, &items, &n, &code_of, &n_codes, err);
  if (s == DM_OK) s = copy_items(parts, items, n, m, arena, err);
  if (s == DM_OK) s = copy_rules(parts, code_of, n_codes, m, arena, err);
  if (s == DM_OK) s = rule_model_index(m, arena, err);
  if (s == DM_OK) *out = m;
  return s;
}

void dm_rule_model_items(const dm_rule_model *m, const uint32_t *codes, size_t n, dm_json_out *out) {
  dm_json_array(out);
  for (size_t i = 0; i < n; i++) dm_json_string_n(out, m->names[codes[i]].p, m->names[codes[i]].n);
  dm_json_end_array(out);
}
