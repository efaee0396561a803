/* report: rules in words and pictures. With DM_DRAW_TO=DIR the page is written there, to be looked at. */
#include "cmocka_all.h"
#include "report/pages.h"
#include "report/rule_list.h"

static void run(fixture *f, const char *format, int a, int b, int c, int d) {
  dm_error err = {0};
  if (dm_store_exec(f->store, &err, format, a, b, c, d) != DM_OK) fail_msg("%s", err.message);
}

/* A model of n rules over so many items, as the registry keeps one. */
static void fill(fixture *f, int n, int items) {
  assert_int_equal(dm_store_ensure_schema(f->store, NULL), DM_OK);
  run(f,
      "INSERT INTO dm_model(id, name, version, method, task, status, params, inputs, transform, source_sql, rows, seed,"
      " lib_version, started, seconds, sha256) VALUES(1, 'baskets', 1, 'rules', 'rules', 'ready', '{\"min_support\":5}', '{}', '{}',"
      " 'SELECT * FROM sales', 1000, 0, '0.1', '2026-01-31T00:00:00Z', 0.5, '%064d')",
      0, 0, 0, 0);
  run(f, "INSERT INTO dm_active VALUES('baskets', 1)", 0, 0, 0, 0);
  run(f,
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
      " INSERT INTO dm_itemset SELECT 1, i, 1, json_array('item <' || i || '> & co'), 1000 - 900 * i / %d FROM n",
      items, items, 0, 0);
  run(f,
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d), r AS (SELECT i, i * 7 %% %d AS a, i * 13 %% %d AS b,"
      " i * i %% %d AS h, 0.01 + (i * 37 %% 100) / 120.0 AS share FROM n)"
      " INSERT INTO dm_rule(model_id, id, antecedent, consequent, support, share, coverage, confidence, lift, leverage, cosine, jaccard,"
      " kulczynski, imbalance, added_value) SELECT 1, i, iif(a = b, json_array('item <' || a || '> & co'),"
      " json_array('item <' || a || '> & co', 'item <' || b || '> & co')), json_array('item <' || h || '> & co'), CAST(share * 1000 AS INTEGER), share,"
      " min(1, share * 1.5), 0.4 + (i %% 60) / 100.0, 0.5 + (i %% 97) / 9.7, 0.01, 0.5, 0.5, 0.5, 0.1, 0.2 FROM r",
      n, items, items, items);
}

static void write_out(const char *name, const dm_buf *page) {
  const char *folder = getenv("DM_DRAW_TO");
  if (!folder) return;
  char path[512];
  (void)snprintf(path, sizeof path, "%s/%s.html", folder, name);
  FILE *out = fopen(path, "w");
  assert_non_null(out);
  assert_int_equal(fwrite(page->p, 1, page->n, out), page->n);
  assert_int_equal(fclose(out), 0);
}

static void make_page(fixture *f, const char *name, dm_buf *page) {
  dm_error err = {0};
  dm_buf_init(page, f->ctx, NULL);
  if (dm_report_html(f->store, NULL, page, &err) != DM_OK) fail_msg("%s", err.message);
  const char *problem = markup_problem(page->p);
  if (problem) fail_msg("malformed at: %.80s", problem);
  assert_false(has_nan(page->p));
  write_out(name, page);
}

static size_t count(const char *text, const char *part) {
  size_t n = 0;
  for (const char *p = text; (p = strstr(p, part)); p += strlen(part)) n++;
  return n;
}

static void six_pictures_and_what_they_leave_out(void **state) {
  fixture *f = *state;
  dm_buf page;
  fill(f, 6000, 40);
  make_page(f, "rules-many", &page);
  static const char *const wanted[] = {"Frequent items", "Support, confidence and lift", "Two-key plot", "Grouped matrix", "Rules as a graph", "Rules as parallel coordinates",
                                       "the first 20 of 40", "2000 of 6000 rules, one of each 3", "the 5000 rules with the largest lift of 6000",
                                       "the 24 rules with the largest lift of 6000", "the 20 rules with the largest lift of 6000", "The 15 rules with the largest lift of 6000",
                                       "rules have no place in it", "item &lt;3&gt; &amp; co"};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    if (!strstr(page.p, wanted[i])) fail_msg("the page lacks '%s'", wanted[i]);
  assert_true(page.n < 300000);
  dm_buf again;
  make_page(f, "rules-again", &again);
  assert_string_equal(page.p, again.p);
  dm_buf_clear(&page);
  dm_buf_clear(&again);
}

static void few_rules_leave_nothing_out(void **state) {
  fixture *f = *state;
  dm_buf page;
  fill(f, 9, 6);
  make_page(f, "rules-few", &page);
  assert_null(strstr(page.p, "rules with the largest lift of"));
  assert_null(strstr(page.p, "one of each"));
  assert_int_equal(count(page.p, "Rules as a graph: a dot for each"), 1);
  dm_buf_clear(&page);
}

static void no_rules_is_no_picture(void **state) {
  fixture *f = *state;
  dm_buf page;
  fill(f, 1, 3);
  assert_int_equal(dm_store_exec(f->store, NULL, "DELETE FROM dm_rule"), DM_OK);
  make_page(f, "rules-none", &page);
  assert_null(strstr(page.p, "Two-key plot"));
  assert_non_null(strstr(page.p, "Frequent items"));
  dm_buf_clear(&page);
}

static void damaged_rows_are_told(void **state) {
  fixture *f = *state;
  static const char *const wrong[] = {"antecedent = '{}'", "consequent = '[1]'", "lift = 9e999", "antecedent = '3'"};
  fill(f, 5, 4);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    dm_buf page;
    assert_int_equal(dm_store_exec(f->store, NULL, "SAVEPOINT s"), DM_OK);
    assert_int_equal(dm_store_exec(f->store, NULL, "UPDATE dm_rule SET %s WHERE id = 2", wrong[i]), DM_OK);
    make_page(f, "rules-damaged", &page);
    if (!strstr(page.p, "dm_rule is damaged")) fail_msg("%s is not told", wrong[i]);
    dm_buf_clear(&page);
    assert_int_equal(dm_store_exec(f->store, NULL, "ROLLBACK TO s"), DM_OK);
    assert_int_equal(dm_store_exec(f->store, NULL, "RELEASE s"), DM_OK);
  }
}

static void colours_of_equal_values(void **state) {
  (void)state;
  double equal[] = {2, 2, 2, 2}, two[] = {1, 1, 5, 5, 5}, cuts[DM_HEAT - 1];
  assert_int_equal(dm_heat_cuts(4, equal, cuts), 0);
  assert_int_equal(dm_heat_cuts(0, equal, cuts), 0);
  assert_int_equal(dm_heat_cuts(5, two, cuts), 1);
  assert_true(cuts[0] == 5);
  assert_string_not_equal(dm_heat_colour(1, cuts, 1), dm_heat_colour(1, cuts, 5));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(six_pictures_and_what_they_leave_out, set_up, tear_down),
      cmocka_unit_test_setup_teardown(few_rules_leave_nothing_out, set_up, tear_down),
      cmocka_unit_test_setup_teardown(no_rules_is_no_picture, set_up, tear_down),
      cmocka_unit_test_setup_teardown(damaged_rows_are_told, set_up, tear_down),
      cmocka_unit_test(colours_of_equal_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
