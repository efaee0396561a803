/*
 * A long table, one row an item, into transactions.
 *
 *   tid  item        7: milk bread
 *   7    milk        9:
 *   9    NULL        8: bread
 *   8    bread
 *   7    bread
 *
 * The ids of transactions are integers nearly always, and are numbers of the
 * builder as they are. When one of another type is met, all of them go
 * through dictionaries, from the first row on. Items that are integers are
 * looked up among those seen last, before they are printed for the dictionary
 * of names.
 */
#include "store/transactions.h"

#include <math.h>
#include <string.h>

enum { TID, ITEM, COUNT, RECENT = 1 << 12 };

/* Code of an integer; a slot holds the last one that fell on it. */
typedef struct recent {
  int64_t item;
  uint32_t code;
  bool used;
} recent;

typedef struct reader {
  dm_push push; /* tid, item, count */
  dm_transactions_builder *builder;
  size_t n_items;
  bool open; /* rows of `tid` are being read */
  int64_t tid;
  bool keyed; /* ids through the dictionaries */
  bool again; /* that was seen too late */
  dm_dict *texts, *others; /* ids that are texts, and those that are not: type and bytes */
  dm_buf key;
  recent *recent; /* [RECENT] */
} reader;

/* ---- items -------------------------------------------------------------------------- */

static dm_status add_name(reader *r, const char *p, size_t n, uint32_t *code, dm_error *err) {
  dm_status s = dm_transactions_builder_code(r->builder, p, n, code, err);
  if (s != DM_OK || *code < r->n_items) return s;
  r->n_items++; /* the first time that it is seen */
  if (dm_utf8_valid(p, n) == n && !memchr(p, 0, n)) return DM_OK;
  return dm_fail(err, DM_EINPUT, "column '%s', row %zu: the item is not UTF-8 text", r->push.names[ITEM], r->push.rows + 1);
}

static dm_status add_integer(reader *r, int64_t v, uint32_t *code, dm_error *err) {
  recent *slot = &r->recent[(uint64_t)v * 0x9E3779B97F4A7C15u >> 52];
  _Static_assert(RECENT == 1 << (64 - 52), "the bits that are left of a hash");
  if (!slot->used || slot->item != v) {
    char text[DM_NUMBER_MAX];
    dm_status s = add_name(r, text, dm_text_of_int(v, text), &slot->code, err);
    if (s != DM_OK) return s;
    slot->item = v;
    slot->used = true;
  }
  *code = slot->code;
  return DM_OK;
}

static dm_status add_item(reader *r, sqlite3_value *v, dm_error *err) {
  char text[DM_NUMBER_MAX];
  uint32_t code = 0;
  dm_status s = DM_OK;
  switch (sqlite3_value_type(v)) {
  case SQLITE_INTEGER: s = add_integer(r, sqlite3_value_int64(v), &code, err); break;
  case SQLITE_FLOAT: s = add_name(r, text, dm_text_of_double(sqlite3_value_double(v), true, text), &code, err); break;
  case SQLITE_TEXT: {
    const char *p = (const char *)sqlite3_value_text(v);
    if (!p) return dm_store_fail(r->push.store, SQLITE_NOMEM, NULL, err);
    s = add_name(r, p, (size_t)sqlite3_value_bytes(v), &code, err);
    break;
  }
  case SQLITE_BLOB:
    return dm_fail(err, DM_EINPUT, "column '%s', row %zu: a BLOB is no item, want text or a number", r->push.names[ITEM], r->push.rows + 1);
  default: return DM_OK; /* no item, but a transaction */
  }
  return s == DM_OK ? dm_transactions_builder_add(r->builder, code, err) : s;
}

/* ---- ids of transactions -------------------------------------------------------------- */

static dm_status find_key(dm_dict *dict, const char *p, size_t n, int64_t last_bit, int64_t *out, dm_error *err) {
  size_t index;
  dm_status s = dm_dict_add(dict, p, n, &index, err);
  if (s == DM_OK) *out = 2 * (int64_t)index + last_bit;
  return s;
}

static void put_key(reader *r, char type, const void *p, size_t n) {
  dm_buf_reset(&r->key);
  dm_buf_addc(&r->key, type);
  if (n) dm_buf_add(&r->key, p, n);
}

/* Numbers are one id when SQL calls them equal: 3 and 3.0. */
static void put_number(reader *r, sqlite3_value *v) {
  double real = sqlite3_value_double(v);
  int64_t integer = sqlite3_value_int64(v);
  if (sqlite3_value_type(v) == SQLITE_INTEGER || (fabs(real) < 0x1p63 && real == trunc(real)))
    put_key(r, 'i', &integer, sizeof integer);
  else
    put_key(r, 'r', &real, sizeof real);
}

