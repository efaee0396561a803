/* text: YAML trees with positions, and what is refused. */
#include "cmocka_all.h"

#include <dm/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct fixture {
  dm_ctx *ctx;
  dm_arena *arena;
} fixture;

static int setup(void **state) {
  static fixture f;
  dm_ctx_options o = {.threads = 1, .budget = (size_t)256 << 20};
  if (dm_ctx_new(&o, &f.ctx, NULL) != DM_OK || dm_arena_new(f.ctx, 0, &f.arena, NULL) != DM_OK) return -1;
  *state = &f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  dm_arena_free(f->arena);
  int leaked = dm_ctx_memory(f->ctx) != 0;
  dm_ctx_free(f->ctx);
  return leaked;
}

static const dm_yaml *parse(fixture *f, const char *text) {
  const dm_yaml *doc = NULL;
  dm_error err = {0};
  if (dm_yaml_parse(f->arena, "t.yaml", text, strlen(text), &doc, &err) != DM_OK)
    fail_msg("refused: %s (%zu:%zu)", err.message, err.line, err.column);
  return doc;
}

static dm_error refuse_n(fixture *f, const char *text, size_t n, const char *part, size_t line, size_t column) {
  const dm_yaml *doc = NULL;
  dm_error err = {0};
  assert_int_equal(dm_yaml_parse(f->arena, "t.yaml", text, n, &doc, &err), DM_EINPUT);
  assert_null(doc);
  if (!strstr(err.message, part) || err.line != line || err.column != column)
    fail_msg("'%.60s': %s (%zu:%zu), want '%s' (%zu:%zu)", text, err.message, err.line, err.column, part, line, column);
  assert_string_equal(err.file, "t.yaml");
  return err;
}

static dm_error refuse(fixture *f, const char *text, const char *part, size_t line, size_t column) {
  return refuse_n(f, text, strlen(text), part, line, column);
}

static void assert_node(const dm_yaml *n, const char *key, const char *scalar, size_t line, size_t column) {
  assert_non_null(n);
  assert_int_equal(n->type, DM_YAML_SCALAR);
  if (key)
    assert_string_equal(n->key, key);
  else
    assert_null(n->key);
  assert_string_equal(n->scalar, scalar);
  assert_int_equal(n->length, strlen(scalar));
  assert_int_equal(n->line, line);
  assert_int_equal(n->column, column);
}

static void trees_have_positions(void **state) {
  fixture *f = *state;
  const dm_yaml *doc = parse(f, "# recipe\ntable: people\nsteps:\n  - trim: {columns: [name, 'ci ty'], collapse: true}\n"
                                "  - derive: {column: bmi}\nnote: |\n  two\n  lines\nlast:\n");
  assert_int_equal(doc->type, DM_YAML_MAP);
  assert_int_equal(doc->n, 4);
  assert_int_equal(doc->line, 2);
  assert_node(dm_yaml_get(doc, "table"), "table", "people", 2, 8);
  const dm_yaml *steps = dm_yaml_get(doc, "steps");
  assert_int_equal(steps->type, DM_YAML_LIST);
  assert_int_equal(steps->n, 2);
  assert_int_equal(steps->key_line, 3);
  assert_int_equal(steps->key_column, 1);
  const dm_yaml *trim = steps->first->first;
  assert_string_equal(trim->key, "trim");
  assert_int_equal(trim->key_line, 4);
  assert_int_equal(trim->key_column, 5);
  const dm_yaml *columns = dm_yaml_get(trim, "columns");
  assert_node(columns->first, NULL, "name", 4, 22);
  assert_false(columns->first->quoted);
  assert_node(columns->first->next, NULL, "ci ty", 4, 28);
  assert_true(columns->first->next->quoted);
  assert_null(columns->first->next->next);
  assert_node(dm_yaml_get(doc, "note"), "note", "two\nlines\n", 6, 7);
  assert_true(dm_yaml_get(doc, "note")->quoted);
  assert_true(dm_yaml_is_null(dm_yaml_get(doc, "last")));
  assert_null(dm_yaml_get(doc, "absent"));
  assert_null(dm_yaml_get(steps, "trim"));
  assert_null(dm_yaml_get(NULL, "trim"));
}

static void columns_count_characters(void **state) {
  fixture *f = *state;
  assert_node(dm_yaml_get(parse(f, "\xEF\xBB\xBF" "caf\xC3\xA9: \xE2\x82\xAC"), "caf\xC3\xA9"), "caf\xC3\xA9", "\xE2\x82\xAC", 1, 7);
  dm_error err = refuse(f, "a: 1\r\nb: 2\r\ncaf\xC3\xA9: \xE2\x82\xAC\r\n\xC3\xA9\xC3\xA9: &x 1\r\n", "anchor", 4, 5);
  assert_string_equal(err.excerpt, "\xC3\xA9\xC3\xA9: &x 1");
  assert_int_equal(err.caret, 5);
}

