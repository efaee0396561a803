/* store: the packed form of transactions gives back what was packed, has one digest for one content, and bytes that are not it do no harm. */
#include "store/packed.h"

#include "transactions_test.h"

/* Rows of codes; every third counts twice when weighted. */
static dm_transactions *make(dm_ctx *ctx, size_t rows, size_t items, bool weighted, size_t empty) {
  dm_transactions_builder *b = NULL;
  dm_transactions *t = NULL;
  char name[40];
  uint32_t code;
  assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
  for (size_t i = 0; i < items; i++) {
    int n = snprintf(name, sizeof name, "%sitem \"%zu\"\n", i % 2 ? "é" : "", i);
    assert_int_equal(dm_transactions_builder_code(b, name, i == 5 ? 0 : (size_t)n, &code, NULL), DM_OK);
  }
  for (size_t r = 0; r < rows; r++) {
    for (size_t i = 0; i < r % 7 + 1; i++) assert_int_equal(dm_transactions_builder_add(b, (uint32_t)((r * 31 + i * i * 17) % items), NULL), DM_OK);
    assert_int_equal(dm_transactions_builder_end(b, weighted && r % 3 == 0 ? 2 + r : 1, NULL), DM_OK);
  }
  for (size_t i = 0; i < empty; i++) assert_int_equal(dm_transactions_builder_end(b, 1, NULL), DM_OK);
  assert_int_equal(dm_transactions_builder_finish(b, &t, NULL), DM_OK);
  return t;
}

static void expect_equal(const dm_transactions *a, const dm_transactions *b) {
  assert_true(a->rows.n == b->rows.n && a->rows.d == b->rows.d && a->n_items == b->n_items && !a->weight == !b->weight);
  assert_true(a->total == b->total && a->empty == b->empty && a->repeated == b->repeated);
  assert_memory_equal(a->rows.start, b->rows.start, (a->rows.n + 1) * sizeof *a->rows.start);
  assert_memory_equal(a->rows.index, b->rows.index, a->rows.start[a->rows.n] * sizeof *a->rows.index);
  if (a->weight) assert_memory_equal(a->weight, b->weight, a->rows.n * sizeof *a->weight);
  for (size_t i = 0; i < a->n_items; i++) assert_true(dm_str_equal(a->names[i], b->names[i]));
}

static void packed_and_back_is_the_same(void **state) {
  dm_ctx *ctx = *state;
  static const struct {
    size_t rows, items, empty;
    bool weighted;
  } shapes[] = {{1, 1, 0, false}, {3, 7, 0, true}, {0, 0, 4, false}, {500, 300, 11, true}, {30000, 20000, 1, false}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    dm_transactions *t = make(ctx, shapes[i].rows, shapes[i].items, shapes[i].weighted, shapes[i].empty), *back = NULL;
    char digest[DM_SHA256_HEX], alone[DM_SHA256_HEX];
    dm_buf packed;
    dm_error err = {0};
    dm_buf_init(&packed, ctx, NULL);
    assert_int_equal(dm_packed_encode(t, &packed, digest, NULL), DM_OK);
    assert_int_equal(dm_packed_encode(t, NULL, alone, NULL), DM_OK);
    assert_string_equal(digest, alone);
    if (dm_packed_decode(ctx, packed.p, packed.n, &back, &err) != DM_OK) fail_msg("%s", err.message);
    expect_equal(t, back);
    dm_transactions_free(back);
    dm_transactions_free(t);
    dm_buf_clear(&packed);
  }
}

/* Every byte changed to some others, and every length: refused, or transactions within bounds; no more memory than there are bytes for. */
static void forged_bytes_do_no_harm(void **state) {
  dm_ctx *ctx = *state;
  static const unsigned char others[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};
  for (int weighted = 0; weighted < 2; weighted++) {
    dm_transactions *t = make(ctx, 12, 6, weighted, 2);
    dm_buf packed;
    dm_buf_init(&packed, ctx, NULL);
    assert_int_equal(dm_packed_encode(t, &packed, NULL, NULL), DM_OK);
    dm_transactions_free(t);
    for (size_t n = 0; n < packed.n; n++) {
      t = NULL;
      assert_int_equal(dm_packed_decode(ctx, packed.p, n, &t, NULL), DM_EINPUT);
      assert_null(t);
    }
    for (size_t at = 0; at < packed.n; at++)
      for (size_t k = 0; k < sizeof others; k++) {
        char byte = packed.p[at];
        packed.p[at] = (char)others[k];
        t = NULL;
        if (dm_packed_decode(ctx, packed.p, packed.n, &t, NULL) == DM_OK) {
          for (size_t i = 0; i < t->rows.start[t->rows.n]; i++) assert_true(t->rows.index[i] < t->n_items);
          dm_transactions_free(t);
        } else
          assert_null(t);
        packed.p[at] = byte;
      }
    dm_buf_clear(&packed);
  }
  assert_true(dm_ctx_memory_peak(ctx) < 1 << 20);
}

static void what_is_not_packed_is_refused(void **state) {
  static const struct {
    const char *bytes;
    size_t n;
  } bad[] = {
      {"", 0}, {"dmT1", 4}, {"dmT2\0\0\0\1\1\0\0", 11},
      {"dmT1\0\0\0\0\0\0\0", 11},                             /* no transaction */
      {"dmT1\1\1\1\1\0\0\0" "\1a" "\1\1", 15},                /* code 1 of 1 */
      {"dmT1\1\1\2\1\0\0\0" "\1a" "\2\0\0", 16},              /* a code twice */
      {"dmT1\2\1\1\1\0\0\0" "\1a\1a" "\1\0", 17},             /* a name twice */
      {"dmT1\1\1\1\2\0\0\0" "\1a" "\1\0", 15},                /* total 2, rows 1 */
      {"dmT1\1\1\1\1\0\0\1" "\1a" "\1\0\0", 16},              /* weight 0 */
      {"dmT1\1\1\1\1\0\0\0" "\1\xff" "\1\0", 15},             /* a name that is not UTF-8 */
      {"dmT1\1\1\1\1\0\0\0" "\1a" "\1\0\0", 16},              /* a byte more */
      {"dmT1\1\1\1\1\0\0\0" "\1a" "\1\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", 24}, /* a number of 65 bits */
      {"dmT1\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\1\1\1\0\0\0" "\1a" "\1\0", 24},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    dm_transactions *t = NULL;
    dm_error err = {0};
    if (dm_packed_decode(*state, bad[i].bytes, bad[i].n, &t, &err) != DM_EINPUT) fail_msg("%zu is taken", i);
    assert_null(t);
    assert_non_null(strstr(err.message, "damaged"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test_with_ctx(packed_and_back_is_the_same),
      test_with_ctx(forged_bytes_do_no_harm),
      test_with_ctx(what_is_not_packed_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
