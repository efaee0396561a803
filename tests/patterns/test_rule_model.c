/* patterns: rules as a model: made, stored and loaded again, forged, and what they recommend. */
#include "cmocka_all.h"
#include "store/store_test.h"

#include <dm/patterns.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Items in order of appearance; the fourth is rare, the fifth is never frequent. */
static const char *const words[] = {"milk", "bread", "a \"good\", cheap beer", "", "caviar"};
enum { WORDS = sizeof words / sizeof *words };

static const size_t start[] = {0, 1, 2, 3, 4, 6, 8, 10, 13, 15};
static const uint32_t items[] = {1, 0, 2, 3, 0, 1, 0, 2, 1, 2, 0, 1, 2, 2, 3};
static const uint64_t support[] = {80, 50, 40, 12, 40, 24, 32, 20, 10};
static const dm_itemsets sets = {9, start, items, support};
enum { TOTAL = 100 };

static void name_words(dm_str names[WORDS]) {
  for (size_t i = 0; i < WORDS; i++) names[i] = dm_str_of(words[i]);
}

static dm_rule_model *make(dm_ctx *ctx, dm_arena *arena, const dm_rule_options *o, const char *delimiter) {
  dm_rule *rules;
  dm_rule_model *m;
  dm_error err = {0};
  dm_str names[WORDS];
  size_t n;
  name_words(names);
  if (dm_rules_make(ctx, &sets, TOTAL, o, arena, &rules, &n, &err) != DM_OK) fail_msg("%s", err.message);
  dm_rule_model_parts parts = {.names = names, .total = TOTAL, .sets = &sets, .rules = rules, .n = n, .delimiter = delimiter,
                               .tests = o->max_q > 0 ? dm_rules_tests(&sets, o) : 0};
  if (dm_rule_model_make(&parts, arena, &m, &err) != DM_OK) fail_msg("%s", err.message);
  return m;
}

static void expect_set(const dm_rule_model *m, const uint32_t *codes, size_t n, const char *want) {
  dm_ctx *ctx = NULL;
  dm_buf text;
  dm_json_out j;
  assert_int_equal(dm_ctx_new(NULL, &ctx, NULL), DM_OK);
  dm_buf_init(&text, ctx, NULL);
  dm_json_out_init(&j, &text, false);
  dm_rule_model_items(m, codes, n, &j);
  assert_int_equal(dm_buf_status(&text), DM_OK);
  assert_string_equal(text.p, want);
  dm_buf_clear(&text);
  dm_ctx_free(ctx);
}

static void items_are_numbered_by_support(void **state) {
  dm_ctx *ctx = *state;
  dm_arena *arena;
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  dm_rule_model *m = make(ctx, arena, &(dm_rule_options){.min_confidence = 0.5}, NULL);
  assert_int_equal(m->n_items, 4);
  static const char *const order[] = {"bread", "milk", "a \"good\", cheap beer", ""};
  for (size_t i = 0; i < 4; i++) {
    assert_true(dm_str_equal(m->names[i], dm_str_of(order[i])) || (m->names[i].n == 0 && i == 3));
    assert_int_equal(dm_rule_model_find(m, dm_str_of(order[i])), i);
  }
  assert_int_equal(dm_rule_model_find(m, dm_str_of("caviar")), SIZE_MAX);
  assert_int_equal(m->support[1], 50);
  /* "" -> beer 10 / 12, milk beer -> bread 20 / 24, ... */
  assert_true(m->n >= 4 && !m->tested && isnan(m->rules[0].q));
  expect_set(m, m->rules[0].body, m->rules[0].n_body, "[\"milk\",\"a \\\"good\\\", cheap beer\"]");
  expect_set(m, m->rules[0].head, m->rules[0].n_head, "[\"bread\"]");
  assert_int_equal(m->rules[0].counts.both, 20);
  dm_arena_free(arena);
}

