/*
 * Which encoding? Byte order mark, then zero bytes (UTF-16), then whether the
 * sample is UTF-8. An 8-bit encoding is guessed only when what is not UTF-8
 * looks like letters; a few stray bytes stay bad bytes of a UTF-8 file, so
 * that their records are rejected and nothing is read as another's letters.
 */
#include "csv_sample.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <uchardet/uchardet.h>

const char *csv_encoding_name(dm_arena *memory, const char *given, dm_error *err) {
  static const char *const same[][2] = {
      {"UTF8", "UTF-8"},          {"ASCII", "UTF-8"},         {"USASCII", "UTF-8"},        {"UTF8SIG", "UTF-8"},
      {"LATIN1", "ISO-8859-1"},   {"ISO88591", "ISO-8859-1"}, {"L1", "ISO-8859-1"},        {"ISO885915", "ISO-8859-15"},
      {"LATIN9", "ISO-8859-15"},  {"CP1252", "WINDOWS-1252"}, {"WINDOWS1252", "WINDOWS-1252"},
      {"UTF16", "UTF-16"},        {"UTF16LE", "UTF-16LE"},    {"UTF16BE", "UTF-16BE"},     {"UCS2", "UTF-16"},
      {"UTF32", "UTF-32"},        {"UTF32LE", "UTF-32LE"},    {"UTF32BE", "UTF-32BE"},     {"SJIS", "SHIFT_JIS"},
      {"SHIFTJIS", "SHIFT_JIS"},
  };
  char bare[64];
  size_t n = 0;
  for (const char *p = given; *p && n + 1 < sizeof bare; p++)
    if (isalnum((unsigned char)*p)) bare[n++] = (char)toupper((unsigned char)*p);
  bare[n] = 0;
  for (size_t i = 0; i < sizeof same / sizeof *same; i++)
    if (strcmp(bare, same[i][0]) == 0) return same[i][1];
  char *name = dm_arena_strdup(memory, given, strlen(given), err);
  for (char *p = name; p && *p; p++) *p = (char)toupper((unsigned char)*p);
  return name;
}

/* ---- byte order marks and UTF-16 without one -------------------------------- */

static const struct {
  const char *bytes;
  size_t n;
  const char *encoding;
} marks[] = {
    {"\xEF\xBB\xBF", 3, "UTF-8"},     {"\xFF\xFE\0\0", 4, "UTF-32LE"}, {"\0\0\xFE\xFF", 4, "UTF-32BE"},
    {"\xFF\xFE", 2, "UTF-16LE"},      {"\xFE\xFF", 2, "UTF-16BE"},
};

/* @return the encoding whose mark begins the sample, or NULL */
static const char *byte_order_mark(const csv_sample *s, size_t *n) {
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
    if (s->n < marks[i].n || memcmp(s->head, marks[i].bytes, marks[i].n) != 0) continue;
    *n = marks[i].n;
    return marks[i].encoding;
  }
  return NULL;
}

/* Text of mostly ASCII letters in UTF-16: every second byte is zero. */
static const char *zero_pattern(const csv_sample *s) {
  size_t units = (s->n < 65536 ? s->n : 65536) / 2, zeros[2] = {0, 0};
  if (units < 2) return NULL;
  for (size_t i = 0; i < units * 2; i++) zeros[i & 1] += s->head[i] == 0;
  if (zeros[1] * 10 > units * 6 && zeros[0] * 20 < units) return "UTF-16LE";
  if (zeros[0] * 10 > units * 6 && zeros[1] * 20 < units) return "UTF-16BE";
  return NULL;
}

/* ---- UTF-8 or an 8-bit encoding ---------------------------------------------- */

typedef struct survey {
  size_t sequences;   /* valid sequences of several bytes */
  size_t bad;         /* bytes that are not UTF-8 */
  size_t strange;     /* of these, bytes that would be odd as letters of an 8-bit text too */
  size_t runs;        /* stretches of bad bytes */
  bool c1, euro, iso_15; /* bytes 0x80-0x9F; 0xA4; those where ISO-8859-15 differs */
} survey;

