/*
 * Column typing: what one cell after another still allows.
 *
 * A decimal of at most 15 significant digits is the only one of that length
 * near its double, so its own digits decide which formats print it back:
 *
 *   12.50  →  decimals:2             (shortest would print 12.5)
 *   12.5   →  shortest, shortest-int, repr, compact, decimals:1, general:3 …
 *   12.0   →  shortest, repr, decimals:1
 *   12     →  INTEGER; shortest-int, compact, decimals:0, general:2 …
 *
 * Longer numbers and exponents are read and printed in each format still
 * possible, and compared.
 */
#include <dm/data.h>

#include <string.h>

enum { EXACT_DIGITS = 15 }; /* any decimal of so many digits survives double and back */

/* A cell that looks like a number: [-]whole[.fraction][e±exponent] */
typedef struct shape {
  bool negative, point, exponent;
  size_t whole, fraction;      /* digits before and behind the point */
  size_t significant;          /* from the first non-zero digit to the last digit of all */
  size_t trailing;             /* zeros at the end of the fraction */
  ptrdiff_t magnitude;         /* power of ten of the first non-zero digit, exponent not counted */
} shape;

void dm_typing_init(dm_typing *t) {
  *t = (dm_typing){.may_integer = true, .may_real = true, .shortest = true, .shortest_0 = true, .repr = true,
                   .compact = true, .decimals_ok = true, .general = true, .general_17 = true, .general_low = 1,
                   .general_high = EXACT_DIGITS, .exponent_ok = true};
}

/* @return false when the text is no number that any of our formats writes. */
static bool read_shape(const char *p, size_t n, shape *out) {
  shape s = {0};
  size_t i = 0, first = SIZE_MAX, digits = 0; /* first: place of the first non-zero digit among all digits */
  if (n > 0 && p[0] == '-') s.negative = true, i = 1;
  size_t start = i;
  for (; i < n && p[i] >= '0' && p[i] <= '9'; i++, digits++)
    if (first == SIZE_MAX && p[i] != '0') first = digits;
  s.whole = i - start;
  if (s.whole > 1 && p[start] == '0') return false;
  if (i < n && p[i] == '.') {
    s.point = true;
    start = ++i;
    for (; i < n && p[i] >= '0' && p[i] <= '9'; i++, digits++) {
      if (p[i] == '0') {
        s.trailing++;
        continue;
      }
      s.trailing = 0;
      if (first == SIZE_MAX) first = digits;
    }
    s.fraction = i - start;
    if (s.fraction == 0) return false;
  }
  if (s.whole == 0 && s.fraction == 0) return false;
  if (first != SIZE_MAX) {
    s.significant = digits - first;
    s.magnitude = (ptrdiff_t)s.whole - 1 - (ptrdiff_t)first;
  } else if (s.negative) {
    return false;
  }
  if (i < n) {
    if (p[i] != 'e' || n - i < 3 || n - i > 5 || (p[i + 1] != '-' && p[i + 1] != '+')) return false;
    s.exponent = true;
    for (i += 2; i < n; i++)
      if (p[i] < '0' || p[i] > '9') return false;
  }
  *out = s;
  return true;
}

static bool any_real_format(const dm_typing *t) {
  return t->shortest || t->shortest_0 || t->decimals_ok || t->repr || t->compact || t->general || t->general_17 ||
         t->exponent_ok;
}

static bool prints_back(dm_format f, double v, const char *p, size_t n) {
  char out[400];
  return dm_format_print(f, (dm_value){.type = DM_REAL, .real = v}, out, sizeof out) == n && memcmp(out, p, n) == 0;
}

/* The format with k digits is ruled out unless k is what earlier cells had. */
static bool same_k(bool *known, unsigned *k, size_t now) {
  if (now > DM_FORMAT_MAX_DECIMALS) return false;
  if (!*known) *known = true, *k = (unsigned)now;
  return *k == now;
}

