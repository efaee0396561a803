/* Why a delimited record does not fit: too long, NUL, bytes of no encoding, another number of fields. */
#include "csv.h"

#include <stdio.h>
#include <string.h>

size_t csv_record_limit(const dm_csv *csv) { return csv->shape.max_cell + CSV_MAX_CUT; }

/* First byte of the record that is NUL or no UTF-8. */
static dm_reject_reason bad_bytes(dm_csv *csv, const char *p, size_t n, size_t *at) {
  const char *nul = memchr(p, 0, n);
  size_t valid = dm_utf8_valid(p, n);
  size_t zero = nul ? (size_t)(nul - p) : n;
  if (valid == n && !nul) return DM_REJECT_NONE;
  *at = valid < zero ? valid : zero;
  if (zero < valid) {
    (void)snprintf(csv->message, sizeof csv->message, "NUL byte");
    return DM_REJECT_NUL;
  }
  if (csv->decoder.coding == CSV_UTF8)
    (void)snprintf(csv->message, sizeof csv->message, "byte 0x%02X is not UTF-8", (unsigned char)p[valid]);
  else
    (void)snprintf(csv->message, sizeof csv->message, "bytes that are not %s", csv->dialect.encoding);
  return DM_REJECT_ENCODING;
}

static dm_reject_reason wrong_count(dm_csv *csv, size_t length, size_t *at) {
  size_t want = csv->shape.n_columns, n = csv->n_cells;
  if (n == want || (want == 0 && n <= CSV_MAX_COLUMNS)) return DM_REJECT_NONE;
  if (csv->shape.trailing && n == want + 1 && csv->cells[want].n == 0) {
    csv->n_cells = want;
    return DM_REJECT_NONE;
  }
  if (n > want && csv->shape.on_extra != DM_EXTRA_REJECT && n <= CSV_MAX_COLUMNS) return DM_REJECT_NONE;
  (void)snprintf(csv->message, sizeof csv->message, "%zu field%s, %s %zu", n, n == 1 ? "" : "s",
                 csv->shape.header ? "header has" : "want", want);
  *at = n > want ? (size_t)(csv->cells[want].p - (csv->text + csv->begin)) : length;
  return n > want ? DM_REJECT_TOO_MANY : DM_REJECT_TOO_FEW;
}

static dm_reject_reason too_long(dm_csv *csv, size_t length, size_t *at) {
  size_t limit = csv->shape.max_cell;
  *at = 0;
  if (csv->overlong) {
    (void)snprintf(csv->message, sizeof csv->message, "a record longer than %zu bytes", csv_record_limit(csv));
    return DM_REJECT_TOO_LONG;
  }
  if (length <= limit) return DM_REJECT_NONE;
  for (size_t i = 0; i < csv->n_cells && i < csv->cell_capacity; i++) {
    if (csv->cells[i].n <= limit) continue;
    *at = (size_t)(csv->cells[i].p - (csv->text + csv->begin));
    (void)snprintf(csv->message, sizeof csv->message, "a cell of %zu bytes, limit %zu", csv->cells[i].n, limit);
    return DM_REJECT_TOO_LONG;
  }
  return DM_REJECT_NONE;
}

dm_reject_reason csv_judge(dm_csv *csv, size_t length, size_t *at) {
  dm_reject_reason reason = too_long(csv, length, at);
  if (reason == DM_REJECT_NONE && csv->suspect && !csv->shape.any_bytes) reason = bad_bytes(csv, csv->text + csv->begin, length, at);
  if (reason == DM_REJECT_NONE) reason = wrong_count(csv, length, at);
  return reason;
}
