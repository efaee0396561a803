/* export: what was imported comes back byte for byte; SELECTs, JSON lines, TSV. */
#include "import_test.h"

#include <math.h>

static void same_bytes_with(dm_ctx *ctx, const char *text, size_t n, const dm_import_options *options) {
  imported t = import_bytes(ctx, text, n, options);
  if (t.result.rejects) fail_msg("%llu rejects in '%.40s'", (unsigned long long)t.result.rejects, text);
  assert_export(t.store, "people", NULL, text, n);
  import_end(&t);
}

static void same_bytes(dm_ctx *ctx, const char *text) { same_bytes_with(ctx, text, strlen(text), &(dm_import_options){.csv = {.header = DM_YES}}); }

static void clean_files_come_back(void **state) {
  static const char *const texts[] = {
      "a,b\n1,x\n2,y\n",
      "a,b\r\n1,x\r\n2,y\r\n",
      "a,b\n1,x\n2,y",
      "a;b\n1,5;x\n2,5;y\n",
      "a\tb\n1\tx y\n2\t\"t\tt\"\n",
      "\"a\",\"b\"\n\"1\",\"x\"\n\"2\",\"y\"\n",
      "\"a\",\"b\"\n1,\"x\"\n2,\"y\"\n",
      "a,b\n1,\"say \"\"hi\"\"\"\n2,\"two\nlines\"\n3,\"a,b\"\n",
      "a,b\n1,\"\"\n2,\n3,x\n",
      ("\xEF\xBB\xBF" "a,b\n1,x\n"),
      "a,b,c\n1.0,1,0.10\n2.5,2.5,0.25\n-3.0,3,1.00\n",
      "a,b\n1e-07,1\n2.5,2\n",
      "a,,a\n1,2,3\n",
      "a,b\n\xC3\xA9t\xC3\xA9,1\n\xE2\x82\xAC,2\n",
      "\"a\",b c,\"d\"\n1,2,3\n", /* quotes of a header that needs none */
      "a , b\n1,2\n",
      "a,b",
      "a,b\n",
      ".5,b\n.25,-.5\n-.75,.125\n",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) same_bytes(*state, texts[i]);
  static const char headless[] = "1,x\n2,y\n";
  same_bytes_with(*state, headless, strlen(headless), &(dm_import_options){.csv = {.header = DM_NO}});
  static const char markers[] = "a,b\n1,NA\nNA,y\n";
  same_bytes_with(*state, markers, strlen(markers), &(dm_import_options){.csv = {.nulls = (const char *[]){"NA"}, .n_nulls = 1}});
  static const char blanks[] = "a,b\n 1, x\n 2, y \n";
  same_bytes_with(*state, blanks, strlen(blanks), &(dm_import_options){.csv = {.trim = DM_NO}});
  static const char gap[] = "a\n1\n\n";
  same_bytes_with(*state, gap, strlen(gap), &(dm_import_options){.csv = {.header = DM_YES, .delimiter = ','}});
  static const char single[] = "its,b\n'a,b',2\n'c''d',3\n";
  same_bytes_with(*state, single, strlen(single), &(dm_import_options){.csv = {.quote = '\'', .header = DM_YES}});
}

static void file_comes_back(dm_ctx *ctx, const char *path, const dm_import_options *options) {
  size_t n;
  char *text = test_read(path, &n);
  dm_import_options o = options ? *options : (dm_import_options){0};
  o.table = "people";
  imported t = import_bytes(ctx, text, n, &o);
  if (t.result.rejects) fail_msg("%s: %llu rejects", path, (unsigned long long)t.result.rejects);
  assert_export(t.store, "people", NULL, text, n);
  free(text);
  import_end(&t);
}

static void each_csv_of(dm_ctx *ctx, const char *directory, const char *skip, const dm_import_options *options, size_t *n) {
  DIR *d = opendir(directory);
  if (!d) return;
  for (struct dirent *e = readdir(d); e; e = readdir(d)) {
    size_t length = strlen(e->d_name);
    char path[1024];
    if (length < 5 || strcmp(e->d_name + length - 4, ".csv") != 0 || (skip && strstr(e->d_name, skip))) continue;
    (void)snprintf(path, sizeof path, "%s/%s", directory, e->d_name);
    file_comes_back(ctx, path, options);
    ++*n;
  }
  closedir(d);
}

static void our_datasets_come_back(void **state) {
  char directory[512];
  size_t n = 0;
  if (!getenv("DM_SOURCE")) skip();
  (void)snprintf(directory, sizeof directory, "%s/datasets", getenv("DM_SOURCE"));
  each_csv_of(*state, directory, "dirty", NULL, &n);
  assert_true(n >= 7);
}