static void narrow_general(dm_typing *t, ptrdiff_t low, ptrdiff_t high) {
  if (low > (ptrdiff_t)t->general_low) t->general_low = (unsigned)low;
  if (high < (ptrdiff_t)t->general_high) t->general_high = high < 0 ? 0 : (unsigned)high;
  if (t->general_low > t->general_high) t->general = false;
}

/* At most 15 digits, or an integer up to 2^53, no exponent: the digits decide. */
static void see_short(dm_typing *t, const shape *s, const char *p, size_t n) {
  bool zero = s->significant == 0;
  t->exponent_ok = false;
  if (t->decimals_ok) t->decimals_ok = same_k(&t->decimals_known, &t->decimals, s->fraction);
  bool minimal = s->trailing == 0;
  bool with_point = s->point && (minimal || s->fraction == 1); /* 0.25, 1.0 */
  t->shortest = t->shortest && with_point && (zero || s->magnitude >= -5);
  t->repr = t->repr && with_point && (zero || s->magnitude >= -4);
  t->shortest_0 = t->shortest_0 && minimal && (zero || s->magnitude >= -5);
  if (t->compact) {
    ptrdiff_t digits = (ptrdiff_t)s->significant;
    if (!s->point)
      for (size_t i = n; digits > 1 && p[i - 1] == '0'; i--) digits--;
    ptrdiff_t width = (ptrdiff_t)s->whole + (s->point ? (ptrdiff_t)s->fraction + 1 : 0) + (s->whole == 0);
    t->compact = minimal && (zero || width <= digits + (digits > 1) + 4);
  }
  if (t->general) {
    t->general = minimal && (zero || s->magnitude >= -4);
    if (!zero) narrow_general(t, s->magnitude + 1 > (ptrdiff_t)s->significant ? s->magnitude + 1 : (ptrdiff_t)s->significant, 17);
  }
  if (t->general_17 && s->point) {
    double v;
    bool binary = s->fraction == 1 && p[n - 1] == '5'; /* exact, as are integers */
    t->general_17 = minimal && (binary || (dm_text_to_double(p, n, &v) &&
                                           prints_back((dm_format){DM_FORMAT_GENERAL, 17, s->whole == 0, false}, v, p, n)));
  }
}

/* Sixteen digits and more, or an exponent: read, print, compare. */
static void see_long(dm_typing *t, const shape *s, const char *p, size_t n) {
  double v;
  if (!dm_text_to_double(p, n, &v)) {
    t->may_real = false;
    return;
  }
  dm_format f = {.bare = s->whole == 0};
#define STILL(field, format_kind, k) \
  if (t->field) f.kind = format_kind, f.decimals = k, t->field = prints_back(f, v, p, n)
  STILL(shortest, DM_FORMAT_SHORTEST, 0);
  STILL(shortest_0, DM_FORMAT_SHORTEST_0, 0);
  STILL(repr, DM_FORMAT_REPR, 0);
  STILL(compact, DM_FORMAT_COMPACT, 0);
  STILL(general_17, DM_FORMAT_GENERAL, 17);
  if (t->decimals_ok) t->decimals_ok = !s->exponent && same_k(&t->decimals_known, &t->decimals, s->fraction);
  STILL(decimals_ok, DM_FORMAT_DECIMALS, t->decimals);
  if (t->exponent_ok) t->exponent_ok = s->exponent && same_k(&t->exponent_known, &t->exponent, s->fraction);
  STILL(exponent_ok, DM_FORMAT_EXPONENT, t->exponent);
#undef STILL
  if (t->general && s->significant <= EXACT_DIGITS) {
    unsigned low = 0, high = 0; /* the range of k that prints this cell back has no holes */
    for (unsigned k = t->general_low; k <= t->general_high; k++) {
      bool fits = prints_back((dm_format){DM_FORMAT_GENERAL, k, f.bare, false}, v, p, n);
      if (fits && low == 0) low = k;
      if (fits) high = k;
      if (!fits && low) break;
    }
    t->general = low != 0;
    if (low) narrow_general(t, (ptrdiff_t)low, (ptrdiff_t)high);
  } else {
    t->general = false;
  }
}

