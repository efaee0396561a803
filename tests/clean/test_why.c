/* From a cell back to the byte of the file it came from; and import, apply, undo give the table that came in. */
#include "clean_test.h"

#include <math.h>
#include <unistd.h>

#define T "table: people\nsteps:\n"

static const char csv[] = "id;name;age\n1; Ann ;30\n2;BOB;x\n3;\"Cy; D\";\n4;Dee;41\n";

typedef struct fixture {
  bench b;
  char path[64];
} fixture;

static void set_up(fixture *f) {
  bench_open(&f->b);
  strcpy(f->path, "/tmp/dm-why-XXXXXX.csv");
  int fd = mkstemps(f->path, 4);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, csv, sizeof csv - 1), sizeof csv - 1);
  close(fd);
  dm_import_options o = {.table = "people", .csv = {.trim = DM_NO}};
  dm_import_result r;
  if (dm_store_import(f->b.store, f->path, &o, f->b.arena, &r, &f->b.err) != DM_OK) fail_msg("%s", f->b.err.message);
  assert_int_equal(r.rows, 4);
}

static void tear_down(fixture *f) {
  (void)unlink(f->path);
  bench_close(&f->b);
}

static dm_why ask(bench *b, int64_t row, const char *column) {
  dm_why w = {0};
  if (dm_why_row(b->store, "people", row, column, b->arena, &w, &b->err) != DM_OK) fail_msg("%s", b->err.message);
  return w;
}

static void the_chain_goes_down_to_the_bytes(void **state) {
  (void)state;
  fixture f;
  dm_apply_result u;
  set_up(&f);
  int64_t first = apply_good(&f.b, T "  - trim: {columns: name}\n  - case: {columns: name, to: upper}\n").run_id;
  int64_t second = apply_good(&f.b, T "  - replace: {columns: name, pattern: ANN, with: Anne}\n").run_id;
  dm_why w = ask(&f.b, 1, "name");
  assert_true(w.origin.verified);
  assert_int_equal(w.origin.line, 2);
  assert_int_equal(w.origin.byte_offset, 12);
  assert_int_equal(w.n_cells, 1);
  const dm_why_cell *c = &w.cells[0];
  assert_string_equal(c->now.text.p, "Anne");
  assert_string_equal(c->raw.p, " Ann ");
  assert_int_equal(c->n, 4);
  assert_int_equal(c->steps[0].run_id, second);
  assert_string_equal(c->steps[0].rule, "1:replace");
  assert_string_equal(c->steps[0].old_value.text.p, "ANN");
  assert_int_equal(c->steps[1].run_id, first);
  assert_string_equal(c->steps[1].rule, "2:case");
  assert_string_equal(c->steps[2].rule, "1:trim");
  assert_string_equal(c->steps[2].old_value.text.p, " Ann ");
  assert_true(c->steps[2].confidence == 1.0);
  assert_int_equal(c->steps[3].run_id, 0);
  assert_string_equal(c->steps[3].rule, "import");
  assert_string_equal(c->steps[3].new_value.text.p, " Ann ");
  assert_non_null(c->steps[3].started);
  assert_int_equal(dm_undo(f.b.store, second, f.b.arena, &u, &f.b.err), DM_OK);
  w = ask(&f.b, 1, "name");
  assert_int_equal(w.cells[0].n, 4);
  assert_true(w.cells[0].steps[0].undone);
  assert_false(w.cells[0].steps[1].undone);
  assert_string_equal(w.cells[0].now.text.p, "ANN");
  tear_down(&f);
}

static void derived_and_removed_cells_are_told(void **state) {
  (void)state;
  fixture f;
  set_up(&f);
  (void)apply_good(&f.b, T "  - cast: {columns: age, to: integer, on_error: missing}\n  - derive: {column: twice, as: 'age * 2'}\n"
                           "  - fill: {columns: twice, with: {constant: 7}}\n  - filter: {where: 'id < 4'}\n");
  dm_why w = ask(&f.b, 2, NULL);
  assert_int_equal(w.n_cells, 4);
  const dm_why_cell *age = &w.cells[2], *twice = &w.cells[3];
  assert_int_equal(age->now.type, DM_NULL);
  assert_string_equal(age->raw.p, "x");
  assert_string_equal(age->steps[0].rule, "1:cast");
  assert_string_equal(age->steps[0].old_value.text.p, "x");
  assert_int_equal(twice->n, 2);
  assert_string_equal(twice->steps[0].rule, "3:fill");
  assert_true(isnan(twice->steps[0].confidence)); /* a guess has none */
  assert_string_equal(twice->steps[1].rule, "2:derive");
  assert_int_equal(twice->steps[1].new_value.type, DM_NULL);
  assert_null(twice->raw.p);
  w = ask(&f.b, 4, "twice");
  assert_int_equal(w.cells[0].now.type, DM_NULL);
  assert_string_equal(w.cells[0].steps[0].rule, "4:filter");
  assert_int_equal(w.cells[0].steps[0].old_value.integer, 82);
  assert_int_equal(w.cells[0].steps[1].new_value.integer, 82);
  assert_int_equal(w.origin.line, 5);
  tear_down(&f);
}

