/* Emerging patterns: an example by hand, all of them against counts one by one, what is refused. */
#include "data.h"

#include <dm/patterns.h>
#include <math.h>

typedef struct found {
  dm_ctx *ctx;
  dm_arena *arena;
  dm_transactions *t;
  dm_itemsets sets;
  dm_emerging *list;
  size_t n;
} found;

static found prepare(dm_transactions *(*make)(dm_ctx *ctx), uint64_t min_support) {
  found f = {.ctx = new_ctx()};
  const dm_mine_options o = {.kind = DM_FREQUENT, .algorithm = "eclat", .min_support = min_support};
  assert_int_equal(dm_arena_new(f.ctx, 0, &f.arena, NULL), DM_OK);
  f.t = make(f.ctx);
  assert_int_equal(dm_itemsets_mine(f.ctx, f.t, &o, f.arena, &f.sets, NULL), DM_OK);
  return f;
}

static void clear(found *f) {
  dm_transactions_free(f->t);
  dm_arena_free(f->arena);
  dm_ctx_free(f->ctx);
}

static void find(found *f, const uint8_t *group, const uint64_t *total, const dm_emerging_options *o) {
  dm_error err = {0};
  dm_status s = dm_emerging_find(f->ctx, f->t, group, total, &f->sets, o, f->arena, &f->list, &f->n, &err);
  if (s != DM_OK) print_error("%s\n", err.message);
  assert_int_equal(s, DM_OK);
}

/* ---- by hand ------------------------------------------------------------------------------------------ */

/* Group 0: a b, a, b, c      group 1: a b, a b, a b c, b (and an empty one, when totals are given) */
static dm_transactions *few(dm_ctx *ctx) { return transactions_of(ctx, "a b\na\nb\nc\na b\na b\na b c\nb\n"); }
static const uint8_t few_groups[] = {0, 0, 0, 0, 1, 1, 1, 1};

static const char *text_of(const found *f, char *to) {
  *to = 0;
  for (size_t i = 0; i < f->n; i++) {
    const dm_emerging *e = &f->list[i];
    for (uint32_t k = 0; k < e->n; k++) to += sprintf(to, "%.*s", (int)f->t->names[e->items[k]].n, f->t->names[e->items[k]].p);
    to += sprintf(to, " %u: %d %d %.4g p %.4g\n", e->group, (int)e->support[0], (int)e->support[1], e->growth, e->p);
  }
  return to;
}

/*
 * a: 2/4 -> 3/4, b: 2/4 -> 4/4, c: 1/4 both; ab: 1/4 -> 3/4; ac, bc, abc: none -> 1/4, of which abc is within ac and bc.
 * p of ab: of 4 with ab among 8, 3 or more in a group of 4: (4*4 + 1) / 70; of b: of 6, 4 in it: C(6,4) / C(8,4) = 15/70.
 */
static void test_by_hand(void **state) {
  (void)state;
  char text[2000];
  found f = prepare(few, 1);
  find(&f, few_groups, NULL, &(dm_emerging_options){.min_growth = 1.2});
  (void)text_of(&f, text);
  assert_string_equal(text, "ac 1: 0 1 inf p 0.5\nbc 1: 0 1 inf p 0.5\nab 1: 1 3 3 p 0.2429\nb 1: 2 4 2 p 0.2143\na 1: 2 3 1.5 p 0.5\n");
  find(&f, few_groups, NULL, &(dm_emerging_options){.min_growth = 2, .all = true});
  (void)text_of(&f, text);
  assert_string_equal(text, "ac 1: 0 1 inf p 0.5\nbc 1: 0 1 inf p 0.5\nabc 1: 0 1 inf p 0.5\nab 1: 1 3 3 p 0.2429\nb 1: 2 4 2 p 0.2143\n");
  find(&f, few_groups, NULL, &(dm_emerging_options){.min_growth = 1, .jumping = true, .top = 1});
  (void)text_of(&f, text);
  assert_string_equal(text, "ac 1: 0 1 inf p 0.5\n");
  find(&f, few_groups, NULL, &(dm_emerging_options){.min_growth = 1, .min_support = 4});
  (void)text_of(&f, text);
  assert_string_equal(text, "b 1: 2 4 2 p 0.2143\n");
  find(&f, few_groups, (const uint64_t[]){4, 16}, &(dm_emerging_options){.min_growth = 1.5}); /* twelve empty ones in group 1 turn it round */
  (void)text_of(&f, text);
  assert_non_null(strstr(text, "b 0: 2 4 2 "));
  assert_non_null(strstr(text, "c 0: 1 1 4 "));
  assert_non_null(strstr(text, "ac 1: 0 1 inf "));
  find(&f, few_groups, NULL, &(dm_emerging_options){.min_growth = 1, .max_q = 0.01});
  assert_int_equal(f.n, 0);
  clear(&f);
}

/* ---- against counts one by one ---------------------------------------------------------------------------- */

static dm_transactions *many(dm_ctx *ctx) { return random_transactions(ctx, 5, 300, 9, 0.7, 0.05); }

static bool has(const dm_csr *rows, size_t r, const uint32_t *items, size_t n) {
  size_t found_n = 0;
  for (size_t k = 0; k < n; k++)
    for (size_t i = rows->start[r]; i < rows->start[r + 1]; i++) found_n += rows->index[i] == items[k];
  return found_n == n;
}