static void the_spectrum_comes_back(void **state) {
  char directory[512];
  size_t n = 0;
  dm_import_options o = {.csv = {.header = DM_YES, .all_text = true, .trim = DM_NO}};
  (void)snprintf(directory, sizeof directory, "%s/data/csv/spectrum", getenv("DM_SHARED") ? getenv("DM_SHARED") : "");
  each_csv_of(*state, directory, NULL, &o, &n);
  if (n == 0) skip();
}

/* ---- random tables ------------------------------------------------------------------ */

static void random_text(dm_rng *rng, dm_buf *out) {
  static const char *const pieces[] = {"a", "Z", "\"", ",", "\n", "\r\n", " ", "0", "9", "\xC3\xA9", "\xF0\x9F\x90\x8C", ";", "'", "-", "NA", ".", "\t"};
  dm_buf cell;
  dm_buf_init(&cell, out->ctx, NULL);
  size_t n = dm_rng_below(rng, 6);
  bool quotes = false;
  for (size_t i = 0; i < n; i++) {
    const char *p = pieces[dm_rng_below(rng, sizeof pieces / sizeof *pieces)];
    quotes |= strpbrk(p, "\",\n\r") != NULL;
    for (; *p; p++) {
      if (*p == '"') dm_buf_addc(&cell, '"');
      dm_buf_addc(&cell, *p);
    }
  }
  if (n == 0) quotes = dm_rng_below(rng, 2) == 0;
  if (quotes) dm_buf_addc(out, '"');
  if (cell.n) dm_buf_add(out, cell.p, cell.n);
  if (quotes) dm_buf_addc(out, '"');
  dm_buf_clear(&cell);
}

static void random_cell(dm_rng *rng, unsigned kind, dm_buf *out) {
  if (kind < 5 && dm_rng_below(rng, 10) == 0) return; /* missing */
  double v = (dm_rng_uniform(rng) - 0.5) * pow(10, (double)dm_rng_below(rng, 9));
  switch (kind) {
  case 0: dm_buf_printf(out, "%lld", (long long)((int64_t)((uint64_t)dm_rng_u32(rng) << 32 | dm_rng_u32(rng)) >> dm_rng_below(rng, 60))); break;
  case 1: dm_buf_printf(out, "%.2f", v); break;
  case 2: dm_buf_printf(out, "%.17g", v); break;
  case 3: dm_buf_printf(out, "%g", v); break; /* one of several formats, or TEXT in the end */
  case 4: dm_buf_printf(out, "%0*llu", (int)dm_rng_below(rng, 8), (unsigned long long)dm_rng_below(rng, 1000)); break;
  default: random_text(rng, out);
  }
}

static void random_tables_come_back(void **state) {
  dm_rng rng;
  dm_buf text;
  dm_rng_init(&rng, 7, 0);
  dm_buf_init(&text, *state, NULL);
  for (unsigned round = 0; round < 120; round++) {
    unsigned d = 2 + (unsigned)dm_rng_below(&rng, 6), n = 1 + (unsigned)dm_rng_below(&rng, 40);
    bool crlf = dm_rng_below(&rng, 2) == 0;
    const char *end = crlf ? "\r\n" : "\n";
    unsigned kinds[8];
    dm_buf_reset(&text);
    for (unsigned i = 0; i < d; i++) {
      kinds[i] = (unsigned)dm_rng_below(&rng, 7);
      dm_buf_printf(&text, "%sname%u", i ? "," : "", i);
    }
    for (unsigned r = 0; r < n; r++) {
      dm_buf_adds(&text, end);
      for (unsigned i = 0; i < d; i++) {
        if (i) dm_buf_addc(&text, ',');
        random_cell(&rng, kinds[i], &text);
      }
    }
    dm_buf_adds(&text, end);
    dm_import_options o = {.csv = {.delimiter = ',', .header = DM_YES, .trim = DM_NO, .encoding = "UTF-8"}};
    same_bytes_with(*state, text.p, text.n, &o);
  }
  dm_buf_clear(&text);
}

/* ---- what changed since ----------------------------------------------------------------- */

static void values_that_do_not_fit_the_format_keep_their_digits(void **state) {
  imported t = import_text(*state, "a,b\n1.50,1\n2.25,2\n", NULL);
  test_exec(t.store, "UPDATE people SET a = 1.0/3 WHERE dm_id = 2");
  test_exec(t.store, "INSERT INTO people(a, b) VALUES(7, NULL)");
  dm_stmt *insert = NULL; /* bound: SQLite reads 1e300 to the last bit only where long double is wider than double */
  bool row;
  assert_int_equal(dm_stmt_prepare(t.store, "INSERT INTO people(a, b) VALUES(?1, 9)", &insert, NULL), DM_OK);
  assert_int_equal(dm_stmt_bind(insert, 1, (dm_value){.type = DM_REAL, .real = 1e300}, NULL), DM_OK);
  assert_int_equal(dm_stmt_step(insert, &row, NULL), DM_OK);
  dm_stmt_free(insert);
  static const char want[] = "a,b\n1.50,1\n0.3333333333333333,2\n7.00,\n";
  size_t n;
  char *got = export_bytes(t.store, "people", NULL, &n);
  assert_memory_equal(got, want, strlen(want));
  double back;
  const char *last = got + strlen(want);
  assert_true(dm_text_to_double(last, strcspn(last, ","), &back) && back == 1e300);
  free(got);
  import_end(&t);
}

