/*
 * report: the whole page over databases of all sorts is well-formed, small,
 * says what it leaves out, and holds hostile names as text. With DM_DRAW_TO=DIR
 * the pages are written there, to be looked at.
 */
#include "cmocka_all.h"
#include "report/html.h"
#include "report/markup.h"

#include <dm/report.h>
#include <dm/text.h>
#include <stdlib.h>

typedef struct fixture {
  dm_ctx *ctx;
  dm_store *store;
} fixture;

static void run(fixture *f, const char *sql) {
  dm_error err = {0};
  if (dm_store_exec(f->store, &err, "%s", sql) != DM_OK) fail_msg("%s\n%s", sql, err.message);
}

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &f->ctx, NULL), DM_OK);
  assert_int_equal(dm_store_open(f->ctx, ":memory:", DM_STORE_WRITE | DM_STORE_CREATE, &f->store, NULL),
                   DM_OK);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  dm_store_close(f->store);
  dm_ctx_free(f->ctx);
  free(f);
  return 0;
}

/* Makes the page, checks what holds for every page. The caller frees with dm_buf_clear. */
static void make(fixture *f, const dm_report_options *options, const char *name, dm_buf *out) {
  dm_error err = {0};
  dm_buf_init(out, f->ctx, &err);
  dm_status s = dm_report_html(f->store, options, out, &err);
  if (s != DM_OK) fail_msg("%s: %s", name, err.message);
  const char *folder = getenv("DM_DRAW_TO");
  if (folder) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s.html", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(out->p, 1, out->n, file), out->n);
    assert_int_equal(fclose(file), 0);
  }
  const char *problem = markup_problem(out->p);
  if (problem) fail_msg("%s: malformed at: %.80s", name, problem);
  assert_int_equal(dm_utf8_valid(out->p, out->n), out->n);
  assert_false(has_nan(out->p));
  assert_null(strstr(out->p, "<script"));
  assert_null(strstr(out->p, "src="));
  /* no address but the namespace of SVG */
  for (const char *p = out->p; (p = strstr(p, "http")); p++)
    assert_int_equal(strncmp(p, "http://www.w3.org/2000/svg\"", 27), 0);
  assert_true(out->n <= 300 * 1000);
  /* every entry of the contents leads somewhere */
  for (const char *p = out->p; (p = strstr(p, "href=\"#")); p++) {
    char target[32];
    (void)snprintf(target, sizeof target, " id=\"%.*s\"", (int)strcspn(p + 7, "\""), p + 7);
    assert_non_null(strstr(out->p, target));
  }
}

static void expect(const dm_buf *page, const char *text) {
  if (!strstr(page->p, text)) fail_msg("the page lacks: %s", text);
}

static void add_people(fixture *f) {
  run(f, "CREATE TABLE people(dm_id INTEGER PRIMARY KEY, age INTEGER, height REAL, city TEXT, code TEXT, "
         "note TEXT, one INTEGER)"
         " STRICT");
  run(f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
         " INSERT INTO people SELECT i, 18 + (i * i * 7) % 61, 150 + ((i * 37) % 113) / 2.5,"
         " CASE i % 7 WHEN 0 THEN 'Paris' WHEN 1 THEN 'Łódź' WHEN 2 THEN 'São Paulo' WHEN 3 THEN NULL ELSE "
         "'New York' END,"
         " printf('K%05d', i), NULL, 1 FROM n");
}

static void an_empty_database_has_a_page(void **state) {
  dm_buf page;
  make(*state, NULL, "page-empty", &page);
  expect(&page, "The database has no tables yet.");
  dm_buf_clear(&page);
}

static void schema_without_content_has_a_page(void **state) {
  fixture *f = *state;
  dm_buf page;
  assert_int_equal(dm_store_ensure_schema(f->store, NULL), DM_OK);
  make(f, NULL, "page-schema", &page);
  expect(&page, "No files were imported");
  expect(&page, "No recipe was applied");
  expect(&page, "No model was trained");
  dm_buf_clear(&page);
}