static double growth_of(const found *f, const uint8_t *group, const uint32_t *items, size_t n, unsigned g, uint64_t support[2]) {
  double total[2] = {0, 0};
  support[0] = support[1] = 0;
  for (size_t r = 0; r < f->t->rows.n; r++) {
    total[group[r]]++;
    support[group[r]] += has(&f->t->rows, r, items, n);
  }
  if (!support[g]) return 0;
  if (!support[!g]) return (double)INFINITY;
  return ((double)support[g] * total[!g]) / ((double)support[!g] * total[g]);
}

static bool grows_within(const found *f, const uint8_t *group, const uint32_t *items, size_t n, unsigned g, double growth) {
  uint64_t support[2];
  for (uint32_t subset = 1; subset + 1 < 1u << n; subset++) {
    uint32_t part[16];
    size_t m = 0;
    for (size_t k = 0; k < n; k++)
      if (subset >> k & 1) part[m++] = items[k];
    if (growth_of(f, group, part, m, g, support) >= growth) return true;
  }
  return false;
}

static const dm_emerging *find_set(const found *f, const uint32_t *items, size_t n, unsigned g) {
  for (size_t i = 0; i < f->n; i++)
    if (f->list[i].n == n && f->list[i].group == g && memcmp(f->list[i].items, items, n * sizeof *items) == 0) return &f->list[i];
  return NULL;
}

static void compare(bool all) {
  found f = prepare(many, 3);
  uint8_t group[300];
  for (size_t r = 0; r < f.t->rows.n; r++) group[r] = r % 3 == 0 || has(&f.t->rows, r, (const uint32_t[]){1, 4}, 2);
  find(&f, group, NULL, &(dm_emerging_options){.min_growth = 1.3, .all = all});
  size_t want = 0;
  for (size_t i = 0; i < f.sets.n; i++) {
    const uint32_t *items = f.sets.items + f.sets.start[i];
    size_t n = f.sets.start[i + 1] - f.sets.start[i];
    for (unsigned g = 0; g < 2; g++) {
      uint64_t support[2];
      double growth = growth_of(&f, group, items, n, g, support);
      bool wanted = growth >= 1.3 && (all || !grows_within(&f, group, items, n, g, growth));
      const dm_emerging *e = find_set(&f, items, n, g);
      assert_true(wanted == (e != NULL));
      want += wanted;
      if (e) assert_true(e->growth == growth && e->support[0] == support[0] && e->support[1] == support[1] && e->q >= e->p);
    }
  }
  assert_int_equal(f.n, want);
  assert_true(f.n > 10);
  for (size_t i = 1; i < f.n; i++) assert_true(f.list[i - 1].growth >= f.list[i].growth);
  clear(&f);
}

static void test_one_by_one(void **state) {
  (void)state;
  compare(true);
  compare(false);
}

/* ---- refused ------------------------------------------------------------------------------------------------- */

static void is_refused(const found *f, const uint8_t *group, const uint64_t *total, const dm_itemsets *sets, double growth, const char *why) {
  dm_error err = {0};
  dm_emerging *list;
  size_t n;
  const dm_emerging_options o = {.min_growth = growth};
  assert_int_equal(dm_emerging_find(f->ctx, f->t, group, total, sets, &o, f->arena, &list, &n, &err), DM_EUSAGE);
  if (!strstr(err.message, why)) fail_msg("%s", err.message);
}

static void test_refused(void **state) {
  (void)state;
  found f = prepare(few, 1);
  const uint8_t one_group[8] = {0}, beyond[8] = {0, 1, 2};
  is_refused(&f, one_group, NULL, &f.sets, 2, "group 1 has no transaction");
  is_refused(&f, beyond, NULL, &f.sets, 2, "transaction 3 is of group 2");
  is_refused(&f, few_groups, (const uint64_t[]){4, 3}, &f.sets, 2, "4 of which are not empty");
  is_refused(&f, few_groups, NULL, &f.sets, 0.5, "growth = 0.5");
  is_refused(&f, few_groups, NULL, &f.sets, (double)NAN, "want >= 1");
  const size_t start[] = {0, 2};
  const uint64_t support[] = {4}, wrong[] = {1};
  is_refused(&f, few_groups, NULL, &(dm_itemsets){1, start, (const uint32_t[]){0, 1}, support}, 2, "without one of its subsets");
  is_refused(&f, few_groups, NULL, &(dm_itemsets){1, start, (const uint32_t[]){0, 1}, wrong}, 2, "these transactions do not give");
  is_refused(&f, few_groups, NULL, &(dm_itemsets){1, start, (const uint32_t[]){0, 9}, support}, 2, "has item 9");
  const dm_itemsets none = {0, (const size_t[]){0}, NULL, NULL};
  assert_int_equal(dm_emerging_find(f.ctx, f.t, few_groups, NULL, &none, &(dm_emerging_options){.min_growth = 2}, f.arena, &f.list, &f.n, NULL), DM_OK);
  assert_int_equal(f.n, 0);
  clear(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_hand), cmocka_unit_test(test_one_by_one), cmocka_unit_test(test_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