static void text_is_quoted_where_a_reader_would_lose_it(void **state) {
  dm_store *store = test_open(*state, ":memory:", DM_STORE_CREATE);
  test_exec(store, "CREATE TABLE t(\"a,b\" TEXT, b TEXT, c)");
  test_exec(store, "INSERT INTO t VALUES(' x', '', NULL), ('y\"z', 'p' || char(10) || 'q', X'00FF'), ('w ', 'v', 1.5)");
  static const char want[] = "\"a,b\",b,c\n\" x\",\"\",\n\"y\"\"z\",\"p\nq\",X'00FF'\n\"w \",v,1.5\n";
  assert_export(store, "t", NULL, want, strlen(want));
  dm_store_close(store);
}

/* ---- SELECTs and other formats ------------------------------------------------------------- */

static void dm_id_is_left_out_unless_asked_for(void **state) {
  imported t = import_text(*state, "a,b\n1,x\n2,y\n", NULL);
  assert_export(t.store, "people", &(dm_export_options){.with_dm_id = true}, "dm_id,a,b\n1,1,x\n2,2,y\n", 22);
  assert_export(t.store, "SELECT * FROM people WHERE a = 2", NULL, "a,b\n2,y\n", 8);
  assert_export(t.store, "SELECT a + 0.5 AS h, b FROM people ORDER BY a DESC", NULL, "h,b\n2.5,y\n1.5,x\n", 16);
  dm_error err = {0};
  char path[128];
  test_path(path, "none.csv");
  assert_int_equal(dm_store_export(t.store, "SELECT dm_id FROM people", path, NULL, NULL, &err), DM_EUSAGE);
  assert_int_equal(access(path, F_OK), -1);
  import_end(&t);
}

static void a_select_keeps_number_formats(void **state) {
  imported t = import_text(*state, "a,b\n1.50,x\n2.00,y\n", NULL);
  const char *table, *column;
  dm_stmt *s = NULL;
  assert_int_equal(dm_stmt_prepare(t.store, "SELECT a FROM people", &s, NULL), DM_OK);
  bool known = dm_stmt_column_origin(s, 0, &table, &column); /* not in every build of SQLite */
  dm_stmt_free(s);
  const char *want = known ? "a\n1.50\n2.00\n" : "a\n1.5\n2.0\n";
  assert_export(t.store, "SELECT a FROM people", NULL, want, strlen(want));
  import_end(&t);
}

static void tsv_and_json_lines(void **state) {
  imported t = import_text(*state, "a,b,c\n1.50,\"x\ty\",\n2.00,\"say \"\"hi\"\"\n\xC3\xA9\",7\n", NULL);
  static const char tsv[] = "a\tb\tc\n1.50\t\"x\ty\"\t\n2.00\t\"say \"\"hi\"\"\n\xC3\xA9\"\t7\n";
  assert_export(t.store, "people", &(dm_export_options){.format = DM_EXPORT_TSV}, tsv, strlen(tsv));
  size_t n;
  char *json = export_bytes(t.store, "SELECT *, X'0A' AS d, 9e999 AS e FROM people", &(dm_export_options){.format = DM_EXPORT_JSONL}, &n);
  dm_arena *arena;
  assert_int_equal(dm_arena_new(*state, 0, &arena, NULL), DM_OK);
  size_t lines = 0;
  for (char *p = json; p < json + n; lines++) {
    char *end = memchr(p, '\n', (size_t)(json + n - p));
    const dm_json *o;
    assert_non_null(end);
    assert_int_equal(dm_json_parse(arena, p, (size_t)(end - p), &o, NULL), DM_OK);
    assert_int_equal(o->n, 5);
    assert_true(dm_json_get_double(o, "a", 0) == (lines == 0 ? 1.5 : 2.0));
    assert_string_equal(dm_json_get_string(o, "b", ""), lines == 0 ? "x\ty" : "say \"hi\"\n\xC3\xA9");
    assert_int_equal(dm_json_get(o, "c")->type, lines == 0 ? DM_JSON_NULL : DM_JSON_INT);
    assert_string_equal(dm_json_get_string(o, "d", ""), "X'0A'");
    assert_int_equal(dm_json_get(o, "e")->type, DM_JSON_NULL);
    p = end + 1;
  }
  assert_int_equal(lines, 2);
  free(json);
  dm_arena_free(arena);
  import_end(&t);
}

