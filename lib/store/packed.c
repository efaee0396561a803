/* The rows of dm_packed; see packed.h. */
#include "store/packed.h"

#include "store/registry.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
  NAME = 64,
  PART = 16 << 20,
  EARLY = 2, LATE = 60 /* seconds between keeping a row and its commit: coarse clocks of file systems, slow disks */
};

/* ---- reading ------------------------------------------------------------------------------ */

typedef struct packed_row {
  int64_t id, n_parts;
  uint64_t bytes;
  char sha256[DM_SHA256_HEX];
} packed_row;

static void name_file(const dm_file_state *file, uint32_t cookie, char out[NAME]) {
  (void)snprintf(out, NAME, "%llx:%llx:%x", (unsigned long long)file->device, (unsigned long long)file->inode, (unsigned)cookie);
}

/* Rows that are of a state of the file: ?1 its count, ?2 its name, ?3 when it was written. */
#define IS_OF "file_change = ?1 AND file = ?2 AND ?3 - kept_at BETWEEN ?4 AND ?5"

static dm_status bind_state(dm_stmt *s, const dm_file_state *file, const char *name, dm_error *err) {
  dm_status status = dm_stmt_bind_int(s, 1, file->change, err);
  if (status == DM_OK) status = dm_stmt_bind_text(s, 2, name, err);
  if (status == DM_OK) status = dm_stmt_bind_int(s, 3, file->written, err);
  if (status == DM_OK) status = dm_stmt_bind_int(s, 4, -EARLY, err);
  return status == DM_OK ? dm_stmt_bind_int(s, 5, LATE, err) : status;
}

static dm_status read_row(const dm_stmt *s, packed_row *out, dm_error *err) {
  dm_value hash = dm_stmt_value(s, 2);
  int64_t bytes = dm_stmt_int(s, 1);
  if (hash.type != DM_TEXT || hash.text.n != DM_SHA256_HEX - 1 || bytes < 1 || bytes != dm_stmt_int(s, 4))
    return dm_fail(err, DM_EINPUT, "packed transactions: their bytes are not what dm_packed says");
  *out = (packed_row){.id = dm_stmt_int(s, 0), .bytes = (uint64_t)bytes, .n_parts = dm_stmt_int(s, 3)};
  memcpy(out->sha256, hash.text.p, hash.text.n);
  return DM_OK;
}

static dm_status find_row(dm_store *store, const dm_file_state *file, const char *sql, const char *how, packed_row *out, bool *found, dm_error *err) {
  dm_stmt *s = NULL;
  char name[NAME];
  name_file(file, file->cookie, name);
  dm_status status = dm_stmt_prepare(store,
                                     "SELECT id, bytes, sha256, (SELECT count(*) FROM main.dm_packed_part WHERE packed_id = id),"
                                     " (SELECT sum(length(data)) FROM main.dm_packed_part WHERE packed_id = id)"
                                     " FROM main.dm_packed WHERE " IS_OF " AND source = ?6 AND how = ?7",
                                     &s, err);
  if (status == DM_OK) status = bind_state(s, file, name, err);
  if (status == DM_OK) status = dm_stmt_bind_text(s, 6, sql, err);
  if (status == DM_OK) status = dm_stmt_bind_text(s, 7, how, err);
  if (status == DM_OK) status = dm_stmt_step(s, found, err);
  if (status == DM_OK && *found) status = read_row(s, out, err);
  dm_stmt_free(s);
  return status;
}

static dm_status read_parts(dm_store *store, const packed_row *r, char *to, dm_error *err) {
  dm_stmt *s = NULL;
  uint64_t done = 0;
  int64_t part = 0;
  dm_status status = dm_stmt_prepare(store, "SELECT part, data FROM main.dm_packed_part WHERE packed_id = ?1 ORDER BY part", &s, err);
  if (status == DM_OK) status = dm_stmt_bind_int(s, 1, r->id, err);
  for (bool any = true; status == DM_OK; part++) {
    status = dm_stmt_step(s, &any, err);
    if (status != DM_OK || !any) break;
    dm_value v = dm_stmt_value(s, 1);
    if (dm_stmt_int(s, 0) != part || v.type != DM_BLOB || v.text.n > r->bytes - done) break;
    if (v.text.n) memcpy(to + done, v.text.p, v.text.n);
    done += v.text.n;
  }
  if (status == DM_OK && (done != r->bytes || part != r->n_parts))
    status = dm_fail(err, DM_EINPUT, "packed transactions: parts are missing");
  dm_stmt_free(s);
  return status;
}