static void plain_words_have_meaning(void **state) {
  fixture *f = *state;
  static const int nulls[] = {1, 1, 0, 0, 0, 0, 0, 0, 0, 0};
  static const int bools[] = {-1, -1, -1, 1, 0, -1, -1, -1, -1, -1};
  const dm_yaml *doc = parse(f, "[null, ~, 'null', true, No, \"yes\", on, 0, {}, []]");
  size_t i = 0;
  for (const dm_yaml *e = doc->first; e; e = e->next, i++) {
    bool value = false;
    assert_int_equal(dm_yaml_is_null(e), nulls[i]);
    assert_int_equal(dm_yaml_is_bool(e, &value) ? (int)value : -1, bools[i]);
  }
  assert_int_equal(i, 10);
  assert_true(dm_yaml_is_null(parse(f, "---\n")));
}

static void wrong_documents_are_refused_with_their_place(void **state) {
  fixture *f = *state;
  (void)refuse(f, "", "the document is empty", 1, 1);
  (void)refuse(f, "# nothing\n", "the document is empty", 2, 1);
  (void)refuse(f, "a: &anchor 1\n", "anchor", 1, 4);
  (void)refuse(f, "a: *name\n", "alias", 1, 4);
  (void)refuse(f, "a:\n  - !!int 1\n", "tag", 2, 5);
  (void)refuse(f, "a: !x {}\n", "tag", 1, 4);
  (void)refuse(f, "!x a: 1\n", "tag", 1, 1);
  (void)refuse(f, "a: 1\n---\nb: 2\n", "second document", 2, 1);
  (void)refuse(f, "{[a]: 1}", "a key must be plain text", 1, 2);
  (void)refuse(f, "? {a: 1}\n: 2\n", "a key must be plain text", 1, 3);
  (void)refuse(f, "a: 1\nb: 2\na: 3\n", "key 'a' is given twice, first on line 1", 3, 1);
  (void)refuse(f, "{a: 1, b: 2, 'a': 3}", "key 'a' is given twice", 1, 14);
  (void)refuse(f, "a: \"x\\0y\"\n", "NUL", 1, 4);
  (void)refuse(f, "a: [1, 2\nb: 3\n", "YAML: did not find expected ',' or ']'", 2, 2);
  (void)refuse(f, "a: 'open\n\n", "YAML: found unexpected end of stream", 3, 1);
  (void)refuse(f, "a: 1\n b: 2\n", "mapping values are not allowed", 2, 3);
  (void)refuse(f, "a: }\n", "YAML:", 1, 4);
  (void)refuse(f, "a: b: c\n", "mapping values", 1, 5);
  (void)refuse(f, "a: 1\nb: \xFF\n", "not UTF-8", 2, 4);
  (void)refuse(f, "\xFF\xFE" "a", "not UTF-8", 1, 1);
  (void)refuse(f, "a: 1\nb: x\x01\n", "YAML: control characters are not allowed", 2, 5);
  (void)refuse_n(f, "a: 1\n\0", 6, "YAML: control characters", 2, 1);
}

static void hints_help(void **state) {
  fixture *f = *state;
  dm_error err = refuse(f, "a:\n\tb: 1\n", "cannot start any token", 2, 1);
  assert_non_null(strstr(err.hint, "tabs"));
  err = refuse(f, "a: @x\n", "cannot start any token", 1, 4);
  assert_non_null(strstr(err.hint, "begins with @"));
  assert_string_equal(err.excerpt, "a: @x");
  assert_int_equal(err.caret, 4);
  err = refuse(f, "a: b: c\n", "mapping values", 1, 5);
  assert_non_null(strstr(err.hint, "quotes"));
  err = refuse(f, "a: [1,\n2\nb: 3\n", "did not find expected", 3, 2);
  assert_non_null(strstr(err.hint, "that begins on line 1"));
}

static void depth_and_size_are_bounded(void **state) {
  fixture *f = *state;
  char text[200];
  memset(text, '[', 64);
  memset(text + 64, ']', 64);
  text[128] = 0;
  (void)parse(f, text);
  memset(text, '[', 65);
  text[65] = 0;
  (void)refuse(f, text, "nested deeper than 64", 1, 65);
  size_t n = ((size_t)16 << 20) + 1;
  char *big = malloc(n);
  assert_non_null(big);
  memset(big, 'x', n);
  const dm_yaml *doc = NULL;
  dm_error err = {0};
  assert_int_equal(dm_yaml_parse(f->arena, "t.yaml", big, n, &doc, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "16 MB"));
  memset(big, '[', 1 << 20); /* libyaml itself is never let that deep */
  assert_int_equal(dm_yaml_parse(f->arena, "t.yaml", big, 1 << 20, &doc, &err), DM_EINPUT);
  free(big);
}

