/* data: files that should not be: missing, empty, endless cells, quotes never closed, pipes, other formats; all in linear time and bounded memory. */
#include "csv_help.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static void refused(const char *text, size_t n, dm_status code, const char *message) {
  dm_ctx *ctx = new_ctx();
  dm_csv *csv = NULL;
  dm_error err = {0};
  assert_int_equal(dm_csv_open_memory(ctx, "f.csv", text, n, NULL, &csv, &err), code);
  assert_string_equal(err.message, message);
  assert_string_equal(err.file, "f.csv");
  assert_null(csv);
  dm_ctx_free(ctx);
}

static void what_is_no_table_is_refused(void **state) {
  (void)state;
  refused("", 0, DM_EINPUT, "the file is empty");
  refused("\n\n\r\n", 4, DM_EINPUT, "the file holds no record, only line ends");
  refused("\xEF\xBB\xBF", 3, DM_EINPUT, "the file holds no record, only line ends");
  refused("\x1f\x8b\x08\0abc", 7, DM_EINPUT, "gzip data, want delimited text");
  refused("SQLite format 3\0abc", 19, DM_EINPUT, "SQLite database data, want delimited text");
  refused("\"a,b", 4, DM_EINPUT, "the first record cannot be read: a quote opens and is not closed, or it is too long");
}

static void missing_files_and_directories(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_csv *csv = NULL;
  dm_error err = {0};
  assert_int_equal(dm_csv_open(ctx, "/nowhere/x.csv", NULL, &csv, &err), DM_EIO);
  assert_string_equal(err.message, "cannot be opened: No such file or directory");
  assert_string_equal(err.file, "/nowhere/x.csv");
  assert_int_equal(dm_csv_open(ctx, "/", NULL, &csv, &err), DM_EIO);
  assert_string_equal(err.message, "is a directory, want a file");
  dm_ctx_free(ctx);
}

static void a_header_alone_is_a_table_without_rows(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_csv *csv = open_text(ctx, "a,b,c\n", NULL);
  const dm_csv_record *r;
  assert_int_equal(dm_csv_n_columns(csv), 3);
  assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
  assert_null(r);
  dm_csv_close(csv);
  dm_ctx_free(ctx);
}

/* ---- linear time: bytes indexed are counted ---------------------------------------- */

typedef struct tally {
  size_t good, rejects, quote, long_ones;
  uint64_t scanned;
  size_t peak;
} tally;

static tally count(const char *text, size_t n, const dm_csv_options *options, size_t block) {
  dm_ctx *ctx = new_ctx();
  dm_csv *csv = open_bytes(ctx, text, n, options, block);
  tally t = {0};
  const dm_csv_record *r;
  for (;;) {
    assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
    if (!r) break;
    t.good += r->reason == DM_REJECT_NONE;
    t.rejects += r->reason != DM_REJECT_NONE;
    t.quote += r->reason == DM_REJECT_QUOTE;
    t.long_ones += r->reason == DM_REJECT_TOO_LONG;
  }
  t.scanned = csv->n_scanned;
  t.peak = dm_ctx_memory_peak(ctx);
  dm_csv_close(csv);
  dm_ctx_free(ctx);
  return t;
}

static char *repeat(const char *head, const char *line, size_t times, size_t *n) {
  size_t h = strlen(head), l = strlen(line);
  char *text = malloc(h + l * times + 1);
  assert_non_null(text);
  memcpy(text, head, h);
  for (size_t i = 0; i < times; i++) memcpy(text + h + i * l, line, l);
  *n = h + l * times;
  return text;
}

