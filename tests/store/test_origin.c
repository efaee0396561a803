/* origins: from rows back to the bytes of their file. */
#include "import_test.h"

typedef struct expected {
  size_t at, n, line;
} expected;

static dm_origin origin_of(imported *t, int64_t row) {
  dm_origin o;
  dm_error err = {0};
  if (dm_store_origin(t->store, t->result.table, row, t->arena, &o, &err) != DM_OK) fail_msg("row %lld: %s", (long long)row, err.message);
  return o;
}

static void assert_origin(imported *t, int64_t row, const char *text, expected want, uint64_t record) {
  dm_origin o = origin_of(t, row);
  if (!o.verified) fail_msg("row %lld: %s", (long long)row, o.problem);
  assert_int_equal(o.record, record);
  assert_int_equal(o.line, want.line);
  assert_int_equal(o.byte_offset, want.at);
  size_t n = o.raw.n; /* with or without its line end */
  while (n && (o.raw.p[n - 1] == '\n' || o.raw.p[n - 1] == '\r')) n--;
  assert_int_equal(n, want.n);
  assert_memory_equal(o.raw.p, text + want.at, n);
}

/* A file with broken and many-line records; where each good one begins is written down as it is made. */
static char *make_file(size_t records, const char *end, size_t *length, expected *good, uint64_t *record_of, size_t *n_good) {
  dm_rng rng;
  char *text = malloc(records * 160 + 100);
  assert_non_null(text);
  size_t at = (size_t)sprintf(text, "id,note,x%s", end), line = 2;
  dm_rng_init(&rng, 3, 0);
  *n_good = 0;
  for (size_t i = 0; i < records; i++) {
    size_t start = at, lines = 1;
    bool broken = dm_rng_below(&rng, 200) == 0;
    at += (size_t)sprintf(text + at, "%zu,", i);
    if (dm_rng_below(&rng, 20) == 0) {
      at += (size_t)sprintf(text + at, "\"two%slines\"", end);
      lines = 2;
    } else {
      for (size_t k = dm_rng_below(&rng, 90); k > 0; k--) text[at++] = (char)('a' + dm_rng_below(&rng, 26));
    }
    at += (size_t)sprintf(text + at, broken ? ",%zu.5,7" : ",%zu.5", i);
    if (!broken) {
      good[*n_good] = (expected){start, at - start, line};
      record_of[(*n_good)++] = i + 1;
    }
    at += (size_t)sprintf(text + at, "%s", end);
    line += lines;
  }
  *length = at;
  return text;
}

static void a_thousand_rows_lead_back_to_their_bytes(void **state) {
  static const char *const ends[] = {"\n", "\r\n"};
  for (size_t e = 0; e < 2; e++) {
    enum { RECORDS = 6000 };
    size_t n, n_good;
    expected *good = calloc(RECORDS, sizeof *good);
    uint64_t *record_of = calloc(RECORDS, sizeof *record_of);
    char *text = make_file(RECORDS, ends[e], &n, good, record_of, &n_good);
    imported t = import_bytes(*state, text, n, NULL);
    assert_int_equal(t.result.rows, n_good);
    assert_int_equal(t.result.rejects, RECORDS - n_good);
    dm_rng rng;
    dm_rng_init(&rng, 1, e);
    for (size_t i = 0; i < 500; i++) {
      size_t row = i == 0 ? 0 : i == 1 ? n_good - 1 : (size_t)dm_rng_below(&rng, n_good);
      assert_origin(&t, (int64_t)row + 1, text, good[row], record_of[row]);
      if (i % 50 == 0) {
        char id[24];
        dm_str *cells;
        size_t n_cells;
        assert_int_equal(dm_store_origin_cells(t.store, "people", (int64_t)row + 1, t.arena, &cells, &n_cells, NULL), DM_OK);
        assert_int_equal(n_cells, 3);
        (void)snprintf(id, sizeof id, "%llu", (unsigned long long)(record_of[row] - 1));
        assert_string_equal(cells[0].p, id);
      }
    }
    free(good);
    free(record_of);
    free(text);
    import_end(&t);
  }
}

static void blocks_bound_what_is_read_again(void **state) {
  dm_buf text;
  dm_buf_init(&text, *state, NULL);
  dm_buf_adds(&text, "a,b\n");
  for (unsigned i = 0; i < 5000; i++) dm_buf_printf(&text, "%u,%0*u\n", i, i < 2500 ? 3 : 200, i);
  imported t = import_bytes(*state, text.p, text.n, NULL);
  assert_true(test_int(t.store, "SELECT max(n) FROM (SELECT lead(first_id) OVER (ORDER BY first_id) - first_id AS n FROM dm_origin)") <= 1024);
  assert_true(test_int(t.store, "SELECT max(n) FROM (SELECT lead(byte_offset) OVER (ORDER BY first_id) - byte_offset AS n FROM dm_origin)") < 66000);
  dm_buf_clear(&text);
  import_end(&t);
}

