/* data: transaction files with and without delimiter, and what is wrong with some. */
#include "patterns/data.h"

static void reads_n(const char *text, size_t n, const char *delimiter, const char *want) {
  dm_ctx *ctx = new_ctx();
  char *path = file_of(text, n);
  dm_basket_options o = {.delimiter = delimiter};
  dm_transactions *t = NULL;
  dm_error err = {0};
  dm_status s = dm_basket_read(ctx, path, &o, &t, &err);
  if (s != DM_OK) print_error("%s\n", err.message);
  assert_int_equal(s, DM_OK);
  dm_buf out;
  dm_buf_init(&out, ctx, NULL);
  for (size_t r = 0; r < t->rows.n; r++) {
    for (size_t i = t->rows.start[r]; i < t->rows.start[r + 1]; i++) {
      dm_str name = t->names[t->rows.index[i]];
      dm_buf_printf(&out, "<%.*s>", (int)name.n, name.p);
    }
    dm_buf_addc(&out, '|');
  }
  dm_buf_printf(&out, "%d %d %d", (int)t->total, (int)t->empty, (int)t->repeated);
  assert_string_equal(out.p, want);
  dm_buf_clear(&out);
  dm_transactions_free(t);
  remove_file(path);
  dm_ctx_free(ctx);
}

static void reads(const char *text, const char *delimiter, const char *want) { reads_n(text, strlen(text), delimiter, want); }

static void fails_n(const char *text, size_t n, const char *delimiter, size_t line, size_t column, const char *message, const char *hint) {
  dm_ctx *ctx = new_ctx();
  char *path = file_of(text, n);
  dm_basket_options o = {.delimiter = delimiter};
  dm_transactions *t = NULL;
  dm_error err = {0};
  assert_int_equal(dm_basket_read(ctx, path, &o, &t, &err), DM_EINPUT);
  assert_null(t);
  assert_non_null(strstr(err.message, message));
  if (hint) assert_non_null(strstr(err.hint, hint));
  assert_string_equal(err.file, path);
  assert_int_equal(err.line, line);
  assert_int_equal(err.column, column);
  if (line) assert_true(err.excerpt[0] != 0);
  remove_file(path);
  dm_ctx_free(ctx);
}

static void fails(const char *text, const char *delimiter, size_t line, size_t column, const char *message, const char *hint) {
  fails_n(text, strlen(text), delimiter, line, column, message, hint);
}

static void test_blanks(void **state) {
  (void)state;
  reads("a b c\nb\n", NULL, "<a><b><c>|<b>|2 0 0");
  reads("a b c\nb", NULL, "<a><b><c>|<b>|2 0 0");
  reads("  a\t\tb  \r\n\r\nc b \r\n", NULL, "<a><b>|<c><b>|3 1 0");
  reads("\xEF\xBB\xBF" "a b\n\n\na", NULL, "<a><b>|<a>|4 2 0");
  reads("\xEF\xBB\xBF" "a", NULL, "<a>|1 0 0");
  reads("\n", NULL, "1 1 0");
  reads("1 2 1 10 010 2\n01 1\n", NULL, "<1><2><10><010>|<01><1>|2 0 2");
  reads("a,b \"c d\"\n", NULL, "<a,b><\"c><d\">|1 0 0");
  reads("br\xC3\xB6tchen \xE7\xB1\xB3\n", NULL, "<br\xC3\xB6tchen><\xE7\xB1\xB3>|1 0 0");
}

static void test_delimited(void **state) {
  (void)state;
  reads("whole milk, rolls ,rolls\nbeer\n", ",", "<whole milk><rolls>|<beer>|2 0 1");
  reads("a,,b,\n,\n", ",", "<a><b>|2 1 0");
  reads("\"1,5 l\", \"5\"\" pipe\" ,\"two\nlines\"\nb\n", ",", "<1,5 l><5\" pipe><two\nlines>|<b>|2 0 0");
  reads("\"a\"\r\n\"\",b\r\n", ",", "<a>|<b>|2 0 0");
  reads("5\" pipe;x\ny", ";", "<5\" pipe><x>|<y>|2 0 0");
  reads("a\tb c\t\"d\"\n", "\t", "<a><b c><d>|1 0 0");
  reads("a b", " ", "<a><b>|1 0 0");
}

static void test_refused(void **state) {
  (void)state;
  fails("", NULL, 0, 0, "no transaction", NULL);
  fails("\xEF\xBB\xBF", NULL, 0, 0, "no transaction", NULL);
  fails_n("a b\nc\0d\n", 8, NULL, 2, 2, "NUL", NULL);
  fails("a b\ncaf\xE9 x\n", NULL, 2, 4, "0xE9 is not UTF-8", "ISO-8859-1");
  fails("a b\rc\n", NULL, 1, 4, "carriage return", "tr ");
  fails("a,b\n\"c\nd\",caf\xE9\n", ",", 3, 7, "0xE9", "iconv");
  fails("a,b\n c,\"d\ne\nf", ",", 2, 4, "never closed", NULL);
  fails("a\n\"b\nc\"d,e\n", ",", 3, 3, "behind a closing quote", "twice");
}

