/* Steps that read numbers: cast, parse_number. */
#include "clean/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static dm_status map_columns(dm_clean_run *run, const dm_clean_step *step, dm_clean_mapping *mapping, dm_typing *typing,
                             const dm_table_column **column, dm_error *err) {
  size_t *columns, n;
  dm_table_column now;
  uint64_t failed = run->result->rows_failed;
  dm_status s = dm_clean_run_columns(run, &step->columns, &columns, &n, err);
  for (size_t i = 0; i < n && s == DM_OK; i++) {
    now = run->table.columns[columns[i]];
    *column = &now;
    dm_typing_init(typing);
    mapping->typing = typing;
    s = dm_clean_map_column(run, columns[i], mapping, err);
  }
  *column = NULL;
  failed = run->result->rows_failed - failed;
  if (s == DM_OK && failed)
    dm_buf_printf(run->detail, "; %llu %s not %s%s", (unsigned long long)failed, failed == 1 ? "cell is" : "cells are", mapping->what,
                  mapping->on_error == DM_CLEAN_MISSING ? " and become missing" : " and stay");
  return s;
}

/* The REAL of an exact text, or false: not a number, or a whole number with more digits than a REAL keeps. */
static bool to_real(const char *p, size_t n, double *out) {
  double v;
  int64_t whole;
  if (!dm_text_to_double(p, n, &v)) return false;
  bool digits_only = !memchr(p, '.', n) && !memchr(p, 'e', n) && !memchr(p, 'E', n);
  if (digits_only && fabs(v) >= 0x1p53 && (!dm_text_to_int(p, n, &whole) || fabs(v) >= 0x1p63 || (int64_t)v != whole)) return false;
  *out = v;
  return true;
}

/* ---- cast ---- */

typedef struct cast {
  dm_type to;
  dm_clean_on_error on_error;
  dm_typing typing;
  const dm_table_column *column;
  char number[512];
} cast;

static dm_status parse_cast(const dm_clean_parser *in, const dm_yaml *args, dm_clean_step *step, dm_error *err) {
  static const char *const names[] = {"integer", "real", "text", NULL};
  static const dm_type types[] = {DM_INTEGER, DM_REAL, DM_TEXT};
  cast *c = step->arguments = dm_arena_alloc(in->arena, 1, sizeof *c, err);
  if (!c) return DM_EBUDGET;
  const dm_yaml *to;
  unsigned choice = 0;
  dm_status s = dm_clean_arg_columns(in, step, args, "columns", false, &step->columns, err);
  if (s == DM_OK) s = dm_clean_arg_need(in, step, args, "to", &to, err);
  if (s == DM_OK) s = dm_clean_arg_choice(in, args, "to", names, 0, &choice, err);
  if (s == DM_OK) s = dm_clean_arg_on_error(in, args, &c->on_error, err);
  c->to = types[choice];
  return s;
}

static bool real_to_int(double v, int64_t *out) {
  if (!(fabs(v) < 0x1p63) || v != floor(v)) return false;
  *out = (int64_t)v;
  return true;
}

static dm_clean_outcome cast_number(const cast *c, const dm_value *old, dm_value *out) {
  if (c->to == DM_REAL) {
    *out = (dm_value){.type = DM_REAL, .real = (double)old->integer};
    bool exact = fabs(out->real) < 0x1p63 && (int64_t)out->real == old->integer;
    return exact ? DM_CLEAN_NEW : DM_CLEAN_BAD;
  }
  out->type = DM_INTEGER;
  return real_to_int(old->real, &out->integer) ? DM_CLEAN_NEW : DM_CLEAN_BAD;
}

static dm_clean_outcome cast_text(cast *c, dm_str text, dm_value *out) {
  text = dm_utf8_trim(text.p, text.n);
  out->type = c->to;
  if (c->to == DM_REAL) {
    if (!to_real(text.p, text.n, &out->real)) return DM_CLEAN_BAD;
    dm_typing_see(&c->typing, text.p, text.n, false);
    return DM_CLEAN_NEW;
  }
  double v;
  if (dm_text_to_int(text.p, text.n, &out->integer)) return DM_CLEAN_NEW;
  bool point = memchr(text.p, '.', text.n) || memchr(text.p, 'e', text.n) || memchr(text.p, 'E', text.n);
  return point && dm_text_to_double(text.p, text.n, &v) && fabs(v) <= 0x1p53 && real_to_int(v, &out->integer) ? DM_CLEAN_NEW : DM_CLEAN_BAD;
}

