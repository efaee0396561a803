/* Helpers of the tests of delimited files. */
#ifndef DM_TESTS_CSV_HELP_H
#define DM_TESTS_CSV_HELP_H

#include "cmocka_all.h"
#include "data/formats/csv.h"

#include <dm/data.h>
#include <stdio.h>
#include <stdlib.h>

static inline dm_ctx *new_ctx(void) {
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.threads = 1};
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  return ctx;
}

/* Opens bytes with a block size; 0 = the usual one. */
static inline dm_csv *open_bytes(dm_ctx *ctx, const char *p, size_t n, const dm_csv_options *options, size_t block) {
  csv_source *source = NULL;
  dm_csv *csv = NULL;
  dm_error err = {0};
  assert_int_equal(csv_source_open_memory(ctx, "test.csv", p, n, true, &source, &err), DM_OK);
  dm_status status = csv_open_source(source, options, block ? block : CSV_READ_BLOCK, &csv, &err);
  if (status != DM_OK) print_error("open: %s\n", err.message);
  assert_int_equal(status, DM_OK);
  return csv;
}

static inline dm_csv *open_text(dm_ctx *ctx, const char *text, const dm_csv_options *options) {
  return open_bytes(ctx, text, strlen(text), options, 0);
}

/* Everything the reader gives, as text: cells <…> or "…" when quoted, rejects as !reason line@offset:column[raw] message. */
static inline void describe_all(dm_csv *csv, dm_buf *out) {
  const dm_csv_record *r;
  dm_error err = {0};
  for (;;) {
    assert_int_equal(dm_csv_next(csv, &r, &err), DM_OK);
    if (!r) return;
    if (r->reason != DM_REJECT_NONE) {
      dm_buf_printf(out, "!%d %zu@%zu:%zu[", (int)r->reason, (size_t)r->line, (size_t)r->byte_offset, r->column);
      dm_buf_add(out, r->raw, r->raw_n);
      dm_buf_printf(out, "] %s\n", r->message);
      continue;
    }
    for (size_t i = 0; i < r->n_cells; i++) {
      dm_buf_adds(out, r->cells[i].quoted ? "\"" : "<");
      dm_buf_add(out, r->cells[i].p, r->cells[i].n);
      dm_buf_adds(out, r->cells[i].quoted ? "\"" : ">");
    }
    dm_buf_addc(out, '\n');
  }
}

/* Reads text with the given options and compares with what describe_all writes. */
static inline void reads_as(const char *text, size_t n, const dm_csv_options *options, const char *want) {
  static const size_t blocks[] = {0, 1, 3, 64, 100};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    dm_ctx *ctx = new_ctx();
    dm_csv *csv = open_bytes(ctx, text, n, options, blocks[i]);
    dm_buf got;
    dm_buf_init(&got, ctx, NULL);
    dm_buf_adds(&got, "");
    describe_all(csv, &got);
    assert_string_equal(got.p, want);
    dm_buf_clear(&got);
    dm_csv_close(csv);
    dm_ctx_free(ctx);
  }
}

#define READS_AS(text, options, want) reads_as(text, sizeof(text) - 1, options, want)

#endif
