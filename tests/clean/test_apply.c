/* Each step does what it says, to the cell and its type, and undo puts everything back. */
#include "clean_test.h"

#define T "table: t\nsteps:\n"

/* One column `a` of a type with values given in SQL. */
static void make(bench *b, const char *type, const char *values) {
  bench_open(b);
  run_sql(b, dm_arena_printf(b->arena, NULL, "CREATE TABLE t(dm_id INTEGER PRIMARY KEY, \"a\" %s, \"k\" INTEGER) STRICT", type));
  run_sql(b, dm_arena_printf(b->arena, NULL, "INSERT INTO t(a, k) SELECT column1, 1 FROM (VALUES %s)", values));
  run_sql(b, dm_arena_printf(b->arena, NULL, "INSERT INTO dm_column(table_name, name, type, format, missing_markers)"
                             " VALUES('t', 'a', '%s', %s, '[\"\",\"NA\"]'), ('t', 'k', 'INTEGER', 'integer', '[\"\"]')", type,
                             strcmp(type, "TEXT") == 0 ? "NULL" : strcmp(type, "REAL") == 0 ? "'decimals:1'" : "'integer'"));
}

typedef struct example {
  const char *type, *values, *step; /* before */
  const char *after, *type_after;
  uint64_t changed, failed;
} example;

