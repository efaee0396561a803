/* data: the structural scan: every way to make masks, any cut into windows, against the rules byte by byte. */
#include "cmocka_all.h"
#include "data/formats/csv_scan.h"

#include <stdlib.h>

enum { MAX_TEXT = 3000 };

/* The rules of csv_state, written a second time and plainly. */
static size_t expected(const csv_chars *c, const char *p, size_t n, uint32_t *index) {
  csv_state s = CSV_START;
  size_t k = 0;
  for (size_t i = 0; i < n; i++) {
    bool second = p[i] == '\n' && i > 0 && p[i - 1] == '\r';
    bool newline = p[i] == '\r' || (p[i] == '\n' && !second);
    bool blank = c->trim && (p[i] == ' ' || p[i] == '\t') && p[i] != c->delimiter;
    uint32_t at = (uint32_t)i;
    if (s == CSV_QUOTED || s == CSV_ESCAPED) {
      if (newline) index[k++] = at | (uint32_t)CSV_NEWLINE << CSV_MARK_SHIFT;
      if (s == CSV_ESCAPED)
        s = CSV_QUOTED;
      else if (p[i] == c->quote)
        s = CSV_CLOSED;
      else if (c->escape && p[i] == c->escape)
        s = CSV_ESCAPED;
    } else if ((s == CSV_START || s == CSV_CLOSED) && p[i] == c->quote) {
      s = CSV_QUOTED;
    } else if (s == CSV_START && (second || blank)) {
      continue;
    } else if (p[i] == c->delimiter) {
      index[k++] = at;
      s = CSV_START;
    } else if (newline) {
      index[k++] = at | (uint32_t)CSV_END << CSV_MARK_SHIFT;
      s = CSV_START;
    } else if ((s == CSV_CLOSED || s == CSV_CLOSED_BLANK) && blank) {
      s = CSV_CLOSED_BLANK;
    } else {
      if (s == CSV_CLOSED || s == CSV_CLOSED_BLANK) index[k++] = at | (uint32_t)CSV_BROKEN << CSV_MARK_SHIFT;
      s = CSV_PLAIN;
    }
  }
  return k;
}

static void choose(const char *name) {
  if (name)
    assert_int_equal(setenv("DM_SIMD", name, 1), 0);
  else
    assert_int_equal(unsetenv("DM_SIMD"), 0);
}

static void check(const char *ops, csv_chars chars, const char *p, size_t n, dm_rng *rng) {
  static uint32_t want[MAX_TEXT], got[MAX_TEXT + CSV_WINDOW];
  size_t n_want = expected(&chars, p, n, want), n_got = 0, at = 0;
  csv_scan scan;
  choose(ops);
  csv_scan_init(&scan, chars);
  while (at < n) {
    size_t step = CSV_BLOCK * (1 + dm_rng_below(rng, CSV_WINDOW_BLOCKS));
    if (step > n - at) step = n - at;
    n_got += csv_scan_window(&scan, p + at, step, (uint32_t)at, got + n_got);
    for (size_t b = 0; b * CSV_BLOCK < step; b++) { /* blocks with NUL or bytes beyond ASCII are marked, no others */
      bool odd = false;
      for (size_t i = b * CSV_BLOCK; i < (b + 1) * CSV_BLOCK && i < step; i++) odd |= (signed char)p[at + i] <= 0;
      assert_int_equal(scan.suspect >> b & 1, odd);
    }
    at += step;
  }
  assert_int_equal(n_got, n_want);
  assert_memory_equal(got, want, n_want * sizeof *want);
}

static void every_way_gives_the_same_index(void **state) {
  (void)state;
  static const char *const ways[] = {"scalar", "sse2", "avx2", "avx512", NULL};
  static const char *const alphabets[] = {"ab,\"\n", "abcdefgh, \"\r\n", "a,\"\"\"\n", "ab ,\" \\\n", "abcdefghijklmnopqrstuvwxyz0123456789,,,,\n",
                                          "\"x\",\n\r"};
  dm_rng rng;
  dm_rng_init(&rng, 1, 1);
  for (size_t round = 0; round < 4000; round++) {
    const char *alphabet = alphabets[round % 6];
    char text[MAX_TEXT];
    size_t n = dm_rng_below(&rng, round % 10 ? 300 : MAX_TEXT);
    for (size_t i = 0; i < n; i++) text[i] = alphabet[dm_rng_below(&rng, strlen(alphabet))];
    if (n && round % 7 == 0) text[dm_rng_below(&rng, n)] = 0;
    if (n && round % 5 == 0) text[dm_rng_below(&rng, n)] = (char)0xE9;
    csv_chars chars = {',', '"', round % 3 == 0 ? '\\' : 0, round % 4 == 0};
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) check(ways[w], chars, text, n, &rng);
  }
  choose(NULL);
}

/* Text as it is written: cells quoted when they must be. */
static void written_text_is_indexed(void **state) {
  (void)state;
  dm_rng rng;
  dm_rng_init(&rng, 2, 1);
  for (size_t round = 0; round < 1000; round++) {
    char text[MAX_TEXT];
    size_t n = 0;
    while (n < 2000) {
      bool quoted = dm_rng_below(&rng, 3) == 0;
      if (quoted) text[n++] = '"';
      for (size_t i = dm_rng_below(&rng, 20); i > 0; i--) {
        char c = "abc ,\n\"xyz"[dm_rng_below(&rng, quoted ? 10 : 4)];
        text[n++] = c;
        if (c == '"') text[n++] = c;
      }
      if (quoted) text[n++] = '"';
      text[n++] = dm_rng_below(&rng, 5) ? ',' : '\n';
    }
    check(NULL, (csv_chars){',', '"', 0, false}, text, n, &rng);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_way_gives_the_same_index),
      cmocka_unit_test(written_text_is_indexed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