static void a_rule_of_unknown_items_is_refused(void **state) {
  dm_ctx *ctx = *state;
  dm_arena *arena;
  dm_rule_model *m = NULL;
  dm_error err = {0};
  dm_str names[WORDS];
  static const uint32_t body[] = {4}, head[] = {0};
  name_words(names);
  dm_rule rule = {.body = body, .head = head, .n_body = 1, .n_head = 1, .counts = {1, 1, 1, TOTAL}};
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  dm_rule_model_parts parts = {.names = names, .total = TOTAL, .sets = &sets, .rules = &rule, .n = 1};
  assert_int_equal(dm_rule_model_make(&parts, arena, &m, &err), DM_EUSAGE);
  assert_non_null(strstr(err.message, "item 4"));
  parts.sets = NULL;
  assert_int_equal(dm_rule_model_make(&parts, arena, &m, NULL), DM_EUSAGE);
  parts.n = 0;
  parts.delimiter = "too long";
  assert_int_equal(dm_rule_model_make(&parts, arena, &m, NULL), DM_EUSAGE);
  assert_null(m);
  dm_arena_free(arena);
}

/* ---- stored ------------------------------------------------------------------------ */

static dm_store *stored(dm_ctx *ctx, const dm_rule_model *m, dm_arena *arena, dm_model_meta *meta) {
  char path[128];
  dm_error err = {0};
  test_path(path, "rules.db");
  (void)unlink(path);
  dm_store *store = test_open(ctx, path, DM_STORE_CREATE);
  *meta = (dm_model_meta){.name = "m", .rows = TOTAL, .params_json = "{\"min_support\":10}"};
  assert_int_equal(dm_store_begin(store, NULL), DM_OK);
  if (dm_rule_model_save(store, m, meta, NULL, 0, arena, &err) != DM_OK) fail_msg("%s", err.message);
  assert_int_equal(dm_store_commit(store, NULL), DM_OK);
  return store;
}

static void expect_same(const dm_rule_model *a, const dm_rule_model *b) {
  assert_int_equal(a->total, b->total);
  assert_int_equal(a->n_items, b->n_items);
  assert_int_equal(a->n, b->n);
  assert_int_equal(a->tested, b->tested);
  assert_true(a->tests == b->tests);
  assert_string_equal(a->delimiter, b->delimiter);
  for (size_t i = 0; i < a->n_items; i++) {
    assert_true(dm_str_equal(a->names[i], b->names[i]) || a->names[i].n + b->names[i].n == 0);
    assert_int_equal(a->support[i], b->support[i]);
  }
  for (size_t i = 0; i < a->n; i++) {
    const dm_rule *r = &a->rules[i], *s = &b->rules[i];
    assert_true(r->n_body == s->n_body && r->n_head == s->n_head);
    assert_memory_equal(r->body, s->body, r->n_body * sizeof(uint32_t));
    assert_memory_equal(r->head, s->head, r->n_head * sizeof(uint32_t));
    assert_memory_equal(&r->counts, &s->counts, sizeof r->counts);
    assert_true(a->tested ? r->q == s->q : isnan(s->q));
  }
}

static void it_comes_back_from_the_database(void **state) {
  dm_ctx *ctx = *state;
  static const dm_rule_options options[] = {{.min_confidence = 0.3, .max_q = 1, .max_head = 2}, {.min_confidence = 0.3}, {.min_confidence = 1}};
  for (size_t i = 0; i < 3; i++) {
    dm_arena *arena;
    dm_model_meta meta, found;
    dm_rule_model *back;
    dm_error err = {0};
    assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
    dm_rule_model *m = make(ctx, arena, &options[i], i ? NULL : ";");
    assert_true(i == 2 ? m->n == 0 : m->n > 8);
    dm_store *store = stored(ctx, m, arena, &meta);
    if (dm_rule_model_load(store, "m@1", arena, &back, &found, &err) != DM_OK) fail_msg("%s", err.message);
    expect_same(m, back);
    assert_string_equal(found.method, "rules");
    assert_string_equal(found.task, "rules");
    assert_string_equal(found.params_json, "{\"min_support\":10}");
    assert_int_equal(test_int(store, "SELECT count(*) FROM dm_rule"), (int64_t)m->n);
    dm_store_close(store);
    dm_arena_free(arena);
  }
}

