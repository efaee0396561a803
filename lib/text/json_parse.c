/*
 * JSON reader, strict RFC 8259: one pass by recursive descent, at most
 * MAX_DEPTH deep, into nodes of an arena. Linear in the text, but for the
 * sort that finds a key given twice. Line and column are counted only when
 * something is wrong.
 */
#include <dm/text.h>

#include "text/keyed.h"

#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 64, FEW_MEMBERS = 8 };

/* A value and where its key (in an array: itself) begins. */
typedef struct node {
  dm_json json;
  const char *at;
} node;

typedef struct parser {
  dm_arena *arena;
  const char *text, *p, *end;
  unsigned depth;
  dm_error *err;
} parser;

static size_t line_of(const parser *ps, const char *at, const char **start) {
  size_t line = 1;
  *start = ps->text;
  for (const char *q = ps->text; q < at && (q = memchr(q, '\n', (size_t)(at - q))); line++) *start = ++q;
  return line;
}

static dm_status fail_at(parser *ps, const char *at, const char *what) {
  const char *start;
  size_t line = line_of(ps, at, &start), column = 1;
  for (const char *q = start; q < at; q++) column += ((unsigned char)*q & 0xC0) != 0x80;
  (void)dm_fail(ps->err, DM_EINPUT, "JSON: %s", what);
  dm_error_at(ps->err, NULL, line, column);
  dm_error_excerpt(ps->err, start, (size_t)(ps->end - start), (size_t)(at - start));
  return DM_EINPUT;
}

static dm_status fail_character(parser *ps, const char *want) {
  char what[128];
  if (ps->p == ps->end) {
    (void)snprintf(what, sizeof what, "the text ends, want %s", want);
  } else {
    uint32_t code;
    size_t n = dm_utf8_next(ps->p, (size_t)(ps->end - ps->p), &code);
    if (code < 0x20 || (n == 1 && code > 0x7E))
      (void)snprintf(what, sizeof what, "byte 0x%02X, want %s", (unsigned char)*ps->p, want);
    else
      (void)snprintf(what, sizeof what, "'%.*s', want %s", (int)n, ps->p, want);
  }
  return fail_at(ps, ps->p, what);
}

static void skip_space(parser *ps) {
  while (ps->p < ps->end && (*ps->p == ' ' || *ps->p == '\n' || *ps->p == '\r' || *ps->p == '\t')) ps->p++;
}

/* ---- strings ------------------------------------------------------------- */

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four hex digits at p. @return false when there are not four */
static bool read_hex4(const char *p, const char *end, uint32_t *code) {
  uint32_t v = 0;
  if (end - p < 4) return false;
  for (int i = 0; i < 4; i++) {
    int digit = hex_digit(p[i]);
    if (digit < 0) return false;
    v = v << 4 | (uint32_t)digit;
  }
  *code = v;
  return true;
}

static size_t encode_utf8(uint32_t c, char *out) {
  size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3F));
  static const unsigned lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  out[0] = (char)(lead[n] | c);
  return n;
}

/* The escape at p (its backslash), below end. @param p moved behind it @param out moved behind what it stands for */
static dm_status read_escape(parser *ps, const char **p, const char *end, char **out) {
  static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  const char *at = *p;
  char letter = at[1]; /* the closing quote is never the escaped one, so there is a byte */
  const char *known = letter ? strchr(letters, letter) : NULL;
  if (known) {
    *(*out)++ = values[known - letters];
    *p = at + 2;
    return DM_OK;
  }
  uint32_t code, second;
  if (letter != 'u') return fail_at(ps, at, "unknown escape, want one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
  if (!read_hex4(at + 2, end, &code)) return fail_at(ps, at, "\\u wants four hexadecimal digits");
  *p = at + 6;
  if (code >= 0xD800 && code <= 0xDBFF && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u' &&
      read_hex4(*p + 2, end, &second) && second >= 0xDC00 && second <= 0xDFFF) {
    code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00);
    *p += 6;
  } else if (code >= 0xD800 && code <= 0xDFFF) {
    return fail_at(ps, at, "half a surrogate pair is no character");
  }
  *out += encode_utf8(code, *out);
  return DM_OK;
}

