/* text: UTF-8 validity and decoding, white space, nearest names. */
#include "cmocka_all.h"

#include <dm/text.h>

static void validity_finds_the_first_bad_byte(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t n, want;
  } cases[] = {
    {"", 0, 0},
    {"plain", 5, 5},
    {"a\0b", 3, 3},
    {"\xC3\xA9t\xC3\xA9", 5, 5},
    {"\xE2\x82\xAC\xF0\x9F\x98\x80", 7, 7},
    {"\xF4\x8F\xBF\xBF", 4, 4},             /* U+10FFFF */
    {"\xF4\x90\x80\x80", 4, 0},             /* beyond */
    {"ab\xC0\xAF", 4, 2},                   /* overlong '/' */
    {"ab\xC1\xBF", 4, 2},
    {"\xE0\x9F\xBF", 3, 0},                 /* overlong, 3 bytes */
    {"\xF0\x8F\xBF\xBF", 4, 0},             /* overlong, 4 bytes */
    {"x\xED\xA0\x80", 4, 1},                /* surrogate */
    {"x\xED\x9F\xBF", 4, 4},                /* the last before them */
    {"x\xED\xBF\xBF", 4, 1},
    {"\x80", 1, 0},
    {"abc\xE2\x82", 5, 3},                  /* cut off */
    {"abc\xF0\x9F\x98", 6, 3},
    {"abc\xC3", 4, 3},
    {"\xC3\x28", 2, 0},
    {"\xF5\x80\x80\x80", 4, 0},
    {"\xFF", 1, 0},
    {"0123456789abcdef0123456789abcde\xE9 Latin-1", 40, 31},
    {"0123456789abcdef\xC3\xA9 0123456789abcdef0123456789\xFE", 46, 45},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (dm_utf8_valid(cases[i].text, cases[i].n) != cases[i].want)
      fail_msg("case %zu: %zu, want %zu", i, dm_utf8_valid(cases[i].text, cases[i].n), cases[i].want);
}

static size_t encode(uint32_t c, char *p) {
  if (c < 0x80) return p[0] = (char)c, 1;
  if (c < 0x800) return p[0] = (char)(0xC0 | c >> 6), p[1] = (char)(0x80 | (c & 0x3F)), 2;
  if (c < 0x10000)
    return p[0] = (char)(0xE0 | c >> 12), p[1] = (char)(0x80 | (c >> 6 & 0x3F)), p[2] = (char)(0x80 | (c & 0x3F)), 3;
  return p[0] = (char)(0xF0 | c >> 18), p[1] = (char)(0x80 | (c >> 12 & 0x3F)), p[2] = (char)(0x80 | (c >> 6 & 0x3F)),
         p[3] = (char)(0x80 | (c & 0x3F)), 4;
}

static void every_code_point_decodes(void **state) {
  (void)state;
  for (uint32_t c = 0; c <= 0x10FFFF; c++) {
    char p[4];
    size_t n = encode(c, p);
    uint32_t got;
    bool surrogate = c >= 0xD800 && c <= 0xDFFF;
    if (dm_utf8_valid(p, n) != (surrogate ? 0 : n)) fail_msg("U+%04X", c);
    if (!surrogate && (dm_utf8_next(p, n, &got) != n || got != c)) fail_msg("U+%04X", c);
  }
  uint32_t got = 0;
  assert_int_equal(dm_utf8_next("", 0, &got), 0);
  assert_int_equal(dm_utf8_next("\xE2\x82", 2, &got), 1); /* never beyond the end */
  assert_int_equal(got, 0xFFFD);
}

static void assert_trims(const char *text, const char *want) {
  dm_str s = dm_utf8_trim(text, strlen(text));
  if (!dm_str_equal(s, dm_str_of(want))) fail_msg("'%s' gave '%.*s', want '%s'", text, (int)s.n, s.p, want);
}

static void trim_takes_unicode_white_space_only(void **state) {
  (void)state;
  assert_trims("", "");
  assert_trims("   ", "");
  assert_trims("a", "a");
  assert_trims(" \t\r\n\v\f a b\xC2\xA0", "a b");
  assert_trims("\xE3\x80\x80\xE2\x80\x83x\xE2\x80\xA8\xE2\x81\x9F", "x");
  assert_trims("\xC2\x85\xC2\x85", "");
  assert_trims("\xE2\x80\x8Bx", "\xE2\x80\x8Bx"); /* a zero width space is no white space */
  assert_trims("\xC3\xA0", "\xC3\xA0");           /* ends in the byte 0xA0 */
  assert_trims("x\xA0", "x\xA0");                 /* not UTF-8: left alone */
  assert_trims("\x80\x80\x80\x80\x80", "\x80\x80\x80\x80\x80");
}

static void assert_nearest(const char *word, const char *want) {
  static const char *const names[] = {"max-depth", "min-samples-leaf", "criterion", "seed", "age", "agent", "C"};
  const char *got = dm_text_nearest(word, names, sizeof names / sizeof *names);
  if (want)
    assert_string_equal(got ? got : "(none)", want);
  else
    assert_null(got);
}

static void nearest_names_are_near(void **state) {
  (void)state;
  assert_nearest("max_depth", "max-depth");
  assert_nearest("maxdepth", "max-depth");
  assert_nearest("min-sample-leaf", "min-samples-leaf");
  assert_nearest("SEED", "seed");
  assert_nearest("sede", "seed"); /* neighbours swapped: one edit */
  assert_nearest("Criterium", "criterion");
  assert_nearest("ag", "age"); /* the nearer of two */
  assert_nearest("x", NULL);
  assert_nearest("c", "C");
  assert_nearest("learning-rate", NULL);
  assert_nearest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL);
  assert_null(dm_text_nearest("word", NULL, 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(validity_finds_the_first_bad_byte),
    cmocka_unit_test(every_code_point_decodes),
    cmocka_unit_test(trim_takes_unicode_white_space_only),
    cmocka_unit_test(nearest_names_are_near),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
