/* patterns: rules from frequent sets against a maker that looks at everything, their order, and what is refused. */
#include "cmocka_all.h"

#include <dm/patterns.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 7, ROWS = 60, ALL = 1 << ITEMS, RULES = 20000 };

static const uint32_t codes[ITEMS] = {3, 5, 8, 13, 21, 34, 55}; /* of items 0 … 6: with gaps */

typedef struct world {
  uint64_t support[ALL]; /* of each subset of the items, as bits */
  uint64_t total, min_support;
  size_t start[ALL + 1];
  uint32_t items[ALL * ITEMS];
  uint64_t supports[ALL];
  dm_itemsets sets;
} world;

/* Rows in which some items hang together; sets in no special order. */
static void make_world(world *w, uint64_t seed, uint64_t min_support) {
  dm_rng rng;
  size_t order[ALL], m = 0;
  memset(w, 0, sizeof *w);
  dm_rng_init(&rng, seed, 0);
  w->total = ROWS + 3; /* some are empty */
  w->min_support = min_support;
  for (size_t r = 0; r < ROWS; r++) {
    unsigned row = dm_rng_below(&rng, 3) ? 0 : 7;
    for (unsigned i = 0; i < ITEMS; i++)
      if (dm_rng_below(&rng, 10) < 3 + i % 4) row |= 1u << i;
    for (unsigned s = 0; s < ALL; s++) w->support[s] += (s & ~row) == 0;
  }
  w->support[0] = w->total;
  for (size_t i = 0; i < ALL; i++) order[i] = i;
  dm_rng_shuffle(&rng, order, ALL);
  for (size_t i = 0; i < ALL; i++) {
    size_t s = order[i];
    if (s == 0 || w->support[s] < min_support) continue;
    for (unsigned b = 0; b < ITEMS; b++)
      if (s >> b & 1) w->items[m++] = codes[b];
    w->supports[w->sets.n++] = w->support[s];
    w->start[w->sets.n] = m;
  }
  w->sets.start = w->start;
  w->sets.items = w->items;
  w->sets.support = w->supports;
}

static unsigned bits_of(const uint32_t *items, size_t n) {
  unsigned bits = 0;
  for (size_t i = 0; i < n; i++)
    for (unsigned b = 0; b < ITEMS; b++)
      if (codes[b] == items[i]) bits |= 1u << b;
  return bits;
}

static bool stands(const dm_rule_options *o, unsigned set, unsigned where) {
  for (unsigned b = 0; b < ITEMS; b++)
    if (set >> b & 1 && o->appear && !(o->appear[codes[b]] & where)) return false;
  return true;
}

static double confidence_of(const world *w, unsigned body, unsigned head) { return (double)w->support[body | head] / (double)w->support[body]; }

/* What the options ask for, read off the definitions. */
static bool is_wanted(const world *w, const dm_rule_options *o, unsigned body, unsigned head) {
  size_t max_head = o->max_head ? o->max_head : 1;
  double confidence = confidence_of(w, body, head);
  if (!body || !head || body & head || w->support[body | head] < w->min_support) return false;
  if ((size_t)__builtin_popcount(head) > max_head || confidence < o->min_confidence) return false;
  if (!stands(o, body, DM_APPEAR_BODY) || !stands(o, head, DM_APPEAR_HEAD)) return false;
  dm_rule_counts c = {w->support[body | head], w->support[body], w->support[head], w->total};
  double v = dm_measure_value(&c, o->measure);
  if (o->has_min_measure && (dm_measure_is_falling(o->measure) ? v > o->min_measure : v < o->min_measure)) return false;
  for (unsigned less = (body - 1) & body;; less = (less - 1) & body) { /* every smaller body, the empty one last */
    if (less && less != body && o->drop_redundant && confidence_of(w, less, head) >= confidence) return false;
    if (less != body && o->min_improvement > 0 && confidence - confidence_of(w, less, head) < o->min_improvement - 1e-12) return false;
    if (!less) break;
  }
  return true;
}

