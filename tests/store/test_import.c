/* import: rows, types, markers, rejects, widening, appending, bad input. */
#include "import_test.h"
#include "store/sqlite.h"

/* ---- what comes in ------------------------------------------------------------- */

static void rows_types_and_records_are_written(void **state) {
  imported t = import_text(*state, "name,age,height,born\nAnna,31,1.62,2001-02-03\nBen,,1.80,1999-12-31\n", NULL);
  assert_string_equal(t.result.table, "people");
  assert_int_equal(t.result.rows, 2);
  assert_int_equal(t.result.rejects, 0);
  assert_int_equal(t.result.n_columns, 4);
  assert_query(&t, "SELECT group_concat(type || ':' || strict) FROM pragma_table_list('people')", "table:1");
  assert_query(&t, "SELECT group_concat(name || ' ' || type) FROM pragma_table_info('people')",
               "dm_id INTEGER,name TEXT,age INTEGER,height REAL,born TEXT");
  assert_query(&t, "SELECT group_concat(dm_id || ':' || name || ':' || typeof(age) || ':' || height) FROM people",
               "1:Anna:integer:1.62,2:Ben:null:1.8");
  assert_query(&t, "SELECT group_concat(name || ' ' || type || ' ' || format || ' ' || missing_markers, ' | ') FROM"
                   " (SELECT * FROM dm_column ORDER BY name)",
               "age INTEGER integer [\"\"] | born TEXT text [] | height REAL decimals:2 [] | name TEXT text []");
  assert_query(&t, "SELECT records || ' ' || accepted || ' ' || rejected || ' ' || bytes || ' ' || format || ' ' || table_name FROM dm_source",
               "2 2 0 66 csv people");
  assert_int_equal(strlen(import_query(&t, "SELECT sha256 FROM dm_source")), 64);
  assert_query(&t, "SELECT substr(uri, 1, 1) FROM dm_source", "/");
  assert_query(&t, "SELECT command || ' ' || status || ' ' || (ended IS NOT NULL) FROM dm_run", "import done 1");
  assert_query(&t, "SELECT group_concat(first_id || ' ' || first_record || ' ' || line || ' ' || byte_offset) FROM dm_origin", "1 1 2 21");
  import_end(&t);
}

static void numbers_that_would_not_print_back_stay_text(void **state) {
  static const char *const cells[] = {"007", "12345678901234567890", "+1", "-0", "1_000", "2001-02-03", " 1", "0x10", "1,5", "1e400", "nan"};
  for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
    char text[200];
    dm_import_options o = {.csv = {.delimiter = ';', .header = DM_YES, .trim = DM_NO}};
    (void)snprintf(text, sizeof text, "x;y\n%s;1\n17;2\n", cells[i]);
    imported t = import_text(*state, text, &o);
    if (t.result.columns[0].type != DM_TEXT) fail_msg("'%s' became %s", cells[i], dm_type_name(t.result.columns[0].type));
    assert_int_equal(t.result.columns[1].type, DM_INTEGER);
    assert_query(&t, "SELECT x FROM people", cells[i]);
    assert_export(t.store, "people", NULL, text, strlen(text));
    import_end(&t);
  }
}

static void integers_beyond_double_are_kept(void **state) {
  static const char text[] = "x,y\n9007199254740993,1\n-9223372036854775808,2\n";
  imported t = import_text(*state, text, NULL);
  assert_query(&t, "SELECT x FROM people", "9007199254740993");
  assert_int_equal(t.result.columns[0].type, DM_INTEGER);
  assert_export(t.store, "people", NULL, text, strlen(text));
  import_end(&t);
  static const char mixed[] = "x,y\n9007199254740993,1\n0.5,2\n"; /* no double prints the first, no integer the second */
  t = import_text(*state, mixed, NULL);
  assert_int_equal(t.result.columns[0].type, DM_TEXT);
  assert_export(t.store, "people", NULL, mixed, strlen(mixed));
  import_end(&t);
}

/* ---- missing values --------------------------------------------------------------- */

