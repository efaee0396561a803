/* Undo: random recipes come undone to the bit, in any order that is allowed; what would lose something is refused. */
#include "clean_test.h"

#define T "table: t\nsteps:\n"
enum { SEEDS = 40, RUNS = 5, STEPS = 3 };

static void make(bench *b) {
  bench_open(b);
  run_sql(b, "CREATE TABLE t (dm_id INTEGER PRIMARY KEY,\n  \"a\" TEXT, b TEXT NOT NULL DEFAULT 'none', \"c d\" INTEGER, e REAL, k INTEGER /* key */) STRICT");
  run_sql(b, "CREATE INDEX t_a ON t(a, \"c d\")");
  run_sql(b, "CREATE VIEW v AS SELECT a FROM t");
  run_sql(b, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) INSERT INTO t(a, b, \"c d\", e, k)"
             " SELECT iif(i % 5, ' ' || (i % 7) || iif(i % 3, '', ' x'), NULL), (i % 4) || '.0' || (i % 2), iif(i % 6, i % 8, NULL),"
             " iif(i % 9, i / 4.0, NULL), i % 10 FROM n");
  run_sql(b, "INSERT INTO dm_column(table_name, name, type, format, missing_markers) VALUES ('t', 'a', 'TEXT', NULL, '[\"NA\"]'),"
             " ('t', 'b', 'TEXT', NULL, NULL), ('t', 'c d', 'INTEGER', 'integer', '[]'), ('T', 'e', 'REAL', 'decimals:2', '[]')");
}

/* Steps with their columns open: %s is a column, %u a number. */
static const char *const pool[] = {
    "trim: {columns: '%s', collapse: true}",
    "case: {columns: '%s', to: upper}",
    "replace: {columns: '%s', pattern: '[0%u]', with: 'z', regex: true}",
    "recode: {column: '%s', map: {%u: 77, '1.00': one, '0.25': 0.125, ' 1 x': null}}",
    "cast: {columns: '%s', to: integer, on_error: missing}",
    "cast: {columns: '%s', to: integer}",
    "cast: {columns: '%s', to: real, on_error: missing}",
    "cast: {columns: '%s', to: text}",
    "parse_number: {columns: '%s', strip: 'xz '}",
    "parse_number: {columns: '%s', on_error: missing}",
    "parse_date: {columns: '%s', formats: ['%%Y-%%m-%%d'], on_error: missing}",
    "fill: {columns: '%s', with: mean}",
    "fill: {columns: '%s', with: mode}",
    "fill: {columns: '%s', with: {constant: %u.5}}",
    "drop_duplicates: {columns: ['%s', k]}",
    "filter: {where: '\"%s\" IS NULL OR k <> %u'}",
    "derive: {column: n%u, as: '\"%s\" || k'}",
    "derive: {column: m%u, as: 'k * 1.5', type: real}",
};

static const char *random_recipe(bench *b, dm_rng *r) {
  static const char *const columns[] = {"a", "b", "c d", "e", "k", "n1", "m2"};
  dm_buf out;
  dm_buf_init(&out, b->ctx, NULL);
  dm_buf_adds(&out, T);
  for (uint64_t n = 1 + dm_rng_below(r, STEPS); n; n--) {
    dm_buf_adds(&out, "  - ");
    for (const char *p = pool[dm_rng_below(r, sizeof pool / sizeof *pool)]; *p; p++) {
      if (*p != '%') dm_buf_addc(&out, *p);
      else if (*++p == 's') dm_buf_adds(&out, columns[dm_rng_below(r, 7)]);
      else if (*p == 'u') dm_buf_printf(&out, "%u", (unsigned)dm_rng_below(r, 4));
      else dm_buf_addc(&out, *p);
    }
    dm_buf_addc(&out, '\n');
  }
  const char *copy = dm_arena_strdup(b->arena, out.p, out.n, NULL);
  dm_buf_clear(&out);
  return copy;
}

typedef struct trial {
  bench b;
  size_t n;
  int64_t runs[RUNS];
  const char *recipes[RUNS], *before[RUNS];
} trial;