static void test_files(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_transactions *t = NULL;
  dm_error err = {0};
  assert_int_equal(dm_basket_read(ctx, "/nowhere/at/all", NULL, &t, &err), DM_EIO);
  assert_string_equal(err.file, "/nowhere/at/all");
  assert_int_equal(dm_basket_read(ctx, "/tmp", NULL, &t, &err), DM_EIO);
  static const char *const bad[] = {"", "ab", "\"", "\n", "\r"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    dm_basket_options o = {.delimiter = bad[i]};
    assert_int_equal(dm_basket_read(ctx, "/tmp", &o, &t, &err), DM_EUSAGE);
  }
  dm_ctx_free(ctx);
}

/* Lines across the borders of blocks, one of them longer than several. */
static void test_long_lines(void **state) {
  (void)state;
  enum { ITEMS = 400000, ROWS = 40 };
  size_t capacity = (size_t)ITEMS * 24, n = 0;
  char *text = malloc(capacity);
  assert_non_null(text);
  for (int i = 0; i < ITEMS; i++) n += (size_t)sprintf(text + n, "%d%c", i * 3, i + 1 < ITEMS ? ' ' : '\n');
  for (int r = 0; r < ROWS; r++)
    for (int i = 0; i < ITEMS / ROWS; i++) n += (size_t)sprintf(text + n, "%d%c", (i * ROWS + r) * 3, i + 1 < ITEMS / ROWS ? ' ' : '\n');
  char *path = file_of(text, n);
  dm_ctx *ctx = new_ctx();
  for (int delimited = 0; delimited < 2; delimited++) {
    dm_basket_options o = {.delimiter = delimited ? " " : NULL};
    dm_transactions *t = NULL;
    assert_int_equal(dm_basket_read(ctx, path, &o, &t, NULL), DM_OK);
    assert_int_equal(t->rows.n, ROWS + 1);
    assert_int_equal(t->n_items, ITEMS);
    for (size_t i = 0; i < ITEMS; i++) assert_int_equal(t->rows.index[i], i);
    for (size_t r = 0; r < ROWS; r++)
      for (size_t i = 0; i < ITEMS / ROWS; i++) assert_int_equal(t->rows.index[t->rows.start[r + 1] + i], i * ROWS + r);
    dm_transactions_free(t);
  }
  remove_file(path);
  free(text);
  dm_ctx_free(ctx);
}

/* A file that several threads read: the codes, the rows and the line of an error as one reader has them. */
static void test_threads(void **state) {
  (void)state;
  enum { ROWS = 60000 };
  size_t capacity = (size_t)ROWS * 64, n = 0;
  char *text = malloc(capacity);
  assert_non_null(text);
  for (int r = 0; r < ROWS; r++) {
    for (int i = 0; i < r * 7 % 9; i++) n += (size_t)sprintf(text + n, i % 3 ? "%d " : "i%d ", (r * 31 + i * i) % (r / 100 + 5));
    n += (size_t)sprintf(text + n, r % 17 ? "\n" : "\r\n");
  }
  n--; /* no newline at the end */
  char *path = file_of(text, n);
  dm_ctx *ctx = new_ctx();
  dm_transactions *t = NULL;
  assert_int_equal(dm_basket_read(ctx, path, NULL, &t, NULL), DM_OK);
  assert_int_equal(t->total, ROWS);
  for (unsigned threads = 2; threads <= 7; threads++) {
    dm_ctx *many = new_threads_ctx(threads);
    dm_transactions *other = NULL;
    assert_int_equal(dm_basket_read(many, path, NULL, &other, NULL), DM_OK);
    assert_true(other->total == t->total && other->empty == t->empty && other->repeated == t->repeated && other->repeated > 0);
    assert_int_equal(other->n_items, t->n_items);
    for (size_t i = 0; i < t->n_items; i++) assert_true(dm_str_equal(t->names[i], other->names[i]) && t->support[i] == other->support[i]);
    assert_int_equal(other->rows.n, t->rows.n);
    assert_memory_equal(other->rows.start, t->rows.start, (t->rows.n + 1) * sizeof *t->rows.start);
    assert_memory_equal(other->rows.index, t->rows.index, t->rows.start[t->rows.n] * sizeof *t->rows.index);
    dm_transactions_free(other);
    dm_ctx_free(many);
  }
  dm_transactions_free(t);
  remove_file(path);
  text[n - 2] = '\0'; /* in the last line but one, or the last */
  path = file_of(text, n);
  for (unsigned threads = 1; threads <= 5; threads += 2) {
    dm_ctx *many = new_threads_ctx(threads);
    dm_error err = {0};
    assert_int_equal(dm_basket_read(many, path, NULL, &t, &err), DM_EINPUT);
    assert_true(err.line >= ROWS - 1 && err.line <= ROWS);
    dm_ctx_free(many);
  }
  remove_file(path);
  free(text);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_blanks), cmocka_unit_test(test_delimited), cmocka_unit_test(test_refused),
      cmocka_unit_test(test_files),  cmocka_unit_test(test_long_lines), cmocka_unit_test(test_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
