/*
 * Case and width by Unicode's tables (utf8proc). Case mapping is the full one
 * without a language: ß becomes SS, İ becomes i and a dot, Σ ends a word as ς.
 * utf8proc maps one character to one; where the full mapping is longer, it is
 * the case folding, which is, put in upper case.
 */
#include <dm/text.h>

#include <string.h>
#include <utf8proc.h>

enum {
  SHARP_S = 0xDF,
  DOTTED_I = 0x130,
  DOT_ABOVE = 0x307,
  SIGMA = 0x3A3,
  FINAL_SIGMA = 0x3C2,
  MAX_FOLD = 8,
  MAX_MARKS = 30 /* in one go: more is no text (Unicode's stream-safe format), and sorting it takes quadratic time */
};

/* Where the text stands while it is read from left to right. */
typedef struct state {
  const char *p, *end; /* p behind the character looked at */
  dm_case to;
  bool in_word;        /* title case: the character before is part of a word */
  bool cased_before;   /* a cased letter before, case-ignorable ones left out */
  size_t marks;        /* combining marks at the end of the output */
  size_t most_marks;
  dm_buf *out;
} state;

static utf8proc_category_t category(uint32_t c) { return utf8proc_category((utf8proc_int32_t)c); }

static bool is_mark(utf8proc_category_t k) {
  return k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_MC || k == UTF8PROC_CATEGORY_ME;
}

static bool is_cased(utf8proc_category_t k) {
  return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT;
}

/* Letters and numbers: they begin a word and go on with one. */
static bool is_word(utf8proc_category_t k) {
  return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) ||
         (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO);
}

static bool is_apostrophe(uint32_t c) { return c == '\'' || c == 0x2019; }

static bool is_case_ignorable(uint32_t c, utf8proc_category_t k) {
  return k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_ME || k == UTF8PROC_CATEGORY_CF || k == UTF8PROC_CATEGORY_LM ||
         k == UTF8PROC_CATEGORY_SK || is_apostrophe(c) || c == '.' || c == ':' || c == 0xB7;
}

/* A cased letter follows, case-ignorable ones left out. */
static bool cased_after(const state *s) {
  uint32_t c;
  for (const char *p = s->p; p < s->end;) {
    p += dm_utf8_next(p, (size_t)(s->end - p), &c);
    utf8proc_category_t k = category(c);
    if (!is_case_ignorable(c, k)) return is_cased(k);
  }
  return false;
}

static void put(state *s, uint32_t c) {
  utf8proc_uint8_t bytes[4];
  dm_buf_add(s->out, (const char *)bytes, (size_t)utf8proc_encode_char((utf8proc_int32_t)c, bytes));
  bool combines = c >= 0x300 && utf8proc_get_property((utf8proc_int32_t)c)->combining_class != 0;
  s->marks = combines ? s->marks + 1 : 0;
  if (s->marks > s->most_marks) s->most_marks = s->marks;
}

static size_t fold(uint32_t c, utf8proc_int32_t out[MAX_FOLD]) {
  int boundary = 0;
  utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)c, out, MAX_FOLD, UTF8PROC_CASEFOLD, &boundary);
  if (n < 1 || n > MAX_FOLD) {
    out[0] = (utf8proc_int32_t)c;
    return 1;
  }
  return (size_t)n;
}

static void put_lower(state *s, uint32_t c) {
  if (c == SIGMA && s->cased_before && !cased_after(s)) {
    put(s, FINAL_SIGMA);
  } else {
    put(s, (uint32_t)utf8proc_tolower((utf8proc_int32_t)c));
    if (c == DOTTED_I) put(s, DOT_ABOVE);
  }
}

static void put_upper(state *s, uint32_t c, utf8proc_category_t k) {
  utf8proc_int32_t folded[MAX_FOLD];
  size_t n = k == UTF8PROC_CATEGORY_LU ? 1 : fold(c, folded);
  if (n == 1) {
    put(s, (uint32_t)utf8proc_toupper((utf8proc_int32_t)c));
    return;
  }
  for (size_t i = 0; i < n; i++) put(s, (uint32_t)utf8proc_toupper(folded[i]));
}

/* The first character of a word. */
static void put_title(state *s, uint32_t c, utf8proc_category_t k) {
  utf8proc_int32_t folded[MAX_FOLD], title = utf8proc_totitle((utf8proc_int32_t)c);
  bool simple = k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LT || (title != (utf8proc_int32_t)c && c != SHARP_S);
  size_t n = simple ? 1 : fold(c, folded);
  if (n == 1) {
    put(s, (uint32_t)title);
    return;
  }
  bool done = false; /* ŉ folds to an apostrophe and n: the n is the letter */
  for (size_t i = 0; i < n; i++) {
    put(s, done ? (uint32_t)folded[i] : (uint32_t)utf8proc_totitle(folded[i]));
    done = done || is_cased(category((uint32_t)folded[i]));
  }
}

static void put_fold(state *s, uint32_t c) {
  utf8proc_int32_t folded[MAX_FOLD];
  size_t n = fold(c, folded);
  for (size_t i = 0; i < n; i++) put(s, (uint32_t)folded[i]);
}

static void map_character(state *s, uint32_t c) {
  utf8proc_category_t k = category(c);
  switch (s->to) {
  case DM_CASE_LOWER: put_lower(s, c); break;
  case DM_CASE_UPPER: put_upper(s, c, k); break;
  case DM_CASE_FOLD: put_fold(s, c); break;
  case DM_CASE_TITLE:
    if (s->in_word || !is_word(k))
      put_lower(s, c);
    else
      put_title(s, c, k);
    if (!is_apostrophe(c) && !is_mark(k)) s->in_word = is_word(k);
    break;
  }
  if (!is_case_ignorable(c, k)) s->cased_before = is_cased(k);
}

