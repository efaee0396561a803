/* text: the JSON writer, the strict reader and the canonical form. */
#include "cmocka_all.h"

#include <dm/text.h>
#include <math.h>
#include <stdio.h>

typedef struct fixture {
  dm_ctx *ctx;
  dm_arena *arena;
  dm_buf buf;
  dm_error err;
} fixture;

static int setup(void **state) {
  static fixture f;
  memset(&f, 0, sizeof f);
  dm_ctx_options o = {.threads = 1, .budget = (size_t)256 << 20};
  if (dm_ctx_new(&o, &f.ctx, NULL) != DM_OK || dm_arena_new(f.ctx, 0, &f.arena, NULL) != DM_OK) return -1;
  dm_buf_init(&f.buf, f.ctx, &f.err);
  *state = &f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  dm_buf_clear(&f->buf);
  dm_arena_free(f->arena);
  int leaked = dm_ctx_memory(f->ctx) != 0;
  dm_ctx_free(f->ctx);
  return leaked;
}

static const dm_json *parse(fixture *f, const char *text, size_t n) {
  const dm_json *doc = NULL;
  dm_error err = {0};
  if (dm_json_parse(f->arena, text, n, &doc, &err) != DM_OK)
    fail_msg("'%.80s' refused: %s (%zu:%zu)", text, err.message, err.line, err.column);
  return doc;
}

/* Refused with this message part at this place, the output untouched. */
static void refuse(fixture *f, const char *text, size_t n, const char *part, size_t line, size_t column) {
  const dm_json *doc = NULL;
  dm_error err = {0};
  assert_int_equal(dm_json_parse(f->arena, text, n, &doc, &err), DM_EINPUT);
  assert_null(doc);
  if (!strstr(err.message, part) || err.line != line || err.column != column)
    fail_msg("'%.80s': %s (%zu:%zu), want '%s' (%zu:%zu)", text, err.message, err.line, err.column, part, line, column);
}

/* ---- writing ------------------------------------------------------------- */

static void write_sample(dm_json_out *j) {
  dm_json_object(j);
  dm_json_key(j, "a");
  dm_json_array(j);
  dm_json_int(j, -1);
  dm_json_double(j, 3);
  dm_json_double(j, 1e-7);
  dm_json_double(j, (double)NAN);
  dm_json_double(j, -(double)INFINITY);
  dm_json_end_array(j);
  dm_json_key(j, "empty");
  dm_json_object(j);
  dm_json_end_object(j);
  dm_json_key(j, "none");
  dm_json_array(j);
  dm_json_end_array(j);
  dm_json_key(j, "s");
  dm_json_string(j, NULL);
  dm_json_key(j, "t");
  dm_json_bool(j, true);
  dm_json_key(j, "raw");
  dm_json_raw(j, "[0]", 3);
  dm_json_key(j, "list");
  dm_json_array(j);
  dm_json_object(j);
  dm_json_end_object(j);
  dm_json_array(j);
  dm_json_null(j);
  dm_json_end_array(j);
  dm_json_end_array(j);
  dm_json_end_object(j);
}

static void writer_places_commas(void **state) {
  fixture *f = *state;
  dm_json_out j;
  dm_json_out_init(&j, &f->buf, false);
  write_sample(&j);
  assert_string_equal(f->buf.p, "{\"a\":[-1,3.0,1e-7,null,null],\"empty\":{},\"none\":[],\"s\":null,\"t\":true,\"raw\":[0],"
                                "\"list\":[{},[null]]}");
}

static void writer_indents(void **state) {
  fixture *f = *state;
  dm_json_out j;
  dm_json_out_init(&j, &f->buf, true);
  write_sample(&j);
  assert_string_equal(f->buf.p,
                      "{\n  \"a\": [\n    -1,\n    3.0,\n    1e-7,\n    null,\n    null\n  ],\n  \"empty\": {},\n"
                      "  \"none\": [],\n  \"s\": null,\n  \"t\": true,\n  \"raw\": [0],\n  \"list\": [\n    {},\n    [\n"
                      "      null\n    ]\n  ]\n}");
  (void)parse(f, f->buf.p, f->buf.n);
}