static dm_status key_of(reader *r, sqlite3_value *v, int64_t *out, dm_error *err) {
  int type = sqlite3_value_type(v);
  if (type == SQLITE_TEXT) {
    const char *p = (const char *)sqlite3_value_text(v);
    if (!p) return dm_store_fail(r->push.store, SQLITE_NOMEM, NULL, err);
    return find_key(r->texts, p, (size_t)sqlite3_value_bytes(v), 0, out, err);
  }
  if (type == SQLITE_BLOB)
    put_key(r, 'b', sqlite3_value_blob(v), (size_t)sqlite3_value_bytes(v));
  else
    put_number(r, v);
  if (dm_buf_status(&r->key) != DM_OK) return dm_fail(err, DM_EBUDGET, "transactions: no memory for an id");
  return find_key(r->others, r->key.p, r->key.n, 1, out, err);
}

static dm_status tid_of(reader *r, sqlite3_value *v, int64_t *out, dm_error *err) {
  int type = sqlite3_value_type(v);
  if (type == SQLITE_NULL) {
    (void)dm_fail(err, DM_EINPUT, "column '%s', row %zu: NULL is no id of a transaction", r->push.names[TID], r->push.rows + 1);
    dm_error_hint(err, "leave such rows out: SELECT … WHERE \"%s\" IS NOT NULL", r->push.names[TID]);
    return DM_EINPUT;
  }
  if (type == SQLITE_INTEGER && !r->keyed) {
    *out = sqlite3_value_int64(v);
    return DM_OK;
  }
  if (!r->keyed) {
    r->keyed = true;
    r->again = r->push.rows > 0;
    if (r->again) return dm_fail(err, DM_EINTERNAL, "ids of transactions have several types");
  }
  return key_of(r, v, out, err);
}

dm_status dm_weight_of(sqlite3_value *v, const char *column, size_t row, uint64_t *out, dm_error *err) {
  double real = sqlite3_value_double(v);
  int type = sqlite3_value_type(v);
  if ((type == SQLITE_INTEGER || (type == SQLITE_FLOAT && real == trunc(real))) && real >= 1 && real <= UINT32_MAX) {
    *out = (uint64_t)real;
    return DM_OK;
  }
  return dm_fail(err, DM_EINPUT, "column '%s', row %zu: a transaction counts 1 to %u times", column, row, UINT32_MAX);
}

/* ---- rows --------------------------------------------------------------------------------- */

static dm_status take(dm_push *p, size_t first, sqlite3_value **cells, size_t n, dm_error *err) {
  reader *r = (reader *)p;
  int64_t tid = 0;
  uint64_t weight = 1;
  (void)first; /* three columns come at once */
  dm_status s = tid_of(r, cells[TID], &tid, err);
  if (s == DM_OK && n > COUNT) s = dm_weight_of(cells[COUNT], p->names[COUNT], p->rows + 1, &weight, err);
  if (s != DM_OK) return s;
  if (!r->open || r->tid != tid || n > COUNT) {
    s = dm_transactions_builder_tid(r->builder, tid, weight, err);
    if (s == DM_EINPUT) dm_error_prefix(err, "row %zu", p->rows + 1);
    r->tid = tid;
    r->open = true;
  }
  return s == DM_OK ? add_item(r, cells[ITEM], err) : s;
}

static dm_status restart(dm_push *p, dm_error *err) {
  reader *r = (reader *)p;
  dm_transactions_builder_free(r->builder);
  dm_dict_free(r->texts);
  dm_dict_free(r->others);
  r->builder = NULL;
  r->texts = r->others = NULL;
  r->n_items = 0;
  r->open = r->again = false;
  memset(r->recent, 0, RECENT * sizeof *r->recent);
  dm_status s = dm_transactions_builder_new(p->store->ctx, &r->builder, err);
  if (s == DM_OK) s = dm_dict_new(p->store->ctx, &r->texts, err);
  return s == DM_OK ? dm_dict_new(p->store->ctx, &r->others, err) : s;
}

dm_status dm_pairs_read(dm_store *store, const char *src, const char *tid, const char *item, const char *count, dm_arena *arena,
                        dm_transactions_builder **out, dm_error *err) {
  const char *const names[] = {[TID] = tid, [ITEM] = item, [COUNT] = count};
  const char *found[COUNT + 1];
  int at[COUNT + 1];
  reader r = {.push = {.store = store, .names = found, .at = at, .take = take, .restart = restart}};
  dm_buf_init(&r.key, store->ctx, NULL);
  r.recent = dm_arena_alloc(arena, RECENT, sizeof *r.recent, err);
  dm_status s = r.recent ? dm_push_choose(&r.push, src, names, count ? COUNT + 1 : COUNT, arena, err) : DM_EBUDGET;
  if (s == DM_OK) s = dm_push_run(&r.push, src, arena, err);
  if (s != DM_OK && r.again) {
    dm_error_clear(err);
    s = dm_push_run(&r.push, src, arena, err);
  }
  dm_buf_clear(&r.key);
  dm_dict_free(r.texts);
  dm_dict_free(r.others);
  if (s == DM_OK)
    *out = r.builder;
  else
    dm_transactions_builder_free(r.builder);
  return s;
}
