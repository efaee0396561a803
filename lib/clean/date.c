#include "clean/date.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};

static bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

static int days_in(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return days[month - 1] + (month == 2 && is_leap(year));
}

/* What stands for %F and %T; NULL for other directives. */
static const char *expansion(char directive) { return directive == 'F' ? "%Y-%m-%d" : directive == 'T' ? "%H:%M:%S" : NULL; }

static void count(const char *format, unsigned seen[128], bool *unknown) {
  for (const char *f = format; *f; f++) {
    if (*f != '%') continue;
    char d = *++f;
    if (d == 0 || !strchr("deEmbBYyjHMSFT%", d) || d == 'E') {
      *unknown = true;
      return;
    }
    if (expansion(d)) count(expansion(d), seen, unknown);
    seen[(unsigned char)d]++;
  }
}

const char *dm_clean_date_format_problem(const char *format) {
  unsigned seen[128] = {0};
  bool unknown = false;
  count(format, seen, &unknown);
  if (unknown) return "unknown directive (known: %d %e %m %b %B %Y %y %j %H %M %S %F %T %%)";
  unsigned year = seen['Y'] + seen['y'], month = seen['m'] + seen['b'] + seen['B'], day = seen['d'] + seen['e'];
  if (year == 0) return "no year: %Y or %y is missing";
  if (year > 1 || month > 1 || day > 1 || seen['j'] > 1 || seen['H'] > 1 || seen['M'] > 1 || seen['S'] > 1)
    return "a part of the date stands twice";
  if (seen['j'] ? month + day > 0 : month == 0 || day == 0) return "month and day, or the day of the year (%j), are wanted";
  if (seen['H'] != seen['M'] || seen['S'] > seen['M']) return "a time is %H and %M, with or without %S";
  return NULL;
}

/* What is left to read. */
typedef struct reader {
  const char *p;
  size_t n;
} reader;

static bool digits(reader *r, size_t least, size_t most, int *out) {
  size_t k = 0;
  int v = 0;
  for (; k < r->n && k < most && r->p[k] >= '0' && r->p[k] <= '9'; k++) v = v * 10 + (r->p[k] - '0');
  if (k < least) return false;
  r->p += k;
  r->n -= k;
  *out = v;
  return true;
}

static bool month_name(reader *r, bool full, int *out) {
  for (int m = 0; m < 12; m++) {
    size_t n = full ? strlen(months[m]) : 3;
    if (r->n < n || strncasecmp(r->p, months[m], n) != 0) continue;
    r->p += n;
    r->n -= n;
    *out = m + 1;
    return true;
  }
  return false;
}

static bool read_parts(const char *format, reader *r, int pivot, dm_clean_date *d, int *year_day) {
  for (const char *f = format; *f; f++) {
    char directive = *f == '%' ? *++f : 0;
    bool good = true;
    switch (directive) {
    case 'Y': good = digits(r, 4, 4, &d->year); break;
    case 'y':
      good = digits(r, 2, 2, &d->year);
      d->year += d->year >= pivot ? 1900 : 2000;
      break;
    case 'm': good = digits(r, 1, 2, &d->month); break;
    case 'b': good = month_name(r, false, &d->month); break;
    case 'B': good = month_name(r, true, &d->month); break;
    case 'e':
      if (r->n && *r->p == ' ') r->p++, r->n--;
      good = digits(r, 1, 2, &d->day);
      break;
    case 'd': good = digits(r, 1, 2, &d->day); break;
    case 'j': good = digits(r, 1, 3, year_day); break;
    case 'H': good = d->has_time = digits(r, 1, 2, &d->hour); break;
    case 'M': good = digits(r, 1, 2, &d->minute); break;
    case 'S': good = digits(r, 1, 2, &d->second); break;
    case 'F':
    case 'T': good = read_parts(expansion(directive), r, pivot, d, year_day); break;
    default:
      good = r->n && *r->p == *f;
      if (good) r->p++, r->n--;
    }
    if (!good) return false;
  }
  return true;
}

bool dm_clean_date_read(const char *format, const char *p, size_t n, int pivot, dm_clean_date *out) {
  dm_clean_date d = {0};
  reader r = {p, n};
  int year_day = -1;
  if (!read_parts(format, &r, pivot, &d, &year_day) || r.n || d.year < 1) return false;
  if (year_day >= 0) {
    if (year_day < 1 || year_day > 365 + is_leap(d.year)) return false;
    for (d.month = 1; year_day > days_in(d.year, d.month); d.month++) year_day -= days_in(d.year, d.month);
    d.day = year_day;
  }
  if (d.month < 1 || d.month > 12 || d.day < 1 || d.day > days_in(d.year, d.month)) return false;
  if (d.hour > 23 || d.minute > 59 || d.second > 59) return false;
  *out = d;
  return true;
}

void dm_clean_date_print(const dm_clean_date *d, char out[32]) {
  int n = snprintf(out, 32, "%04d-%02d-%02d", d->year, d->month, d->day);
  if (d->has_time) (void)snprintf(out + n, 32 - (size_t)n, "T%02d:%02d:%02d", d->hour, d->minute, d->second);
}