static void assert_quotes(fixture *f, const char *s, size_t n, const char *want) {
  dm_json_out j;
  dm_buf_reset(&f->buf);
  dm_json_out_init(&j, &f->buf, false);
  dm_json_string_n(&j, s, n);
  assert_string_equal(f->buf.p, want);
}

static void strings_are_escaped(void **state) {
  fixture *f = *state;
  assert_quotes(f, "", 0, "\"\"");
  assert_quotes(f, "a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"");
  assert_quotes(f, "\b\t\n\v\f\r\x1F\x7F", 8, "\"\\b\\t\\n\\u000b\\f\\r\\u001f\x7F\"");
  assert_quotes(f, "x\0y", 3, "\"x\\u0000y\"");
  assert_quotes(f, "0123456789\"0123456789", 21, "\"0123456789\\\"0123456789\"");
  assert_quotes(f, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80!", 10, "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80!\"");
  assert_quotes(f, "a\xE9z", 3, "\"a\xEF\xBF\xBDz\"");
  assert_quotes(f, "\xE2\x82", 2, "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

/* Any bytes: what is written can be read, and valid text comes back. */
static void any_string_comes_back(void **state) {
  fixture *f = *state;
  dm_rng rng;
  dm_rng_init(&rng, 1, 1);
  for (int i = 0; i < 20000; i++) {
    char s[40];
    size_t n = dm_rng_below(&rng, sizeof s);
    for (size_t k = 0; k < n; k++)
      s[k] = (char)dm_rng_below(&rng, i % 2 ? 128 : 256); /* half of them ASCII */
    dm_json_out j;
    dm_buf_reset(&f->buf);
    dm_json_out_init(&j, &f->buf, false);
    dm_json_string_n(&j, s, n);
    assert_int_equal(dm_utf8_valid(f->buf.p, f->buf.n), f->buf.n);
    const dm_json *v = parse(f, f->buf.p, f->buf.n);
    if (dm_utf8_valid(s, n) == n) assert_true(dm_str_equal(v->string, (dm_str){s, n}));
    if (i % 1000 == 0) dm_arena_reset(f->arena);
  }
}

static void writer_keeps_the_first_failure(void **state) {
  (void)state;
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.threads = 1, .budget = 4096};
  dm_error err = {0};
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  dm_buf buf;
  dm_buf_init(&buf, ctx, &err);
  dm_json_out j;
  dm_json_out_init(&j, &buf, false);
  dm_json_array(&j);
  for (int i = 0; i < 2000; i++) dm_json_double(&j, i + 0.5);
  dm_json_end_array(&j);
  assert_int_equal(dm_buf_status(&buf), DM_EBUDGET);
  assert_int_equal(err.code, DM_EBUDGET);
  dm_buf_clear(&buf);
  dm_ctx_free(ctx);
}

/* ---- reading ------------------------------------------------------------- */

static void documents_are_read(void **state) {
  fixture *f = *state;
  static const char text[] = " {\"a\": [1, -2.5e3, \"x\\u00e9\\ud83d\\ude00\\/\\n\", true, false, null, {}, []],\r\n\t\"b\": 9223372036854775807,"
                             "\"c\": 9223372036854775808, \"d\": -0, \"e\": 1.0, \"\": \"\"} ";
  const dm_json *doc = parse(f, text, sizeof text - 1);
  assert_int_equal(doc->type, DM_JSON_OBJECT);
  assert_int_equal(doc->n, 6);
  assert_null(doc->key);
  const dm_json *a = dm_json_get(doc, "a");
  assert_int_equal(a->n, 8);
  const dm_json *e = a->first;
  assert_true(e->type == DM_JSON_INT && e->integer == 1 && e->real == 1 && !e->key);
  e = e->next;
  assert_true(e->type == DM_JSON_DOUBLE && e->real == -2500);
  e = e->next;
  assert_string_equal(e->string.p, "x\xC3\xA9\xF0\x9F\x98\x80/\n");
  assert_int_equal(e->string.n, 9);
  e = e->next;
  assert_true(e->type == DM_JSON_BOOL && e->integer == 1);
  e = e->next;
  assert_true(e->type == DM_JSON_BOOL && e->integer == 0);
  e = e->next;
  assert_int_equal(e->type, DM_JSON_NULL);
  e = e->next;
  assert_true(e->type == DM_JSON_OBJECT && e->n == 0 && !e->first);
  e = e->next;
  assert_true(e->type == DM_JSON_ARRAY && e->n == 0 && !e->next);
  assert_true(dm_json_get_int(doc, "b", 0) == INT64_MAX);
  assert_int_equal(dm_json_get(doc, "c")->type, DM_JSON_DOUBLE);
  assert_true(dm_json_get_double(doc, "c", 0) == 0x1p63);
  assert_true(dm_json_get_int(doc, "c", 5) == 5); /* does not fit */
  assert_true(signbit(dm_json_get_double(doc, "d", 1)));
  assert_true(dm_json_get_int(doc, "e", 5) == 1);
  assert_string_equal(dm_json_get_string(doc, "", "?"), "");
  assert_string_equal(dm_json_get_string(doc, "b", "?"), "?");
  assert_true(dm_json_get_bool(doc, "missing", true));
  assert_null(dm_json_get(a, "a"));
  assert_null(dm_json_get(NULL, "a"));
}

static void conforming_documents_are_taken(void **state) {
  fixture *f = *state;
  static const char *const texts[] = {
    "null", "true", "0", "-0.0e-0", "1E+2", "\"\"", "[]", "{}", "[[]   ]", "[ 1 , 2 ]", "{\"a\":{\"a\":{}}}", "\t\n\r 1 \t\n\r", "123.456e78",
    "[1,\n2]", "\"\\u0000\"", "\"\\uDBFF\\uDFFF\"", "\"\x7F\"", "\"\xF4\x8F\xBF\xBF\"", "{\"a\":1,\"A\":2,\"\\u00e4\":3}", "1e-400", "\"\\\\\"",
    "\"\\\"\"", "[\"a\",\"a\"]", "\"\xE2\x80\xA8\"",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) (void)parse(f, texts[i], strlen(texts[i]));
}

static void wrong_documents_are_refused_with_their_place(void **state) {
  fixture *f = *state;
  static const struct {
    const char *text, *part;
    size_t line, column;
  } cases[] = {
    {"", "ends, want a value", 1, 1},
    {"  ", "ends, want a value", 1, 3},
    {"[", "ends, want a value", 1, 2},
    {"[1", "want ',' or ']'", 1, 3},
    {"[1,]", "']', want a value", 1, 4},
    {"[,1]", "',', want a value", 1, 2},
    {"[1 2]", "'2', want ',' or ']'", 1, 4},
    {"[1}", "'}'", 1, 3},
    {"]", "']', want a value", 1, 1},
    {"{\"a\":1,}", "'}', want a key in quotes", 1, 8},
    {"{a:1}", "'a', want a key in quotes", 1, 2},
    {"{'a':1}", "want a key in quotes", 1, 2},
    {"{\"a\" 1}", "'1', want ':'", 1, 6},
    {"{\"a\":}", "'}', want a value", 1, 6},
    {"{\"a\":1 \"b\":2}", "want ',' or '}'", 1, 8},
    {"{1:1}", "want a key", 1, 2},
    {"{\n  \"a\": 1,\n  \"b\": tru\n}", "'t', want a value", 3, 8},
    {"nul", "want a value", 1, 1},
    {"TRUE", "'T'", 1, 1},
    {"nullx", "'x', want nothing", 1, 5},
    {"1 2", "'2', want nothing", 1, 3},
    {"{}{}", "want nothing", 1, 3},
    {"NaN", "'N', want a value", 1, 1},
    {"-Infinity", "'I', want a digit", 1, 2},
    {"+1", "'+'", 1, 1},
    {".5", "'.'", 1, 1},
    {"5.", "want a digit behind the point", 1, 3},
    {"1.e5", "want a digit behind the point", 1, 3},
    {"1e", "want a digit in the exponent", 1, 3},
    {"1e+x", "want a digit in the exponent", 1, 4},
    {"-", "want a digit", 1, 2},
    {"01", "may not begin with 0", 1, 1},
    {"[-01]", "may not begin with 0", 1, 2},
    {"0x10", "want nothing", 1, 2},
    {"[1, 1e309]", "beyond 1.8e308", 1, 5},
    {"\"abc", "never closed", 1, 1},
    {"\"abc\\\"", "never closed", 1, 1},
    {"\"abc\\", "never closed", 1, 1},
    {"\"a\nb\"", "byte 0x0A, want it escaped", 1, 3},
    {"\"a\tb\"", "byte 0x09", 1, 3},
    {"\"\\x41\"", "unknown escape", 1, 2},
    {"\"\\u12\"", "four hexadecimal", 1, 2},
    {"\"\\u12G4\"", "four hexadecimal", 1, 2},
    {"\"\\ud800\"", "surrogate", 1, 2},
    {"\"\\ud800\\u0041\"", "surrogate", 1, 2},
    {"\"\\udc00\\ud800\"", "surrogate", 1, 2},
    {"\"\\ud83d\\ude0\"", "surrogate", 1, 2},
    {"\"\xC3\xA9\xE9\"", "not UTF-8", 1, 3}, /* columns count characters */
    {"\"\xC0\x80\"", "not UTF-8", 1, 2},
    {"\xEF\xBB\xBF{}", "want a value", 1, 1},
    {"{\"a\\u0000\":1}", "U+0000", 1, 2},
    {"// no\n1", "'/'", 1, 1},
    {"{\"a\":1,\n\"b\":2,\"a\":3}", "key 'a' is given twice, first on line 1", 2, 7},
    {"{\"a\":1,\"\\u0061\":3}", "key 'a' is given twice", 1, 8},
    {"{\"1\":0,\"2\":0,\"3\":0,\"4\":0,\n\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,\"5\":0,\"x\":0}", "key '5' is given twice, first on line 2", 2, 31},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    refuse(f, cases[i].text, strlen(cases[i].text), cases[i].part, cases[i].line, cases[i].column);
  refuse(f, "1\0", 2, "byte 0x00, want nothing", 1, 2);
  refuse(f, "\"\0\"", 3, "byte 0x00", 1, 2);
  refuse(f, "\"\\\0\"", 4, "unknown escape", 1, 2);
}

static void errors_show_the_line(void **state) {
  fixture *f = *state;
  const dm_json *doc = NULL;
  dm_error err = {0};
  static const char text[] = "{\n  \"caf\xC3\xA9\": 1 2,\n}";
  assert_int_equal(dm_json_parse(f->arena, text, sizeof text - 1, &doc, &err), DM_EINPUT);
  assert_string_equal(err.excerpt, "  \"caf\xC3\xA9\": 1 2,");
  assert_int_equal(err.caret, 13);
  assert_int_equal(dm_json_parse(f->arena, "[", 1, &doc, NULL), DM_EINPUT); /* err may be NULL */
}

static void depth_is_bounded(void **state) {
  fixture *f = *state;
  char text[200];
  memset(text, '[', 64);
  memset(text + 64, ']', 64);
  (void)parse(f, text, 128);
  memset(text, '[', 65);
  memset(text + 65, ']', 65);
  refuse(f, text, 130, "deeper than 64", 1, 65);
  dm_buf_reset(&f->buf);
  for (int i = 0; i < 1000000; i++) dm_buf_addc(&f->buf, '[');
  refuse(f, f->buf.p, f->buf.n, "deeper than 64", 1, 65);
}

/* Many keys in one object: sorted and reversed, the two orders a poor sort falls over. */
static void big_objects_take_no_quadratic_time(void **state) {
  fixture *f = *state;
  for (int reversed = 0; reversed < 2; reversed++) {
    dm_json_out j;
    dm_buf_reset(&f->buf);
    dm_json_out_init(&j, &f->buf, false);
    dm_json_object(&j);
    for (int i = 0; i < 100000; i++) {
      char key[16];
      (void)snprintf(key, sizeof key, "k%06d", reversed ? 100000 - i : i);
      dm_json_key(&j, key);
      dm_json_int(&j, i);
    }
    dm_json_end_object(&j);
    assert_int_equal(parse(f, f->buf.p, f->buf.n)->n, 100000);
    dm_arena_reset(f->arena);
  }
}

static void memory_stays_in_the_budget(void **state) {
  (void)state;
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.threads = 1, .budget = 200000};
  dm_error err = {0};
  const dm_json *doc = NULL;
  dm_arena *arena = NULL;
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  char text[10001];
  for (size_t i = 0; i < sizeof text; i++) text[i] = i == 0 ? '[' : i == sizeof text - 1 ? ']' : i % 2 ? '1' : ',';
  assert_int_equal(dm_json_parse(arena, text, sizeof text, &doc, &err), DM_EBUDGET);
  assert_null(doc);
  dm_arena_free(arena);
  dm_ctx_free(ctx);
}

/* ---- canonical form --------------------------------------------------------- */

static void assert_canonical(fixture *f, const char *text, const char *want) {
  dm_buf_reset(&f->buf);
  dm_json_canonical(parse(f, text, strlen(text)), &f->buf);
  assert_string_equal(f->buf.p, want);
  char *first = dm_arena_strdup(f->arena, f->buf.p, f->buf.n, NULL);
  dm_buf_reset(&f->buf);
  dm_json_canonical(parse(f, first, strlen(first)), &f->buf);
  assert_string_equal(f->buf.p, first);
}

static void canonical_form_depends_on_the_value_only(void **state) {
  fixture *f = *state;
  assert_canonical(f, " { \"b\" : 1.0 , \"a\" : [ 1e2, 0.10, 1E-7, true, null, \"\\u0041\\/\" ] } ", "{\"a\":[100,0.1,1e-7,true,null,\"A/\"],\"b\":1}");
  assert_canonical(f, "{\"b\":{\"z\":[],\"y\":{}},\"B\":false,\"\":0}", "{\"\":0,\"B\":false,\"b\":{\"y\":{},\"z\":[]}}");
  assert_canonical(f, "[1e16,10000000000000000,1e18,1e19,-9223372036854775808,0.0,-0,-0.0]",
                   "[10000000000000000,10000000000000000,1000000000000000000,1e+19,-9223372036854775808,0,-0,-0]");
  assert_canonical(f, "{\"\xC3\xA9\":1,\"z\":2,\"\xE2\x82\xAC\":3}", "{\"z\":2,\"\xC3\xA9\":1,\"\xE2\x82\xAC\":3}");
  assert_canonical(f, "\"\\u001f\\t\\u00e9\"", "\"\\u001f\\t\xC3\xA9\"");
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(writer_places_commas, setup, teardown),
    cmocka_unit_test_setup_teardown(writer_indents, setup, teardown),
    cmocka_unit_test_setup_teardown(strings_are_escaped, setup, teardown),
    cmocka_unit_test_setup_teardown(any_string_comes_back, setup, teardown),
    cmocka_unit_test(writer_keeps_the_first_failure),
    cmocka_unit_test_setup_teardown(documents_are_read, setup, teardown),
    cmocka_unit_test_setup_teardown(conforming_documents_are_taken, setup, teardown),
    cmocka_unit_test_setup_teardown(wrong_documents_are_refused_with_their_place, setup, teardown),
    cmocka_unit_test_setup_teardown(errors_show_the_line, setup, teardown),
    cmocka_unit_test_setup_teardown(depth_is_bounded, setup, teardown),
    cmocka_unit_test_setup_teardown(big_objects_take_no_quadratic_time, setup, teardown),
    cmocka_unit_test(memory_stays_in_the_budget),
    cmocka_unit_test_setup_teardown(canonical_form_depends_on_the_value_only, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