static void markers_become_null_and_are_kept(void **state) {
  static const char *const nulls[] = {"NA", "?"};
  dm_import_options o = {.csv = {.nulls = nulls, .n_nulls = 2}};
  imported t = import_text(*state, "a,b,c,d\n1,NA,x,\n?,2.5,y,\nNA,1.5,\"\",\nNA,NA,,\n", &o);
  assert_query(&t, "SELECT group_concat(coalesce(a, 'N')) FROM people", "1,N,N,N");
  assert_query(&t, "SELECT group_concat(coalesce(b, 'N')) FROM people", "N,2.5,1.5,N");
  assert_query(&t, "SELECT group_concat(coalesce('[' || c || ']', 'N')) FROM people", "[x],[y],[],N");
  assert_query(&t, "SELECT missing_markers FROM dm_column WHERE name = 'a'", "[\"NA\",\"?\"]");
  assert_query(&t, "SELECT missing_markers FROM dm_column WHERE name = 'b'", "[\"NA\"]");
  assert_query(&t, "SELECT missing_markers FROM dm_column WHERE name = 'c'", "[\"\"]");
  assert_query(&t, "SELECT type FROM dm_column WHERE name = 'd'", "TEXT");
  assert_true(import_has_note(&t, "column 'a': missing is spelt 'NA' (2), '?' (1); export writes 'NA'"));
  assert_false(import_has_note(&t, "column 'c'"));
  import_end(&t);
}

static void look_alikes_are_named(void **state) {
  imported t = import_text(*state, "a,b\n1,x\nNA,y\n3,z\n", NULL);
  assert_int_equal(t.result.columns[0].type, DM_TEXT);
  assert_true(import_has_note(&t, "--null NA would make it INTEGER"));
  import_end(&t);
  t = import_text(*state, "a,b\n1,x\nNA,y\nthree,z\n", NULL); /* not the only thing in the way */
  assert_false(import_has_note(&t, "--null"));
  import_end(&t);
}

static void quoted_empty_cells_of_numbers_come_back(void **state) {
  static const char text[] = "a,b\n1,x\n\"\",y\n3,\"\"\n";
  imported t = import_text(*state, text, NULL);
  assert_query(&t, "SELECT group_concat(typeof(a)) FROM people", "integer,null,integer");
  assert_query(&t, "SELECT group_concat(typeof(b)) FROM people", "text,text,text");
  assert_export(t.store, "people", NULL, text, strlen(text));
  import_end(&t);
}

/* ---- rejects ------------------------------------------------------------------------- */

static const char ragged[] = "a,b\n1,x\n2\n3,y\n4,z,7\n5,w\n";

static void records_that_do_not_fit_are_kept(void **state) {
  imported t = import_text(*state, ragged, NULL);
  assert_int_equal(t.result.rows, 3);
  assert_int_equal(t.result.rejects, 2);
  assert_query(&t, "SELECT group_concat(dm_id || ':' || a) FROM people", "1:1,2:3,3:5");
  assert_query(&t, "SELECT group_concat(record || ' ' || line || ' ' || byte_offset || ' ' || typeof(raw) || ' ' || rtrim(CAST(raw AS TEXT), char(10)), ' | ')"
                   " FROM dm_reject",
               "2 3 8 blob 2 | 4 5 14 blob 4,z,7");
  assert_query(&t, "SELECT count(*) FROM dm_reject WHERE reason LIKE '% field%, header has 2'", "2");
  assert_query(&t, "SELECT group_concat(first_id || ':' || first_record || ':' || line) FROM dm_origin", "1:1:2,2:3:4,3:5:6");
  assert_query(&t, "SELECT records || ' ' || accepted || ' ' || rejected FROM dm_source", "5 3 2");
  import_end(&t);
}

static void strict_writes_nothing(void **state) {
  imported t = import_begin(*state, "people.csv", ragged, strlen(ragged));
  dm_error err = {0};
  dm_import_options o = {.strict = true};
  assert_int_equal(import_try(&t, &o, &err), DM_EINPUT);
  assert_string_equal(err.file, t.path);
  assert_int_equal(err.line, 3);
  assert_non_null(strstr(err.message, "header has 2"));
  assert_string_equal(err.excerpt, "2");
  assert_query(&t, "SELECT count(*) FROM sqlite_schema", "0");
  o.strict = false;
  import_run(&t, &o);
  assert_int_equal(t.result.rejects, 2);
  import_end(&t);
}