static void appended_rows_know_their_own_file(void **state) {
  imported t = import_text(*state, "a,b\n1,x\n2,y\n", NULL);
  char second[128];
  test_path(second, "second.csv");
  test_write(second, "b,a\nbad\nz,3\n", 12);
  dm_import_options o = {.append = true, .table = "people"};
  assert_int_equal(dm_store_import(t.store, second, &o, t.arena, &t.result, NULL), DM_OK);
  dm_origin origin = origin_of(&t, 3);
  assert_non_null(strstr(origin.uri, "second.csv"));
  assert_int_equal(origin.record, 2);
  assert_int_equal(origin.line, 3);
  assert_memory_equal(origin.raw.p, "z,3", 3);
  assert_non_null(strstr(origin_of(&t, 2).uri, "people.csv"));
  dm_str *cells;
  size_t n;
  test_exec(t.store, "ALTER TABLE people ADD COLUMN c TEXT");
  assert_int_equal(dm_store_origin_cells(t.store, "people", 3, t.arena, &cells, &n, NULL), DM_OK);
  assert_int_equal(n, 3);
  assert_string_equal(cells[0].p, "3");
  assert_string_equal(cells[1].p, "z");
  assert_null(cells[2].p); /* made since */
  import_end(&t);
}

static void other_encodings_give_their_own_bytes(void **state) {
  char utf16[128] = "\xFF\xFE";
  size_t n = 2;
  for (const char *p = "name,n\nAnna,1\nBen,2\n"; *p; p++) utf16[n++] = *p, utf16[n++] = 0;
  imported t = import_bytes(*state, utf16, n, NULL);
  dm_origin o = origin_of(&t, 2);
  assert_string_equal(o.problem, "");
  assert_int_equal(o.byte_offset, 2 + 2 * 14);
  assert_int_equal(o.line, 3);
  assert_memory_equal(o.raw.p, "B\0e\0n\0,\0" "2", 9);
  import_end(&t);
}

/* What detection made of the file is kept: reading again needs none of it. */
static void lines_above_the_table_do_not_lead_astray(void **state) {
  imported t = import_text(*state, "A title\n\na,b,c\n1,2,3\n4,5,6\n7,8,9\n", NULL);
  dm_origin o = origin_of(&t, (int64_t)t.result.rows);
  assert_true(o.verified);
  assert_int_equal(o.line, 6);
  assert_memory_equal(o.raw.p, "7,8,9", 5);
  import_end(&t);
}

static void rows_that_no_file_has_are_refused(void **state) {
  imported t = import_text(*state, "a,b\n1,x\n2,y\nbad\n", NULL);
  dm_error err = {0};
  dm_origin o;
  test_exec(t.store, "INSERT INTO people(a, b) VALUES(3, 'new'), (4, 'newer')");
  static const int64_t rows[] = {3, 4, 0, -5, 1000000};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_int_equal(dm_store_origin(t.store, "people", rows[i], t.arena, &o, &err), DM_EUSAGE);
    assert_non_null(strstr(err.message, "did not come from a file"));
  }
  assert_int_equal(dm_store_origin(t.store, "nobody", 1, t.arena, &o, &err), DM_EUSAGE);
  test_exec(t.store, "CREATE TABLE own(a)");
  assert_int_equal(dm_store_origin(t.store, "own", 1, t.arena, &o, &err), DM_EUSAGE);
  import_end(&t);
}

static void a_changed_file_is_not_believed(void **state) {
  imported t = import_text(*state, "a,b\n1,x\n2,y\n", NULL);
  dm_str *cells;
  size_t n;
  dm_error err = {0};
  test_write(t.path, "a,b\n1,x\n2,z\n", 12); /* of the same size */
  dm_origin o = origin_of(&t, 2);
  assert_false(o.verified);
  assert_string_equal(o.problem, "file has changed since import");
  assert_null(o.raw.p);
  assert_int_equal(o.record, 2);
  assert_int_equal(dm_store_origin_cells(t.store, "people", 2, t.arena, &cells, &n, &err), DM_EIO);
  test_write(t.path, "a,b\n1,x\n2,y\n3,z\n", 16);
  assert_string_equal(origin_of(&t, 2).problem, "file has changed since import");
  assert_int_equal(unlink(t.path), 0);
  o = origin_of(&t, 1);
  assert_string_equal(o.problem, "file is gone");
  assert_int_equal(o.line, 2); /* the first of its block is known without the file */
  import_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test_with_ctx(a_thousand_rows_lead_back_to_their_bytes),
      test_with_ctx(blocks_bound_what_is_read_again),
      test_with_ctx(appended_rows_know_their_own_file),
      test_with_ctx(other_encodings_give_their_own_bytes),
      test_with_ctx(lines_above_the_table_do_not_lead_astray),
      test_with_ctx(rows_that_no_file_has_are_refused),
      test_with_ctx(a_changed_file_is_not_believed),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