static bool is_letter(int c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* A word of one letter: à, é, ó, å, æ, ø and their like in half of Europe. */
static bool is_word_alone(int before, int b, int after) {
  static const char words[] = "\xE0\xE1\xE5\xE6\xE8\xE9\xED\xF2\xF3\xF6\xF8\xC0\xC1\xC5\xC8\xC9\xD3\xD6\xD8";
  static const char around[] = " ,;|\t\"'.()\n\r";
  return strchr(words, b) && strchr(around, before) && strchr(around, after);
}

/* Could byte b between its neighbours be a character of Windows-1252 in real text? */
static bool plausible(int before, int b, int after) {
  bool letters = is_letter(before) || is_letter(after) || before >= 0xC0 || after >= 0xC0;
  bool low_before = before >= 'a' && before <= 'z';
  if (b == 0xFF || b == 0xFE || b == 0xD7 || b == 0xF7) return false;
  if (is_word_alone(before, b, after)) return true;
  if (b >= 0xE0) return letters;
  if (b >= 0xC0) return letters && !low_before && (is_letter(after) || after >= 0xC0 || after == '.' || after == ' ' || after == '\'');
  if (b >= 0xA0) return true; /* signs: §, °, £, «, … */
  if (b >= 0x91 && b <= 0x97) return true; /* quotes, bullet, dashes */
  if (b == 0x80 || b == 0x85 || b == 0x99) return !is_letter(after);
  if (b == 0x81 || b == 0x8D || b == 0x8F || b == 0x90 || b == 0x9D) return false;
  return letters;
}

static void survey_part(survey *v, const unsigned char *p, size_t n, bool cut_front, bool cut_back) {
  size_t i = 0, last_bad = SIZE_MAX;
  while (cut_front && i < n && i < 3 && (p[i] & 0xC0) == 0x80) i++;
  while (i < n) {
    size_t ok = dm_utf8_valid((const char *)p + i, n - i);
    for (size_t j = i; j < i + ok; j++) v->sequences += p[j] >= 0xC0;
    i += ok;
    if (i >= n) break;
    if (cut_back && n - i < 4 && p[i] >= 0xC2) break; /* a sequence that the end of the piece cuts */
    int b = p[i];
    v->bad++;
    v->strange += !plausible(i > 0 ? p[i - 1] : ',', b, i + 1 < n ? p[i + 1] : ',');
    v->runs += last_bad == SIZE_MAX || last_bad + 1 != i;
    v->c1 |= b < 0xA0;
    v->euro |= b == 0xA4;
    v->iso_15 |= b == 0xA6 || b == 0xA8 || b == 0xB4 || b == 0xB8 || (b >= 0xBC && b <= 0xBE);
    last_bad = i++;
  }
}

/* Words of other letters, or of characters of several bytes. */
static bool in_runs(const survey *v) { return v->bad >= 4 && v->bad * 2 > v->runs * 3; }

/* All of the head can be read so. */
static bool decodes(const csv_sample *s, const char *encoding) {
  iconv_t cd = iconv_open("UTF-8", encoding);
  if (cd == (iconv_t)-1) return false;
  char *in = s->head, out[4096];
  size_t left = s->n;
  bool ok = true;
  while (ok && left > 0) {
    char *to = out;
    size_t room = sizeof out;
    if (iconv(cd, &in, &left, &to, &room) != (size_t)-1) continue;
    if (errno == EINVAL && !s->whole) break;
    ok = errno == E2BIG;
  }
  (void)iconv_close(cd);
  return ok;
}

static const char *guess(const csv_sample *s, const survey *v) {
  const char *western = v->c1 ? "WINDOWS-1252" : "ISO-8859-1", *found = western;
  /* lone bytes between ASCII letters: western, unless there is enough text to tell */
  if (v->bad < 100 && !in_runs(v)) return western;
  uchardet_t detector = uchardet_new();
  if (!detector) return western;
  if (uchardet_handle_data(detector, s->head, s->n) == 0) {
    uchardet_data_end(detector);
    const char *name = uchardet_get_charset(detector);
    static const char *const known[] = {
        "WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1253", "WINDOWS-1254", "WINDOWS-1255", "WINDOWS-1256", "WINDOWS-1257",
        "WINDOWS-1258", "ISO-8859-2",   "ISO-8859-4",   "ISO-8859-5",   "ISO-8859-6",   "ISO-8859-7",   "ISO-8859-8",
        "ISO-8859-9",   "ISO-8859-13",  "ISO-8859-15",  "KOI8-R",       "KOI8-U",       "IBM855",       "IBM866",
        "TIS-620",      "SHIFT_JIS",    "EUC-JP",       "EUC-KR",       "UHC",          "GB18030",      "BIG5",
        "EUC-TW",       "MAC-CYRILLIC",
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
      if (strcasecmp(name, known[i]) == 0) found = known[i];
  }
  uchardet_delete(detector);
  if (strcmp(found, "ISO-8859-15") == 0 && !v->euro && !v->iso_15) found = western;
  return found;
}

void csv_detect_encoding(csv_sample *sample, const char *wanted) {
  const char *marked = byte_order_mark(sample, &sample->bom), *zeros = NULL;
  if (wanted && strcmp(wanted, "UTF-16") != 0 && strcmp(wanted, "UTF-32") != 0) {
    if (!marked || strcmp(marked, wanted) != 0) sample->bom = 0;
    sample->encoding = wanted;
    return;
  }
  if (wanted) { /* the byte order is open */
    if (marked && strncmp(marked, wanted, strlen(wanted)) != 0) marked = NULL, sample->bom = 0;
    if (!marked) marked = strcmp(wanted, "UTF-32") == 0 ? "UTF-32LE" : (zeros = zero_pattern(sample)) ? zeros : "UTF-16LE";
  }
  if (marked || (marked = zero_pattern(sample))) {
    sample->encoding = marked;
    return;
  }
  survey v = {0};
  survey_part(&v, (const unsigned char *)sample->head, sample->n, false, !sample->whole);
  for (size_t i = 0; i < 2; i++)
    survey_part(&v, (const unsigned char *)sample->part[i], sample->part_n[i], true, i == 0);
  bool stray = v.bad == 0 || v.sequences >= v.bad || v.strange * 5 > v.bad;
  const char *found = stray && (v.sequences * 10 >= v.bad || !in_runs(&v)) ? "UTF-8" : guess(sample, &v);
  sample->encoding = strcmp(found, "UTF-8") == 0 || decodes(sample, found) ? found : "UTF-8";
}

const char *csv_binary_format(const csv_sample *s) {
  static const struct {
    const char *bytes;
    size_t n;
    const char *format;
  } known[] = {
      {"SQLite format 3\0", 16, "SQLite database"}, {"\x1f\x8b", 2, "gzip"},         {"PK\x03\x04", 4, "zip or spreadsheet"},
      {"BZh", 3, "bzip2"},                          {"\xfd" "7zXZ\0", 6, "xz"},      {"\x28\xb5\x2f\xfd", 4, "zstd"},
      {"%PDF-", 5, "PDF"},                          {"\x89PNG\r\n", 6, "PNG image"}, {"PAR1", 4, "Parquet"},
      {"\x7f" "ELF", 4, "ELF program"},             {"\xd0\xcf\x11\xe0", 4, "old Office document"},
      {"\xff\xd8\xff", 3, "JPEG image"},            {"ARROW1", 6, "Arrow"},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (s->n >= known[i].n && memcmp(s->head, known[i].bytes, known[i].n) == 0) return known[i].format;
  if (strncmp(s->encoding, "UTF-16", 6) == 0 || strncmp(s->encoding, "UTF-32", 6) == 0) return NULL;
  size_t control = 0, n = s->n < 65536 ? s->n : 65536;
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)s->head[i];
    control += c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != 0x1b && c != 0x0c && c != 0;
  }
  return n >= 64 && control * 10 > n ? "binary" : NULL;
}