static void broken_bytes_are_kept_exactly(void **state) {
  static const char text[] = "a,b\n1,x\n2,\xFF\xFE\n3,y\n4,n\0l\n5,z\n6,\"open\n7,w\n";
  dm_import_options o = {.csv = {.header = DM_YES, .delimiter = ',', .encoding = "UTF-8"}};
  imported t = import_bytes(*state, text, sizeof text - 1, &o);
  assert_int_equal(t.result.rejects, 3);
  assert_query(&t, "SELECT group_concat(a || b) FROM people", "1x,3y,5z,7w");
  assert_query(&t, "SELECT group_concat(record || ':' || line || ':' || hex(raw), ' ') FROM dm_reject", "2:3:322CFFFE 4:5:342C6E006C 6:7:362C226F70656E");
  assert_query(&t, "SELECT count(DISTINCT reason) FROM dm_reject", "3");
  import_end(&t);
}

/* ---- the CSV spectrum --------------------------------------------------------------- */

static void compare_with_twin(imported *t, const dm_json *records, const char *name) {
  int64_t row = 0;
  for (const dm_json *r = records->first; r; r = r->next) {
    row++;
    for (const dm_json *cell = r->first; cell; cell = cell->next) {
      char sql[512];
      sqlite3_snprintf(sizeof sql, sql, "SELECT coalesce(\"%w\", '') FROM people WHERE dm_id = %lld", cell->key, (long long)row);
      const char *got = import_query(t, sql);
      if (strcmp(got, cell->string.p) != 0) fail_msg("%s: row %lld, %s: '%s', want '%s'", name, (long long)row, cell->key, got, cell->string.p);
    }
  }
  assert_int_equal(t->result.rows, row);
  assert_int_equal(t->result.rejects, 0);
}

static void the_spectrum_equals_its_json_twins(void **state) {
  char directory[600], path[900];
  const char *shared = getenv("DM_SHARED");
  (void)snprintf(directory, sizeof directory, "%s/data/csv/spectrum", shared ? shared : "");
  DIR *d = opendir(directory);
  if (!d) skip();
  dm_import_options o = {.table = "people", .csv = {.header = DM_YES, .all_text = true, .trim = DM_NO}};
  size_t files = 0;
  for (struct dirent *e = readdir(d); e; e = readdir(d)) {
    size_t length = strlen(e->d_name), n, n_json;
    if (length < 5 || strcmp(e->d_name + length - 4, ".csv") != 0) continue;
    (void)snprintf(path, sizeof path, "%s/%s", directory, e->d_name);
    char *text = test_read(path, &n);
    (void)snprintf(path, sizeof path, "%s-json/%.*s.json", directory, (int)(length - 4), e->d_name);
    char *json = test_read(path, &n_json);
    const dm_json *records;
    imported t = import_bytes(*state, text, n, &o);
    assert_int_equal(dm_json_parse(t.arena, json, n_json, &records, NULL), DM_OK);
    compare_with_twin(&t, records, e->d_name);
    free(text);
    free(json);
    import_end(&t);
    files++;
  }
  closedir(d);
  assert_int_equal(files, 11);
}

/* ---- widening ------------------------------------------------------------------------- */

/* n rows "i,text"; row `odd` has `cell` in place of its number. Far from the file's start, middle and end, that is outside of the sample. */
static char *numbers(size_t n, size_t odd, const char *cell, const char *format, size_t *length) {
  char *text = malloc(n * 64 + 64);
  assert_non_null(text);
  size_t at = (size_t)sprintf(text, "k,zip\n");
  for (size_t i = 0; i < n; i++) {
    at += (size_t)sprintf(text + at, "row %zu and some text to fill it,", i);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    at += i == odd ? (size_t)sprintf(text + at, "%s", cell) : (size_t)sprintf(text + at, format, (double)i);
#pragma GCC diagnostic pop
    text[at++] = '\n';
  }
  *length = at;
  return text;
}

static void check_widening(dm_ctx *ctx, const char *cell, const char *format, dm_type type, const char *note) {
  size_t n;
  char *text = numbers(100000, 36000, cell, format, &n);
  imported t = import_bytes(ctx, text, n, NULL);
  assert_int_equal(t.result.rows, 100000);
  if (t.result.columns[1].type != type) fail_msg("'%s' gave %s", cell, dm_type_name(t.result.columns[1].type));
  if (!import_has_note(&t, note)) fail_msg("no note '%s' but '%s'", note, t.result.n_notes ? t.result.notes[0] : "");
  assert_export(t.store, "people", NULL, text, n);
  assert_query(&t, "SELECT count(*) || ' ' || min(dm_id) || ' ' || max(dm_id) FROM people", "100000 1 100000");
  assert_query(&t, "SELECT count(DISTINCT source_id) FROM dm_origin", "1");
  free(text);
  import_end(&t);
}