/* confidence, support, items, body, head */
static int order_of(const dm_rule *a, const dm_rule *b) {
  double c = dm_measure_value(&a->counts, DM_CONFIDENCE), d = dm_measure_value(&b->counts, DM_CONFIDENCE);
  if (c != d) return c > d ? -1 : 1;
  if (a->counts.both != b->counts.both) return a->counts.both > b->counts.both ? -1 : 1;
  if (a->n_body + a->n_head != b->n_body + b->n_head) return a->n_body + a->n_head < b->n_body + b->n_head ? -1 : 1;
  for (uint32_t i = 0; i < a->n_body && i < b->n_body; i++)
    if (a->body[i] != b->body[i]) return a->body[i] < b->body[i] ? -1 : 1;
  if (a->n_body != b->n_body) return a->n_body < b->n_body ? -1 : 1;
  for (uint32_t i = 0; i < a->n_head; i++)
    if (a->head[i] != b->head[i]) return a->head[i] < b->head[i] ? -1 : 1;
  return 0;
}

typedef struct made {
  dm_arena *arena;
  dm_rule *rules;
  size_t n;
} made;

static made make(dm_ctx *ctx, const world *w, const dm_rule_options *o) {
  made m = {0};
  dm_error err = {0};
  assert_int_equal(dm_arena_new(ctx, 0, &m.arena, NULL), DM_OK);
  if (dm_rules_make(ctx, &w->sets, w->total, o, m.arena, &m.rules, &m.n, &err) != DM_OK) fail_msg("%s", err.message);
  return m;
}

static size_t count_wanted(const world *w, const dm_rule_options *o) {
  size_t n = 0;
  for (unsigned body = 1; body < ALL; body++)
    for (unsigned head = 1; head < ALL; head++) n += is_wanted(w, o, body, head);
  return n;
}

static void check(dm_ctx *ctx, const world *w, const dm_rule_options *o) {
  made m = make(ctx, w, o);
  assert_int_equal(m.n, count_wanted(w, o));
  for (size_t i = 0; i < m.n; i++) {
    const dm_rule *r = &m.rules[i];
    unsigned body = bits_of(r->body, r->n_body), head = bits_of(r->head, r->n_head);
    if (!is_wanted(w, o, body, head)) fail_msg("rule %x -> %x is not wanted", body, head);
    assert_int_equal(r->counts.both, w->support[body | head]);
    assert_int_equal(r->counts.body, w->support[body]);
    assert_int_equal(r->counts.head, w->support[head]);
    assert_int_equal(r->counts.total, w->total);
    assert_true(isnan(r->q));
    if (i) assert_true(order_of(r - 1, r) < 0); /* in order, and no rule twice */
  }
  dm_arena_free(m.arena);
}

static void every_rule_and_no_other(void **state) {
  dm_ctx *ctx = *state;
  static uint8_t appear[64];
  for (unsigned i = 0; i < ITEMS; i++) appear[codes[i]] = (uint8_t)(i % 4 == 3 ? 0 : 1 + i % 4);
  static world w;
  for (uint64_t seed = 0; seed < 6; seed++) {
    make_world(&w, seed, 2 + seed);
    check(ctx, &w, &(dm_rule_options){0});
    check(ctx, &w, &(dm_rule_options){.min_confidence = 0.5});
    check(ctx, &w, &(dm_rule_options){.min_confidence = 0.4, .max_head = 2});
    check(ctx, &w, &(dm_rule_options){.min_confidence = 0.3, .max_head = SIZE_MAX});
    check(ctx, &w, &(dm_rule_options){.max_head = SIZE_MAX});
    check(ctx, &w, &(dm_rule_options){.min_confidence = 0.1, .appear = appear});
    check(ctx, &w, &(dm_rule_options){.min_confidence = 0.1, .appear = appear, .max_head = 3});
    check(ctx, &w, &(dm_rule_options){.measure = DM_LIFT, .has_min_measure = true, .min_measure = 1.1});
    check(ctx, &w, &(dm_rule_options){.measure = DM_FISHER_P, .has_min_measure = true, .min_measure = 0.05});
    check(ctx, &w, &(dm_rule_options){.drop_redundant = true});
    check(ctx, &w, &(dm_rule_options){.min_confidence = 0.5, .drop_redundant = true, .max_head = SIZE_MAX});
    check(ctx, &w, &(dm_rule_options){.min_confidence = 0.4, .min_improvement = 0.05});
    check(ctx, &w, &(dm_rule_options){.min_improvement = 0.02, .drop_redundant = true, .max_head = 2});
  }
}