static const example examples[] = {
    {"TEXT", "(' x '), ('y'), (NULL), ('\u00a0 z\u2003')", "trim: {columns: a}", "'x','y',NULL,'z'", "TEXT", 2, 0},
    {"TEXT", "(' x   \t y '), ('')", "trim: {columns: a, collapse: true}", "'x y',''", "TEXT", 1, 0},
    {"TEXT", "('  '), ('b')", "trim: {columns: a, empty: missing}", "NULL,'b'", "TEXT", 1, 0},
    {"TEXT", "('\u00e4B'), ('stra\u00dfe')", "case: {columns: a, to: upper}", "'\u00c4B','STRASSE'", "TEXT", 2, 0},
    {"TEXT", "('ABC'), ('abc')", "case: {columns: '*', to: lower}", "'abc','abc'", "TEXT", 1, 0},
    {"TEXT", "('new york'), ('ROME')", "case: {columns: a, to: title}", "'New York','Rome'", "TEXT", 2, 0},
    {"TEXT", "('a.b.c'), ('abc'), ('')", "replace: {columns: a, pattern: '.', with: '-'}", "'a-b-c','abc',''", "TEXT", 1, 0},
    {"TEXT", "('+49 (30) 12'), ('x')", "replace: {columns: a, pattern: '[^0-9+]', with: '', regex: true}", "'+493012',''", "TEXT", 2, 0},
    {"TEXT", "('Doe, John'), ('x')", "replace: {columns: a, pattern: '^(\\w+), (\\w+)$', with: '$2 $1 $$', regex: true}", "'John Doe $','x'", "TEXT", 1, 0},
    {"TEXT", "('m'), ('f'), ('?'), (NULL)", "recode: {column: a, map: {m: male, f: female, '?': null}}", "'male','female',NULL,NULL", "TEXT", 3, 0},
    {"TEXT", "('m'), ('x')", "recode: {column: a, map: {m: male}, other: missing}", "'male',NULL", "TEXT", 2, 0},
    {"INTEGER", "(1), (2), (9)", "recode: {column: a, map: {1: 10, 9: null}}", "10,2,NULL", "INTEGER", 2, 0},
    {"INTEGER", "(1), (2), (NULL)", "recode: {column: a, map: {1: one}}", "'one','2',NULL", "TEXT", 2, 0},
    {"REAL", "(1.0), (2.5)", "recode: {column: a, map: {1: 3.25}}", "3.25,2.5", "REAL", 1, 0},
    {"REAL", "(1.0), (2.5)", "recode: {column: a, map: {'1.0': one}}", "'one','2.5'", "TEXT", 2, 0},
    {"TEXT", "('12'), (' 7 '), ('3.0'), (NULL), ('-4')", "cast: {columns: a, to: integer}", "12,7,3,NULL,-4", "INTEGER", 4, 0},
    {"TEXT", "('12'), ('x'), ('012')", "cast: {columns: a, to: integer}", "'12','x','12'", "TEXT", 1, 1},
    {"TEXT", "('12'), ('x'), ('9223372036854775808')", "cast: {columns: a, to: integer, on_error: missing}", "12,NULL,NULL", "INTEGER", 3, 2},
    {"TEXT", "('1.5'), ('2')", "cast: {columns: a, to: real}", "1.5,2.0", "REAL", 2, 0},
    {"TEXT", "('9007199254740993'), ('2')", "cast: {columns: a, to: real}", "'9007199254740993','2'", "TEXT", 0, 1},
    {"REAL", "(1.0), (2.0), (NULL)", "cast: {columns: a, to: integer}", "1,2,NULL", "INTEGER", 0, 0},
    {"REAL", "(1.0), (2.5)", "cast: {columns: a, to: integer}", "1.0,2.5", "REAL", 0, 1},
    {"REAL", "(1.0), (2.5)", "cast: {columns: a, to: integer, on_error: missing}", "1,NULL", "INTEGER", 1, 1},
    {"INTEGER", "(1), (2)", "cast: {columns: a, to: real}", "1.0,2.0", "REAL", 0, 0},
    {"INTEGER", "(9007199254740993), (2)", "cast: {columns: a, to: real}", "9007199254740993,2", "INTEGER", 0, 1},
    {"REAL", "(1.0), (2.5)", "cast: {columns: a, to: text}", "'1.0','2.5'", "TEXT", 2, 0},
    {"TEXT", "('1.2.2024'), ('2024-02-30'), ('2024-02-03')", "parse_date: {columns: a, formats: ['%d.%m.%Y', '%F']}", "'2024-02-01','2024-02-30','2024-02-03'", "TEXT", 1, 1},
    {"TEXT", "('1.2.2024'), ('x')", "parse_date: {columns: a, formats: '%d.%m.%Y', on_error: missing}", "'2024-02-01',NULL", "TEXT", 2, 1},
    {"INTEGER", "(20240131), (5)", "parse_date: {columns: a, formats: ['%Y%m%d']}", "'2024-01-31','5'", "TEXT", 2, 1},
    {"TEXT", "('\u20ac 1.234,50'), ('-7'), ('12 \u20ac')", "parse_number: {columns: a, decimal: ',', group: '.', strip: '\u20ac '}", "1234.5,-7.0,12.0", "REAL", 3, 0},
    {"TEXT", "('1,234'), ('12'), (NULL)", "parse_number: {columns: a, group: ','}", "1234,12,NULL", "INTEGER", 2, 0},
    {"TEXT", "('1,23'), ('12,345'), ('+5')", "parse_number: {columns: a, group: ','}", "'1,23','12345','5'", "TEXT", 2, 1},
    {"TEXT", "('-$5'), ('$-6'), ('.5'), ('1e3')", "parse_number: {columns: a, strip: $}", "-5.0,-6.0,0.5,1000.0", "REAL", 4, 0},
    {"INTEGER", "(1), (NULL), (3)", "fill: {columns: a, with: mean}", "1,2,3", "INTEGER", 1, 0},
    {"INTEGER", "(1), (NULL), (4)", "fill: {columns: a, with: median}", "1.0,2.5,4.0", "REAL", 1, 0},
    {"REAL", "(1.5), (NULL), (NULL), (2.0)", "fill: {columns: a, with: mean}", "1.5,1.75,1.75,2.0", "REAL", 2, 0},
    {"TEXT", "('b'), ('a'), (NULL)", "fill: {columns: a, with: mode}", "'b','a','a'", "TEXT", 1, 0},
    {"TEXT", "('b'), (NULL)", "fill: {columns: a, with: {constant: 0}}", "'b','0'", "TEXT", 1, 0},
    {"INTEGER", "(5), (NULL)", "fill: {columns: a, with: {constant: 0.5}}", "5.0,0.5", "REAL", 1, 0},
    {"INTEGER", "(5), (6)", "fill: {columns: a, with: {constant: 0.5}}", "5,6", "INTEGER", 0, 0},
};