static void a_cell_that_does_not_fit_widens_its_column(void **state) {
  check_widening(*state, "N/A", "%.0f", DM_TEXT, "column 'zip': widened from INTEGER to TEXT at people.csv:36002 ('N/A'); --null N/A would keep it INTEGER");
  check_widening(*state, "0123", "%.0f", DM_TEXT, "widened from INTEGER to TEXT at people.csv:36002 ('0123')");
  check_widening(*state, "36000.5", "%.0f", DM_REAL, "column 'zip': widened from INTEGER to REAL at people.csv:36002 ('36000.5')");
  check_widening(*state, "1.5", "%.2f", DM_TEXT, "widened from REAL to TEXT at people.csv:36002 ('1.5')");
}

static void a_column_that_is_empty_in_the_sample_gets_its_type(void **state) {
  size_t n;
  char *text = numbers(100000, 36000, "17", "%.0f", &n), *out = malloc(n);
  assert_non_null(out);
  size_t at = 0, line = 0; /* empties all cells of zip but the odd one */
  for (const char *p = text; *p; line++) {
    const char *end = strchr(p, '\n') + 1, *comma = memchr(p, ',', (size_t)(end - p));
    size_t keep = line == 0 || line == 36001 ? (size_t)(end - p) - 1 : (size_t)(comma + 1 - p);
    memcpy(out + at, p, keep);
    at += keep;
    out[at++] = '\n';
    p = end;
    if (p >= text + n) break;
  }
  imported t = import_bytes(*state, out, at, NULL);
  assert_int_equal(t.result.columns[1].type, DM_INTEGER);
  assert_query(&t, "SELECT zip FROM people WHERE zip IS NOT NULL", "17");
  assert_true(import_has_note(&t, "column 'zip': TEXT on the sample, INTEGER after reading all of people.csv"));
  assert_export(t.store, "people", NULL, out, at);
  free(text);
  free(out);
  import_end(&t);
}

/* ---- tables that are there ------------------------------------------------------------- */

static void second_file(imported *t, const char *text, dm_import_options o, dm_status want, const char *message) {
  dm_error err = {0};
  test_write(t->path, text, strlen(text));
  dm_status s = import_try(t, &o, &err);
  if (s != want) fail_msg("status %d, want %d: %s", s, want, err.message);
  if (message && !strstr(err.message, message)) fail_msg("'%s', want '%s'", err.message, message);
}

static void a_table_that_exists_is_refused(void **state) {
  imported t = import_text(*state, "a,b\n1,2\n", NULL);
  second_file(&t, "a,b\n3,4\n", (dm_import_options){.append = false}, DM_EUSAGE, "table 'people' exists");
  assert_query(&t, "SELECT count(*) FROM people", "1");
  assert_query(&t, "SELECT count(*) FROM dm_source", "1");
  test_exec(t.store, "CREATE VIEW v AS SELECT 1");
  second_file(&t, "a,b\n3,4\n", (dm_import_options){.table = "v", .replace = true}, DM_EUSAGE, "'v' is the name of a view");
  second_file(&t, "a,b\n3,4\n", (dm_import_options){.append = true, .replace = true}, DM_EUSAGE, "exclude each other");
  import_end(&t);
}

static void append_goes_on(void **state) {
  imported t = import_text(*state, "a,b\n1,x\n2,y\n", NULL);
  second_file(&t, "B,A\nz,3\nonly\n,4\n", (dm_import_options){.append = true}, DM_OK, NULL);
  assert_int_equal(t.result.rows, 2);
  assert_query(&t, "SELECT group_concat(dm_id || ':' || a || ':' || coalesce(b, 'N')) FROM people", "1:1:x,2:2:y,3:3:z,4:4:N");
  assert_query(&t, "SELECT group_concat(source_id || ':' || first_id || ':' || first_record) FROM dm_origin", "1:1:1,2:3:1,2:4:3");
  assert_query(&t, "SELECT count(*) FROM dm_reject WHERE source_id = 2", "1");
  assert_query(&t, "SELECT missing_markers FROM dm_column WHERE name = 'b'", "[\"\"]");
  second_file(&t, "a,c\n1,2\n", (dm_import_options){.append = true}, DM_EUSAGE, "column 'c' is in the file, not in the table");
  second_file(&t, "a,b,c\n1,2,3\n", (dm_import_options){.append = true}, DM_EUSAGE, "column 'c' is in the file");
  second_file(&t, "a\n1\n", (dm_import_options){.append = true, .csv = {.delimiter = ','}}, DM_EUSAGE, "column 'b' is in the table");
  second_file(&t, "1,2,3\n", (dm_import_options){.append = true, .csv = {.header = DM_NO}}, DM_EUSAGE, "3 columns, table 'people' has 2");
  assert_query(&t, "SELECT count(*) FROM people", "4");
  import_end(&t);
}

