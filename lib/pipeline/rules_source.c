/*
 * SRC as transactions:
 *
 *   a transaction file      milk bread            one a line
 *   tid and item            1,milk / 1,bread      a row for each item, in a table, a SELECT or a data file
 *   a basket column         "milk,bread"          a row for each transaction
 *   columns                 age=[25, 38), job=cook     a row for each transaction (rules_columns.c)
 *
 * Tables and SELECTs of the first kinds are read by the store; rows of data files go through a frame.
 */
#include "pipeline/rules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- options ------------------------------------------------------------------------- */

static dm_status exclude(const char *a, const char *b, dm_error *err) {
  return dm_fail(err, DM_EUSAGE, "--%s and --%s exclude each other", a, b);
}

dm_status rules_check_source(const dm_rules_options *o, dm_error *err) {
  const char *ways[5];
  size_t n = 0;
  if (o->transaction_file) ways[n++] = "format basket";
  if (o->tid || o->item) ways[n++] = o->tid ? "tid" : "item";
  if (o->basket) ways[n++] = "basket";
  if (o->columns || o->one_hot || o->bins) ways[n++] = o->columns ? "columns" : o->one_hot ? "one-hot" : "bins";
  if (n > 1) return exclude(ways[0], ways[1], err);
  if (o->one_hot && o->bins) return exclude("one-hot", "bins", err);
  if (!o->tid != !o->item)
    return dm_fail(err, DM_EUSAGE, "--%s needs --%s COL, too: a row for each item", o->tid ? "tid" : "item", o->tid ? "item" : "tid");
  if (o->count && o->transaction_file) return exclude("count", "format basket", err);
  if (o->delimiter && !o->transaction_file && !o->basket)
    return dm_fail(err, DM_EUSAGE, "--delimiter stands between the items of --format basket or of --basket COL");
  return DM_OK;
}

/* Baskets in a column: between commas, if nothing else is said. */
static dm_basket_options splitting_of(const dm_rules_options *o) { return (dm_basket_options){.delimiter = o->delimiter ? o->delimiter : ","}; }

/* ---- rows of a frame --------------------------------------------------------------------- */

typedef struct reader {
  const dm_frame *frame;
  const char *source;
  const dm_frame_column *tid, *item, *count;
  dm_basket_splitter *splitter;
  dm_transactions_builder *builder;
} reader;

static dm_status bad_cell(const reader *r, size_t row, const dm_frame_column *c, const char *why, dm_error *err) {
  (void)dm_fail(err, DM_EINPUT, "%s: row %zu: column '%s' %s", r->source, row + 1, c->name, why);
  return DM_EINPUT;
}

/* A number of the frame as it was written; DM_NUMBER_MAX bytes. */
static dm_str cell_text(const dm_frame_column *c, size_t row, char *number) {
  double v = c->values[row];
  if (c->kind == DM_CATEGORY) return c->levels.names[(size_t)v];
  bool whole = c->type == DM_INTEGER && fabs(v) < 0x1p63;
  return (dm_str){number, whole ? dm_text_of_int((int64_t)v, number) : dm_text_of_double(v, true, number)};
}

/* One number for each value: whole ones are themselves, of others the bits, which lie far beyond 2^53. */
static int64_t tid_of(double v) {
  int64_t bits;
  if (v == floor(v) && fabs(v) < 0x1p53) return (int64_t)v;
  memcpy(&bits, &v, sizeof bits);
  return bits;
}

static dm_status weight_of(const reader *r, size_t row, uint64_t *weight, dm_error *err) {
  *weight = 1;
  if (!r->count) return DM_OK;
  double v = r->count->values[row];
  if (r->count->kind != DM_NUMERIC || !(v >= 1 && v <= UINT32_MAX) || v != floor(v))
    return bad_cell(r, row, r->count, "is no count: want a whole number from 1 to 4294967295", err);
  *weight = (uint64_t)v;
  return DM_OK;
}

static dm_status add_item_row(reader *r, size_t row, dm_error *err) {
  char number[DM_NUMBER_MAX];
  uint32_t code;
  uint64_t weight;
  if (isnan(r->tid->values[row])) return bad_cell(r, row, r->tid, "is missing: whose item is this?", err);
  dm_status s = weight_of(r, row, &weight, err);
  if (s == DM_OK) s = dm_transactions_builder_tid(r->builder, tid_of(r->tid->values[row]), weight, err);
  if (s != DM_OK || isnan(r->item->values[row])) return s;
  dm_str item = cell_text(r->item, row, number);
  s = dm_transactions_builder_code(r->builder, item.p, item.n, &code, err);
  return s == DM_OK ? dm_transactions_builder_add(r->builder, code, err) : s;
}

static dm_status add_basket_row(reader *r, size_t row, dm_error *err) {
  char number[DM_NUMBER_MAX];
  uint64_t weight;
  dm_status s = weight_of(r, row, &weight, err);
  if (s == DM_OK && !isnan(r->item->values[row])) {
    s = dm_basket_splitter_add(r->splitter, cell_text(r->item, row, number), r->builder, err);
    if (s == DM_EINPUT) dm_error_prefix(err, "%s: row %zu: column '%s'", r->source, row + 1, r->item->name);
  }
  return s == DM_OK ? dm_transactions_builder_end(r->builder, weight, err) : s;
}