static dm_status check_hash(dm_ctx *ctx, const packed_row *r, const char *bytes, dm_error *err) {
  char computed[DM_SHA256_HEX];
  dm_sha256 *hash = NULL;
  dm_status s = dm_sha256_new(ctx, &hash, err);
  if (s != DM_OK) return s;
  dm_sha256_add(hash, bytes, r->bytes);
  dm_sha256_hex(hash, computed);
  dm_sha256_free(hash);
  return strcmp(computed, r->sha256) == 0 ? DM_OK : dm_fail(err, DM_EINPUT, "packed transactions: they do not have the SHA-256 that dm_packed says");
}

static dm_status unpack(dm_store *store, const packed_row *r, dm_transactions **out, dm_error *err) {
  char *bytes = dm_alloc(store->ctx, r->bytes, 1, "packed transactions", err);
  if (!bytes) return DM_EBUDGET;
  dm_status s = read_parts(store, r, bytes, err);
  if (s == DM_OK) s = check_hash(store->ctx, r, bytes, err);
  if (s == DM_OK) s = dm_packed_decode(store->ctx, bytes, r->bytes, out, err);
  dm_free(store->ctx, bytes);
  return s;
}

dm_status dm_packed_read(dm_store *store, const char *sql, const char *how, dm_transactions **out, char digest[DM_SHA256_HEX], dm_error *err) {
  const dm_file_state file = dm_store_file_state(store);
  int64_t version = 0;
  packed_row r;
  bool found = false;
  dm_error why = {0};
  *out = NULL;
  dm_status s = file.counts ? dm_schema_version(store, &version, err) : DM_OK;
  if (s != DM_OK || version < 2) return s;
  s = dm_registry_check_tables(store, &why);
  if (s == DM_OK) s = find_row(store, &file, sql, how, &r, &found, &why);
  if (s == DM_OK && found) s = unpack(store, &r, out, &why);
  if (s == DM_EINPUT) { /* the source itself is there */
    dm_log(store->ctx, DM_LOG_WARNING, "%s; the source is read instead", why.message);
    return DM_OK;
  }
  if (s != DM_OK && err) *err = why;
  if (s == DM_OK && found) memcpy(digest, r.sha256, DM_SHA256_HEX);
  return s;
}

/* ---- writing ------------------------------------------------------------------------------ */

static dm_status schema_cookie(dm_store *store, uint32_t *out, dm_error *err) {
  dm_stmt *s = NULL;
  bool row = false;
  dm_status status = dm_stmt_prepare(store, "PRAGMA main.schema_version", &s, err);
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  if (status == DM_OK) *out = (uint32_t)dm_stmt_int(s, 0);
  dm_stmt_free(s);
  return status;
}

/* Of the state before the transaction: those become of the state after its commit; all others go. */
static dm_status move_on(dm_store *store, const char *after, dm_error *err) {
  dm_stmt *s = NULL;
  char before[NAME];
  bool row;
  name_file(&store->before, store->before.cookie, before);
  dm_status status = dm_stmt_prepare(store, "DELETE FROM main.dm_packed WHERE NOT (" IS_OF ")", &s, err);
  if (status == DM_OK) status = bind_state(s, &store->before, before, err);
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  dm_stmt_free(s);
  if (status == DM_OK)
    status = dm_store_exec(store, err, "DELETE FROM main.dm_packed_part WHERE packed_id NOT IN (SELECT id FROM main.dm_packed)");
  if (status == DM_OK)
    status = dm_store_exec(store, err, "UPDATE main.dm_packed SET file_change = %lld, file = %Q, kept_at = %lld",
                           (long long)(uint32_t)(store->before.change + 1), after, (long long)time(NULL));
  return status;
}