static void append_widens_the_table(void **state) {
  imported t = import_text(*state, "a,b,c\n1,1.50,5\n2,2.25,6\n", NULL);
  test_exec(t.store, "CREATE INDEX people_a ON people(a)");
  test_exec(t.store, "CREATE VIEW total AS SELECT sum(a) AS n FROM people");
  test_exec(t.store, "INSERT INTO dm_change(run_id, table_name, row_id, column, old, new, rule) VALUES(1, 'people', 1, 'b', 1.5, 2.5, 'x')");
  second_file(&t, "a,b,c\n7,3.125,9\n8,none given,2.5\n", (dm_import_options){.append = true}, DM_OK, NULL);
  assert_query(&t, "SELECT group_concat(name || ' ' || type) FROM pragma_table_info('people')", "dm_id INTEGER,a INTEGER,b TEXT,c REAL");
  assert_query(&t, "SELECT group_concat(b, '|') FROM people", "1.50|2.25|3.125|none given");
  assert_query(&t, "SELECT group_concat(c, '|') FROM people", "5.0|6.0|9.0|2.5");
  assert_query(&t, "SELECT old || ' ' || new FROM dm_change", "1.50 2.50");
  assert_query(&t, "SELECT count(*) FROM sqlite_schema WHERE name = 'people_a'", "1");
  assert_query(&t, "SELECT n FROM total", "18");
  assert_query(&t, "SELECT format FROM dm_column WHERE name = 'c'", "shortest-int");
  assert_true(import_has_note(&t, "column 'b': widened from REAL to TEXT in the table"));
  assert_true(import_has_note(&t, "column 'c': widened from INTEGER to REAL in the table"));
  static const char whole[] = "a,b,c\n1,1.50,5\n2,2.25,6\n7,3.125,9\n8,none given,2.5\n";
  assert_export(t.store, "people", NULL, whole, strlen(whole));
  import_end(&t);
}

static void append_with_another_number_format_keeps_all_bytes(void **state) {
  imported t = import_text(*state, "a,b\n1.50,x\n2.00,y\n", NULL);
  second_file(&t, "a,b\n3.5,z\n", (dm_import_options){.append = true}, DM_OK, NULL);
  assert_query(&t, "SELECT type FROM dm_column WHERE name = 'a'", "TEXT");
  assert_query(&t, "SELECT group_concat(a) FROM people", "1.50,2.00,3.5");
  import_end(&t);
  t = import_text(*state, "a,b\n1.5,x\n2.25,y\n", NULL);
  second_file(&t, "a,b\n3.125,z\n", (dm_import_options){.append = true}, DM_OK, NULL);
  assert_query(&t, "SELECT type || ' ' || format FROM dm_column WHERE name = 'a'", "REAL shortest");
  import_end(&t);
}

static void replace_takes_all_of_the_old_table_away(void **state) {
  imported t = import_text(*state, ragged, NULL);
  test_exec(t.store, "INSERT INTO dm_change(run_id, table_name, row_id, column, old, new, rule) VALUES(1, 'people', 1, 'b', 'p', 'q', 'x')");
  second_file(&t, "c\n9\n", (dm_import_options){.replace = true, .csv = {.delimiter = ','}}, DM_OK, NULL);
  assert_query(&t, "SELECT group_concat(name) FROM pragma_table_info('people')", "dm_id,c");
  assert_query(&t, "SELECT (SELECT count(*) FROM dm_reject) || (SELECT count(*) FROM dm_change) || (SELECT count(*) FROM dm_source) ||"
                   " (SELECT count(*) FROM dm_column) || (SELECT count(*) FROM dm_origin)",
               "00111");
  assert_query(&t, "SELECT group_concat(status) FROM dm_run", "replaced,done");
  import_end(&t);
}

static void a_failed_replace_leaves_the_old_table(void **state) {
  imported t = import_text(*state, "a,b\n1,2\n", NULL);
  second_file(&t, ragged, (dm_import_options){.replace = true, .strict = true}, DM_EINPUT, "1 field, header has 2");
  assert_query(&t, "SELECT group_concat(a || b) FROM people", "12");
  assert_query(&t, "SELECT count(*) FROM dm_source", "1");
  import_end(&t);
}