/* 4 of 5 are 0.8, and 0.9 - 0.8 is 0.1. */
static void limits_are_met_exactly(void **state) {
  dm_ctx *ctx = *state;
  static const uint64_t wholes[] = {5, 7, 10, 30, 125, 1000, 99999};
  static const size_t start[] = {0, 1, 2, 4};
  static const uint32_t items[] = {0, 1, 0, 1};
  for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++)
    for (uint64_t part = 1; part < wholes[i]; part += 1 + part / 3) {
      uint64_t support[] = {wholes[i], part, part};
      world w = {.total = 2 * wholes[i], .sets = {3, start, items, support}};
      double limit = (double)part / (double)wholes[i];
      made m = make(ctx, &w, &(dm_rule_options){.min_confidence = limit});
      assert_int_equal(m.n, 2);
      dm_arena_free(m.arena);
      m = make(ctx, &w, &(dm_rule_options){.min_confidence = nextafter(limit, 2)});
      assert_int_equal(m.n, 1);
      dm_arena_free(m.arena);
    }
  /* {a} -> {c} 8 of 10, {b} -> {c} 4 of 10, {a b} -> {c} 9 of 10: with items 0 1 2 */
  static const size_t starts[] = {0, 1, 2, 3, 5, 7, 9, 12};
  static const uint32_t members[] = {0, 1, 2, 0, 1, 0, 2, 1, 2, 0, 1, 2};
  uint64_t supports[] = {100, 100, 100, 10, 80, 40, 9};
  world w = {.total = 1000, .sets = {7, starts, members, supports}};
  made m = make(ctx, &w, &(dm_rule_options){.min_confidence = 0.85, .min_improvement = 0.1});
  assert_int_equal(m.n, 1);
  assert_int_equal(m.rules[0].n_body, 2);
  dm_arena_free(m.arena);
  m = make(ctx, &w, &(dm_rule_options){.min_confidence = 0.85, .min_improvement = nextafter(0.1, 1)});
  assert_int_equal(m.n, 0);
  dm_arena_free(m.arena);
}

static void threads_and_the_order_of_sets_change_nothing(void **state) {
  (void)state;
  static world a, b;
  dm_ctx *one = NULL, *many = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &one, NULL), DM_OK);
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 4}, &many, NULL), DM_OK);
  make_world(&a, 1, 2);
  b = a; /* the sets the other way round */
  for (size_t i = 0, m = 0; i < a.sets.n; i++) {
    size_t from = a.sets.n - 1 - i, n = a.start[from + 1] - a.start[from];
    memcpy(b.items + m, a.items + a.start[from], n * sizeof(uint32_t));
    b.start[i] = m;
    b.start[i + 1] = m += n;
    b.supports[i] = a.supports[from];
  }
  b.sets = (dm_itemsets){a.sets.n, b.start, b.items, b.supports};
  for (int top = 0; top < 2; top++) {
    dm_rule_options o = {.max_q = 1, .max_head = 2, .top = top ? 100 : 0, .measure = DM_LIFT};
    made m = make(one, &a, &o), k = make(many, &b, &o);
    assert_int_equal(m.n, k.n);
    assert_true(m.n >= 100);
    for (size_t i = 0; i < m.n; i++) {
      assert_int_equal(order_of(&m.rules[i], &k.rules[i]), 0);
      assert_memory_equal(&m.rules[i].q, &k.rules[i].q, sizeof(double));
    }
    dm_arena_free(m.arena);
    dm_arena_free(k.arena);
  }
  dm_ctx_free(one);
  dm_ctx_free(many);
}

