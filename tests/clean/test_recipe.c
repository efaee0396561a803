/* Recipes: what is wrong is said with its place, a hint, and nothing is written. */
#include "clean_test.h"

static void make(bench *b) {
  bench_open(b);
  run_sql(b, "CREATE TABLE t(dm_id INTEGER PRIMARY KEY, name TEXT, age INTEGER, height REAL) STRICT");
  run_sql(b, "INSERT INTO t VALUES(1, ' Ann ', 30, 1.5), (2, 'x', NULL, 2.5), (3, '12', 40, NULL)");
}

typedef struct mistake {
  const char *yaml;
  size_t line, column;
  const char *message, *hint; /* parts of them */
} mistake;

#define T "table: t\nsteps:\n"

static const mistake mistakes[] = {
    {"- a\n", 1, 1, "a recipe is a map", "table"},
    {"steps: []\n", 1, 1, "'table' wants", ""},
    {"table: t\n", 1, 1, "'steps' wants", ""},
    {"table: t\nsteps: 3\n", 2, 8, "'steps' wants", ""},
    {"tabel: t\nsteps: []\n", 1, 1, "tabel", "table"},
    {"table: tt\nsteps: []\n", 1, 8, "no such table: 'tt'", "did you mean 't'"},
    {T "  - trimm: {columns: name}\n", 3, 5, "unknown step 'trimm'", "did you mean 'trim'"},
    {T "  - zzzzzzzzzz\n", 3, 5, "unknown step 'zzzzzzzzzz'", "steps: trim, case"},
    {T "  - {trim: {columns: name}, case: {columns: name, to: upper}}\n", 3, 5, "here are several", "write for instance"},
    {T "  - trim: name\n", 3, 11, "are a map", "columns"},
    {T "  - trim: {colums: name}\n", 3, 12, "colums", "columns"},
    {T "  - trim: {columns: nam}\n", 3, 21, "no column 'nam'", "did you mean 'name'"},
    {T "  - trim: {columns: dm_id}\n", 3, 21, "no column 'dm_id'", "never changed"},
    {T "  - trim: {columns: [name, name]}\n", 3, 28, "named twice", ""},
    {T "  - trim: {columns: [name, NAME]}\n", 3, 28, "named twice", ""},
    {T "  - trim: {columns: []}\n", 3, 21, "names no column", ""},
    {T "  - trim: {columns: name, collapse: perhaps}\n", 3, 37, "true or false, not perhaps", ""},
    {T "  - case: {columns: name}\n", 3, 5, "needs 'to'", "lower|upper|title"},
    {T "  - case: {columns: name, to: uper}\n", 3, 31, "'to' is lower, upper or title, not 'uper'", "did you mean 'upper'"},
    {T "  - case: {to: upper}\n", 3, 5, "needs 'columns'", ""},
    {T "  - replace: {columns: name, pattern: '(', with: '', regex: true}\n", 3, 41, "regular expression: missing", ""},
    {T "  - replace: {columns: name, pattern: 'a', with: '$1', regex: true}\n", 3, 51, "no such group", "first group"},
    {T "  - replace: {columns: name, pattern: '', with: 'b'}\n", 3, 39, "'pattern' is empty", ""},
    {T "  - replace: {columns: name, pattern: 'a'}\n", 3, 5, "needs 'with'", ""},
    {T "  - recode: {column: name}\n", 3, 5, "needs 'map'", ""},
    {T "  - recode: {column: name, map: {a: [1]}}\n", 3, 37, "one value", ""},
    {T "  - recode: {column: name, map: {a: b}, other: drop}\n", 3, 48, "'other' is keep or missing", ""},
    {T "  - cast: {columns: name, to: int}\n", 3, 31, "'to' is integer, real or text, not 'int'", ""},
    {T "  - cast: {columns: name, to: integer, on_error: fail}\n", 3, 5, "row 1, column 'name': ' Ann ' is not an integer", "on_error"},
    {T "  - parse_date: {columns: name, formats: ['%d.%m']}\n", 3, 43, "no year", ""},
    {T "  - parse_date: {columns: name, formats: ['%F'], pivot: 200}\n", 3, 57, "'pivot'", ""},
    {T "  - parse_number: {columns: name, decimal: ',,'}\n", 3, 44, "one character", ""},
    {T "  - parse_number: {columns: name, decimal: ',', group: ','}\n", 3, 56, "the same", ""},
    {T "  - fill: {columns: age, with: average}\n", 3, 32, "'with' is mean, median or mode", ""},
    {T "  - fill: {columns: name, with: mean}\n", 3, 33, "has no mean", "parse_number"},
    {T "  - fill: {columns: age, with: {constant: old}}\n", 3, 43, "'old' is not a number", "cast"},
    {T "  - fill: {columns: age, with: {value: 1}}\n", 3, 33, "value", "constant"},
    {T "  - filter: {where: 'agee > 3'}\n", 3, 22, "no such column: agee", ""},
    {T "  - filter: {where: 'age >'}\n", 3, 27, "ends too early", ""},
    {T "  - filter: {where: 'age > 3; DROP TABLE t'}\n", 3, 29, "';'", ""},
    {T "  - filter: {where: '1) FROM t WHERE (1'}\n", 3, 23, "')'", ""},
    {T "  - filter: {where: 'max(age) > 3'}\n", 3, 22, "misuse of aggregate", ""},
    {T "  - derive: {column: age, as: '1'}\n", 3, 22, "has a column 'age' already", ""},
    {T "  - derive: {column: DM_ID, as: '1'}\n", 3, 22, "dm_id", ""},
    {T "  - derive: {column: m, as: 'max(age)'}\n", 3, 29, "gives 1 values for 3 rows", "OVER ()"},
    {T "  - derive: {column: m, as: 'age', type: text}\n", 3, 29, "row 1 gives 30", "CAST"},
    {T "  - derive: {column: m, as: 'height', type: integer}\n", 3, 29, "row 1 gives 1.5", ""},
    {T "  - derive: {column: m, as: '1e308 * 10 * age'}\n", 3, 29, "want a finite number", ""},
    {T "  - derive: {column: m, as: 'x''00'''}\n", 3, 29, "a BLOB of 1 bytes", ""},
    {T "  - derive: {column: m, as: 'CASE dm_id WHEN 1 THEN 1 ELSE name END'}\n", 3, 29, "row 1 gives 1, other rows give texts", "CAST"},
    {T "  - derive: {column: bmi, as: 'age / height'}\n  - trim: {columns: bm}\n", 4, 21, "no column 'bm'", "did you mean 'bmi'"},
};