static void profiles_only(void **state) {
  fixture *f = *state;
  dm_buf page;
  add_people(f);
  make(f, &(dm_report_options){.profiles_only = true, .title = "People", .target = "city"}, "page-profile",
       &page);
  expect(&page, "<h1>People</h1>");
  expect(&page, "3000 rows, 6 columns.");
  expect(&page, "every value is different: an identifier?");
  expect(&page, "all values are missing");
  expect(&page, "constant: all known values are equal");
  expect(&page, "target\">target</span>");
  expect(&page, "São Paulo");
  assert_null(strstr(page.p, "K00017")); /* single values are nobody's business */
  assert_null(strstr(page.p, "What came in"));
  dm_buf_clear(&page);
}

static void sources_and_rejects(void **state) {
  fixture *f = *state;
  dm_buf page;
  assert_int_equal(dm_store_ensure_schema(f->store, NULL), DM_OK);
  add_people(f);
  run(f, "INSERT INTO dm_source VALUES(1, '/data/<b>&people.csv', 'csv', "
         "'{\"delimiter\":\";\",\"encoding\":\"UTF-8\",\"header\":true}',"
         " 'aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899', 123456, 3314, 3000, 314, "
         "'people',"
         " '2026-01-02T03:04:05.678Z', NULL)");
  run(f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 314)"
         " INSERT INTO dm_reject SELECT 1, i * 3, i * 3 + 1, CASE WHEN i % 2 THEN 5 END, i * 100,"
         " CAST('a;<script>alert(1)</script>;' || x'ff00e9' || printf('%0300d', i) AS BLOB), '5 fields, "
         "header has 4' FROM n");
  make(f, NULL, "page-sources", &page);
  expect(&page, "Showing 20 of 314; all are in table dm_reject.");
  expect(&page, "csv, delimiter semicolon, UTF-8, with header");
  expect(&page, "aabbccddeeff</code>");
  expect(&page, "2026-01-02 03:04:05");
  expect(&page, "a;&lt;script&gt;alert(1)&lt;/script&gt;;\\xFF\\x00\\xE9");
  expect(&page, "&lt;b&gt;&amp;people.csv");
  dm_buf_clear(&page);
}

static void cleaning_runs(void **state) {
  fixture *f = *state;
  dm_buf page;
  assert_int_equal(dm_store_ensure_schema(f->store, NULL), DM_OK);
  run(f, "INSERT INTO dm_run VALUES(1, 'apply', "
         "'{\"recipe\":\"clean.yaml\",\"table\":\"people\",\"rows_before\":10,\"rows_after\":9,"
         "\"steps\":[{\"rule\":\"1:trim\",\"step\":\"trim\",\"detail\":\"city "
         "<i>\",\"cells_changed\":4321,\"rows_removed\":0,"
         "\"rows_failed\":0},{\"rule\":\"2:filter\",\"step\":\"filter\",\"detail\":\"age >= "
         "18\",\"cells_changed\":0,"
         "\"rows_removed\":1,\"rows_failed\":0}]}', NULL, 0, '0.1.0', '2026-01-02T03:04:05Z', NULL, 'done')");
  run(f, "INSERT INTO dm_run SELECT 2, command, arguments, recipe, seed, lib_version, started, ended, "
         "'undone' FROM dm_run");
  run(f, "INSERT INTO dm_run VALUES(3, 'apply', '{\"a\":{\"steps\":[]}}', NULL, 0, '0.1.0', '2026', NULL, "
         "'done')");
  run(f, "INSERT INTO dm_change VALUES(1, 1, 'people', 5, 'city', '  Paris', 'Paris', '1:trim', 1.0),"
         " (2, 1, 'people', 6, 'city', '  Paris', 'Paris', '1:trim', 1.0), (3, 1, 'people', 7, 'city', 'x' "
         "|| char(9), 'x', '1:trim', 1.0)");
  make(f, NULL, "page-cleaning", &page);
  expect(&page, "Run 1: apply on people");
  expect(&page, "Run 2: apply on people (undone)");
  expect(&page, "<td class=\"n\">4321</td>");
  expect(&page,
         "city: <code>  Paris</code> → <code>Paris</code><br>city: <code>x\\t</code> → <code>x</code>");
  expect(&page, "city &lt;i&gt;");
  dm_buf_clear(&page);
}

