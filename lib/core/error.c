/* Errors: filling, placing, excerpts. Nothing here allocates. */
#include <dm/core.h>

#include <stdio.h>
#include <string.h>

dm_status dm_fail(dm_error *err, dm_status code, const char *format, ...) {
  if (err) {
    memset(err, 0, sizeof *err);
    err->code = code;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
  }
  return code;
}

void dm_error_at(dm_error *err, const char *file, size_t line, size_t column) {
  if (!err) return;
  if (file) (void)snprintf(err->file, sizeof err->file, "%s", file);
  err->line = line;
  err->column = column;
}

/* Bytes of the UTF-8 sequence at p, 1 when it is not well-formed. */
static size_t sequence_length(const unsigned char *p, size_t n) {
  size_t want = p[0] < 0x80 ? 1 : p[0] >= 0xC2 && p[0] < 0xE0 ? 2 : p[0] >= 0xE0 && p[0] < 0xF0 ? 3 : p[0] >= 0xF0 && p[0] < 0xF5 ? 4 : 0;
  if (want == 0 || want > n) return 0;
  for (size_t i = 1; i < want; i++)
    if ((p[i] & 0xC0) != 0x80) return 0;
  return want;
}

void dm_error_excerpt(dm_error *err, const char *text, size_t length, size_t caret_byte) {
  if (!err) return;
  const unsigned char *p = (const unsigned char *)text;
  size_t from = caret_byte > 100 ? caret_byte - 100 : 0; /* keep the place in sight on long lines */
  while (from > 0 && from < length && (p[from] & 0xC0) == 0x80) from--;
  size_t out = 0, columns = 0;
  err->caret = 0;
  for (size_t i = from; i < length && p[i] != '\n' && p[i] != '\r';) {
    size_t step = sequence_length(p + i, length - i);
    if (out + (step ? step : 1) + 1 >= sizeof err->excerpt) break;
    if (i <= caret_byte && caret_byte < i + (step ? step : 1)) err->caret = columns + 1;
    if (step <= 1 && (step == 0 || p[i] < 0x20 || p[i] == 0x7F)) {
      err->excerpt[out++] = '.';
      i++;
    } else {
      memcpy(err->excerpt + out, p + i, step);
      out += step;
      i += step;
    }
    columns++;
  }
  err->excerpt[out] = 0;
  if (err->caret == 0 && caret_byte >= from) err->caret = columns + 1;
}

void dm_error_hint(dm_error *err, const char *format, ...) {
  if (!err) return;
  va_list args;
  va_start(args, format);
  (void)vsnprintf(err->hint, sizeof err->hint, format, args);
  va_end(args);
}

void dm_error_prefix(dm_error *err, const char *format, ...) {
  if (!err) return;
  char old[sizeof err->message];
  memcpy(old, err->message, sizeof old);
  va_list args;
  va_start(args, format);
  int n = vsnprintf(err->message, sizeof err->message, format, args);
  va_end(args);
  size_t at = n < 0 ? 0 : (size_t)n;
  if (at < sizeof err->message) (void)snprintf(err->message + at, sizeof err->message - at, ": %s", old);
}

void dm_error_clear(dm_error *err) {
  if (err) memset(err, 0, sizeof *err);
}

const char *dm_status_name(dm_status s) {
  switch (s) {
  case DM_OK: return "ok";
  case DM_EUSAGE: return "usage";
  case DM_EINPUT: return "input";
  case DM_EIO: return "io";
  case DM_EBUDGET: return "budget";
  case DM_ECANCEL: return "cancelled";
  case DM_EINTERNAL: return "internal";
  }
  return "internal";
}
