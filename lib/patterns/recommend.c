/*
 * What rules say to a basket. A rule is looked at when its rarest item is in
 * the basket; of most such rules the rest of the body is decided by few
 * look-ups in the basket's codes, which are in order.
 */
#include "patterns/rule_model.h"

#include <stdlib.h>
#include <string.h>

/* ---- the basket ------------------------------------------------------------------- */

static dm_status from_json(const char *p, size_t n, dm_arena *arena, dm_str **items, size_t *n_items, dm_error *err) {
  const dm_json *list;
  size_t k = 0;
  dm_status s = dm_json_parse(arena, p, n, &list, err);
  if (s != DM_OK) {
    dm_error_prefix(err, "basket");
    return s;
  }
  if (!(*items = dm_arena_alloc(arena, list->n, sizeof **items, err))) return DM_EBUDGET;
  for (const dm_json *e = list->first; e; e = e->next) {
    char number[DM_NUMBER_MAX];
    dm_str text = e->string;
    if (e->type == DM_JSON_NULL) continue;
    if (e->type == DM_JSON_INT || e->type == DM_JSON_DOUBLE) {
      text.n = e->type == DM_JSON_INT ? dm_text_of_int(e->integer, number) : dm_text_of_double(e->real, true, number);
      if (!(text.p = dm_arena_strdup(arena, number, text.n, err))) return DM_EBUDGET;
    } else if (e->type != DM_JSON_STRING) {
      return dm_fail(err, DM_EINPUT, "basket: element %zu is neither a text nor a number", k + 1);
    }
    (*items)[k++] = text;
  }
  *n_items = k;
  return DM_OK;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* Next item of the text from *at on; false at its end. */
static bool next_item(const dm_rule_model *m, const char *p, size_t n, size_t *at, dm_str *item) {
  size_t width = strlen(m->delimiter), from = *at;
  if (from > n) return false;
  if (!width) {
    while (from < n && is_blank(p[from])) from++;
    size_t end = from;
    while (end < n && !is_blank(p[end])) end++;
    *item = (dm_str){p + from, end - from};
    *at = end;
    return from < n;
  }
  size_t end = from;
  while (end < n && (n - end < width || memcmp(p + end, m->delimiter, width) != 0)) end++;
  *item = dm_utf8_trim(p + from, end - from);
  *at = end < n ? end + width : n + 1;
  return true;
}

dm_status dm_rule_model_basket(const dm_rule_model *m, const char *p, size_t n, dm_arena *arena, dm_str **items, size_t *n_items,
                               dm_error *err) {
  size_t first = 0, k = 0;
  dm_str item;
  while (first < n && is_blank(p[first])) first++;
  if (first < n && p[first] == '[') return from_json(p, n, arena, items, n_items, err);
  for (size_t at = 0; next_item(m, p, n, &at, &item);) k += item.n > 0;
  dm_str *list = dm_arena_alloc(arena, k, sizeof *list, err);
  if (!list) return DM_EBUDGET;
  k = 0;
  for (size_t at = 0; next_item(m, p, n, &at, &item);)
    if (item.n) list[k++] = item;
  *items = list;
  *n_items = k;
  return DM_OK;
}

/* ---- recommending ------------------------------------------------------------------- */

typedef struct basket {
  uint32_t *codes; /* ascending, each once */
  size_t n;
} basket;

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static dm_status code_basket(const dm_rule_model *m, const dm_str *names, size_t n, dm_arena *arena, basket *out, dm_error *err) {
  size_t k = 0;
  if (!(out->codes = dm_arena_alloc(arena, n, sizeof *out->codes, err))) return DM_EBUDGET;
  for (size_t i = 0; i < n; i++) {
    size_t code = dm_rule_model_find(m, names[i]);
    if (code != SIZE_MAX) out->codes[k++] = (uint32_t)code;
  }
  qsort(out->codes, k, sizeof *out->codes, ascending);
  for (size_t i = 0; i < k; i++)
    if (i == 0 || out->codes[i] != out->codes[out->n - 1]) out->codes[out->n++] = out->codes[i];
  return DM_OK;
}

static bool holds(const basket *b, uint32_t code) {
  size_t low = 0, high = b->n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (b->codes[middle] == code) return true;
    if (b->codes[middle] < code)
      low = middle + 1;
    else
      high = middle;
  }
  return false;
}

