/* A small SQL tokeniser: enough to find names, brackets and the ends of strings and comments. */
#include "clean/sql_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

typedef enum kind { END, WORD, NAME, STRING, PUNCTUATION, UNENDED } kind;

/* WORD: bare word or number. NAME: quoted identifier. Offsets into the text. */
typedef struct token {
  kind kind;
  size_t from, to;
} token;

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80); }

/* First byte at or after `at` that is neither white space nor comment; SIZE_MAX when a comment does not end. */
static size_t skip_space(const char *p, size_t at) {
  for (;;) {
    if (isspace((unsigned char)p[at])) {
      at++;
    } else if (p[at] == '-' && p[at + 1] == '-') {
      while (p[at] && p[at] != '\n') at++;
    } else if (p[at] == '/' && p[at + 1] == '*') {
      const char *end = strstr(p + at + 2, "*/");
      if (!end) return SIZE_MAX;
      at = (size_t)(end - p) + 2;
    } else {
      return at;
    }
  }
}

static token next(const char *p, size_t at) {
  size_t from = skip_space(p, at);
  if (from == SIZE_MAX) return (token){UNENDED, at, at};
  char c = p[from];
  if (c == 0) return (token){END, from, from};
  if (c == '\'' || c == '"' || c == '`' || c == '[') {
    char end = c == '[' ? ']' : c;
    size_t to = from + 1;
    for (;; to++) {
      if (p[to] == 0) return (token){UNENDED, from, from};
      if (p[to] != end) continue;
      if (end == ']' || p[to + 1] != end) break;
      to++; /* a doubled quote stands for itself */
    }
    return (token){c == '\'' ? STRING : NAME, from, to + 1};
  }
  if (!is_word(c)) return (token){PUNCTUATION, from, from + 1};
  size_t to = from;
  while (is_word(p[to])) to++;
  return (token){WORD, from, to};
}

char *dm_clean_quote(dm_arena *arena, const char *name, dm_error *err) {
  size_t n = strlen(name), at = 0;
  char *out = dm_arena_alloc(arena, 2 * n + 3, 1, err);
  if (!out) return NULL;
  out[at++] = '"';
  for (size_t i = 0; i < n; i++) {
    if (name[i] == '"') out[at++] = '"';
    out[at++] = name[i];
  }
  out[at++] = '"';
  out[at] = 0;
  return out;
}

const char *dm_clean_expression_problem(const char *sql, size_t *at) {
  size_t depth = 0, open = 0;
  token t = next(sql, 0);
  *at = t.from;
  if (t.kind == END) return "the expression is empty";
  for (; t.kind != END; t = next(sql, t.to)) {
    *at = t.from;
    if (t.kind == UNENDED) return "a string, name or comment is not ended";
    if (t.kind != PUNCTUATION) continue;
    char c = sql[t.from];
    if (c == ';') return "one expression is wanted, ';' ends it";
    if (c == '?' || c == '@' || c == ':') return "parameters cannot be used here";
    if (c == '(' && depth++ == 0) open = t.from;
    if (c == ')' && depth-- == 0) return "')' without '('";
  }
  *at = open;
  return depth ? "'(' is not closed" : NULL;
}

/* Does the token spell this name, as SQLite compares names? */
static bool spells(const char *sql, token t, const char *name) {
  size_t n = strlen(name);
  if (t.kind == WORD) return t.to - t.from == n && strncasecmp(sql + t.from, name, n) == 0;
  if (t.kind != NAME && t.kind != STRING) return false;
  char quote = sql[t.from];
  size_t k = 0;
  for (size_t i = t.from + 1; i + 1 < t.to; i++, k++) {
    if (quote != '[' && sql[i] == quote) i++;
    if (k >= n || tolower((unsigned char)sql[i]) != tolower((unsigned char)name[k])) return false;
  }
  return k == n;
}

static bool is_constraint(const char *sql, token t) {
  static const char *const words[] = {"CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE",
                                      "REFERENCES", "GENERATED", "AS", "ON"};
  if (t.kind != WORD) return false;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (spells(sql, t, words[i])) return true;
  return false;
}

/* Type words, with (n, m) behind them, from the end of the name on. */
static size_t type_end(const char *sql, size_t name_end) {
  size_t end = name_end, depth = 0;
  for (token t = next(sql, name_end); t.kind != END && t.kind != UNENDED; t = next(sql, t.to)) {
    if (t.kind == PUNCTUATION) {
      char c = sql[t.from];
      if (c == '(' && end == name_end) break;
      if (c == '(') depth++;
      else if (depth == 0) break;
      else if (c == ')') depth--;
    } else if (depth == 0 && is_constraint(sql, t)) {
      break;
    }
    end = t.to;
  }
  return end;
}

bool dm_clean_column_type(const char *sql, const char *column, size_t *from, size_t *to) {
  size_t depth = 0;
  bool first = false; /* the next token begins a definition */
  for (token t = next(sql, 0); t.kind != END && t.kind != UNENDED; t = next(sql, t.to)) {
    if (first && spells(sql, t, column)) {
      *from = t.to;
      *to = type_end(sql, t.to);
      return true;
    }
    char c = t.kind == PUNCTUATION ? sql[t.from] : 0;
    if (c == '(') depth++;
    if (c == ')' && --depth == 0) return false;
    first = depth == 1 && (c == '(' || c == ',');
  }
  return false;
}