/* ---- names ------------------------------------------------------------------------------ */

static void table_names_come_from_files(void **state) {
  static const char *const cases[][2] = {{"/x/people.csv", "people"},   {"a-b c.tsv", "a_b_c"},         {"2024.csv", "t_2024"},
                                         {"/x/.csv", "_csv"},           {"archive.tar.csv", "archive_tar"}, {"\xC3\xA4pfel.csv", "\xC3\xA4pfel"},
                                         {"bad\xFF.csv", "bad_"},       {"noext", "noext"}, {"-", "data"}};
  dm_arena *arena;
  assert_int_equal(dm_arena_new(*state, 0, &arena, NULL), DM_OK);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *name;
    assert_int_equal(dm_import_table_name(cases[i][0], arena, &name, NULL), DM_OK);
    assert_string_equal(name, cases[i][1]);
  }
  dm_arena_free(arena);
}

static void names_of_tables_are_checked(void **state) {
  imported t = import_begin(*state, "dm_x.csv", "a,b\n1,2\n", 8);
  dm_error err = {0};
  assert_int_equal(import_try(&t, NULL, &err), DM_EUSAGE);
  assert_non_null(strstr(err.message, "dm_x"));
  assert_non_null(strstr(err.hint, "--table"));
  static const char *const bad[] = {"sqlite_x", "DM_X", "", "a\nb", "\xFF"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    dm_import_options o = {.table = bad[i]};
    assert_int_equal(import_try(&t, &o, &err), DM_EUSAGE);
  }
  dm_import_options o = {.table = "x\"; DROP TABLE y; --"};
  import_run(&t, &o);
  assert_string_equal(t.result.table, o.table);
  assert_query(&t, "SELECT a FROM \"x\"\"; DROP TABLE y; --\"", "1");
  import_end(&t);
}

static void odd_column_names_work(void **state) {
  static const char text[] = "\"a\"\"b\",x'; DROP TABLE people; --,a,A,,dm_id,\"two\nlines\"\n1,2,3,4,5,6,7\n";
  dm_import_options o = {.csv = {.header = DM_YES}};
  imported t = import_text(*state, text, &o);
  assert_int_equal(t.result.n_columns, 7);
  assert_query(&t, "SELECT \"a\"\"b\" || \"x'; DROP TABLE people; --\" || dm_id || dm_id_2 FROM people", "1216");
  assert_true(import_has_note(&t, "'dm_id_2'"));
  assert_export(t.store, "people", NULL, text, strlen(text));
  import_end(&t);
}

static void wide_files_work_to_sqlites_limit(void **state) {
  dm_buf text;
  dm_buf_init(&text, *state, NULL);
  for (unsigned wide = 700; wide <= 2100; wide += 1400) {
    dm_buf_reset(&text);
    for (unsigned i = 0; i < wide; i++) dm_buf_printf(&text, "%sc%u", i ? "," : "", i);
    for (unsigned r = 0; r < 50; r++) {
      dm_buf_addc(&text, '\n');
      for (unsigned i = 0; i < wide; i++) dm_buf_printf(&text, "%s%u", i ? "," : "", r * i);
    }
    dm_buf_addc(&text, '\n');
    imported t = import_begin(*state, "people.csv", text.p, text.n);
    dm_error err = {0};
    if (wide == 700) {
      import_run(&t, NULL);
      assert_query(&t, "SELECT c699 FROM people WHERE dm_id = 50", "34251");
      assert_export(t.store, "people", NULL, text.p, text.n);
    } else {
      assert_int_equal(import_try(&t, NULL, &err), DM_EINPUT);
      assert_non_null(strstr(err.message, "2100 columns"));
    }
    import_end(&t);
  }
  dm_buf_clear(&text);
}

/* ---- bad input --------------------------------------------------------------------------- */

static void files_that_cannot_be_read_say_so(void **state) {
  imported t = import_begin(*state, "people.csv", "", 0);
  dm_error err = {0};
  assert_int_equal(import_try(&t, NULL, &err), DM_EINPUT); /* empty */
  assert_int_equal(dm_store_import(t.store, "/nowhere/x.csv", NULL, t.arena, &t.result, &err), DM_EIO);
  assert_int_equal(dm_store_import(t.store, test_directory, &(dm_import_options){.table = "t"}, t.arena, &t.result, &err), DM_EIO);
  assert_query(&t, "SELECT count(*) FROM sqlite_schema", "0");
  import_end(&t);
}