static void apply_some(trial *t, uint64_t seed) {
  dm_rng r;
  *t = (trial){0};
  make(&t->b);
  dm_rng_init(&r, seed, 77);
  for (int tries = 0; tries < 40 && t->n < RUNS; tries++) {
    dm_apply_result result = {0};
    const char *recipe = random_recipe(&t->b, &r), *before = dump_table(&t->b, "t");
    dm_status s = apply_text(&t->b, recipe, false, &result);
    if (s != DM_OK && s != DM_EINPUT && s != DM_EUSAGE) fail_msg("seed %d: %s%s", (int)seed, recipe, t->b.err.message);
    if (s != DM_OK) {
      assert_string_equal(dump_table(&t->b, "t"), before);
      continue;
    }
    t->runs[t->n] = result.run_id;
    t->recipes[t->n] = recipe;
    t->before[t->n++] = before;
  }
}

static void explain(const trial *t, uint64_t seed, const char *what) {
  print_error("seed %d: %s\n", (int)seed, what);
  for (size_t i = 0; i < t->n; i++) print_error("run %d: %s", (int)t->runs[i], t->recipes[i]);
}

static void reversed_undo_gives_every_earlier_state(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    trial t;
    dm_apply_result u;
    apply_some(&t, seed);
    assert_true(t.n > 0);
    for (size_t i = t.n; i-- > 0;) {
      if (dm_undo(t.b.store, t.runs[i], t.b.arena, &u, &t.b.err) != DM_OK) {
        explain(&t, seed, t.b.err.message);
        fail_msg("undo of run %d failed", (int)t.runs[i]);
      }
      const char *now = dump_table(&t.b, "t");
      if (strcmp(now, t.before[i]) != 0) {
        explain(&t, seed, "another state than before");
        fail_msg("run %d\n--- got\n%s\n--- want\n%s", (int)t.runs[i], now, t.before[i]);
      }
    }
    bench_close(&t.b);
  }
}

static void any_allowed_order_ends_at_the_start(void **state) {
  (void)state;
  size_t refused = 0, middle = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    trial t;
    dm_rng r;
    size_t standing, left[RUNS];
    apply_some(&t, seed + 1000);
    dm_rng_init(&r, seed, 78);
    for (standing = 0; standing < t.n; standing++) left[standing] = standing;
    for (int tries = 0; standing && tries < 500; tries++) {
      dm_apply_result u;
      size_t at = (size_t)dm_rng_below(&r, standing);
      const char *before = dump_table(&t.b, "t");
      dm_status s = dm_undo(t.b.store, t.runs[left[at]], t.b.arena, &u, &t.b.err);
      if (s == DM_OK) {
        middle += at + 1 < standing;
        memmove(left + at, left + at + 1, (--standing - at) * sizeof *left);
        continue;
      }
      if (s != DM_EUSAGE || !strstr(t.b.err.message, "later")) {
        explain(&t, seed + 1000, t.b.err.message);
        fail_msg("undo of run %d failed", (int)t.runs[left[at]]);
      }
      refused++;
      assert_string_equal(dump_table(&t.b, "t"), before);
    }
    if (standing) explain(&t, seed + 1000, "runs stay for ever");
    assert_int_equal(standing, 0);
    const char *now = dump_table(&t.b, "t");
    if (strcmp(now, t.before[0]) != 0) {
      explain(&t, seed + 1000, "another state than at the start");
      fail_msg("--- got\n%s\n--- want\n%s", now, t.before[0]);
    }
    bench_close(&t.b);
  }
  assert_true(refused > SEEDS / 2 && middle > SEEDS / 2); /* or the test tests nothing */
}

