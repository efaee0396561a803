/* Transactions as text, for tests that compare: items of a row by name, as their order is not promised. */
#ifndef DM_TESTS_TRANSACTIONS_TEST_H
#define DM_TESTS_TRANSACTIONS_TEST_H

#include "store_test.h"

static int test_by_name(const void *a, const void *b) {
  const dm_str *x = a, *y = b;
  return dm_str_compare(*x, *y);
}

/* "bread,milk;beer*2;" and "N/empty/repeated". */
static inline void test_describe(const dm_transactions *t, dm_buf *out) {
  dm_str names[64];
  for (size_t r = 0; r < t->rows.n; r++) {
    size_t first = t->rows.start[r], n = t->rows.start[r + 1] - first;
    assert_in_range(n, 1, 64);
    for (size_t i = 0; i < n; i++) names[i] = t->names[t->rows.index[first + i]];
    qsort(names, n, sizeof *names, test_by_name);
    for (size_t i = 0; i < n; i++) {
      if (i) dm_buf_addc(out, ',');
      if (names[i].n) dm_buf_add(out, names[i].p, names[i].n);
    }
    if (t->weight && t->weight[r] != 1) dm_buf_printf(out, "*%u", t->weight[r]);
    dm_buf_addc(out, ';');
  }
  dm_buf_printf(out, " %llu/%llu/%llu", (unsigned long long)t->total, (unsigned long long)t->empty, (unsigned long long)t->repeated);
}

static inline void test_expect(const dm_transactions *t, const char *src, const char *want) {
  dm_buf text;
  dm_buf_init(&text, t->ctx, NULL);
  test_describe(t, &text);
  if (strcmp(text.p, want) != 0) fail_msg("%s:\n%s\nwant\n%s", src, text.p, want);
  dm_buf_clear(&text);
}

#endif