static void memory_stays_in_the_budget(void **state) {
  (void)state;
  fixture f = {0};
  dm_ctx_options o = {.threads = 1, .budget = 300000};
  assert_int_equal(dm_ctx_new(&o, &f.ctx, NULL), DM_OK);
  assert_int_equal(dm_arena_new(f.ctx, 0, &f.arena, NULL), DM_OK);
  static char text[8002];
  for (size_t i = 0; i < 8000; i++) text[i] = i == 0 ? '[' : i % 2 ? '1' : ',';
  text[8000] = ']';
  const dm_yaml *doc = NULL;
  dm_error err = {0};
  assert_int_equal(dm_yaml_parse(f.arena, "t.yaml", text, 8001, &doc, &err), DM_EBUDGET);
  assert_null(doc);
  dm_arena_free(f.arena);
  dm_ctx_free(f.ctx);
}

static void unknown_keys_get_a_suggestion(void **state) {
  fixture *f = *state;
  static const char *const known[] = {"table", "steps"};
  dm_error err = {0};
  const dm_yaml *doc = parse(f, "table: t\nstpes: []\n");
  assert_int_equal(dm_yaml_check_keys(doc, "r.yaml", known, 2, &err), DM_EINPUT);
  assert_string_equal(err.message, "unknown key 'stpes'");
  assert_string_equal(err.hint, "did you mean 'steps'?");
  assert_string_equal(err.excerpt, "stpes: []");
  assert_true(err.line == 2 && err.column == 1 && err.caret == 1);
  doc = parse(f, "frobnicate: t\n");
  assert_int_equal(dm_yaml_check_keys(doc, "r.yaml", known, 2, &err), DM_EINPUT);
  assert_string_equal(err.hint, "known: table, steps");
  assert_int_equal(dm_yaml_check_keys(parse(f, "steps: 1\n"), "r.yaml", known, 2, &err), DM_OK);
  assert_int_equal(dm_yaml_check_keys(parse(f, "- a\n"), "r.yaml", known, 2, &err), DM_EINPUT);
  assert_non_null(strstr(err.message, "want a map"));
  assert_int_equal(dm_yaml_check_keys(doc, "r.yaml", known, 2, NULL), DM_EINPUT);
}

static void failures_point_at_the_value(void **state) {
  fixture *f = *state;
  dm_error err = {0};
  const dm_yaml *doc = parse(f, "a: 1\nwhere:   [x, 'y']\n");
  const dm_yaml *y = dm_yaml_get(doc, "where")->first->next;
  assert_int_equal(dm_yaml_fail(y, "r.yaml", &err, "'%s' is no column", y->scalar), DM_EINPUT);
  assert_string_equal(err.message, "'y' is no column");
  assert_string_equal(err.file, "r.yaml");
  assert_string_equal(err.excerpt, "where:   [x, 'y']");
  assert_true(err.line == 2 && err.column == 14 && err.caret == 14);
  assert_int_equal(dm_yaml_fail(y, "r.yaml", NULL, "x"), DM_EINPUT);
}

static void files_are_loaded(void **state) {
  fixture *f = *state;
  dm_error err = {0};
  const dm_yaml *doc = NULL;
  char path[] = "/tmp/dm-test-yaml-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  FILE *file = fdopen(fd, "wb");
  assert_non_null(file);
  for (int i = 0; i < 20000; i++) (void)fprintf(file, "- item %d\n", i);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(dm_yaml_load(f->arena, path, &doc, &err), DM_OK);
  assert_int_equal(doc->n, 20000);
  assert_string_equal(doc->first->scalar, "item 0");
  (void)unlink(path);
  doc = NULL;
  assert_int_equal(dm_yaml_load(f->arena, path, &doc, &err), DM_EIO);
  assert_string_equal(err.file, path);
  assert_non_null(strstr(err.message, "cannot be opened"));
  assert_int_equal(dm_yaml_load(f->arena, "/", &doc, &err), DM_EIO); /* a directory */
  assert_null(doc);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(trees_have_positions, setup, teardown),
    cmocka_unit_test_setup_teardown(columns_count_characters, setup, teardown),
    cmocka_unit_test_setup_teardown(plain_words_have_meaning, setup, teardown),
    cmocka_unit_test_setup_teardown(wrong_documents_are_refused_with_their_place, setup, teardown),
    cmocka_unit_test_setup_teardown(hints_help, setup, teardown),
    cmocka_unit_test_setup_teardown(depth_and_size_are_bounded, setup, teardown),
    cmocka_unit_test(memory_stays_in_the_budget),
    cmocka_unit_test_setup_teardown(unknown_keys_get_a_suggestion, setup, teardown),
    cmocka_unit_test_setup_teardown(failures_point_at_the_value, setup, teardown),
    cmocka_unit_test_setup_teardown(files_are_loaded, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
