/* text: case mapping, composed form, display columns. */
#include "cmocka_all.h"

#include <dm/text.h>
#include <stdlib.h>
#include <utf8proc.h>

typedef struct fixture {
  dm_ctx *ctx;
  dm_buf buf;
} fixture;

static int setup(void **state) {
  static fixture f;
  dm_ctx_options o = {.threads = 1};
  if (dm_ctx_new(&o, &f.ctx, NULL) != DM_OK) return -1;
  dm_buf_init(&f.buf, f.ctx, NULL);
  *state = &f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  dm_buf_clear(&f->buf);
  int leaked = dm_ctx_memory(f->ctx) != 0;
  dm_ctx_free(f->ctx);
  return leaked;
}

static void assert_case(fixture *f, dm_case to, const char *text, const char *want) {
  dm_buf_reset(&f->buf);
  dm_buf_adds(&f->buf, ">"); /* what is there stays */
  assert_int_equal(dm_utf8_case(text, strlen(text), to, &f->buf, NULL), DM_OK);
  assert_string_equal(f->buf.p + 1, want);
  assert_int_equal(f->buf.p[0], '>');
}

static void ascii_changes_case(void **state) {
  fixture *f = *state;
  assert_case(f, DM_CASE_LOWER, "", "");
  assert_case(f, DM_CASE_LOWER, "ABC xyz @[`{ 09", "abc xyz @[`{ 09");
  assert_case(f, DM_CASE_UPPER, "ABC xyz @[`{ 09", "ABC XYZ @[`{ 09");
  assert_case(f, DM_CASE_FOLD, "MiXed", "mixed");
  assert_case(f, DM_CASE_TITLE, "new YORK-city  don't 3RD o'neil_x 'quoted'", "New York-City  Don't 3rd O'neil_X 'Quoted'");
}

static void unicode_changes_case(void **state) {
  fixture *f = *state;
  assert_case(f, DM_CASE_LOWER, "ÄÖÜ ÉCOLE ЖУК", "äöü école жук");
  assert_case(f, DM_CASE_UPPER, "äöü école жук", "ÄÖÜ ÉCOLE ЖУК");
  assert_case(f, DM_CASE_TITLE, "élan VITAL жУК д'АРТ don’T", "Élan Vital Жук Д'арт Don’t");
  assert_case(f, DM_CASE_UPPER, "straße", "STRASSE");
  assert_case(f, DM_CASE_UPPER, "STRAẞE", "STRAẞE");
  assert_case(f, DM_CASE_FOLD, "Straße", "strasse");
  assert_case(f, DM_CASE_TITLE, "ßa", "Ssa");
  assert_case(f, DM_CASE_UPPER, "ﬁn ŉ ǰ", "FIN ʼN J̌");
  assert_case(f, DM_CASE_TITLE, "ﬁn ŉa ǆ", "Fin ʼNa ǅ");
  assert_case(f, DM_CASE_UPPER, "ᾳ ὠ", "ΑΙ Ὠ");
  assert_case(f, DM_CASE_LOWER, "İSTANBUL", "i̇stanbul");
  assert_case(f, DM_CASE_UPPER, "i̇stanbul", "İSTANBUL"); /* I and a dot compose */
  assert_case(f, DM_CASE_UPPER, "ı", "I");
}

static void sigma_ends_words(void **state) {
  fixture *f = *state;
  assert_case(f, DM_CASE_LOWER, "ΟΔΟΣ ΣΟΦΟΣ, Σ", "οδος σοφος, σ");
  assert_case(f, DM_CASE_LOWER, "ΟΔΟΣ'Α Α\u0301Σ\u0301", "οδοσ'α α\u0301\u03C2\u0301");
  assert_case(f, DM_CASE_TITLE, "ΟΔΟΣ ΣΟΦΟΣ", "Οδος Σοφος");
  assert_case(f, DM_CASE_UPPER, "οδος", "ΟΔΟΣ");
  assert_case(f, DM_CASE_FOLD, "οδος ΟΔΟΣ", "οδοσ οδοσ");
}

static bool is_nfc(const char *text, size_t n) {
  utf8proc_uint8_t *composed = NULL;
  utf8proc_ssize_t got = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)n, &composed, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  bool same = got == (utf8proc_ssize_t)n && memcmp(composed, text, n) == 0;
  free(composed);
  return same;
}