static void mistakes_are_named_with_their_place(void **state) {
  (void)state;
  bench b;
  make(&b);
  const char *before = dump_table(&b, "t");
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
    const mistake *m = &mistakes[i];
    dm_apply_result r = {0};
    dm_status s = apply_text(&b, m->yaml, false, &r);
    if (s != DM_EINPUT && s != DM_EUSAGE) fail_msg("taken: %s", m->yaml);
    if (b.err.line != m->line || b.err.column != m->column || !strstr(b.err.message, m->message) || !strstr(b.err.hint, m->hint))
      fail_msg("%s\n %zu:%zu: %s\n hint: %s", m->yaml, b.err.line, b.err.column, b.err.message, b.err.hint);
    assert_string_equal(b.err.file, "r.yaml");
    assert_string_equal(dump_table(&b, "t"), before);
    assert_string_equal(sql_text(&b, "SELECT count(*) FROM dm_run"), "0");
    assert_string_equal(sql_text(&b, "SELECT count(*) FROM dm_change"), "0");
  }
  bench_close(&b);
}

static void tables_that_could_not_be_undone_are_refused(void **state) {
  (void)state;
  static const char *const made[][2] = {
      {"CREATE TABLE t(a TEXT)", "no dm_id"},
      {"CREATE TABLE t(dm_id TEXT, a TEXT)", "no dm_id"},
      {"CREATE TABLE t(dm_id INTEGER PRIMARY KEY, a TEXT, b AS (a || 'x'))", "generated"},
      {"CREATE TABLE t(dm_id INTEGER PRIMARY KEY, \"\" TEXT)", "nameless"},
      {"CREATE VIEW t AS SELECT 1 AS dm_id, 'a' AS a", "no dm_id"},
  };
  bench b;
  dm_apply_result r;
  for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
    bench_open(&b);
    run_sql(&b, made[i][0]);
    assert_int_equal(apply_text(&b, T "  - trim: {}\n", false, &r), DM_EUSAGE);
    if (!strstr(b.err.message, made[i][1])) fail_msg("%s: %s", made[i][0], b.err.message);
    bench_close(&b);
  }
  make(&b);
  run_sql(&b, "CREATE TRIGGER tr AFTER UPDATE ON t BEGIN SELECT 1; END");
  assert_int_equal(apply_text(&b, T "  - trim: {}\n", false, &r), DM_EUSAGE);
  assert_non_null(strstr(b.err.message, "trigger, 'tr'"));
  run_sql(&b, "DROP TRIGGER tr");
  run_sql(&b, "INSERT INTO t(dm_id) VALUES(0)");
  assert_int_equal(apply_text(&b, T "  - trim: {}\n", false, &r), DM_EUSAGE);
  assert_non_null(strstr(b.err.message, "dm_id 0"));
  bench_close(&b);
}

static void the_recipe_is_kept_as_json(void **state) {
  (void)state;
  bench b;
  make(&b);
  (void)apply_good(&b, T "  - recode: {column: name, map: {x: 007, '12': 1.50, a: ~, b: true}}\n  - fill: {columns: age, with: {constant: 1}}\n");
  assert_string_equal(sql_text(&b, "SELECT recipe FROM dm_run"),
                      "{\"table\":\"t\",\"steps\":[{\"recode\":{\"column\":\"name\",\"map\":{\"x\":\"007\",\"12\":1.50,\"a\":null,\"b\":true}}},"
                      "{\"fill\":{\"columns\":\"age\",\"with\":{\"constant\":1}}}]}");
  bench_close(&b);
}

static void every_step_has_help(void **state) {
  (void)state;
  dm_step_help h;
  size_t n = 0;
  for (; dm_recipe_step_help(n, &h); n++) assert_true(h.name[0] && h.arguments[0] == '{' && h.help[0]);
  assert_int_equal(n, 11);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mistakes_are_named_with_their_place),
      cmocka_unit_test(tables_that_could_not_be_undone_are_refused),
      cmocka_unit_test(the_recipe_is_kept_as_json),
      cmocka_unit_test(every_step_has_help),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