/* A last record that is an empty line needs its newline, whatever the source ended with. */
static void an_empty_last_record_is_not_lost(void **state) {
  imported t = import_text(*state, "a\n1\n2", &(dm_import_options){.csv = {.header = DM_YES, .delimiter = ','}});
  test_exec(t.store, "UPDATE people SET a = NULL WHERE dm_id = 2");
  assert_export(t.store, "people", NULL, "a\n1\n\n", 5);
  import_end(&t);
  t = import_text(*state, "a,b", &(dm_import_options){.csv = {.header = DM_YES}}); /* rows behind a header without newline */
  test_exec(t.store, "INSERT INTO people(a, b) VALUES('x', 'y')");
  size_t n;
  char *got = export_bytes(t.store, "people", NULL, &n);
  assert_memory_equal(got, "a,b\nx,y", 7);
  free(got);
  import_end(&t);
}

static void changed_columns_get_a_header_of_their_own(void **state) {
  imported t = import_text(*state, "\"a\",b\n1,x\n", NULL);
  test_exec(t.store, "ALTER TABLE people RENAME COLUMN b TO c");
  assert_export(t.store, "people", NULL, "a,c\n1,x\n", 8);
  test_exec(t.store, "ALTER TABLE people ADD COLUMN d INTEGER DEFAULT 7");
  assert_export(t.store, "people", NULL, "a,c,d\n1,x,7\n", 12);
  import_end(&t);
  static const char *const names[] = {"p", "q"};
  t = import_text(*state, "\"a\",b\n1,x\n", &(dm_import_options){.csv = {.header = DM_YES, .columns = names, .n_columns = 2}});
  assert_export(t.store, "people", NULL, "p,q\n1,x\n", 8);
  import_end(&t);
}

static void other_encodings_come_back_as_utf8(void **state) {
  static const char latin[] = "name,n\nAndr\xE9,1\nZo\xEB,2\n", utf8[] = "name,n\nAndr\xC3\xA9,1\nZo\xC3\xAB,2\n";
  imported t = import_bytes(*state, latin, strlen(latin), &(dm_import_options){.csv = {.encoding = "ISO-8859-1"}});
  assert_export(t.store, "people", NULL, utf8, strlen(utf8));
  import_end(&t);
  char utf16[128] = "\xFF\xFE";
  size_t n = 2;
  for (const char *p = "name,n\nAnna,1\n"; *p; p++) utf16[n++] = *p, utf16[n++] = 0;
  t = import_bytes(*state, utf16, n, NULL);
  assert_export(t.store, "people", NULL, "name,n\nAnna,1\n", 14);
  import_end(&t);
}

/* ---- failures ------------------------------------------------------------------------------- */

static void failures_leave_the_old_file(void **state) {
  imported t = import_text(*state, "a,b\n1,x\n", NULL);
  dm_error err = {0};
  char path[128];
  uint64_t rows = 99;
  test_path(path, "old.csv");
  test_write(path, "old", 3);
  assert_int_equal(dm_store_export(t.store, "poeple", path, NULL, &rows, &err), DM_EUSAGE);
  assert_non_null(strstr(err.hint, "people"));
  assert_int_equal(dm_store_export(t.store, "SELECT abs(-9223372036854775808) AS x FROM people", path, NULL, &rows, &err), DM_EINPUT);
  assert_int_equal(dm_store_export(t.store, "DELETE FROM people", path, NULL, &rows, &err), DM_EUSAGE);
  assert_int_equal(rows, 99);
  size_t n;
  char *got = test_read(path, &n);
  assert_int_equal(n, 3);
  assert_memory_equal(got, "old", 3);
  free(got);
  assert_int_equal(dm_store_export(t.store, "people", "/nowhere/x.csv", NULL, &rows, &err), DM_EIO);
  import_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test_with_ctx(clean_files_come_back),
      test_with_ctx(our_datasets_come_back),
      test_with_ctx(the_spectrum_comes_back),
      test_with_ctx(random_tables_come_back),
      test_with_ctx(values_that_do_not_fit_the_format_keep_their_digits),
      test_with_ctx(text_is_quoted_where_a_reader_would_lose_it),
      test_with_ctx(dm_id_is_left_out_unless_asked_for),
      test_with_ctx(a_select_keeps_number_formats),
      test_with_ctx(tsv_and_json_lines),
      test_with_ctx(an_empty_last_record_is_not_lost),
      test_with_ctx(changed_columns_get_a_header_of_their_own),
      test_with_ctx(other_encodings_come_back_as_utf8),
      test_with_ctx(failures_leave_the_old_file),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