static void stray_quotes_on_every_line_are_linear(void **state) {
  (void)state;
  static const struct {
    const char *line;
    size_t lines, rejects; /* SIZE_MAX: whatever it is */
  } cases[] = {
      {"1,\"abc\n", 1000000, 1000000}, /* each opens, the next line's quote does not close it */
      {"x\",\"\n", 100000, SIZE_MAX},      /* closes and opens again on every line, never to end */
      {"\"a\",\"b\n", 100000, SIZE_MAX},
      {"1,\"\n", 100000, SIZE_MAX},        /* pairs up with the next line */
      {"\"\"\"x,\"\"\n", 100000, SIZE_MAX},
      {"1,5\" pipe\n", 100000, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    static const dm_csv_options o = {.header = DM_YES, .delimiter = ',', .trim = DM_NO};
    size_t n;
    char *text = repeat("a,b\n", cases[i].line, cases[i].lines, &n);
    tally t = count(text, n, &o, 0);
    if (cases[i].rejects != SIZE_MAX) assert_int_equal(t.rejects, cases[i].rejects);
    assert_true(t.good + t.rejects >= 1);
    /* twice the bytes, and at most a few short windows for each line that is read anew */
    assert_true(t.scanned <= 3 * (uint64_t)n + t.quote * 2 * CSV_BLOCK);
    free(text);
  }
}

static void one_open_quote_costs_one_line_of_a_long_file(void **state) {
  (void)state;
  static const dm_csv_options o = {.header = DM_YES, .delimiter = ',', .max_cell = 1 << 18};
  size_t n;
  char *text = repeat("a,b\n1,\"open\n", "2,some text\n", 300000, &n);
  for (size_t block = 1 << 12; block <= 1 << 18; block <<= 6) { /* the file is longer than a record may be: read again from the source */
    tally t = count(text, n, &o, block);
    assert_int_equal(t.good, 300000);
    assert_int_equal(t.quote, 1);
    assert_true(t.scanned <= 3 * (uint64_t)n);
    assert_true(t.peak < (size_t)16 << 20);
  }
  free(text);
}

static void an_endless_cell_is_rejected_in_bounded_memory(void **state) {
  (void)state;
  size_t n = 0;
  static const char head[] = "a,b\n1,2\n", tail[] = "\n3,4\n", quoted_tail[] = "\"\n3,4\n";
  char *text = malloc(((size_t)100 << 20) + 64);
  assert_non_null(text);
  for (int quoted = 0; quoted < 2; quoted++) {
    n = (size_t)(quoted ? 100 : 8) << 20;
    const char *end = quoted ? quoted_tail : tail;
    memset(text, 'x', n);
    memcpy(text, head, sizeof head - 1);
    if (quoted) text[sizeof head - 1] = '"';
    memcpy(text + n, end, strlen(end));
    dm_csv_options o = {.header = DM_YES, .delimiter = ',', .max_cell = quoted ? 0 : 1 << 20};
    tally t = count(text, n + strlen(end), &o, 0);
    assert_int_equal(t.good, 2);
    assert_int_equal(t.long_ones, 1);
    assert_int_equal(t.rejects, 1);
    assert_true(t.peak < ((size_t)(quoted ? 210 : 16) << 20));
  }
  dm_ctx *ctx = new_ctx();
  static const dm_csv_options o = {.header = DM_YES, .delimiter = ',', .max_cell = 1 << 20};
  dm_csv *csv = open_bytes(ctx, text, n + strlen(quoted_tail), &o, 0);
  const dm_csv_record *r;
  assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
  assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
  assert_int_equal(r->reason, DM_REJECT_TOO_LONG);
  assert_int_equal(r->line, 3);
  assert_int_equal(r->raw_n, CSV_MAX_CUT); /* cut, from its first byte */
  assert_memory_equal(r->raw, "\"xxxx", 5);
  assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
  assert_int_equal(r->line, 4);
  assert_int_equal(r->cells[0].n, 1);
  dm_csv_close(csv);
  dm_ctx_free(ctx);
  free(text);
}

static void a_long_cell_within_a_record_that_fits(void **state) {
  (void)state;
  static const dm_csv_options o = {.header = DM_YES, .delimiter = ',', .max_cell = 8};
  READS_AS("a,b\n12345678,1\n1,123456789\n\"1234567\",2\n", &o,
           "<12345678><1>\n!6 3@15:3[1,123456789] a cell of 9 bytes, limit 8\n!6 4@27:1[\"1234567\",2] a cell of 9 bytes, limit 8\n");
}

static void the_budget_bounds_a_cell(void **state) {
  (void)state;
  dm_ctx *ctx = NULL;
  dm_ctx_options small = {.threads = 1, .budget = (size_t)16 << 20};
  assert_int_equal(dm_ctx_new(&small, &ctx, NULL), DM_OK);
  size_t n = (size_t)20 << 20;
  char *text = malloc(n + 8);
  assert_non_null(text);
  memset(text, 'x', n);
  memcpy(text, "a,b\n1,2\n", 8);
  memcpy(text + n, ",1\n3,4\n", 7);
  dm_csv *csv = open_bytes(ctx, text, n + 7, NULL, 0);
  const dm_csv_record *r;
  static const dm_reject_reason want[] = {DM_REJECT_NONE, DM_REJECT_TOO_LONG, DM_REJECT_NONE};
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
    assert_int_equal(r->reason, want[i]);
  }
  dm_csv_close(csv);
  free(text);
  dm_ctx_free(ctx);
}