/* ---- composed form ------------------------------------------------------- */

/* NFC of p[0..n) as code points in memory of ctx. @return DM_EINPUT (err left alone) when it is not UTF-8, DM_EBUDGET */
static dm_status compose(dm_ctx *ctx, const char *p, size_t n, utf8proc_int32_t **out, size_t *n_out, dm_error *err) {
  const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)p;
  const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
  utf8proc_ssize_t need = utf8proc_decompose(bytes, (utf8proc_ssize_t)n, NULL, 0, options);
  if (need < 0) return DM_EINPUT;
  utf8proc_int32_t *codes = dm_alloc(ctx, (size_t)need + 1, sizeof *codes, "text in composed form", err);
  if (!codes) return DM_EBUDGET;
  utf8proc_ssize_t got = utf8proc_decompose(bytes, (utf8proc_ssize_t)n, codes, need, options);
  if (got >= 0) got = utf8proc_normalize_utf32(codes, got, options);
  if (got < 0) {
    dm_free(ctx, codes);
    return DM_EINPUT;
  }
  *out = codes;
  *n_out = (size_t)got;
  return DM_OK;
}

static dm_status is_composed(dm_ctx *ctx, const char *p, size_t n, bool *same, dm_error *err) {
  utf8proc_int32_t *codes;
  size_t n_codes, i = 0;
  dm_status s = compose(ctx, p, n, &codes, &n_codes, err);
  if (s != DM_OK) return s;
  *same = true;
  for (uint32_t c; *same && n > 0; i++) {
    size_t step = dm_utf8_next(p, n, &c);
    *same = i < n_codes && (uint32_t)codes[i] == c;
    p += step;
    n -= step;
  }
  *same = *same && i == n_codes;
  dm_free(ctx, codes);
  return DM_OK;
}

/* Composes what was appended to out from `start` on, if the source p[0..n) was composed. */
static dm_status compose_tail(const char *p, size_t n, dm_buf *out, size_t start, dm_error *err) {
  utf8proc_int32_t *codes;
  size_t n_codes;
  bool composed = false;
  dm_status s = is_composed(out->ctx, p, n, &composed, err);
  if (s == DM_OK && composed) s = compose(out->ctx, out->p + start, out->n - start, &codes, &n_codes, err);
  if (s != DM_OK || !composed) return s == DM_EBUDGET ? s : DM_OK;
  out->n = start;
  for (size_t i = 0; i < n_codes; i++) {
    utf8proc_uint8_t bytes[4];
    dm_buf_add(out, (const char *)bytes, (size_t)utf8proc_encode_char(codes[i], bytes));
  }
  dm_free(out->ctx, codes);
  return DM_OK;
}

/* ---- public ---------------------------------------------------------------- */

static bool is_ascii(const char *p, size_t n) {
  unsigned char all = 0;
  for (size_t i = 0; i < n; i++) all |= (unsigned char)p[i];
  return all < 0x80;
}

static void case_ascii(const char *p, size_t n, dm_case to, dm_buf *out) {
  if (!dm_buf_reserve(out, n)) return;
  char *q = out->p + out->n;
  bool in_word = false;
  for (size_t i = 0; i < n; i++) {
    char c = p[i];
    bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
    bool want_upper = to == DM_CASE_UPPER || (to == DM_CASE_TITLE && !in_word);
    if (want_upper ? lower : upper) c ^= 0x20;
    if (c != '\'') in_word = upper || lower || (c >= '0' && c <= '9');
    q[i] = c;
  }
  q[n] = 0;
  out->n += n;
}

static dm_status case_unicode(const char *p, size_t n, dm_case to, dm_buf *out, dm_error *err) {
  size_t start = out->n;
  state s = {.p = p, .end = p + n, .to = to, .out = out};
  while (s.p < s.end) {
    uint32_t c;
    const char *at = s.p;
    size_t step = dm_utf8_next(at, (size_t)(s.end - at), &c);
    s.p += step;
    if (step == 1 && (unsigned char)*at >= 0x80)
      dm_buf_add(out, at, 1); /* not UTF-8: kept as it is */
    else
      map_character(&s, c);
  }
  if (out->failed || s.most_marks == 0 || s.most_marks > MAX_MARKS) return DM_OK;
  return compose_tail(p, n, out, start, err);
}

dm_status dm_utf8_case(const char *p, size_t n, dm_case to, dm_buf *out, dm_error *err) {
  size_t start = out->n;
  dm_status s = DM_OK;
  if (is_ascii(p, n))
    case_ascii(p, n, to, out);
  else
    s = case_unicode(p, n, to, out, err);
  if (s == DM_OK && out->failed) s = err == out->err ? DM_EBUDGET : dm_fail(err, DM_EBUDGET, "no memory to change the case of a text");
  if (s == DM_OK) return DM_OK;
  out->n = start;
  if (out->p) out->p[start] = 0;
  return s;
}

size_t dm_utf8_columns(const char *p, size_t n) {
  size_t columns = 0;
  while (n > 0) {
    uint32_t c;
    size_t step = dm_utf8_next(p, n, &c);
    columns += c >= 0x20 && c < 0x7F ? 1 : (size_t)utf8proc_charwidth((utf8proc_int32_t)c);
    p += step;
    n -= step;
  }
  return columns;
}