static void top_are_the_best(void **state) {
  dm_ctx *ctx = *state;
  static world w;
  make_world(&w, 3, 2);
  made all = make(ctx, &w, &(dm_rule_options){.max_q = 1});
  for (size_t m = 0; m < DM_N_MEASURES; m++) {
    made best = make(ctx, &w, &(dm_rule_options){.top = 10, .measure = (dm_measure)m, .max_q = 1});
    double last = 0;
    size_t better = 0;
    assert_int_equal(best.n, 10);
    for (size_t i = 0; i < 10; i++) {
      double v = m == DM_Q_VALUE ? best.rules[i].q : dm_measure_value(&best.rules[i].counts, (dm_measure)m);
      if (i) assert_true(dm_measure_is_falling((dm_measure)m) ? v >= last : v <= last);
      if (i && v == last) assert_true(order_of(&best.rules[i - 1], &best.rules[i]) < 0);
      last = v;
    }
    for (size_t i = 0; i < all.n; i++) {
      double v = m == DM_Q_VALUE ? all.rules[i].q : dm_measure_value(&all.rules[i].counts, (dm_measure)m);
      better += dm_measure_is_falling((dm_measure)m) ? v < last : v > last;
    }
    assert_true(better < 10);
    dm_arena_free(best.arena);
  }
  dm_arena_free(all.arena);
}

/* q by its definition: p of all pairs, those that are not rules here at 1. */
static void q_counts_every_pair_as_a_test(void **state) {
  dm_ctx *ctx = *state;
  static world w;
  make_world(&w, 2, 3);
  dm_rule_options o = {.min_confidence = 0.4, .max_q = 1};
  double tests = 0;
  for (unsigned body = 1; body < ALL; body++)
    for (unsigned b = 0; b < ITEMS; b++)
      tests += w.support[body] >= w.min_support && w.support[1u << b] >= w.min_support && !(body >> b & 1);
  assert_true(dm_rules_tests(&w.sets, &o) == tests);
  made m = make(ctx, &w, &o);
  for (size_t i = 0; i < m.n; i++) {
    double p = dm_measure_value(&m.rules[i].counts, DM_FISHER_P), q = 1;
    for (size_t j = 0; j < m.n; j++) { /* the smallest of p_j tests / rank over p_j >= p */
      double other = dm_measure_value(&m.rules[j].counts, DM_FISHER_P);
      size_t rank = 0;
      if (other < p) continue;
      for (size_t k = 0; k < m.n; k++) rank += dm_measure_value(&m.rules[k].counts, DM_FISHER_P) <= other;
      q = fmin(q, other * tests / (double)rank);
    }
    assert_true(fabs(q - m.rules[i].q) <= 1e-12 * q);
  }
  size_t significant = 0;
  for (size_t i = 0; i < m.n; i++) significant += m.rules[i].q <= 0.2;
  dm_arena_free(m.arena);
  o.max_q = 0.2;
  m = make(ctx, &w, &o);
  assert_int_equal(m.n, significant);
  assert_true(significant > 0);
  dm_arena_free(m.arena);
  static uint8_t appear[64];
  for (unsigned i = 0; i < ITEMS; i++) appear[codes[i]] = i < 2 ? DM_APPEAR_HEAD : DM_APPEAR_BODY;
  size_t bodies = 0;
  for (unsigned body = 4; body < ALL; body += 4) bodies += w.support[body] >= w.min_support;
  assert_true(dm_rules_tests(&w.sets, &(dm_rule_options){.appear = appear}) == 2 * (double)bodies);
}

static void refused(dm_ctx *ctx, const dm_itemsets *sets, uint64_t total, const dm_rule_options *o, const char *message) {
  dm_arena *arena;
  dm_rule *rules = NULL;
  size_t n = 77;
  dm_error err = {0};
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  assert_int_equal(dm_rules_make(ctx, sets, total, o, arena, &rules, &n, &err), DM_EUSAGE);
  assert_non_null(strstr(err.message, message));
  assert_null(rules);
  assert_int_equal(n, 77);
  dm_arena_free(arena);
}