static bool holds_all(const basket *b, const uint32_t *codes, size_t n) {
  while (n > 0 && holds(b, codes[n - 1])) n--;
  return n == 0;
}

static dm_recommendation recommend(const dm_rule_model *m, size_t item, size_t rule) {
  const dm_rule_counts *c = &m->rules[rule].counts;
  return (dm_recommendation){item, rule, dm_measure_value(c, DM_CONFIDENCE), dm_measure_value(c, DM_LIFT)};
}

/* By confidence, lift, support, and the order of the rules. */
static int better(const dm_rule_model *m, const dm_recommendation *a, const dm_recommendation *b) {
  if (a->confidence != b->confidence) return a->confidence > b->confidence ? -1 : 1;
  if (a->lift != b->lift) return a->lift > b->lift ? -1 : 1;
  uint64_t x = m->rules[a->rule].counts.both, y = m->rules[b->rule].counts.both;
  if (x != y) return x > y ? -1 : 1;
  if (a->rule != b->rule) return a->rule < b->rule ? -1 : 1;
  return a->item < b->item ? -1 : a->item > b->item;
}

/* What has been found so far. */
typedef struct found {
  dm_recommendation *list;
  size_t n, capacity;
  uint32_t *place; /* [n_items] of an item in the list, from 1; 0: not there */
} found;

static dm_status propose(const dm_rule_model *m, found *f, uint32_t item, size_t rule, dm_arena *arena, dm_error *err) {
  dm_recommendation r = recommend(m, item, rule);
  if (f->place[item]) {
    dm_recommendation *have = &f->list[f->place[item] - 1];
    if (better(m, &r, have) < 0) *have = r;
    return DM_OK;
  }
  if (f->n == f->capacity) {
    size_t capacity = f->capacity ? 2 * f->capacity : 16;
    dm_recommendation *more = dm_arena_alloc(arena, capacity, sizeof *more, err);
    if (!more) return DM_EBUDGET;
    if (f->n) memcpy(more, f->list, f->n * sizeof *more);
    f->list = more;
    f->capacity = capacity;
  }
  f->list[f->n++] = r;
  f->place[item] = (uint32_t)f->n;
  return DM_OK;
}

/* A heap whose first is the worst: sorting by it needs no memory and no state beside the comparison. */
static void sift(const dm_rule_model *m, dm_recommendation *list, size_t at, size_t n) {
  for (size_t child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && better(m, &list[child], &list[child + 1]) < 0) child++;
    if (better(m, &list[at], &list[child]) >= 0) return;
    dm_recommendation t = list[at];
    list[at] = list[child];
    list[child] = t;
  }
}

static void sort(const dm_rule_model *m, dm_recommendation *list, size_t n) {
  for (size_t i = n / 2; i-- > 0;) sift(m, list, i, n);
  for (size_t end = n; end > 1; end--) {
    dm_recommendation t = list[0];
    list[0] = list[end - 1];
    list[end - 1] = t;
    sift(m, list, 0, end - 1);
  }
}

dm_status dm_rule_model_recommend(const dm_rule_model *m, const dm_str *names, size_t n_names, size_t top, dm_arena *arena,
                                  dm_recommendation **out, size_t *n, dm_error *err) {
  basket b = {0};
  found f = {0};
  dm_status s = code_basket(m, names, n_names, arena, &b, err);
  if (s != DM_OK) return s;
  if (!(f.place = dm_arena_alloc(arena, m->n_items, sizeof *f.place, err))) return DM_EBUDGET;
  for (size_t i = 0; i < b.n; i++)
    for (size_t at = m->start[b.codes[i]]; at < m->start[b.codes[i] + 1]; at++) {
      const dm_rule *r = &m->rules[m->rule[at]];
      if (!holds_all(&b, r->body, r->n_body - 1)) continue;
      for (uint32_t h = 0; h < r->n_head && s == DM_OK; h++)
        if (!holds(&b, r->head[h])) s = propose(m, &f, r->head[h], m->rule[at], arena, err);
      if (s != DM_OK) return s;
    }
  sort(m, f.list, f.n);
  *out = f.list;
  *n = top && top < f.n ? top : f.n;
  return DM_OK;
}
