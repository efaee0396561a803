/* patterns: measures of rules against exact fractions and scipy (golden/rules.h), at the borders, and q-values. */
#include "cmocka_all.h"
#include "patterns/fisher.h"
#include "golden/rules.h"

#include <math.h>
#include <string.h>

static void near(const dm_rule_counts *c, const char *name, double got, double want, double tolerance) {
  if (got == want || fabs(got - want) <= tolerance * fabs(want)) return;
  fail_msg("%s of %llu %llu %llu %llu: %.17g, want %.17g", name, (unsigned long long)c->both, (unsigned long long)c->body,
           (unsigned long long)c->head, (unsigned long long)c->total, got, want);
}

static void golden_values(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof rule_cases / sizeof *rule_cases; i++)
    for (size_t m = 0; m < DM_Q_VALUE; m++) {
      const dm_rule_counts *c = &rule_cases[i].counts;
      double got = dm_measure_value(c, (dm_measure)m), want = rule_cases[i].values[m], tolerance = m < DM_CHI_SQUARE ? 1e-14 : 1e-11;
      if (m == DM_FISHER_P && want == 0)
        assert_true(got <= 1e-299);
      else
        near(c, dm_measure_name((dm_measure)m), got, want, tolerance);
    }
}

/* Whatever the counts, all values are numbers, and within their bounds. */
static void no_count_gives_nan(void **state) {
  (void)state;
  for (uint64_t total = 0; total <= 6; total++)
    for (uint64_t body = 0; body <= total; body++)
      for (uint64_t head = 0; head <= total; head++)
        for (uint64_t both = body + head > total ? body + head - total : 0; both <= body && both <= head; both++) {
          dm_rule_counts c = {both, body, head, total};
          for (size_t m = 0; m < DM_Q_VALUE; m++) {
            double v = dm_measure_value(&c, (dm_measure)m);
            assert_true(!isnan(v));
            assert_true(isfinite(v) || (m == DM_CONVICTION && both == body));
            bool is_signed = m == DM_LEVERAGE || m == DM_ZHANG || m == DM_ADDED_VALUE;
            bool is_bounded = m != DM_LIFT && m != DM_CONVICTION && m != DM_CHI_SQUARE;
            if (!(v >= (is_signed ? -1 : 0) && (!is_bounded || v <= 1))) fail_msg("%s = %g", dm_measure_name((dm_measure)m), v);
          }
          bool independent = both * total == body * head;
          assert_true((dm_measure_value(&c, DM_LEVERAGE) == 0) == independent);
          if (body && head) assert_true((dm_measure_value(&c, DM_LIFT) == 1) == independent);
        }
  assert_true(isnan(dm_measure_value(&(dm_rule_counts){1, 2, 2, 4}, DM_Q_VALUE)));
}

/* 2^52 transactions: the excess keeps every digit, where products in double would lose the last. */
static void large_counts_are_exact(void **state) {
  (void)state;
  uint64_t total = UINT64_C(1) << 52, half = total / 2;
  dm_rule_counts c = {half / 2 + 1, half, half, total};
  near(&c, "leverage", dm_measure_value(&c, DM_LEVERAGE), 1 / (double)total, 1e-15);
  near(&c, "added_value", dm_measure_value(&c, DM_ADDED_VALUE), 1 / (double)half, 1e-15);
  double p = dm_measure_value(&c, DM_FISHER_P);
  assert_true(fabs(p - 0.5) < 1e-6);
}

/* P(X >= x) falls with x, from 1, and its steps are probabilities that add up. */
static void tails_add_up(void **state) {
  (void)state;
  static const dm_rule_counts margins[] = {{0, 40, 60, 100}, {0, 3000, 900, 100000}, {0, 8000, 5000, 8124}, {0, 7, 7, 14}};
  for (size_t i = 0; i < sizeof margins / sizeof *margins; i++) {
    dm_rule_counts c = margins[i];
    double before = 1;
    uint64_t least = c.body + c.head > c.total ? c.body + c.head - c.total : 0;
    for (c.both = least; c.both <= c.body && c.both <= c.head; c.both++) {
      double p = dm_fisher_greater(&c);
      assert_true(c.both > least || p == 1);
      if (!(p <= before * (1 + 1e-12))) fail_msg("p rises from %.17g to %.17g at %llu", before, p, (unsigned long long)c.both);
      before = p;
    }
  }
}

static void names_are_read(void **state) {
  (void)state;
  dm_measure m;
  for (size_t i = 0; i < DM_N_MEASURES; i++) {
    assert_int_equal(dm_measure_parse(dm_measure_name((dm_measure)i), &m, NULL), DM_OK);
    assert_int_equal(m, i);
  }
  assert_int_equal(dm_measure_parse("added-value", &m, NULL), DM_OK);
  assert_int_equal(m, DM_ADDED_VALUE);
  assert_int_equal(dm_measure_parse("support", &m, NULL), DM_OK);
  assert_int_equal(m, DM_SUPPORT);
  dm_error err = {0};
  m = DM_ZHANG;
  assert_int_equal(dm_measure_parse("lifd", &m, &err), DM_EUSAGE);
  assert_string_equal(err.message, "rules: unknown measure 'lifd'");
  assert_string_equal(err.hint, "did you mean 'lift'?");
  assert_int_equal(dm_measure_parse("", &m, NULL), DM_EUSAGE);
  assert_int_equal(m, DM_ZHANG);
  assert_null(dm_measure_name(DM_N_MEASURES));
  assert_true(dm_measure_is_falling(DM_FISHER_P) && dm_measure_is_falling(DM_Q_VALUE) && !dm_measure_is_falling(DM_LIFT));
}

static void q_values(void **state) {
  (void)state;
  enum { N = sizeof rule_p / sizeof *rule_p };
  dm_ctx *ctx = NULL;
  double q[N];
  assert_int_equal(dm_ctx_new(NULL, &ctx, NULL), DM_OK);
  assert_int_equal(dm_q_values(ctx, rule_p, N, 10, q, NULL), DM_OK);
  for (size_t i = 0; i < N; i++) assert_true(fabs(q[i] - rule_q_10[i]) < 1e-15);
  memcpy(q, rule_p, sizeof q);
  assert_int_equal(dm_q_values(ctx, q, N, 25, q, NULL), DM_OK);
  for (size_t i = 0; i < N; i++) assert_true(fabs(q[i] - rule_q_25[i]) < 1e-15);
  assert_int_equal(dm_q_values(ctx, q, 0, 0, q, NULL), DM_OK);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(golden_values), cmocka_unit_test(no_count_gives_nan),
                                     cmocka_unit_test(large_counts_are_exact), cmocka_unit_test(tails_add_up),
                                     cmocka_unit_test(names_are_read), cmocka_unit_test(q_values)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
