/*
 * Column formats: a number printed so that it gives back the bytes it came
 * from.
 *
 * Numbers with k decimals are printed without printf when r = rint(v·10^k) is
 * below 2^51 and v is not within rounding noise of a tie: r is then the
 * nearest k-decimal number, which is what printf %.kf gives.
 */
#include <dm/data.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10,
                                1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20};

const char *dm_type_name(dm_type t) {
  switch (t) {
  case DM_NULL: return "NULL";
  case DM_INTEGER: return "INTEGER";
  case DM_REAL: return "REAL";
  case DM_TEXT: return "TEXT";
  case DM_BLOB: return "BLOB";
  }
  return "NULL";
}

/* printf %.k{f,g,e}, with a point whatever the locale. */
static size_t print_c(char conversion, unsigned k, double v, char *out, size_t capacity) {
  char format[] = {'%', '.', '*', conversion, 0};
  int n = -1;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  n = snprintf(out, capacity, format, (int)k, v);
#pragma GCC diagnostic pop
  if (n <= 0 || (size_t)n >= capacity) return 0;
  size_t from = strspn(out, "-0123456789"), to = from;
  while (out[to] && out[to] != 'e' && (out[to] < '0' || out[to] > '9')) to++;
  if (to > from && out[from] != 'i' && out[from] != 'n') {
    out[from] = '.';
    memmove(out + from + 1, out + to, (size_t)n - to + 1);
    n -= (int)(to - from - 1);
  }
  return (size_t)n;
}

/* Prints r / 10^k. */
static size_t print_scaled(bool negative, uint64_t r, unsigned k, char *out) {
  char digits[24];
  size_t n = 0, at = 0;
  do digits[n++] = (char)('0' + r % 10);
  while (r /= 10);
  while (n <= k) digits[n++] = '0';
  if (negative) out[at++] = '-';
  while (n > k) out[at++] = digits[--n];
  if (k) out[at++] = '.';
  while (n > 0) out[at++] = digits[--n];
  out[at] = 0;
  return at;
}

static size_t print_decimals(unsigned k, double v, char *out, size_t capacity) {
  double magnitude = fabs(v), product = magnitude * powers[k];
  if (product < 0x1p51 && k < 16 && capacity >= DM_NUMBER_MAX) {
    double r = rint(product), off = fabs(product - r);
    /* the product itself is off by at most half its last bit */
    if (off + product * 0x1p-52 < 0.5) return print_scaled(signbit(v), (uint64_t)r, k, out);
  }
  return print_c('f', k, v, out, capacity);
}

/* Shortest digits d.ddd × 10^exponent of a finite, non-zero v. */
typedef struct digits {
  char digit[DM_NUMBER_MAX];
  int n, exponent;
  bool negative;
} digits;

static digits shortest_digits(double v) {
  char text[DM_NUMBER_MAX];
  digits d = {.negative = signbit(v)};
  size_t n = dm_text_of_double(v, false, text), i = d.negative;
  int point = -1;
  for (; i < n && text[i] != 'e'; i++) {
    if (text[i] == '.')
      point = d.n;
    else
      d.digit[d.n++] = text[i];
  }
  if (point < 0) point = d.n;
  int zeros = 0;
  while (zeros < d.n - 1 && d.digit[zeros] == '0') zeros++;
  d.n -= zeros;
  memmove(d.digit, d.digit + zeros, (size_t)d.n);
  d.exponent = point - zeros - 1 + (i < n ? atoi(text + i + 1) : 0);
  while (d.n > 1 && d.digit[d.n - 1] == '0') d.n--;
  return d;
}

/* 1.5e-07: as C and Python write exponents. */
static size_t print_exponent_form(const digits *d, char *out) {
  size_t at = 0;
  if (d->negative) out[at++] = '-';
  out[at++] = d->digit[0];
  if (d->n > 1) {
    out[at++] = '.';
    memcpy(out + at, d->digit + 1, (size_t)d->n - 1);
    at += (size_t)d->n - 1;
  }
  int e = abs(d->exponent);
  out[at++] = 'e';
  out[at++] = d->exponent < 0 ? '-' : '+';
  if (e >= 100) out[at++] = (char)('0' + e / 100);
  out[at++] = (char)('0' + e / 10 % 10);
  out[at++] = (char)('0' + e % 10);
  out[at] = 0;
  return at;
}

/* Python's repr: an exponent below 1e-4 and from 1e16 on. */
static size_t print_repr(double v, char *out) {
  double magnitude = fabs(v);
  if (magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e16)) return dm_text_of_double(v, true, out);
  digits d = shortest_digits(v);
  return print_exponent_form(&d, out);
}

