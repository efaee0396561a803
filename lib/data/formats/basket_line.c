/* One line of a transaction file, byte by byte: items between blanks, or between delimiters and in quotes; what is wrong with it. */
#include "basket.h"
#include "basket_split.h"

#include <string.h>

dm_status basket_fail_at(const basket_part *b, const char *p, const char *at, const char *end, dm_error *err) {
  uint64_t line = b->line;
  for (const char *newline; (newline = memchr(p, '\n', (size_t)(at - p))); p = newline + 1) line++;
  const char *last = memchr(at, '\n', (size_t)(end - at));
  dm_error_at(err, b->name, (size_t)line, (size_t)(at - p) + 1);
  dm_error_excerpt(err, p, (size_t)((last ? last : end) - p), (size_t)(at - p));
  return DM_EINPUT;
}

/* First byte that no text has. */
static dm_status check_bytes(const basket_part *b, const char *p, const char *end, dm_error *err) {
  size_t n = (size_t)(end - p), valid = dm_utf8_valid(p, n);
  const char *nul = memchr(p, 0, n), *cr = memchr(p, '\r', n);
  if (nul && nul < p + valid && !(cr && cr < nul)) {
    (void)dm_fail(err, DM_EINPUT, "NUL byte, want text");
    return basket_fail_at(b, p, nul, end, err);
  }
  if (valid < n && !(cr && cr < p + valid)) {
    (void)dm_fail(err, DM_EINPUT, "byte 0x%02X is not UTF-8", (unsigned char)p[valid]);
    dm_error_hint(err, "convert the file first: iconv -f ISO-8859-1 -t UTF-8");
    return basket_fail_at(b, p, p + valid, end, err);
  }
  if (cr && !b->delimiter) {
    (void)dm_fail(err, DM_EINPUT, "carriage return within a line");
    dm_error_hint(err, "lines end in \\n or \\r\\n; of a file in which they end in \\r: tr '\\r' '\\n'");
    return basket_fail_at(b, p, cr, end, err);
  }
  return DM_OK;
}

static dm_status add_item(basket_part *b, const char *p, size_t n, dm_error *err) {
  uint32_t code;
  dm_status s = dm_items_add(b->items, p, n, &code, err);
  if (s == DM_OK) s = dm_code_rows_codes(&b->rows, b->items->n, err);
  if (s == DM_OK) s = dm_code_rows_reserve(&b->rows, 1, 1, err);
  if (s == DM_OK) dm_code_rows_add(&b->rows, code);
  return s;
}

static dm_status parse(basket_part *b, const char *line, const char *end, dm_error *err) {
  const char *p = line, *bad = NULL;
  dm_str item;
  dm_status s = DM_OK;
  while (s == DM_OK && basket_next(b->delimiter, &p, end, &b->item, &item, &bad))
    s = dm_buf_status(&b->item) == DM_OK ? add_item(b, item.p, item.n, err) : dm_fail(err, DM_EBUDGET, "transaction file: no memory for an item");
  if (s != DM_OK || !bad) return s;
  (void)basket_refuse(*bad, err);
  return basket_fail_at(b, line, bad, end, err);
}

const char *basket_line_end(const basket_part *b, const char *p, const char *end, const char **open) {
  *open = NULL;
  if (!b->delimiter) return memchr(p, '\n', (size_t)(end - p));
  while (p < end) {
    while (p < end && basket_is_blank(*p) && *p != b->delimiter && *p != '\n') p++;
    if (p < end && *p == '"') {
      const char *behind = basket_quoted_end(p, end);
      if (!behind) *open = p;
      if (!behind) return NULL;
      p = behind;
    }
    while (p < end && *p != b->delimiter && *p != '\n') p++;
    if (p < end && *p++ == '\n') return p - 1;
  }
  return NULL;
}

dm_status basket_line(basket_part *b, const char *p, const char *end, dm_error *err) {
  if (end > p && end[-1] == '\r') end--;
  dm_status s = check_bytes(b, p, end, err);
  if (s == DM_OK) s = parse(b, p, end, err);
  if (s == DM_OK) s = dm_code_rows_reserve(&b->rows, 0, 1, err);
  if (s == DM_OK) (void)dm_code_rows_end(&b->rows);
  return s;
}
