/*
 * Any bytes are refused with a reason, or read: the same records whatever the
 * block size, each with its place, its raw bytes those of the source there,
 * and sought again it is the same. The first byte chooses block and options.
 */
#include "data/formats/csv.h"

#include <dm/data.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_PLACES = 64 };

static void expect(bool held) {
  if (!held) abort();
}

static dm_csv *open_with(dm_ctx *ctx, const char *p, size_t n, const dm_csv_options *options, size_t block) {
  csv_source *source = NULL;
  dm_csv *csv = NULL;
  dm_error err = {0};
  expect(csv_source_open_memory(ctx, "fuzz", p, n, true, &source, &err) == DM_OK);
  dm_status status = csv_open_source(source, options, block, &csv, &err);
  expect(status == DM_OK ? csv != NULL : csv == NULL && err.message[0]);
  return csv;
}

static uint64_t digest(const dm_csv_record *r) {
  uint64_t h = 1469598103934665603u ^ (uint64_t)r->reason;
  h = h * 31 + r->record, h = h * 31 + r->line, h = h * 31 + r->byte_offset, h = h * 31 + r->n_cells;
  h = h * 31 + r->column;
  for (size_t i = 0; r->cells && i < r->n_cells; i++)
    for (size_t j = 0; j <= r->cells[i].n; j++) h = (h ^ (j < r->cells[i].n ? (uint8_t)r->cells[i].p[j] : 300u)) * 1099511628211u;
  return h;
}

static void check_record(dm_csv *csv, const dm_csv_record *r, const char *p, size_t n, uint64_t *behind) {
  dm_str raw;
  bool good = r->reason == DM_REJECT_NONE;
  expect(good ? r->cells != NULL && r->n_cells == dm_csv_n_columns(csv) : r->cells == NULL && r->message && r->raw);
  for (size_t i = 0; good && i < r->n_cells; i++) /* cells are UTF-8 without NUL */
    expect(dm_utf8_valid(r->cells[i].p, r->cells[i].n) == r->cells[i].n && !memchr(r->cells[i].p, 0, r->cells[i].n));
  expect(dm_csv_raw(csv, &raw, NULL) == DM_OK);
  expect(r->byte_offset >= *behind && r->byte_offset + raw.n <= n && memcmp(raw.p, p + r->byte_offset, raw.n) == 0);
  *behind = r->byte_offset + raw.n;
}

static void check_all(dm_ctx *ctx, const char *p, size_t n, const dm_csv_options *options, size_t block) {
  dm_csv *csv = open_with(ctx, p, n, options, block), *usual = open_with(ctx, p, n, options, CSV_READ_BLOCK);
  expect((csv == NULL) == (usual == NULL));
  struct {
    uint64_t record, line, offset, digest;
  } places[MAX_PLACES];
  size_t n_places = 0;
  uint64_t behind = 0;
  while (csv) {
    const dm_csv_record *r, *u = NULL;
    expect(dm_csv_next(csv, &r, NULL) == DM_OK && dm_csv_next(usual, &u, NULL) == DM_OK);
    expect((r == NULL) == (u == NULL));
    if (!r) break;
    uint64_t d = digest(r);
    expect(d == digest(u));
    check_record(csv, r, p, n, &behind);
    places[r->record % MAX_PLACES].record = r->record, places[r->record % MAX_PLACES].line = r->line;
    places[r->record % MAX_PLACES].offset = r->byte_offset, places[r->record % MAX_PLACES].digest = d;
    n_places = (size_t)r->record < MAX_PLACES ? (size_t)r->record : MAX_PLACES - 1;
  }
  if (csv) expect(strlen(dm_csv_sha256(csv)) == 64 && strcmp(dm_csv_sha256(csv), dm_csv_sha256(usual)) == 0);
  for (size_t i = n_places; i >= 1; i--) {
    const dm_csv_record *r;
    expect(dm_csv_seek(csv, places[i].record, places[i].line, places[i].offset, NULL) == DM_OK);
    expect(dm_csv_next(csv, &r, NULL) == DM_OK && r && digest(r) == places[i].digest);
  }
  if (csv) expect(csv->n_scanned <= 4 * (uint64_t)n + 4096 * (n_places + 1) + 256 * (uint64_t)csv->number * 4);
  dm_csv_close(csv);
  dm_csv_close(usual);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  dm_ctx *ctx = NULL;
  dm_ctx_options limits = {.threads = 1, .budget = (size_t)512 << 20};
  if (size < 1 || dm_ctx_new(&limits, &ctx, NULL) != DM_OK) return 0;
  uint8_t choice = data[0];
  dm_csv_options options = {.header = (dm_auto)(choice >> 4 & 1 ? 2 : 0), .on_extra = (dm_on_extra)(choice >> 5 & 1),
                            .max_cell = choice >> 6 & 1 ? 16 : 0, .encoding = choice >> 7 ? "ISO-8859-1" : NULL};
  check_all(ctx, (const char *)data + 1, size - 1, &options, 1 + (size_t)(choice & 15) * 5);
  dm_ctx_free(ctx);
  return 0;
}