/* Every character, alone and within a word: mapping twice changes nothing more, and composed text stays composed. */
static void mapping_is_idempotent_and_keeps_nfc(void **state) {
  fixture *f = *state;
  dm_buf twice;
  dm_buf_init(&twice, f->ctx, NULL);
  for (uint32_t c = 0x80; c < 0x1F000; c++) {
    if (c >= 0xD800 && c < 0xE000) continue;
    if (utf8proc_category((utf8proc_int32_t)c) == UTF8PROC_CATEGORY_LO) continue; /* no case, and most of the range */
    char text[16] = "a";
    size_t n = (c & 1) + (size_t)utf8proc_encode_char((utf8proc_int32_t)c, (utf8proc_uint8_t *)text + (c & 1));
    if (c % 3 == 0) memcpy(text + n, "\xCC\x87", 2), n += 2; /* a dot above */
    bool nfc = is_nfc(text, n);
    for (int to = DM_CASE_LOWER; to <= DM_CASE_FOLD; to++) {
      dm_buf_reset(&f->buf);
      dm_buf_reset(&twice);
      assert_int_equal(dm_utf8_case(text, n, (dm_case)to, &f->buf, NULL), DM_OK);
      assert_int_equal(dm_utf8_case(f->buf.p, f->buf.n, (dm_case)to, &twice, NULL), DM_OK);
      if (f->buf.n != twice.n || memcmp(f->buf.p, twice.p, twice.n) != 0) fail_msg("U+%04X case %d: '%s' then '%s'", c, to, f->buf.p, twice.p);
      if (nfc && !is_nfc(f->buf.p, f->buf.n)) fail_msg("U+%04X case %d: '%s' is not NFC", c, to, f->buf.p);
    }
  }
  dm_buf_clear(&twice);
}

static void other_text_is_left_alone(void **state) {
  fixture *f = *state;
  assert_case(f, DM_CASE_UPPER, "a\xE9z", "A\xE9Z"); /* Latin-1 */
  assert_case(f, DM_CASE_UPPER, "e\xCC\x81x\xCC\x87", "E\xCC\x81X\xCC\x87"); /* decomposed stays decomposed */
  assert_case(f, DM_CASE_UPPER, "漢字 \xF0\x9F\x98\x80", "漢字 \xF0\x9F\x98\x80");
  char marks[2 * 50001]; /* many marks take no quadratic time */
  for (size_t i = 0; i < 50000; i++) memcpy(marks + 2 * i, i % 2 ? "\xCC\x81" : "\xCC\xA3", 2);
  marks[100000] = 0;
  assert_case(f, DM_CASE_UPPER, marks, marks);
}

static void no_memory_leaves_the_output(void **state) {
  (void)state;
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.threads = 1, .budget = 1000};
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  dm_error err = {0};
  dm_buf buf;
  dm_buf_init(&buf, ctx, NULL);
  dm_buf_adds(&buf, "kept");
  char text[800];
  memset(text, 'a', sizeof text);
  assert_int_equal(dm_utf8_case(text, sizeof text, DM_CASE_UPPER, &buf, &err), DM_EBUDGET);
  assert_int_equal(err.code, DM_EBUDGET);
  assert_int_equal(buf.n, 4);
  dm_buf_clear(&buf);
  dm_buf_init(&buf, ctx, NULL);
  memcpy(text, "i\xCC\x87", 3); /* the map fits, its composition does not */
  assert_int_equal(dm_utf8_case(text, 200, DM_CASE_UPPER, &buf, &err), DM_EBUDGET);
  assert_int_equal(buf.n, 0);
  dm_buf_clear(&buf);
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

static void columns_are_those_of_a_terminal(void **state) {
  (void)state;
  assert_int_equal(dm_utf8_columns("", 0), 0);
  assert_int_equal(dm_utf8_columns("plain", 5), 5);
  assert_int_equal(dm_utf8_columns("é漢", strlen("é漢")), 3);
  assert_int_equal(dm_utf8_columns("e\xCC\x81", 3), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(ascii_changes_case, setup, teardown),
    cmocka_unit_test_setup_teardown(unicode_changes_case, setup, teardown),
    cmocka_unit_test_setup_teardown(sigma_ends_words, setup, teardown),
    cmocka_unit_test_setup_teardown(mapping_is_idempotent_and_keeps_nfc, setup, teardown),
    cmocka_unit_test_setup_teardown(other_text_is_left_alone, setup, teardown),
    cmocka_unit_test(no_memory_leaves_the_output),
    cmocka_unit_test(columns_are_those_of_a_terminal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