static dm_status write_row(dm_store *store, const dm_reading *r, const char *file, int64_t *id, dm_error *err) {
  dm_stmt *s = NULL;
  bool row;
  dm_status status = dm_stmt_prepare(store,
                                     "INSERT INTO main.dm_packed(source, how, file_change, file, kept_at, transactions, items, bytes, sha256)"
                                     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                                     &s, err);
  const char *const texts[] = {r->sql, r->how, file, r->digest};
  const int text_at[] = {1, 2, 4, 9};
  const int64_t numbers[] = {(uint32_t)(store->before.change + 1), (int64_t)time(NULL), (int64_t)r->transactions, (int64_t)r->items, (int64_t)r->packed.n};
  const int number_at[] = {3, 5, 6, 7, 8};
  for (int i = 0; status == DM_OK && i < 4; i++) status = dm_stmt_bind_text(s, text_at[i], texts[i], err);
  for (int i = 0; status == DM_OK && i < 5; i++) status = dm_stmt_bind_int(s, number_at[i], numbers[i], err);
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  if (status == DM_OK) *id = sqlite3_last_insert_rowid(store->db);
  dm_stmt_free(s);
  return status;
}

static dm_status write_parts(dm_store *store, int64_t id, const dm_buf *packed, dm_error *err) {
  dm_stmt *s = NULL;
  bool row;
  dm_status status = dm_stmt_prepare(store, "INSERT INTO main.dm_packed_part(packed_id, part, data) VALUES(?1, ?2, ?3)", &s, err);
  if (status == DM_OK) status = dm_stmt_bind_int(s, 1, id, err);
  size_t done = 0;
  for (int64_t part = 0; status == DM_OK && done < packed->n; part++) {
    size_t n = packed->n - done < PART ? packed->n - done : PART;
    status = dm_stmt_bind_int(s, 2, part, err);
    if (status == DM_OK) status = dm_stmt_bind(s, 3, (dm_value){DM_BLOB, .text = {packed->p + done, n}}, err);
    if (status == DM_OK) status = dm_stmt_step(s, &row, err);
    (void)dm_stmt_reset(s, NULL);
    done += n;
  }
  dm_stmt_free(s);
  return status;
}

/* @param after name of the file after the commit. */
static dm_status prepare_tables(dm_store *store, char after[NAME], dm_error *err) {
  uint32_t cookie = 0;
  dm_status s = dm_store_ensure_schema(store, err);
  if (s == DM_OK) s = dm_registry_check_tables(store, err);
  if (s == DM_OK) s = schema_cookie(store, &cookie, err);
  if (s != DM_OK) return s;
  name_file(&store->before, cookie, after);
  return move_on(store, after, err);
}

static dm_status check_open(const dm_store *store, dm_error *err) {
  return store->transaction ? DM_OK : dm_fail(err, DM_EINTERNAL, "packed transactions: no transaction is open");
}

dm_status dm_reading_keep(dm_store *store, const dm_reading *r, bool *kept, dm_error *err) {
  char after[NAME];
  int64_t id = 0;
  *kept = false;
  dm_status s = check_open(store, err);
  if (s != DM_OK || store->savepoint || !store->before.counts) return s;
  s = prepare_tables(store, after, err);
  if (s != DM_OK || !r->can_keep || r->change != store->before.change) return s;
  *kept = r->kept;
  if (r->kept || r->packed.n == 0) return s;
  s = dm_store_exec(store, err, "DELETE FROM main.dm_packed_part WHERE packed_id IN (SELECT id FROM main.dm_packed WHERE source = %Q AND how = %Q)", r->sql, r->how);
  if (s == DM_OK) s = dm_store_exec(store, err, "DELETE FROM main.dm_packed WHERE source = %Q AND how = %Q", r->sql, r->how);
  if (s == DM_OK) s = write_row(store, r, after, &id, err);
  if (s == DM_OK) s = write_parts(store, id, &r->packed, err);
  if (s == DM_OK) *kept = true;
  return s;
}

dm_status dm_reading_renew(dm_store *store, dm_error *err) {
  char after[NAME];
  int64_t version = 0;
  dm_status s = check_open(store, err);
  if (s != DM_OK || store->savepoint || !store->before.counts) return s;
  s = dm_schema_version(store, &version, err);
  return s == DM_OK && version >= 2 ? prepare_tables(store, after, err) : s;
}

void dm_reading_clear(dm_reading *r) {
  if (r->ctx) { /* it was used */
    dm_buf_clear(&r->packed);
    dm_free(r->ctx, r->sql);
    dm_free(r->ctx, r->how);
  }
  *r = (dm_reading){0};
}
