/* SELECT -> frame: cells pushed into a frame builder, and into the digest when one is wanted. */
#include "store/digest.h"
#include "store/push.h"

#include <string.h>

typedef struct reader {
  dm_push push;  /* columns of the frame, and dm_id before them */
  size_t shift;  /* 1 with dm_id, else 0 */
  dm_frame_builder *builder;
  int64_t row_id;
  dm_digest *digest; /* NULL: not wanted */
} reader;

static dm_status refuse_blob(reader *r, const char *column, dm_error *err) {
  (void)dm_fail(err, DM_EINPUT, "column '%s', row %zu: a BLOB is neither number nor text", column, r->push.rows + 1);
  dm_error_hint(err, "leave the column out of the features");
  return DM_EINPUT;
}

static dm_status add_cell(reader *r, size_t c, sqlite3_value *v, dm_error *err) {
  switch (sqlite3_value_type(v)) {
  case SQLITE_INTEGER: {
    int64_t i = sqlite3_value_int64(v);
    if (r->digest) dm_digest_number(r->digest, DM_INTEGER, (uint64_t)i);
    return dm_frame_builder_integer(r->builder, c, i, err);
  }
  case SQLITE_FLOAT: {
    double x = sqlite3_value_double(v);
    if (r->digest) dm_digest_real(r->digest, x);
    return dm_frame_builder_real(r->builder, c, x, err);
  }
  case SQLITE_TEXT: {
    const char *p = (const char *)sqlite3_value_text(v);
    if (!p) return dm_store_fail(r->push.store, SQLITE_NOMEM, NULL, err);
    size_t n = (size_t)sqlite3_value_bytes(v);
    if (r->digest) dm_digest_text(r->digest, p, n);
    return dm_frame_builder_text(r->builder, c, p, n, err);
  }
  case SQLITE_BLOB: return refuse_blob(r, r->push.names[c + r->shift], err);
  default:
    if (r->digest) dm_digest_number(r->digest, DM_NULL, 0);
    return DM_OK; /* a cell that is not given is missing */
  }
}

static dm_status add_row_id(reader *r, sqlite3_value *v, dm_error *err) {
  if (sqlite3_value_type(v) != SQLITE_INTEGER)
    return dm_fail(err, DM_EINPUT, "column 'dm_id', row %zu: want an integer in every row", r->push.rows + 1);
  r->row_id = sqlite3_value_int64(v);
  return DM_OK;
}

static dm_status take(dm_push *p, size_t first, sqlite3_value **cells, size_t n, dm_error *err) {
  reader *r = (reader *)p;
  dm_status s = DM_OK;
  for (size_t i = 0; s == DM_OK && i < n; i++)
    s = first + i < r->shift ? add_row_id(r, cells[i], err) : add_cell(r, first + i - r->shift, cells[i], err);
  return s == DM_OK && first + n == p->n ? dm_frame_builder_end_row(r->builder, r->row_id, err) : s;
}

/* ---- which columns ---------------------------------------------------------------- */

/* Names of the frame's columns must tell them apart. */
static dm_status check_names(const reader *r, dm_error *err) {
  dm_dict *seen = NULL;
  dm_status s = dm_dict_new(r->push.store->ctx, &seen, err);
  for (size_t i = r->shift; s == DM_OK && i < r->push.n; i++) {
    size_t index;
    s = dm_dict_add(seen, r->push.names[i], strlen(r->push.names[i]), &index, err);
    if (s == DM_OK && index != i - r->shift) {
      s = dm_fail(err, DM_EINPUT, "SRC has more than one column '%s'", r->push.names[i]);
      dm_error_hint(err, "name one of them in the SELECT with AS, or leave it out");
    }
  }
  dm_dict_free(seen);
  return s;
}

static dm_status choose_columns(reader *r, const dm_stmt *s, const char *const *columns, size_t n_columns, dm_arena *arena, dm_error *err) {
  size_t n = columns ? n_columns : (size_t)dm_stmt_n_columns(s);
  int id = dm_push_find(s, "dm_id");
  dm_push *p = &r->push;
  dm_status status = DM_OK;
  p->names = dm_arena_alloc(arena, n + 1, sizeof *p->names, err);
  p->at = dm_arena_alloc(arena, n + 1, sizeof *p->at, err);
  if (!p->names || !p->at) return DM_EBUDGET;
  if (id >= 0) status = dm_push_add(p, s, id, arena, err);
  r->shift = id >= 0;
  for (size_t i = 0; status == DM_OK && i < n; i++) {
    int at = columns ? dm_push_find(s, columns[i]) : (int)i;
    if (at < 0) return dm_push_unknown(s, columns[i], arena, err);
    if (at != id) status = dm_push_add(p, s, at, arena, err); /* dm_id names rows, it does not describe them */
  }
  if (status == DM_OK && p->n == r->shift) status = dm_fail(err, DM_EINPUT, "SRC has no column besides dm_id");
  return status == DM_OK ? check_names(r, err) : status;
}

static dm_status restart(dm_push *p, dm_error *err) {
  reader *r = (reader *)p;
  dm_frame_builder_free(r->builder);
  r->builder = NULL;
  dm_status s = DM_OK;
  if (r->digest) {
    dm_digest_clear(r->digest);
    s = dm_digest_init(r->digest, p->store->ctx, p->names + r->shift, p->n - r->shift, err);
  }
  return s == DM_OK ? dm_frame_builder_new(p->store->ctx, p->n - r->shift, p->names + r->shift, r->shift > 0, 0, &r->builder, err) : s;
}

dm_status dm_store_frame(dm_store *store, const char *src, const char *const *columns, size_t n_columns, dm_frame **out, char *digest,
                         dm_error *err) {
  dm_arena *arena;
  dm_digest hash = {.ctx = store->ctx};
  dm_stmt *from = NULL;
  dm_frame *frame = NULL;
  reader r = {.push = {.store = store, .take = take, .restart = restart}, .digest = digest ? &hash : NULL};
  dm_status s = dm_arena_new(store->ctx, 0, &arena, err);
  if (s != DM_OK) return s;
  s = dm_push_open(store, src, arena, &from, err);
  if (s == DM_OK) s = choose_columns(&r, from, columns, n_columns, arena, err);
  dm_stmt_free(from);
  if (s == DM_OK) s = dm_push_run(&r.push, src, arena, err);
  if (s == DM_OK) {
    s = dm_frame_builder_finish(r.builder, &frame, err); /* frees the builder in any case */
    r.builder = NULL;
  }
  dm_frame_builder_free(r.builder);
  if (s == DM_OK) {
    if (digest) dm_digest_hex(&hash, digest);
    *out = frame;
  }
  dm_digest_clear(&hash);
  dm_arena_free(arena);
  return s;
}