/* ---- pipes ------------------------------------------------------------------------------ */

static void *write_to(void *path) {
  FILE *f = fopen(path, "w");
  if (!f) return NULL;
  for (int i = 0; i < 100000; i++) fprintf(f, i ? "%d,x\n" : "id,b\n", i);
  (void)fclose(f);
  return path;
}

static void a_pipe_is_read_twice(void **state) {
  (void)state;
  char dir[] = "/tmp/dm-test-XXXXXX", path[64];
  assert_non_null(mkdtemp(dir));
  (void)snprintf(path, sizeof path, "%s/pipe", dir);
  assert_int_equal(mkfifo(path, 0600), 0);
  pthread_t writer;
  assert_int_equal(pthread_create(&writer, NULL, write_to, path), 0);
  dm_ctx *ctx = new_ctx();
  dm_csv *csv = NULL;
  dm_error err = {0};
  assert_int_equal(dm_csv_open(ctx, path, NULL, &csv, &err), DM_OK);
  assert_int_equal(pthread_join(writer, NULL), 0);
  for (int pass = 0; pass < 2; pass++) {
    const dm_csv_record *r;
    size_t n = 0;
    for (;; n++) {
      assert_int_equal(dm_csv_next(csv, &r, NULL), DM_OK);
      if (!r) break;
    }
    assert_int_equal(n, 99999);
    assert_int_equal(strlen(dm_csv_sha256(csv)), 64);
    assert_int_equal(dm_csv_rewind(csv, NULL), DM_OK);
  }
  dm_csv_close(csv);
  dm_ctx_free(ctx);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(rmdir(dir), 0);
}

/* Every allocation fails in turn: an error, nothing left behind, and no crash. */
typedef struct failing {
  size_t left;
} failing;

static void *allocate(void *user, size_t size, size_t alignment) {
  failing *f = user;
  if (f->left == 0) return NULL;
  f->left--;
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void release(void *user, void *block) {
  (void)user;
  free(block);
}

static void allocation_may_fail_anywhere(void **state) {
  (void)state;
  static const char text[] = "a,a,b\n1,\"x\"\"y\",3\n4,\"open\n5,6,7,8\n1,\xC3(,2\n";
  bool done = false;
  for (size_t k = 0; !done; k++) {
    failing f = {k + 1};
    dm_ctx_options o = {.allocate = allocate, .release = release, .user = &f, .threads = 1};
    dm_ctx *ctx = NULL;
    dm_csv *csv = NULL;
    dm_error err = {0};
    assert_int_equal(dm_ctx_new(&o, &ctx, &err), DM_OK);
    const dm_csv_record *r = NULL;
    dm_status status = dm_csv_open_memory(ctx, "t.csv", text, sizeof text - 1, NULL, &csv, &err);
    if (status == DM_OK) do
        status = dm_csv_next(csv, &r, &err);
      while (status == DM_OK && r);
    done = status == DM_OK;
    if (!done) assert_int_equal(status, DM_EBUDGET);
    if (!done) assert_true(err.message[0]);
    dm_csv_close(csv);
    assert_int_equal(dm_ctx_memory(ctx), 0);
    dm_ctx_free(ctx);
    assert_true(k < 10000);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_no_table_is_refused),
      cmocka_unit_test(missing_files_and_directories),
      cmocka_unit_test(a_header_alone_is_a_table_without_rows),
      cmocka_unit_test(stray_quotes_on_every_line_are_linear),
      cmocka_unit_test(one_open_quote_costs_one_line_of_a_long_file),
      cmocka_unit_test(an_endless_cell_is_rejected_in_bounded_memory),
      cmocka_unit_test(a_long_cell_within_a_record_that_fits),
      cmocka_unit_test(the_budget_bounds_a_cell),
      cmocka_unit_test(a_pipe_is_read_twice),
      cmocka_unit_test(allocation_may_fail_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