/* The closing quote of the string whose first byte is at ps->p. */
static dm_status find_quote(parser *ps, const char **quote, bool *escapes) {
  const char *opening = ps->p - 1;
  *escapes = false;
  for (const char *q = ps->p; q < ps->end; q++) {
    if (*q == '"') {
      *quote = q;
      return DM_OK;
    }
    if ((unsigned char)*q < 0x20) {
      ps->p = q;
      return fail_character(ps, "it escaped in a string");
    }
    if (*q == '\\') {
      *escapes = true;
      q++;
    }
  }
  return fail_at(ps, opening, "the string is never closed");
}

/* At an opening quote. */
static dm_status read_string(parser *ps, dm_str *out) {
  ps->p++;
  const char *quote = NULL;
  bool escapes;
  dm_status s = find_quote(ps, &quote, &escapes);
  if (s != DM_OK) return s;
  size_t n = (size_t)(quote - ps->p), valid = dm_utf8_valid(ps->p, n);
  if (valid < n) return fail_at(ps, ps->p + valid, "the string is not UTF-8");
  char *copy = dm_arena_alloc(ps->arena, n + 1, 1, ps->err), *at = copy;
  if (!copy) return DM_EBUDGET;
  if (!escapes) {
    memcpy(copy, ps->p, n);
    at += n;
  } else {
    for (const char *p = ps->p; p < quote;) {
      if (*p != '\\') {
        *at++ = *p++;
      } else if ((s = read_escape(ps, &p, quote, &at)) != DM_OK) {
        return s;
      }
    }
  }
  *out = (dm_str){copy, (size_t)(at - copy)};
  ps->p = quote + 1;
  return DM_OK;
}

/* ---- numbers and words ----------------------------------------------------- */

static bool digit_at(const parser *ps) { return ps->p < ps->end && *ps->p >= '0' && *ps->p <= '9'; }

static bool skip_digits(parser *ps) {
  if (!digit_at(ps)) return false;
  while (digit_at(ps)) ps->p++;
  return true;
}

static dm_status read_number(parser *ps, dm_json *out) {
  const char *start = ps->p;
  bool whole = true, minus = *ps->p == '-';
  ps->p += minus;
  if (ps->p < ps->end && *ps->p == '0')
    ps->p++;
  else if (!skip_digits(ps))
    return fail_character(ps, "a digit");
  if (digit_at(ps)) return fail_at(ps, start, "a number may not begin with 0");
  if (ps->p < ps->end && *ps->p == '.') {
    whole = false;
    ps->p++;
    if (!skip_digits(ps)) return fail_character(ps, "a digit behind the point");
  }
  if (ps->p < ps->end && (*ps->p == 'e' || *ps->p == 'E')) {
    whole = false;
    ps->p++;
    if (ps->p < ps->end && (*ps->p == '+' || *ps->p == '-')) ps->p++;
    if (!skip_digits(ps)) return fail_character(ps, "a digit in the exponent");
  }
  size_t n = (size_t)(ps->p - start);
  /* -0 is a double: an integer has no such sign */
  if (whole && dm_text_to_int(start, n, &out->integer) && !(minus && out->integer == 0)) {
    out->type = DM_JSON_INT;
    out->real = (double)out->integer;
    return DM_OK;
  }
  out->type = DM_JSON_DOUBLE;
  if (!dm_text_to_double(start, n, &out->real)) return fail_at(ps, start, "the number is beyond 1.8e308");
  return DM_OK;
}

static dm_status read_word(parser *ps, const char *word, dm_json *out, dm_json_type type, int64_t value) {
  size_t n = strlen(word);
  if ((size_t)(ps->end - ps->p) < n || memcmp(ps->p, word, n) != 0) return fail_character(ps, "a value");
  ps->p += n;
  out->type = type;
  out->integer = value;
  return DM_OK;
}

/* ---- containers ------------------------------------------------------------ */

static dm_status read_value(parser *ps, dm_json *out);

static dm_status fail_twice(parser *ps, const dm_json *a, const dm_json *b) {
  const char *first = ((const node *)a)->at, *second = ((const node *)b)->at, *start;
  if (first > second) {
    const char *t = first;
    first = second;
    second = t;
  }
  (void)fail_at(ps, second, "");
  size_t line = line_of(ps, first, &start);
  if (ps->err)
    (void)snprintf(ps->err->message, sizeof ps->err->message, "JSON: key '%.200s' is given twice, first on line %zu",
                   a->key, line);
  return DM_EINPUT;
}