static dm_status cast_cell(void *user, const dm_value *old, dm_value *out, dm_clean_outcome *outcome, dm_error *err) {
  cast *c = user;
  (void)err;
  if (old->type == c->to) return DM_OK;
  if (old->type == DM_BLOB) {
    *outcome = DM_CLEAN_BAD;
  } else if (c->to == DM_TEXT) {
    out->type = DM_TEXT;
    dm_clean_cell_text(c->column, old, c->number, &out->text);
    *outcome = DM_CLEAN_NEW;
  } else {
    *outcome = old->type == DM_TEXT ? cast_text(c, old->text, out) : cast_number(c, old, out);
  }
  return DM_OK;
}

static dm_status run_cast(dm_clean_run *run, const dm_clean_step *step, dm_error *err) {
  static const char *const what[] = {"", "an integer", "a number that a REAL keeps", "a text"};
  cast c = *(const cast *)step->arguments;
  dm_clean_mapping mapping = {.map = cast_cell, .user = &c, .on_error = c.on_error, .type = c.to, .what = what[c.to]};
  dm_buf_printf(run->detail, " to %s", dm_type_name(c.to));
  return map_columns(run, step, &mapping, &c.typing, &c.column, err);
}

static const char *const cast_keys[] = {"columns", "to", "on_error", NULL};
const dm_clean_kind dm_clean_cast = {"cast", "{columns: A | [A, B], to: integer|real|text, on_error: keep|missing|fail}",
                                     "changes the type of columns without altering a value; a column keeps its type while a kept cell does not fit",
                                     cast_keys, parse_cast, run_cast, NULL};

/* ---- parse_number ---- */

typedef struct parse_number {
  const char *decimal, *group; /* one letter each; group NULL: none */
  const char *strip;           /* letters taken off both ends */
  dm_clean_on_error on_error;
  dm_typing typing;
  const dm_table_column *column;
  dm_buf text; /* sign, digits, point, digits */
} parse_number;

static bool is_one_letter(const char *s) {
  uint32_t code;
  size_t n = strlen(s);
  return n > 0 && dm_utf8_next(s, n, &code) == n && !strchr("0123456789+-", *s);
}

static dm_status parse_letters(const dm_clean_parser *in, const dm_yaml *args, parse_number *p, dm_error *err) {
  dm_status s = dm_clean_arg_text(in, args, "decimal", ".", &p->decimal, err);
  if (s == DM_OK) s = dm_clean_arg_text(in, args, "group", NULL, &p->group, err);
  if (s == DM_OK) s = dm_clean_arg_text(in, args, "strip", "", &p->strip, err);
  if (s != DM_OK) return s;
  if (p->group && !*p->group) p->group = NULL;
  if (!is_one_letter(p->decimal)) return dm_yaml_fail(dm_yaml_get(args, "decimal"), in->file, err, "'decimal' is one character, not a digit or sign");
  if (p->group && !is_one_letter(p->group)) return dm_yaml_fail(dm_yaml_get(args, "group"), in->file, err, "'group' is one character, not a digit or sign");
  if (p->group && strcmp(p->group, p->decimal) == 0)
    return dm_yaml_fail(dm_yaml_get(args, "group"), in->file, err, "'group' and 'decimal' are the same, '%s'", p->group);
  return DM_OK;
}

static dm_status parse_parse_number(const dm_clean_parser *in, const dm_yaml *args, dm_clean_step *step, dm_error *err) {
  parse_number *p = step->arguments = dm_arena_alloc(in->arena, 1, sizeof *p, err);
  if (!p) return DM_EBUDGET;
  dm_status s = dm_clean_arg_columns(in, step, args, "columns", false, &step->columns, err);
  if (s == DM_OK) s = parse_letters(in, args, p, err);
  if (s == DM_OK) s = dm_clean_arg_on_error(in, args, &p->on_error, err);
  return s;
}

static bool is_in(const char *letters, const char *p, size_t n) {
  for (const char *at = letters; n && *at; at++)
    if (strncmp(at, p, n) == 0) return true;
  return false;
}

/* Takes white space and the letters of strip off both ends. */
static dm_str strip_ends(dm_str t, const char *strip) {
  uint32_t code;
  for (;;) {
    size_t before = t.n;
    t = dm_utf8_trim(t.p, t.n);
    size_t n = dm_utf8_next(t.p, t.n, &code);
    if (is_in(strip, t.p, n)) t = (dm_str){t.p + n, t.n - n};
    size_t last = t.n;
    while (last > 0 && ((unsigned char)t.p[last - 1] & 0xC0) == 0x80) last--;
    if (last > 0) last--;
    if (is_in(strip, t.p + last, t.n - last)) t.n = last;
    if (t.n == before) return t;
  }
}