static void what_cannot_be_undone_says_why(void **state) {
  (void)state;
  bench b;
  dm_apply_result u = {0};
  make(&b);
  int64_t first = apply_good(&b, T "  - trim: {columns: a}\n").run_id;
  int64_t second = apply_good(&b, T "  - case: {columns: a, to: upper}\n").run_id;
  int64_t third = apply_good(&b, T "  - filter: {where: \"k <> 3\"}\n").run_id;
  assert_int_equal(dm_undo(b.store, first, b.arena, &u, &b.err), DM_EUSAGE);
  assert_non_null(strstr(b.err.message, "runs 2, 3 changed"));
  assert_non_null(strstr(b.err.hint, "undo run 3 first"));
  assert_int_equal(dm_undo(b.store, third, b.arena, &u, &b.err), DM_OK);
  assert_int_equal(u.run_id, 4);
  assert_int_equal(u.rows_after, 40);
  assert_int_equal(dm_undo(b.store, third, b.arena, &u, &b.err), DM_EUSAGE);
  assert_non_null(strstr(b.err.message, "undone already"));
  assert_int_equal(dm_undo(b.store, 4, b.arena, &u, &b.err), DM_EUSAGE);
  assert_non_null(strstr(b.err.message, "is an undo"));
  assert_int_equal(dm_undo(b.store, 99, b.arena, &u, &b.err), DM_EUSAGE);
  assert_non_null(strstr(b.err.message, "no run 99"));
  run_sql(&b, "UPDATE t SET a = 'by hand' WHERE dm_id = 3");
  assert_int_equal(dm_undo(b.store, second, b.arena, &u, &b.err), DM_EUSAGE);
  assert_non_null(strstr(b.err.message, "row 3, column a was changed since, not by dm"));
  run_sql(&b, "UPDATE t SET a = '3 X' WHERE dm_id = 3");
  assert_int_equal(dm_undo(b.store, second, b.arena, &u, &b.err), DM_OK);
  assert_int_equal(u.n_steps, 1);
  assert_string_equal(u.steps[0].rule, "1:case");
  assert_int_equal(dm_undo(b.store, first, b.arena, &u, &b.err), DM_OK);
  run_sql(&b, "INSERT INTO dm_run(command, arguments, seed, lib_version, started, status) VALUES('import', '{}', 0, '0', '', 'done')");
  assert_int_equal(dm_undo(b.store, 7, b.arena, &u, &b.err), DM_EUSAGE);
  assert_non_null(strstr(b.err.message, "is an import"));
  run_sql(&b, "INSERT INTO dm_run(command, arguments, seed, lib_version, started, status) VALUES('train', '{}', 0, '0', '', 'done')");
  assert_int_equal(dm_undo(b.store, 8, b.arena, &u, &b.err), DM_EUSAGE);
  assert_non_null(strstr(b.err.message, "changed no cells"));
  bench_close(&b);
}

static void removed_rows_are_not_put_over_new_ones(void **state) {
  (void)state;
  bench b;
  dm_apply_result u;
  make(&b);
  int64_t run = apply_good(&b, T "  - filter: {where: \"dm_id < 40\"}\n").run_id;
  run_sql(&b, "INSERT INTO t(dm_id, a) VALUES(40, 'new')");
  assert_int_equal(dm_undo(b.store, run, b.arena, &u, &b.err), DM_EUSAGE);
  assert_non_null(strstr(b.err.message, "row 40 was inserted since"));
  bench_close(&b);
}

static void a_view_of_a_derived_column_keeps_it(void **state) {
  (void)state;
  bench b;
  dm_apply_result u;
  make(&b);
  int64_t run = apply_good(&b, T "  - derive: {column: z, as: 'k + 1'}\n").run_id;
  run_sql(&b, "CREATE VIEW w AS SELECT z FROM t");
  const char *before = dump_table(&b, "t");
  assert_true(dm_undo(b.store, run, b.arena, &u, &b.err) != DM_OK);
  assert_non_null(strstr(b.err.hint, "a view or index"));
  assert_string_equal(dump_table(&b, "t"), before);
  run_sql(&b, "DROP VIEW w");
  assert_int_equal(dm_undo(b.store, run, b.arena, &u, &b.err), DM_OK);
  bench_close(&b);
}