/* R's write.csv: positional unless that is wider than the exponent form. */
static size_t print_compact(double v, char *out, size_t capacity) {
  if (v == 0) return dm_text_of_double(v, false, out);
  double magnitude = fabs(v);
  if (magnitude >= 1e-3 && magnitude < 1e4) return dm_text_of_double(v, false, out); /* never wider than the exponent form */
  digits d = shortest_digits(v);
  int minus = d.negative ? 1 : 0;
  int exponent_width = minus + d.n + (d.n > 1) + (abs(d.exponent) >= 100 ? 5 : 4);
  int decimals = d.n - 1 - d.exponent > 0 ? d.n - 1 - d.exponent : 0;
  int whole = d.exponent >= 0 ? d.exponent + 1 : 1;
  int width = minus + whole + (decimals ? decimals + 1 : 0);
  if (width > exponent_width) return print_exponent_form(&d, out);
  return print_c('f', (unsigned)decimals, v, out, capacity);
}

/* 0.5 → .5, -0.25 → -.25 */
static size_t drop_zero(char *out, size_t n) {
  size_t at = out[0] == '-';
  if (n < at + 2 || out[at] != '0' || out[at + 1] != '.') return n;
  memmove(out + at, out + at + 1, n - at);
  return n - 1;
}

static size_t print_real(dm_format f, double v, char *out, size_t capacity) {
  if (!isfinite(v)) return print_c('g', 6, v, out, capacity);
  unsigned k = f.decimals <= DM_FORMAT_MAX_DECIMALS ? f.decimals : DM_FORMAT_MAX_DECIMALS;
  switch (f.kind) {
  case DM_FORMAT_SHORTEST_0:
  case DM_FORMAT_INTEGER: return dm_text_of_double(v, false, out);
  case DM_FORMAT_DECIMALS: return print_decimals(k, v, out, capacity);
  case DM_FORMAT_REPR: return print_repr(v, out);
  case DM_FORMAT_COMPACT: return print_compact(v, out, capacity);
  case DM_FORMAT_GENERAL: return print_c('g', k ? k : 1, v, out, capacity);
  case DM_FORMAT_EXPONENT: return print_c('e', k, v, out, capacity);
  case DM_FORMAT_NONE:
  case DM_FORMAT_SHORTEST: break;
  }
  return dm_text_of_double(v, true, out);
}

size_t dm_format_print(dm_format f, dm_value v, char *out, size_t capacity) {
  if (capacity < DM_NUMBER_MAX) return 0;
  if (v.type == DM_INTEGER && (f.kind <= DM_FORMAT_INTEGER || f.kind == DM_FORMAT_SHORTEST_0))
    return dm_text_of_int(v.integer, out);
  if (v.type != DM_INTEGER && v.type != DM_REAL) return 0;
  size_t n = print_real(f, v.type == DM_REAL ? v.real : (double)v.integer, out, capacity);
  return f.bare ? drop_zero(out, n) : n;
}

/* In the order of dm_format_kind; those that end in ':' take k. */
static const char *const names[] = {"text",  "integer", "shortest", "shortest-int", "decimals:",
                                    "repr",  "compact", "general:", "exponent:"};

void dm_format_name(dm_format f, char out[32]) {
  const char *name = names[f.kind];
  char k[12] = "";
  if (name[strlen(name) - 1] == ':') (void)snprintf(k, sizeof k, "%u", f.decimals);
  (void)snprintf(out, 32, "%s%s%s%s", name, k, f.bare ? ",bare" : "", f.quoted ? ",quoted" : "");
}

/* Takes word off the front of *text. */
static bool take(const char **text, const char *word) {
  size_t n = strlen(word);
  if (strncmp(*text, word, n) != 0) return false;
  *text += n;
  return true;
}

bool dm_format_parse(const char *name, dm_format *out) {
  dm_format f = {0};
  size_t longest = 0; /* "shortest" begins "shortest-int" */
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    size_t n = strlen(names[i]);
    if (n <= longest || strncmp(name, names[i], n) != 0) continue;
    longest = n;
    f.kind = (dm_format_kind)i;
  }
  if (longest == 0) return false;
  const char *rest = name + longest;
  if (rest[-1] == ':') {
    size_t digits_n = strspn(rest, "0123456789");
    if (digits_n < 1 || digits_n > 2) return false;
    f.decimals = (unsigned)atoi(rest);
    if (f.decimals > DM_FORMAT_MAX_DECIMALS || (f.kind == DM_FORMAT_GENERAL && f.decimals == 0)) return false;
    rest += digits_n;
  }
  f.bare = take(&rest, ",bare");
  f.quoted = take(&rest, ",quoted");
  if (*rest) return false;
  *out = f;
  return true;
}