static void bad_sets_and_options_are_refused(void **state) {
  dm_ctx *ctx = *state;
  static world w;
  make_world(&w, 3, 2);
  refused(ctx, &w.sets, w.total, &(dm_rule_options){.min_confidence = 1.5}, "min-confidence = 1.5");
  refused(ctx, &w.sets, w.total, &(dm_rule_options){.min_confidence = (double)NAN}, "min-confidence");
  refused(ctx, &w.sets, w.total, &(dm_rule_options){.max_q = -1}, "max-q = -1");
  refused(ctx, &w.sets, w.total, &(dm_rule_options){.min_improvement = 2}, "min-improvement = 2");
  refused(ctx, &w.sets, w.total, &(dm_rule_options){.has_min_measure = true, .min_measure = (double)NAN}, "share");
  refused(ctx, &w.sets, 1, &(dm_rule_options){0}, "of 1 transactions");
  static const size_t gap[] = {0, 2, 3}, twice[] = {0, 1, 2};
  static const uint32_t items[] = {1, 2, 1}, same[] = {4, 4};
  static const uint64_t supports[] = {5, 6};
  refused(ctx, &(dm_itemsets){2, gap, items, supports}, 10, &(dm_rule_options){0}, "is not among the sets");
  refused(ctx, &(dm_itemsets){2, twice, same, supports}, 10, &(dm_rule_options){0}, "are the same");
  static const size_t long_start[] = {0, 40};
  static uint32_t long_items[40];
  refused(ctx, &(dm_itemsets){1, long_start, long_items, supports}, 10, &(dm_rule_options){0}, "40 items");
  world none = {.total = 5, .sets = {.start = gap}};
  made m = make(ctx, &none, &(dm_rule_options){.max_q = 0.5, .top = 3});
  assert_int_equal(m.n, 0);
  dm_arena_free(m.arena);
}

/* Every allocation fails in turn: a clear error, and nothing is left. */
typedef struct faults {
  size_t calls, fail_at;
} faults;

static void *fail_sometimes(void *user, size_t size, size_t alignment) {
  faults *f = user;
  return ++f->calls == f->fail_at ? NULL : aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void release(void *user, void *block) {
  (void)user;
  free(block);
}

static void memory_may_fail_anywhere(void **state) {
  (void)state;
  static world w;
  make_world(&w, 4, 2);
  faults f = {0};
  size_t failures = 0;
  for (f.fail_at = 3;; f.fail_at++) { /* 1 and 2: the context and the arena */
    dm_ctx *ctx = NULL;
    dm_arena *arena = NULL;
    dm_rule *rules;
    dm_error err = {0};
    size_t n;
    f.calls = 0;
    assert_int_equal(dm_ctx_new(&(dm_ctx_options){.allocate = fail_sometimes, .release = release, .user = &f, .threads = 1}, &ctx, NULL), DM_OK);
    assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
    dm_status s = dm_rules_make(ctx, &w.sets, w.total, &(dm_rule_options){.max_head = 3, .max_q = 1, .drop_redundant = true}, arena, &rules, &n, &err);
    dm_arena_free(arena);
    assert_int_equal(dm_ctx_memory(ctx), 0);
    dm_ctx_free(ctx);
    if (s == DM_OK) break;
    assert_int_equal(s, DM_EBUDGET);
    failures++;
  }
  assert_true(failures > 8);
}

static int set_up(void **state) {
  dm_ctx *ctx = NULL;
  if (dm_ctx_new(&(dm_ctx_options){.threads = 2}, &ctx, NULL) != DM_OK) return -1;
  *state = ctx;
  return 0;
}

static int tear_down(void **state) {
  if (dm_ctx_memory(*state)) return -1;
  dm_ctx_free(*state);
  return 0;
}

#define with_ctx(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {with_ctx(every_rule_and_no_other),
                                     with_ctx(limits_are_met_exactly),
                                     cmocka_unit_test(threads_and_the_order_of_sets_change_nothing),
                                     with_ctx(top_are_the_best),
                                     with_ctx(q_counts_every_pair_as_a_test),
                                     with_ctx(bad_sets_and_options_are_refused),
                                     cmocka_unit_test(memory_may_fail_anywhere)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