static void see_real(dm_typing *t, const shape *s, const char *p, size_t n) {
  if (s->whole == 0)
    t->bare_seen = true;
  else if (s->point && s->whole == 1 && p[s->negative] == '0')
    t->zero_seen = true;
  if (t->bare_seen && t->zero_seen) t->may_real = false;
  if (!s->point && !s->exponent) { /* integers beyond 2^53 have doubles only by luck */
    int64_t v = 0;
    if (s->significant > 16 || (s->significant == 16 && !dm_text_to_int(p, n, &v)) || v > (INT64_C(1) << 53) ||
        v < -(INT64_C(1) << 53)) {
      t->may_real = false;
      return;
    }
  }
  if ((s->significant <= EXACT_DIGITS || !s->point) && !s->exponent)
    see_short(t, s, p, n);
  else
    see_long(t, s, p, n);
  if (!any_real_format(t)) t->may_real = false;
}

/*
 * After the first integer, another of at most 15 digits changes only what the
 * number of its digits and the zeros at its end decide. @return false when
 * the cell is none of these
 */
static bool see_next_integer(dm_typing *t, const char *p, size_t n) {
  size_t at = p[0] == '-', digits = n - at;
  if (digits == 0 || digits > EXACT_DIGITS || (p[at] == '0' && n > 1)) return false;
  for (size_t i = at; i < n; i++)
    if (p[i] < '0' || p[i] > '9') return false;
  if (t->compact && digits > 5 && memcmp(p + n - 5, "00000", 5) == 0) return false; /* 100000 is wider than 1e+05 */
  if (digits > t->general_low) narrow_general(t, (ptrdiff_t)digits, EXACT_DIGITS);
  return true;
}

void dm_typing_see(dm_typing *t, const char *p, size_t n, bool quoted) {
  t->n++;
  if (quoted)
    t->n_quoted++;
  else
    t->n_unquoted++;
  if (!t->may_integer && !t->may_real) return;
  if (t->may_integer && t->n > 1 && n > 0 && see_next_integer(t, p, n)) return;
  shape s;
  if (!read_shape(p, n, &s)) {
    t->may_integer = t->may_real = false;
    return;
  }
  if (t->may_integer) {
    int64_t v;
    t->may_integer = !s.point && !s.exponent && (s.whole < 19 || dm_text_to_int(p, n, &v));
  }
  if (t->may_real) see_real(t, &s, p, n);
}

void dm_typing_see_missing(dm_typing *t) { t->n_missing++; }

dm_type dm_typing_type(const dm_typing *t) {
  if (t->n == 0) return DM_TEXT;
  return t->may_integer ? DM_INTEGER : t->may_real ? DM_REAL : DM_TEXT;
}

dm_format dm_typing_format(const dm_typing *t) {
  dm_format f = {.quoted = t->n_quoted > 0 && t->n_unquoted == 0};
  dm_type type = dm_typing_type(t);
  if (type == DM_INTEGER) f.kind = DM_FORMAT_INTEGER;
  if (type != DM_REAL) return f;
  f.bare = t->bare_seen;
  if (t->shortest)
    f.kind = DM_FORMAT_SHORTEST;
  else if (t->shortest_0)
    f.kind = DM_FORMAT_SHORTEST_0;
  else if (t->decimals_ok)
    f.kind = DM_FORMAT_DECIMALS, f.decimals = t->decimals;
  else if (t->repr)
    f.kind = DM_FORMAT_REPR;
  else if (t->compact)
    f.kind = DM_FORMAT_COMPACT;
  else if (t->general)
    f.kind = DM_FORMAT_GENERAL, f.decimals = t->general_low;
  else if (t->exponent_ok)
    f.kind = DM_FORMAT_EXPONENT, f.decimals = t->exponent;
  else
    f.kind = DM_FORMAT_GENERAL, f.decimals = 17;
  return f;
}