static dm_status refuse_duplicates(parser *ps, const dm_json *object) {
  if (object->n <= FEW_MEMBERS) {
    for (const dm_json *a = object->first; a; a = a->next)
      for (const dm_json *b = a->next; b; b = b->next)
        if (strcmp(a->key, b->key) == 0) return fail_twice(ps, a, b);
    return DM_OK;
  }
  dm_keyed *members = dm_arena_alloc(ps->arena, object->n, sizeof *members, ps->err);
  if (!members) return DM_EBUDGET;
  size_t n = 0;
  for (const dm_json *m = object->first; m; m = m->next) members[n++] = (dm_keyed){m->key, m};
  dm_keyed_sort(members, n);
  for (size_t i = 1; i < n; i++)
    if (strcmp(members[i - 1].key, members[i].key) == 0) return fail_twice(ps, members[i - 1].item, members[i].item);
  return DM_OK;
}

static dm_status read_key(parser *ps, const char **key) {
  const char *at = ps->p;
  if (at == ps->end || *at != '"') return fail_character(ps, "a key in quotes");
  dm_str name;
  dm_status s = read_string(ps, &name);
  if (s != DM_OK) return s;
  if (memchr(name.p, 0, name.n)) return fail_at(ps, at, "a key may not hold U+0000");
  *key = name.p;
  skip_space(ps);
  if (ps->p == ps->end || *ps->p != ':') return fail_character(ps, "':'");
  ps->p++;
  skip_space(ps);
  return DM_OK;
}

/* At an opening bracket. */
static dm_status read_container(parser *ps, dm_json *out) {
  bool object = *ps->p == '{';
  char closing = object ? '}' : ']';
  if (ps->depth == MAX_DEPTH) return fail_at(ps, ps->p, "nested deeper than 64");
  ps->depth++;
  ps->p++;
  out->type = object ? DM_JSON_OBJECT : DM_JSON_ARRAY;
  dm_json **tail = &out->first;
  skip_space(ps);
  bool more = !(ps->p < ps->end && *ps->p == closing);
  while (more) {
    node *fresh = dm_arena_alloc(ps->arena, 1, sizeof *fresh, ps->err);
    if (!fresh) return DM_EBUDGET;
    fresh->at = ps->p;
    dm_status s = object ? read_key(ps, &fresh->json.key) : DM_OK;
    if (s == DM_OK) s = read_value(ps, &fresh->json);
    if (s != DM_OK) return s;
    *tail = &fresh->json;
    tail = &fresh->json.next;
    out->n++;
    skip_space(ps);
    more = ps->p < ps->end && *ps->p == ',';
    if (!more && !(ps->p < ps->end && *ps->p == closing)) return fail_character(ps, object ? "',' or '}'" : "',' or ']'");
    if (more) {
      ps->p++;
      skip_space(ps);
    }
  }
  ps->p++;
  ps->depth--;
  return object ? refuse_duplicates(ps, out) : DM_OK;
}

static dm_status read_value(parser *ps, dm_json *out) {
  if (ps->p == ps->end) return fail_character(ps, "a value");
  switch (*ps->p) {
  case '{':
  case '[': return read_container(ps, out);
  case '"': out->type = DM_JSON_STRING; return read_string(ps, &out->string);
  case 't': return read_word(ps, "true", out, DM_JSON_BOOL, 1);
  case 'f': return read_word(ps, "false", out, DM_JSON_BOOL, 0);
  case 'n': return read_word(ps, "null", out, DM_JSON_NULL, 0);
  default:
    if (*ps->p == '-' || digit_at(ps)) return read_number(ps, out);
    return fail_character(ps, "a value");
  }
}

dm_status dm_json_parse(dm_arena *arena, const char *p, size_t n, const dm_json **out, dm_error *err) {
  parser ps = {.arena = arena, .text = p, .p = p, .end = p + n, .err = err};
  node *root = dm_arena_alloc(arena, 1, sizeof *root, err);
  if (!root) return DM_EBUDGET;
  skip_space(&ps);
  dm_status s = read_value(&ps, &root->json);
  if (s != DM_OK) return s;
  skip_space(&ps);
  if (ps.p < ps.end) return fail_character(&ps, "nothing behind the value");
  *out = &root->json;
  return DM_OK;
}