static void each_step_does_what_it_says(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
    const example *e = &examples[i];
    bench b;
    make(&b, e->type, e->values);
    const char *before = dump_table(&b, "t");
    dm_apply_result r = apply_good(&b, dm_arena_printf(b.arena, NULL, T "  - %s\n", e->step)), u = {0};
    const char *now = column_text(&b, "t", "a"), *type = sql_text(&b, "SELECT type FROM pragma_table_info('t') WHERE name = 'a'");
    /* group_concat leaves NULL as the text that quote gives */
    if (strcmp(now, e->after) != 0 || strcmp(type, e->type_after) != 0 || r.steps[0].cells_changed != e->changed ||
        r.steps[0].rows_failed != e->failed)
      fail_msg("%s of %s:\n got %s %s, %llu changed, %llu failed\nwant %s %s", e->step, e->values, type, now,
               (unsigned long long)r.steps[0].cells_changed, (unsigned long long)r.steps[0].rows_failed, e->type_after, e->after);
    assert_string_equal(sql_text(&b, "SELECT type FROM dm_column WHERE name = 'a'"), e->type_after);
    assert_int_equal(atoi(sql_text(&b, "SELECT count(*) FROM dm_change WHERE row_id > 0")), e->changed);
    if (dm_undo(b.store, r.run_id, b.arena, &u, &b.err) != DM_OK) fail_msg("%s: undo: %s", e->step, b.err.message);
    assert_string_equal(dump_table(&b, "t"), before);
    bench_close(&b);
  }
}

