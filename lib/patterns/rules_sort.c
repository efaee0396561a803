/*
 * Rules in their order: by four numbers first, digit by digit from the least
 * on, and what is equal then by the rest of its items. Many rules of rare
 * items have one of few confidences and supports, so that comparing rules from
 * the start would be most of the work.
 */
#define _GNU_SOURCE
#include "patterns/rules.h"

#include <stdlib.h>
#include <string.h>

enum { BY_MEASURE, BY_CONFIDENCE, BY_SUPPORT, BY_BODY, KEYS, DIGIT = 8, DIGITS = 1 << DIGIT };

typedef struct entry {
  uint64_t keys[KEYS]; /* the smaller, the earlier; BY_SUPPORT: then fewer items; BY_BODY: its first two */
  size_t at;           /* which rule it is */
} entry;

typedef struct order {
  const dm_itemsets *sets;
  const rules_found *rules;
} order;

/* Numbers in the order of doubles. */
static uint64_t rank_of(double v, bool falling) {
  uint64_t bits;
  memcpy(&bits, &v, sizeof bits);
  bits ^= bits >> 63 ? UINT64_MAX : (uint64_t)1 << 63;
  return falling ? ~bits : bits;
}

static int by_items(const dm_itemsets *sets, uint32_t a, uint32_t b) {
  const uint32_t *p = rules_items(sets, a), *q = rules_items(sets, b);
  size_t n = rules_size(sets, a), m = rules_size(sets, b);
  for (size_t i = 0; i < n && i < m; i++)
    if (p[i] != q[i]) return p[i] < q[i] ? -1 : 1;
  return n < m ? -1 : n > m;
}

/* Rules that are alike in all keys. */
static int by_rule(const void *a, const void *b, void *user) {
  const order *o = user;
  const rules_found *x = &o->rules[((const entry *)a)->at], *y = &o->rules[((const entry *)b)->at];
  int items = by_items(o->sets, x->body, y->body);
  return items ? items : by_items(o->sets, x->head, y->head);
}

/* Stable, from entries to room and back; digits that are alike everywhere are passed over. @return where they are */
static entry *sort_digits(entry *entries, entry *room, size_t n) {
  for (int key = KEYS - 1; key >= 0; key--)
    for (unsigned shift = 0; shift < 64; shift += DIGIT) {
      size_t start[DIGITS] = {0}, sum = 0;
      for (size_t i = 0; i < n; i++) start[entries[i].keys[key] >> shift & (DIGITS - 1)]++;
      if (start[entries[0].keys[key] >> shift & (DIGITS - 1)] == n) continue;
      for (size_t d = 0; d < DIGITS; d++) {
        size_t count = start[d];
        start[d] = sum;
        sum += count;
      }
      for (size_t i = 0; i < n; i++) room[start[entries[i].keys[key] >> shift & (DIGITS - 1)]++] = entries[i];
      entry *other = room;
      room = entries;
      entries = other;
    }
  return entries;
}

static void sort_equals(order *o, entry *entries, size_t n) {
  for (size_t i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && memcmp(entries[end].keys, entries[i].keys, sizeof entries->keys) == 0;) end++;
    if (end - i > 1) qsort_r(entries + i, end - i, sizeof *entries, by_rule, o);
  }
}

static entry entry_of(const order *o, uint64_t total, const dm_rule_options *options, size_t at, double q) {
  const rules_found *r = &o->rules[at];
  const uint32_t *body = rules_items(o->sets, r->body);
  entry e = {.at = at};
  e.keys[BY_CONFIDENCE] = rank_of(rules_confidence(o->sets, r), true);
  e.keys[BY_SUPPORT] = (~o->sets->support[r->set] << 5) + rules_size(o->sets, r->set);
  e.keys[BY_BODY] = (uint64_t)body[0] << 32 | (rules_size(o->sets, r->body) > 1 ? body[1] : 0);
  if (!options->top) return e;
  dm_rule_counts c = rules_counts(o->sets, r, total);
  double v = options->measure == DM_Q_VALUE ? q : dm_measure_value(&c, options->measure);
  e.keys[BY_MEASURE] = rank_of(v, !dm_measure_is_falling(options->measure));
  return e;
}

dm_status rules_sort(dm_ctx *ctx, const dm_itemsets *sets, uint64_t total, const dm_rule_options *options, rules_found *rules, double *q,
                     size_t n, dm_error *err) {
  if (n < 2) return DM_OK;
  entry *block = dm_alloc(ctx, n, 2 * sizeof *block, "rules: sorting", err);
  rules_found *moved = block ? dm_alloc(ctx, n, sizeof *moved + sizeof *q, "rules: sorting", err) : NULL;
  if (!moved) {
    dm_free(ctx, block);
    return DM_EBUDGET;
  }
  order o = {sets, rules};
  for (size_t i = 0; i < n; i++) block[i] = entry_of(&o, total, options, i, q ? q[i] : 0);
  entry *sorted = sort_digits(block, block + n, n);
  sort_equals(&o, sorted, n);
  for (size_t i = 0; i < n; i++) moved[i] = rules[sorted[i].at];
  memcpy(rules, moved, n * sizeof *rules);
  if (q) {
    double *moved_q = (double *)(void *)moved;
    for (size_t i = 0; i < n; i++) moved_q[i] = q[sorted[i].at];
    memcpy(q, moved_q, n * sizeof *q);
  }
  dm_free(ctx, moved);
  dm_free(ctx, block);
  return DM_OK;
}