/* Rows of dm_rule say what the rules say, with every measure. */
static void rows_have_all_measures(void **state) {
  dm_ctx *ctx = *state;
  dm_arena *arena;
  dm_model_meta meta;
  dm_stmt *s = NULL;
  dm_buf sql;
  bool row;
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  dm_rule_model *m = make(ctx, arena, &(dm_rule_options){.min_confidence = 0.3, .max_q = 1}, NULL);
  dm_store *store = stored(ctx, m, arena, &meta);
  dm_buf_init(&sql, ctx, NULL);
  dm_buf_adds(&sql, "SELECT json_array_length(antecedent), json_array_length(consequent), support");
  for (int i = 0; i < DM_N_MEASURES; i++) dm_buf_printf(&sql, ", %s", dm_measure_name((dm_measure)i));
  dm_buf_adds(&sql, " FROM dm_rule ORDER BY id");
  assert_int_equal(dm_stmt_prepare(store, sql.p, &s, NULL), DM_OK);
  for (size_t r = 0; r < m->n; r++) {
    assert_int_equal(dm_stmt_step(s, &row, NULL), DM_OK);
    assert_true(row);
    assert_int_equal(dm_stmt_int(s, 0), m->rules[r].n_body);
    assert_int_equal(dm_stmt_int(s, 1), m->rules[r].n_head);
    assert_int_equal(dm_stmt_int(s, 2), (int64_t)m->rules[r].counts.both);
    for (int i = 0; i < DM_N_MEASURES; i++) {
      double want = i == DM_Q_VALUE ? m->rules[r].q : dm_measure_value(&m->rules[r].counts, (dm_measure)i);
      assert_true(dm_stmt_value(s, 3 + i).real == want);
    }
  }
  dm_stmt_free(s);
  dm_buf_clear(&sql);
  dm_store_close(store);
  dm_arena_free(arena);
}

/* ---- baskets and recommendations ------------------------------------------------------- */

static void expect_basket(dm_ctx *ctx, const dm_rule_model *m, const char *text, const char *const *want) {
  dm_arena *arena;
  dm_str *got;
  dm_error err = {0};
  size_t n;
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  if (dm_rule_model_basket(m, text, strlen(text), arena, &got, &n, &err) != DM_OK) fail_msg("%s", err.message);
  for (size_t i = 0; i < n; i++) {
    assert_non_null(want[i]);
    if (!dm_str_equal(got[i], dm_str_of(want[i])) && got[i].n + strlen(want[i])) fail_msg("'%.*s', want '%s'", (int)got[i].n, got[i].p, want[i]);
  }
  assert_null(want[n]);
  dm_arena_free(arena);
}

static void baskets_are_read(void **state) {
  dm_ctx *ctx = *state;
  dm_arena *arena;
  dm_str *got;
  size_t n;
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  dm_rule_model *blank = make(ctx, arena, &(dm_rule_options){0}, ""), *comma = make(ctx, arena, &(dm_rule_options){0}, ",");
  dm_rule_model *wide = make(ctx, arena, &(dm_rule_options){0}, "→");
  expect_basket(ctx, blank, "", (const char *const[]){NULL});
  expect_basket(ctx, blank, " \t\n", (const char *const[]){NULL});
  expect_basket(ctx, blank, " milk\t bread,x\n", (const char *const[]){"milk", "bread,x", NULL});
  expect_basket(ctx, comma, " milk, brown bread ,,beer", (const char *const[]){"milk", "brown bread", "beer", NULL});
  expect_basket(ctx, comma, ",", (const char *const[]){NULL});
  expect_basket(ctx, wide, "a b→c→", (const char *const[]){"a b", "c", NULL});
  expect_basket(ctx, blank, " [\"a b\", 12, 2.5, null, \"\"]", (const char *const[]){"a b", "12", "2.5", "", NULL});
  expect_basket(ctx, comma, "[]", (const char *const[]){NULL});
  dm_error err = {0};
  assert_int_equal(dm_rule_model_basket(blank, "[\"a\"", 4, arena, &got, &n, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "basket"));
  assert_int_equal(dm_rule_model_basket(blank, "[[1]]", 5, arena, &got, &n, &err), DM_EINPUT);
  assert_int_equal(dm_rule_model_basket(blank, "[true]", 6, arena, &got, &n, &err), DM_EINPUT);
  dm_arena_free(arena);
}