static void formats_follow_the_values(void **state) {
  (void)state;
  static const char *const cases[][4] = {
      {"TEXT", "('1.50'), ('2.25')", "cast: {columns: a, to: real}", "decimals:2"},
      {"TEXT", "('1.5'), ('2')", "cast: {columns: a, to: real}", "shortest-int"},
      {"REAL", "(1.5), (NULL), (2.0)", "fill: {columns: a, with: {constant: 1.25}}", "shortest"},
      {"REAL", "(1.5), (NULL), (2.0)", "fill: {columns: a, with: {constant: 1.2}}", "decimals:1"},
      {"INTEGER", "(1), (NULL), (4)", "fill: {columns: a, with: mean}", "shortest-int"},
      {"REAL", "(1.0), (2.5)", "recode: {column: a, map: {1: 3.25}}", "shortest"},
      {"INTEGER", "(1)", "cast: {columns: a, to: text}", "text"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bench b;
    make(&b, cases[i][0], cases[i][1]);
    (void)apply_good(&b, dm_arena_printf(b.arena, NULL, T "  - %s\n", cases[i][2]));
    const char *format = sql_text(&b, "SELECT format FROM dm_column WHERE name = 'a'");
    if (strcmp(format, cases[i][3]) != 0) fail_msg("%s: format %s, want %s", cases[i][2], format, cases[i][3]);
    assert_string_equal(sql_text(&b, "SELECT missing_markers FROM dm_column WHERE name = 'a'"), "[\"\",\"NA\"]");
    bench_close(&b);
  }
}

static void rows_go_and_come_back(void **state) {
  (void)state;
  bench b;
  dm_apply_result u;
  make(&b, "TEXT", "('x'), ('y'), ('x'), (NULL), (NULL), ('X')");
  const char *before = dump_table(&b, "t");
  dm_apply_result r = apply_good(&b, T "  - drop_duplicates\n  - filter: {where: \"a <> 'y'\"}\n");
  assert_string_equal(column_text(&b, "t", "dm_id"), "1,6");
  assert_int_equal(r.rows_before, 6);
  assert_int_equal(r.rows_after, 2);
  assert_int_equal(r.steps[0].rows_removed, 2);
  assert_int_equal(r.steps[1].rows_removed, 2); /* the condition is not true for NULL */
  assert_int_equal(dm_undo(b.store, r.run_id, b.arena, &u, &b.err), DM_OK);
  assert_int_equal(u.rows_before, 2);
  assert_int_equal(u.rows_after, 6);
  assert_string_equal(dump_table(&b, "t"), before);
  (void)apply_good(&b, T "  - drop_duplicates: {columns: [k]}\n");
  assert_string_equal(column_text(&b, "t", "dm_id"), "1");
  bench_close(&b);
}

static void derived_columns_are_seen_by_later_steps(void **state) {
  (void)state;
  bench b;
  dm_apply_result u;
  make(&b, "REAL", "(1.5), (NULL), (4.0)");
  const char *before = dump_table(&b, "t");
  dm_apply_result r = apply_good(&b, T "  - derive: {column: double, as: 'a * 2'}\n  - derive: {column: 'odd \"name', as: 'CAST(double AS TEXT)'}\n"
                                       "  - fill: {columns: double, with: {constant: 7}}\n  - derive: {column: z, as: 'a - avg(a) OVER ()'}\n"
                                       "  - derive: {column: n, as: 'k + 1', type: integer}\n");
  assert_string_equal(column_text(&b, "t", "double"), "3.0,7.0,8.0");
  assert_string_equal(column_text(&b, "t", "\"odd \"\"name\""), "'3.0',NULL,'8.0'");
  assert_string_equal(column_text(&b, "t", "z"), "-1.25,NULL,1.25");
  assert_string_equal(column_text(&b, "t", "n"), "2,2,2");
  assert_int_equal(r.steps[0].cells_changed, 2);
  assert_string_equal(sql_text(&b, "SELECT format FROM dm_column WHERE name = 'double'"), "shortest");
  assert_int_equal(dm_undo(b.store, r.run_id, b.arena, &u, &b.err), DM_OK);
  assert_string_equal(dump_table(&b, "t"), before);
  bench_close(&b);
}

static void a_dry_run_says_the_same_and_changes_nothing(void **state) {
  (void)state;
  static const char recipe[] = T "  - cast: {columns: a, to: integer, on_error: missing}\n  - drop_duplicates: {columns: a}\n"
                                 "  - derive: {column: d, as: 'a + 1'}\n";
  bench b;
  dm_apply_result dry = {0};
  make(&b, "TEXT", "('1'), ('x'), ('1'), ('2')");
  const char *before = dump_table(&b, "t");
  assert_int_equal(apply_text(&b, recipe, true, &dry), DM_OK);
  assert_string_equal(dump_table(&b, "t"), before);
  assert_string_equal(sql_text(&b, "SELECT count(*) FROM dm_run"), "0");
  dm_apply_result r = apply_good(&b, recipe);
  assert_int_equal(dry.run_id, 0);
  assert_int_equal(dry.n_steps, r.n_steps);
  assert_int_equal(dry.rows_after, r.rows_after);
  for (size_t i = 0; i < r.n_steps; i++) {
    assert_int_equal(dry.steps[i].cells_changed, r.steps[i].cells_changed);
    assert_int_equal(dry.steps[i].rows_removed, r.steps[i].rows_removed);
    assert_int_equal(dry.steps[i].rows_failed, r.steps[i].rows_failed);
    assert_string_equal(dry.steps[i].detail, r.steps[i].detail);
  }
  bench_close(&b);
}

static void a_second_run_of_a_recipe_finds_nothing_to_do(void **state) {
  (void)state;
  static const char recipe[] = T "  - trim: {}\n  - case: {columns: a, to: lower}\n  - parse_number: {columns: a}\n  - drop_duplicates\n";
  bench b;
  make(&b, "TEXT", "(' 1.5'), ('2'), ('1E1 '), ('2')");
  (void)apply_good(&b, recipe);
  const char *once = dump_table(&b, "t");
  dm_apply_result r = apply_good(&b, recipe);
  for (size_t i = 0; i < r.n_steps; i++) assert_int_equal(r.steps[i].cells_changed + r.steps[i].rows_removed, 0);
  assert_string_equal(dump_table(&b, "t"), once);
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_step_does_what_it_says),
      cmocka_unit_test(formats_follow_the_values),
      cmocka_unit_test(rows_go_and_come_back),
      cmocka_unit_test(derived_columns_are_seen_by_later_steps),
      cmocka_unit_test(a_dry_run_says_the_same_and_changes_nothing),
      cmocka_unit_test(a_second_run_of_a_recipe_finds_nothing_to_do),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