/* d columns of mixed kinds with long and hostile names. */
static void add_wide(fixture *f, const char *table, size_t d, size_t n) {
  dm_buf sql;
  dm_buf_init(&sql, f->ctx, NULL);
  dm_buf_printf(&sql, "CREATE TABLE \"%s\"(dm_id INTEGER PRIMARY KEY", table);
  for (size_t i = 0; i < d; i++)
    dm_buf_printf(&sql, ", \"%s %zu\" %s",
                  i % 3 ? "a column with a long name of about forty" : "<script>alert('&')</script>", i,
                  i % 4 == 0   ? "TEXT"
                  : i % 4 == 1 ? "INTEGER"
                               : "REAL");
  dm_buf_adds(&sql, ") STRICT");
  run(f, sql.p);
  dm_buf_reset(&sql);
  dm_buf_printf(&sql,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %zu) INSERT INTO "
                "\"%s\" SELECT i",
                n, table);
  for (size_t i = 0; i < d; i++)
    dm_buf_printf(&sql,
                  i % 4 == 0   ? ", 'a level with a name & number ' || (i * %zu %% 23)"
                  : i % 4 == 1 ? ", (i * 7919 * %zu) %% 100003"
                               : ", CASE WHEN i %% 5 THEN (i * 104729 * %zu) %% 1000003 / 7.0 END",
                  i + 1);
  dm_buf_adds(&sql, " FROM n");
  run(f, sql.p);
  dm_buf_clear(&sql);
}

static void fifty_columns_stay_small(void **state) {
  fixture *f = *state;
  dm_buf page;
  assert_int_equal(dm_store_ensure_schema(f->store, NULL), DM_OK);
  add_wide(f, "wide", 50, 2000);
  make(f, NULL, "page-50-columns", &page);
  assert_null(strstr(page.p, "columns shown, so that"));
  size_t cards = 0;
  for (const char *p = page.p; (p = strstr(p, "<article")); p++) cards++;
  assert_int_equal(cards, 50);
  expect(&page, "&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt; 0");
  dm_buf_clear(&page);
}

static void what_is_left_out_is_said(void **state) {
  fixture *f = *state;
  dm_buf page;
  assert_int_equal(dm_store_ensure_schema(f->store, NULL), DM_OK);
  add_wide(f, "wide", 400, 300);
  make(f, NULL, "page-400-columns", &page);
  expect(&page, " of 400 columns shown, so that the page stays small");
  dm_buf_clear(&page);
}

static void odd_tables(void **state) {
  fixture *f = *state;
  dm_buf page;
  run(f, "CREATE TABLE empty(a INTEGER, b TEXT)");
  run(f, "CREATE TABLE one(a INTEGER, b TEXT, c REAL)");
  run(f, "INSERT INTO one VALUES(1, 'x', NULL)");
  run(f, "CREATE TABLE \"ta\"\"ble <x>\"(\"\"\"\" REAL, e REAL)");
  run(f, "INSERT INTO \"ta\"\"ble <x>\" VALUES(1e308, -1e-300), (-1e308, 5e-324), (0, 0), (9007199254740993, "
         "1)");
  make(f, NULL, "page-odd", &page);
  expect(&page, "ta&quot;ble &lt;x&gt;");
  expect(&page, "0 rows, 2 columns.");
  dm_buf_clear(&page);
  make(f, &(dm_report_options){.tables = (const char *const[]){"one"}, .n_tables = 1}, "page-one", &page);
  assert_null(strstr(page.p, "ta&quot;ble"));
  dm_buf_clear(&page);
  dm_error err = {0};
  dm_buf_init(&page, f->ctx, &err);
  const char *const unknown[] = {"nowhere"};
  assert_int_equal(
      dm_report_html(f->store, &(dm_report_options){.tables = unknown, .n_tables = 1}, &page, &err),
      DM_EUSAGE);
  assert_int_equal(page.n, 0);
  dm_buf_clear(&page);
}