static bool starts(dm_str t, const char *with) {
  size_t n = with ? strlen(with) : 0;
  return n && t.n >= n && memcmp(t.p, with, n) == 0;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Digits of the whole part; groups, where there are any, have three digits but the first, which has one to three. */
static bool whole_part(const parse_number *p, dm_str *t, dm_buf *out) {
  size_t run = 0, groups = 0;
  while (t->n) {
    if (is_digit(*t->p)) {
      dm_buf_addc(out, *t->p);
      t->p++;
      t->n--;
      run++;
    } else if (starts(*t, p->group)) {
      if (run == 0 || run > 3 || (groups && run != 3)) return false;
      groups++;
      run = 0;
      t->p += strlen(p->group);
      t->n -= strlen(p->group);
    } else {
      break;
    }
  }
  return groups == 0 || run == 3;
}

/* The number in plain form: -1234.5e6. @return false when the text is not one. */
static bool plain_form(parse_number *p, dm_str text) {
  dm_str t = strip_ends(text, p->strip);
  dm_buf_reset(&p->text);
  if (t.n && (*t.p == '-' || *t.p == '+')) {
    if (*t.p == '-') dm_buf_addc(&p->text, '-');
    t = strip_ends((dm_str){t.p + 1, t.n - 1}, p->strip);
  }
  size_t before = p->text.n;
  if (!whole_part(p, &t, &p->text)) return false;
  size_t digits = p->text.n - before;
  if (digits == 0) dm_buf_addc(&p->text, '0');
  if (starts(t, p->decimal)) {
    t = (dm_str){t.p + strlen(p->decimal), t.n - strlen(p->decimal)};
    size_t n = 0;
    while (n < t.n && is_digit(t.p[n])) n++;
    if (n == 0) return false;
    dm_buf_addc(&p->text, '.');
    dm_buf_add(&p->text, t.p, n);
    t = (dm_str){t.p + n, t.n - n};
    digits += n;
  }
  if (digits == 0) return false;
  if (t.n && (*t.p == 'e' || *t.p == 'E')) {
    dm_buf_add(&p->text, t.p, t.n); /* the number reader looks at the exponent */
    t.n = 0;
  }
  return t.n == 0;
}

static dm_status number_cell(void *user, const dm_value *old, dm_value *out, dm_clean_outcome *outcome, dm_error *err) {
  parse_number *p = user;
  (void)err;
  if (old->type == DM_INTEGER || old->type == DM_REAL) return DM_OK;
  bool good = old->type == DM_TEXT && plain_form(p, old->text);
  if (dm_buf_status(&p->text) != DM_OK) return DM_EBUDGET;
  *outcome = DM_CLEAN_BAD;
  if (!good) return DM_OK;
  if (dm_text_to_int(p->text.p, p->text.n, &out->integer)) out->type = DM_INTEGER;
  else if (to_real(p->text.p, p->text.n, &out->real)) out->type = DM_REAL;
  else return DM_OK;
  dm_typing_see(&p->typing, p->text.p, p->text.n, false);
  *outcome = DM_CLEAN_NEW;
  return DM_OK;
}

static dm_status run_parse_number(dm_clean_run *run, const dm_clean_step *step, dm_error *err) {
  parse_number p = *(const parse_number *)step->arguments;
  dm_clean_mapping mapping = {.map = number_cell, .user = &p, .on_error = p.on_error, .type = DM_REAL, .narrow = true, .what = "a number"};
  dm_buf_printf(run->detail, ": decimal '%s'", p.decimal);
  if (p.group) dm_buf_printf(run->detail, ", groups by '%s'", p.group);
  dm_buf_init(&p.text, run->ctx, err);
  dm_status s = map_columns(run, step, &mapping, &p.typing, &p.column, err);
  dm_buf_clear(&p.text);
  return s;
}

static const char *const number_keys[] = {"columns", "decimal", "group", "strip", "on_error", NULL};
const dm_clean_kind dm_clean_parse_number = {
    "parse_number", "{columns: A | [A, B], decimal: '.', group: C, strip: CHARACTERS, on_error: keep|missing|fail}",
    "reads numbers written with another decimal mark, groups of three digits or units around them", number_keys, parse_parse_number,
    run_parse_number, NULL};