static void what_is_not_known_is_said(void **state) {
  (void)state;
  fixture f;
  dm_why w;
  set_up(&f);
  assert_int_equal(dm_why_row(f.b.store, "people", 9, NULL, f.b.arena, &w, &f.b.err), DM_EUSAGE);
  assert_non_null(strstr(f.b.err.message, "no row 9"));
  assert_int_equal(dm_why_row(f.b.store, "people", 1, "nam", f.b.arena, &w, &f.b.err), DM_EUSAGE);
  assert_non_null(strstr(f.b.err.hint, "'name'"));
  run_sql(&f.b, "INSERT INTO people(dm_id, name) VALUES(9, 'hand')");
  w = ask(&f.b, 9, "name");
  assert_false(w.origin.verified);
  assert_non_null(strstr(w.origin.problem, "did not come from a file"));
  run_sql(&f.b, "CREATE TABLE own(dm_id INTEGER PRIMARY KEY, a TEXT)");
  run_sql(&f.b, "INSERT INTO own VALUES(1, 'x')");
  assert_int_equal(dm_why_row(f.b.store, "own", 1, NULL, f.b.arena, &w, &f.b.err), DM_OK);
  assert_string_equal(w.cells[0].steps[0].rule, "as found");
  assert_non_null(strstr(w.origin.problem, "not imported"));
  (void)unlink(f.path);
  w = ask(&f.b, 1, "name");
  assert_false(w.origin.verified);
  assert_true(w.origin.problem[0] && !w.cells[0].raw.p);
  tear_down(&f);
}

static void json_is_whole(void **state) {
  (void)state;
  fixture f;
  dm_buf text;
  dm_json_out j;
  const dm_json *doc = NULL;
  set_up(&f);
  (void)apply_good(&f.b, T "  - trim: {columns: name}\n");
  dm_why w = ask(&f.b, 1, NULL);
  w.origin.text = (dm_str){"a\xFFz", 3}; /* JSON has no such letter */
  dm_buf_init(&text, f.b.ctx, NULL);
  dm_json_out_init(&j, &text, false);
  dm_why_json(&w, &j);
  if (dm_json_parse(f.b.arena, text.p, text.n, &doc, &f.b.err) != DM_OK) fail_msg("%s in %s", f.b.err.message, text.p);
  assert_string_equal(dm_json_get_string(dm_json_get(doc, "origin"), "raw", ""), "a\xEF\xBF\xBDz");
  assert_string_equal(dm_json_get_string(dm_json_get(doc, "origin"), "table", ""), "people");
  assert_int_equal(dm_json_get_int(doc, "row", 0), 1);
  const dm_json *cell = dm_json_get(doc, "cells")->first->next;
  assert_string_equal(dm_json_get_string(cell, "now", ""), "Ann");
  assert_string_equal(dm_json_get_string(cell, "raw", ""), " Ann ");
  assert_string_equal(dm_json_get_string(dm_json_get(cell, "chain")->first, "rule", ""), "1:trim");
  dm_buf_clear(&text);
  tear_down(&f);
}

/* Real files: in, through every kind of step, and back to the digest of the start. */
static void real_tables_come_back(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"airquality", "  - fill: {columns: '*', with: mean}\n  - cast: {columns: Month, to: text}\n  - derive: {column: r, as: 'Wind / Temp'}\n"
                     "  - filter: {where: 'Temp > 70'}\n  - drop_duplicates: {columns: [Wind]}\n"},
      {"survey", "  - trim: {collapse: true}\n  - case: {columns: '*', to: lower}\n  - fill: {columns: '*', with: mode}\n  - drop_duplicates\n"},
      {"biopsy-dirty", "  - trim: {empty: missing}\n  - parse_number: {columns: '*', on_error: keep}\n  - cast: {columns: '*', to: text}\n"
                       "  - fill: {columns: '*', with: mode}\n  - derive: {column: n, as: 'length(class)'}\n"},
  };
  const char *source = getenv("DM_SOURCE");
  assert_non_null(source);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bench b;
    dm_apply_result u;
    dm_import_result r;
    static const char *const nulls[] = {"NA"};
    dm_import_options o = {.table = "real \"table", .csv = {.nulls = nulls, .n_nulls = 1}};
    bench_open(&b);
    const char *path = dm_arena_printf(b.arena, NULL, "%s/datasets/%s.csv", source, cases[i][0]);
    if (dm_store_import(b.store, path, &o, b.arena, &r, &b.err) != DM_OK) fail_msg("%s: %s", path, b.err.message);
    const char *before = dump_table(&b, "real \"table");
    dm_apply_result done = apply_good(&b, dm_arena_printf(b.arena, NULL, "table: 'real \"table'\nsteps:\n%s", cases[i][1]));
    assert_string_not_equal(dump_table(&b, "real \"table"), before);
    if (dm_undo(b.store, done.run_id, b.arena, &u, &b.err) != DM_OK) fail_msg("%s: %s", path, b.err.message);
    assert_string_equal(dump_table(&b, "real \"table"), before);
    bench_close(&b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_chain_goes_down_to_the_bytes),
      cmocka_unit_test(derived_and_removed_cells_are_told),
      cmocka_unit_test(what_is_not_known_is_said),
      cmocka_unit_test(json_is_whole),
      cmocka_unit_test(real_tables_come_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