static void a_header_alone_makes_an_empty_table(void **state) {
  imported t = import_text(*state, "name,age\n", &(dm_import_options){.csv = {.header = DM_YES}});
  assert_int_equal(t.result.rows, 0);
  assert_query(&t, "SELECT group_concat(name || ' ' || type) FROM pragma_table_info('people')", "dm_id INTEGER,name TEXT,age TEXT");
  assert_true(import_has_note(&t, "a header and no records"));
  assert_export(t.store, "people", NULL, "name,age\n", 9);
  import_end(&t);
}

static void a_cancelled_import_leaves_nothing(void **state) {
  dm_ctx *ctx = NULL;
  (void)state;
  dm_ctx_options o = {.threads = 2};
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  imported t = import_begin(ctx, "people.csv", "a,b\n1,2\n", 8);
  dm_error err = {0};
  dm_ctx_cancel(ctx);
  assert_int_equal(import_try(&t, NULL, &err), DM_ECANCEL);
  import_end(&t);
  dm_ctx_free(ctx);
}

static void a_read_only_database_is_left_alone(void **state) {
  char path[128];
  imported t = import_begin(*state, "people.csv", "a,b\n1,2\n", 8);
  test_path(path, "ro.db");
  dm_store *store = test_open(*state, path, DM_STORE_CREATE);
  test_exec(store, "CREATE TABLE x(a)");
  dm_store_close(store);
  store = test_open(*state, path, DM_STORE_READ);
  dm_error err = {0};
  assert_int_equal(dm_store_import(store, t.path, NULL, t.arena, &t.result, &err), DM_EIO);
  assert_int_equal(test_int(store, "SELECT count(*) FROM sqlite_schema"), 1);
  dm_store_close(store);
  import_end(&t);
}

/* ---- no memory ------------------------------------------------------------------------------ */

typedef struct scarce {
  size_t left; /* allocations that still work */
  size_t held;
} scarce;