static dm_status find_column(const reader *r, const char *name, const dm_frame_column **out, dm_error *err) {
  size_t at = dm_frame_find(r->frame, name);
  if (at != SIZE_MAX) {
    *out = &r->frame->columns[at];
    return DM_OK;
  }
  const char *names[256];
  size_t n = 0;
  for (; n < 256 && n < r->frame->d; n++) names[n] = r->frame->columns[n].name;
  const char *near = dm_text_nearest(name, names, n);
  (void)dm_fail(err, DM_EUSAGE, "%s has no column '%s'", r->source, name);
  if (near) dm_error_hint(err, "did you mean %s?", near);
  return DM_EUSAGE;
}

static dm_status read_frame(rules_job *j, const dm_frame *frame, dm_error *err) {
  const dm_rules_options *o = j->o;
  reader r = {.frame = frame, .source = j->src->text};
  const dm_basket_options splitting = splitting_of(o);
  dm_status s = find_column(&r, o->basket ? o->basket : o->item, &r.item, err);
  if (s == DM_OK && o->tid) s = find_column(&r, o->tid, &r.tid, err);
  if (s == DM_OK && o->count) s = find_column(&r, o->count, &r.count, err);
  if (s == DM_OK && o->basket) s = dm_basket_splitter_new(j->ctx, &splitting, &r.splitter, err);
  if (s == DM_OK) s = dm_transactions_builder_new(j->ctx, &r.builder, err);
  for (size_t row = 0; s == DM_OK && row < frame->n; row++) {
    if (row % 4096 == 0) s = dm_ctx_check(j->ctx, err);
    if (s == DM_OK) s = r.tid ? add_item_row(&r, row, err) : add_basket_row(&r, row, err);
  }
  if (s == DM_OK)
    s = dm_transactions_builder_finish(r.builder, &j->t, err);
  else
    dm_transactions_builder_free(r.builder);
  dm_basket_splitter_free(r.splitter);
  return s;
}

/* ---- a transaction file ------------------------------------------------------------------- */

/* SHA-256 of the file's bytes; of standard input, which is gone, none. */
static dm_status digest_file(rules_job *j, dm_error *err) {
  enum { BLOCK = 1 << 18 };
  const char *path = j->src->text;
  dm_sha256 *hash = NULL;
  if (strcmp(path, "-") == 0) return DM_OK;
  FILE *f = fopen(path, "rb");
  char *block = dm_alloc(j->ctx, BLOCK, 1, "digest", err);
  dm_status s = !f ? dm_fail(err, DM_EIO, "%s: cannot be read", path) : !block ? DM_EBUDGET : dm_sha256_new(j->ctx, &hash, err);
  for (size_t n; s == DM_OK && (n = fread(block, 1, BLOCK, f)) > 0;) dm_sha256_add(hash, block, n);
  if (s == DM_OK && ferror(f)) s = dm_fail(err, DM_EIO, "%s: cannot be read", path);
  if (s == DM_OK) dm_sha256_hex(hash, j->reading.digest);
  dm_sha256_free(hash);
  dm_free(j->ctx, block);
  if (f) (void)fclose(f);
  return s;
}

static dm_status read_file(rules_job *j, dm_error *err) {
  const dm_basket_options reading = {.delimiter = j->o->delimiter};
  dm_status s = dm_basket_read(j->ctx, j->src->text, &reading, &j->t, err);
  return s == DM_OK && j->o->into ? digest_file(j, err) : s;
}

/* ---- what it is -------------------------------------------------------------------------- */

/* A table or SELECT: read by the database itself, or taken from what it kept. */
static dm_status read_table(rules_job *j, dm_error *err) {
  const dm_rules_options *o = j->o;
  const dm_transactions_source how = {.tid = o->tid, .item = o->item, .basket = o->basket, .splitting = splitting_of(o), .count = o->count};
  j->reading.pack = o->into != NULL;
  return dm_store_transactions(j->store, j->src->text, &how, &j->t, &j->reading, err);
}

static dm_status read_data_file(rules_job *j, dm_error *err) {
  dm_frame *frame = NULL;
  dm_status s = dm_src_frame(j->store, j->src, NULL, 0, &frame, j->reading.digest, err);
  if (s == DM_OK) s = read_frame(j, frame, err);
  if (s == DM_OK) j->r.rejects = frame->rejects;
  dm_frame_free(frame);
  return s;
}

static dm_status read_transactions(rules_job *j, dm_error *err) {
  if (j->o->transaction_file) return read_file(j, err);
  if (!j->o->tid && !j->o->basket) return rules_read_columns(j, err);
  return dm_src_is_file(j->store, j->src->text) ? read_data_file(j, err) : read_table(j, err);
}

dm_status rules_read(rules_job *j, dm_error *err) {
  dm_status s = read_transactions(j, err);
  if (s != DM_OK) return s;
  if (j->t->repeated)
    dm_log(j->ctx, DM_LOG_NOTICE, "%llu items stood more than once in a transaction and are taken once", (unsigned long long)j->t->repeated);
  if (j->t->empty)
    dm_log(j->ctx, DM_LOG_NOTICE, "%llu of %llu transactions are empty; they count", (unsigned long long)j->t->empty, (unsigned long long)j->t->total);
  return DM_OK;
}