static void same_database_same_bytes(void **state) {
  fixture *f = *state;
  dm_buf a, b;
  assert_int_equal(dm_store_ensure_schema(f->store, NULL), DM_OK);
  add_people(f);
  make(f, NULL, "page-again", &a);
  make(f, NULL, "page-again", &b);
  assert_int_equal(a.n, b.n);
  assert_memory_equal(a.p, b.p, a.n);
  dm_buf_clear(&a);
  dm_buf_clear(&b);
}

/* Allocator that fails once, at the n-th request. */
typedef struct failing {
  size_t n, at;
} failing;

static void *allocate(void *user, size_t size, size_t alignment) {
  failing *f = user;
  return ++f->n == f->at ? NULL : aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void release(void *user, void *block) {
  (void)user;
  free(block);
}

static void every_failed_allocation_is_an_error(void **state) {
  (void)state;
  failing memory = {0};
  fixture f = {0};
  dm_ctx_options options = {.threads = 1, .allocate = allocate, .release = release, .user = &memory};
  assert_int_equal(dm_ctx_new(&options, &f.ctx, NULL), DM_OK);
  assert_int_equal(dm_store_open(f.ctx, ":memory:", DM_STORE_WRITE | DM_STORE_CREATE, &f.store, NULL), DM_OK);
  assert_int_equal(dm_store_ensure_schema(f.store, NULL), DM_OK);
  run(&f, "CREATE TABLE t(dm_id INTEGER PRIMARY KEY, a INTEGER, b TEXT)");
  run(&f, "INSERT INTO t VALUES(1, 5, 'x'), (2, 7, 'x'), (3, NULL, 'y')");
  run(&f, "INSERT INTO dm_source VALUES(1, 'a.csv', 'csv', '{}', 'aa', 1, 1, 1, 1, 't', "
          "'2026-01-02T03:04:05Z', NULL)");
  run(&f, "INSERT INTO dm_reject VALUES(1, 1, 1, NULL, 0, x'ff', 'bad')");
  size_t failed = 0;
  for (bool whole = false; !whole; failed++) {
    dm_error err = {0};
    dm_buf page;
    dm_buf_init(&page, f.ctx, &err);
    size_t held = dm_ctx_memory(f.ctx);
    memory.n = 0;
    memory.at = failed + 1;
    dm_status s = dm_report_html(f.store, NULL, &page, &err);
    whole = memory.n < memory.at;
    memory.at = 0;
    if (whole)
      assert_int_equal(s, DM_OK);
    else if (s != DM_EBUDGET || err.code != DM_EBUDGET)
      fail_msg("allocation %zu: status %d, error %d", failed, (int)s, (int)err.code);
    dm_buf_clear(&page);
    assert_int_equal(dm_ctx_memory(f.ctx), held);
  }
  assert_true(failed > 20);
  dm_store_close(f.store);
  dm_ctx_free(f.ctx);
}

#define AS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      AS_TEST(an_empty_database_has_a_page),
      AS_TEST(schema_without_content_has_a_page),
      AS_TEST(profiles_only),
      AS_TEST(sources_and_rejects),
      AS_TEST(cleaning_runs),
      AS_TEST(fifty_columns_stay_small),
      AS_TEST(what_is_left_out_is_said),
      AS_TEST(odd_tables),
      AS_TEST(same_database_same_bytes),
      cmocka_unit_test(every_failed_allocation_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