static void *scarce_allocate(void *user, size_t size, size_t alignment) {
  scarce *s = user;
  if (s->left == 0) return NULL;
  s->left--;
  s->held++;
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void scarce_release(void *user, void *block) {
  scarce *s = user;
  s->held -= block != NULL;
  free(block);
}

/* Import, export, origin and file frame with the k-th allocation failing and all behind it. @return true when none had to fail */
static bool all_with(size_t k, const char *path, const char *out) {
  scarce s = {.left = k};
  dm_ctx *ctx = NULL;
  dm_store *store = NULL;
  dm_arena *arena = NULL;
  dm_import_result result;
  dm_origin origin;
  dm_frame *frame = NULL;
  dm_error err = {0};
  dm_ctx_options o = {.allocate = scarce_allocate, .release = scarce_release, .user = &s, .threads = 1};
  dm_status status = dm_ctx_new(&o, &ctx, &err);
  if (status == DM_OK) status = dm_store_open(ctx, ":memory:", DM_STORE_CREATE, &store, &err);
  if (status == DM_OK) status = dm_arena_new(ctx, 0, &arena, &err);
  if (status == DM_OK) status = dm_store_import(store, path, NULL, arena, &result, &err);
  if (status == DM_OK) status = dm_store_import(store, path, &(dm_import_options){.append = true}, arena, &result, &err);
  if (status == DM_OK) status = dm_store_export(store, "people", out, NULL, NULL, &err);
  if (status == DM_OK) status = dm_store_origin(store, "people", 3, arena, &origin, &err);
  if (status == DM_OK) status = dm_file_frame(ctx, path, NULL, &frame, NULL, &err);
  if (status != DM_OK && status != DM_EBUDGET) fail_msg("allocation %zu: %s", k, err.message);
  if (status != DM_OK) assert_int_equal(err.code, DM_EBUDGET);
  if (frame) dm_frame_free(frame);
  dm_arena_free(arena);
  dm_store_close(store);
  dm_ctx_free(ctx);
  assert_int_equal(s.held, 0);
  return status == DM_OK;
}

static void every_allocation_may_fail(void **state) {
  imported t = import_text(*state, "a,b,c\n1,x,0.50\n2,\"y,z\",1.25\nbad\n,y,\n", NULL);
  char out[128];
  test_path(out, "scarce.csv");
  size_t k = 0;
  while (k < 2000 && !all_with(k, t.path, out)) k++;
  assert_in_range(k, 50, 1999);
  import_end(&t);
}

/* ---- the same for all ---------------------------------------------------------------------- */

static void one_thread_and_two_give_the_same_database(void **state) {
  (void)state;
  char hash[2][DM_SHA256_HEX];
  size_t n;
  char *text = numbers(30000, 12000, "not a number, with a comma", "%.1f", &n); /* one field too many: a reject */
  for (unsigned threads = 1; threads <= 2; threads++) {
    dm_ctx *ctx = NULL;
    dm_ctx_options o = {.threads = threads};
    assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
    imported t = import_bytes(ctx, text, n, NULL);
    assert_int_equal(t.result.rejects, 1);
    assert_int_equal(t.result.rows, 29999);
    dm_frame *frame;
    assert_int_equal(dm_store_frame(t.store, "SELECT *, (SELECT count(*) || sum(first_id * line) FROM dm_origin) AS o FROM people", NULL, 0,
                                    &frame, hash[threads - 1], NULL),
                     DM_OK);
    dm_frame_free(frame);
    import_end(&t);
    assert_int_equal(dm_ctx_memory(ctx), 0);
    dm_ctx_free(ctx);
  }
  assert_string_equal(hash[0], hash[1]);
  free(text);
}

static void a_file_gives_the_frame_of_its_table(void **state) {
  static const char text[] = "a,b,c\n1,x,0.5\n2,,1.5\n,y,\nbad\n4,x,2.5\n";
  imported t = import_text(*state, text, NULL);
  dm_frame *file, *table;
  char file_hash[DM_SHA256_HEX], table_hash[DM_SHA256_HEX];
  assert_int_equal(dm_file_frame(*state, t.path, NULL, &file, file_hash, NULL), DM_OK);
  assert_int_equal(dm_store_frame(t.store, "people", NULL, 0, &table, table_hash, NULL), DM_OK);
  assert_string_equal(file_hash, table_hash);
  assert_int_equal(file->n, 4);
  assert_int_equal(file->d, 3);
  assert_int_equal(file->columns[1].kind, DM_CATEGORY);
  assert_int_equal(file->columns[1].levels.n, 2);
  for (size_t i = 0; i < 3; i++)
    assert_memory_equal(file->columns[i].values, table->columns[i].values, 4 * sizeof(double));
  dm_frame_free(file);
  dm_frame_free(table);
  import_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test_with_ctx(rows_types_and_records_are_written),
      test_with_ctx(numbers_that_would_not_print_back_stay_text),
      test_with_ctx(integers_beyond_double_are_kept),
      test_with_ctx(markers_become_null_and_are_kept),
      test_with_ctx(look_alikes_are_named),
      test_with_ctx(quoted_empty_cells_of_numbers_come_back),
      test_with_ctx(records_that_do_not_fit_are_kept),
      test_with_ctx(strict_writes_nothing),
      test_with_ctx(broken_bytes_are_kept_exactly),
      test_with_ctx(the_spectrum_equals_its_json_twins),
      test_with_ctx(a_cell_that_does_not_fit_widens_its_column),
      test_with_ctx(a_column_that_is_empty_in_the_sample_gets_its_type),
      test_with_ctx(a_table_that_exists_is_refused),
      test_with_ctx(append_goes_on),
      test_with_ctx(append_widens_the_table),
      test_with_ctx(append_with_another_number_format_keeps_all_bytes),
      test_with_ctx(replace_takes_all_of_the_old_table_away),
      test_with_ctx(a_failed_replace_leaves_the_old_table),
      test_with_ctx(table_names_come_from_files),
      test_with_ctx(names_of_tables_are_checked),
      test_with_ctx(odd_column_names_work),
      test_with_ctx(wide_files_work_to_sqlites_limit),
      test_with_ctx(files_that_cannot_be_read_say_so),
      test_with_ctx(a_header_alone_makes_an_empty_table),
      test_with_ctx(a_cancelled_import_leaves_nothing),
      test_with_ctx(a_read_only_database_is_left_alone),
      test_with_ctx(every_allocation_may_fail),
      test_with_ctx(one_thread_and_two_give_the_same_database),
      test_with_ctx(a_file_gives_the_frame_of_its_table),
  };
  return cmocka_run_group_tests(tests, test_make_directory, test_remove_directory);
}