/* The best rule of each item, looked for among all rules. */
static void expect_recommended(const dm_rule_model *m, const dm_str *basket, size_t n_basket, size_t top, dm_arena *arena) {
  dm_recommendation *got;
  size_t n, want = 0;
  bool in[16] = {false};
  assert_int_equal(dm_rule_model_recommend(m, basket, n_basket, top, arena, &got, &n, NULL), DM_OK);
  for (size_t i = 0; i < n_basket; i++)
    if (dm_rule_model_find(m, basket[i]) != SIZE_MAX) in[dm_rule_model_find(m, basket[i])] = true;
  for (size_t item = 0; item < m->n_items; item++) {
    double best = -1, lift = 0;
    for (size_t r = 0; r < m->n && !in[item]; r++) {
      bool fits = false;
      for (uint32_t i = 0; i < m->rules[r].n_head; i++) fits = fits || m->rules[r].head[i] == item;
      for (uint32_t i = 0; i < m->rules[r].n_body; i++) fits = fits && in[m->rules[r].body[i]];
      double c = dm_measure_value(&m->rules[r].counts, DM_CONFIDENCE), l = dm_measure_value(&m->rules[r].counts, DM_LIFT);
      if (fits && (c > best || (c == best && l > lift))) best = c, lift = l;
    }
    if (best < 0) continue;
    want++;
    size_t at = 0;
    while (at < n && got[at].item != item) at++;
    if (at < n) assert_true(got[at].confidence == best && got[at].lift == lift);
    if (!top) assert_true(at < n);
  }
  assert_int_equal(n, top && top < want ? top : want);
  for (size_t i = 1; i < n; i++) assert_true(got[i - 1].confidence >= got[i].confidence);
}

static void recommended_are_the_best_of_all_rules(void **state) {
  dm_ctx *ctx = *state;
  dm_arena *arena;
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  for (size_t max_head = 1; max_head <= 2; max_head++) {
    dm_rule_model *m = make(ctx, arena, &(dm_rule_options){.min_confidence = 0.2, .max_head = max_head}, NULL);
    for (unsigned bits = 0; bits < 1u << WORDS; bits++) {
      dm_str basket[2 * WORDS];
      size_t n = 0;
      for (unsigned i = 0; i < WORDS; i++)
        if (bits >> i & 1) basket[n++] = dm_str_of(words[i]);
      if (n) basket[n++] = basket[0]; /* one item twice */
      for (size_t top = 0; top < 3; top++) expect_recommended(m, basket, n, top, arena);
    }
  }
  dm_arena_free(arena);
}

static void text_is_aligned(void **state) {
  dm_ctx *ctx = *state;
  dm_arena *arena;
  dm_buf text;
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  dm_buf_init(&text, ctx, NULL);
  dm_rule_model_text(make(ctx, arena, &(dm_rule_options){.min_confidence = 0.5}, NULL), 3, &text);
  assert_string_equal(text.p, "rule                                       support     share  confidence    lift\n"
                              "{milk, a \"good\", cheap beer} => {bread}         20    20.0 %        0.83    1.04\n"
                              "{\"\"} => {a \"good\", cheap beer}                  10    10.0 %        0.83    2.08\n"
                              "{milk} => {bread}                               40    40.0 %        0.80    1.00\n");
  dm_buf_clear(&text);
  dm_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test_with_ctx(items_are_numbered_by_support),      test_with_ctx(a_rule_of_unknown_items_is_refused),
      test_with_ctx(it_comes_back_from_the_database),    test_with_ctx(rows_have_all_measures),
      test_with_ctx(baskets_are_read),                   test_with_ctx(recommended_are_the_best_of_all_rules),
      test_with_ctx(text_is_aligned),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