/* A table of somebody's own: constraints, collations, comments and indexes outlive the change of a type. */
static void a_table_with_constraints_keeps_them(void **state) {
  (void)state;
  bench b;
  dm_apply_result u;
  bench_open(&b);
  run_sql(&b, "CREATE TABLE t(x VARCHAR( 10 ) NOT NULL COLLATE NOCASE, -- first\n dm_id INTEGER PRIMARY KEY AUTOINCREMENT,"
              " y DEFAULT 'a, b' CHECK (y <> 'z)'), z NUMERIC, UNIQUE (x, y))");
  run_sql(&b, "CREATE UNIQUE INDEX ti ON t(z DESC) WHERE z > 0");
  run_sql(&b, "CREATE VIEW v AS SELECT x FROM t");
  run_sql(&b, "INSERT INTO t(x, y, z) VALUES('1', 'p', 3), ('02', 7, 'text'), ('3 ', x'01', NULL)");
  const char *before = dump_table(&b, "t");
  dm_apply_result r = apply_good(&b, T "  - cast: {columns: x, to: integer}\n  - cast: {columns: z, to: text}\n");
  assert_string_equal(column_text(&b, "t", "x"), "1,2,3");
  assert_non_null(strstr(dump_table(&b, "t"), "x INTEGER NOT NULL COLLATE NOCASE, -- first"));
  assert_non_null(strstr(dump_table(&b, "t"), "CREATE UNIQUE INDEX ti"));
  assert_string_equal(sql_text(&b, "SELECT x FROM v"), "1");
  assert_int_equal(dm_undo(b.store, r.run_id, b.arena, &u, &b.err), DM_OK);
  assert_string_equal(dump_table(&b, "t"), before);
  bench_close(&b);
}

static void a_type_that_changed_since_stops_undo(void **state) {
  (void)state;
  bench b;
  dm_apply_result u;
  bench_open(&b);
  run_sql(&b, "CREATE TABLE t(dm_id INTEGER PRIMARY KEY, a TEXT)");
  run_sql(&b, "INSERT INTO t(a) VALUES('1'), ('2')");
  int64_t run = apply_good(&b, T "  - cast: {columns: a, to: integer}\n").run_id;
  run_sql(&b, "ALTER TABLE t RENAME COLUMN a TO aa");
  assert_int_equal(dm_undo(b.store, run, b.arena, &u, &b.err), DM_EUSAGE);
  assert_non_null(strstr(b.err.message, "got another type since, or is gone"));
  run_sql(&b, "ALTER TABLE t RENAME COLUMN aa TO a");
  assert_int_equal(dm_undo(b.store, run, b.arena, &u, &b.err), DM_OK);
  bench_close(&b);
}

static void history_counts_and_marks(void **state) {
  (void)state;
  bench b;
  dm_apply_result u;
  dm_history_entry *h;
  size_t n = 0;
  make(&b);
  assert_int_equal(dm_history(b.store, b.arena, &h, &n, &b.err), DM_OK);
  assert_int_equal(n, 0);
  dm_apply_result r = apply_good(&b, T "  - fill: {columns: [a, \"c d\"], with: mode}\n  - filter: {where: 'k < 5'}\n");
  assert_int_equal(dm_undo(b.store, r.run_id, b.arena, &u, &b.err), DM_OK);
  assert_int_equal(dm_history(b.store, b.arena, &h, &n, &b.err), DM_OK);
  assert_int_equal(n, 2);
  assert_string_equal(h[0].command, "apply");
  assert_string_equal(h[0].table, "t");
  assert_int_equal(h[0].cells, 8 + 6);
  assert_int_equal(h[0].rows, 20);
  assert_true(h[0].undone);
  assert_string_equal(h[1].command, "undo");
  assert_string_equal(h[1].table, "t");
  assert_int_equal(h[1].cells, 8 + 6);
  assert_int_equal(h[1].rows, 20);
  assert_false(h[1].undone);
  assert_non_null(strstr(h[1].arguments, "\"run\":1"));
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reversed_undo_gives_every_earlier_state),
      cmocka_unit_test(any_allowed_order_ends_at_the_start),
      cmocka_unit_test(what_cannot_be_undone_says_why),
      cmocka_unit_test(removed_rows_are_not_put_over_new_ones),
      cmocka_unit_test(a_view_of_a_derived_column_keeps_it),
      cmocka_unit_test(a_table_with_constraints_keeps_them),
      cmocka_unit_test(a_type_that_changed_since_stops_undo),
      cmocka_unit_test(history_counts_and_marks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
