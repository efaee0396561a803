/*
 * Opening, settings, transactions.
 *
 * A connection of our own waits up to five seconds for a lock (dm_store_waits
 * gives it more), and gives up at once when the context is cancelled; a progress handler ends long statements
 * the same way. A connection of somebody else (the extension) keeps its own
 * handlers, settings and open transaction: ours is a savepoint inside it then.
 */
#define _GNU_SOURCE
#include "store/store.h"

#include "store/schema.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BUSY_MS = 5000, PROGRESS_OPS = 10000 };

static long long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- errors ---------------------------------------------------------------- */

void dm_store_place(dm_error *err, const char *sql, size_t at) {
  size_t line = 1, start = 0;
  for (size_t i = 0; i < at && sql[i]; i++)
    if (sql[i] == '\n') {
      line++;
      start = i + 1;
    }
  dm_error_at(err, "SQL", line, at - start + 1);
  dm_error_excerpt(err, sql + start, strlen(sql + start), at - start);
}

static int error_offset(sqlite3 *db) {
#if SQLITE_VERSION_NUMBER >= 3038000
  if (sqlite3_libversion_number() >= 3038000) return sqlite3_error_offset(db);
#endif
  (void)db;
  return -1;
}

static dm_status fail_file(dm_store *store, int rc, dm_error *err) {
  int os = sqlite3_system_errno(store->db);
  switch (rc & 0xff) {
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    (void)dm_fail(err, DM_EIO, "the database is locked by another program");
    dm_error_hint(err, "waited %lld s; try again when the other program has ended its transaction", store->wait / 1000);
    break;
  case SQLITE_NOTADB:
    (void)dm_fail(err, DM_EIO, "not an SQLite database");
    dm_error_hint(err, "the first argument is the database; data files come after it");
    break;
  case SQLITE_CORRUPT:
    (void)dm_fail(err, DM_EIO, "the database is corrupt: %s", sqlite3_errmsg(store->db));
    dm_error_hint(err, "PRAGMA integrity_check shows where; restore it from a copy");
    break;
  case SQLITE_READONLY:
    (void)dm_fail(err, DM_EIO, "the database is read-only");
    dm_error_hint(err, "writing needs write permission on the file and on its directory");
    break;
  case SQLITE_FULL: (void)dm_fail(err, DM_EIO, "the database or disk is full"); break;
  case SQLITE_CANTOPEN:
    (void)dm_fail(err, DM_EIO, "the database cannot be opened%s%s", os ? ": " : "", os ? strerror(os) : "");
    break;
  default:
    (void)dm_fail(err, DM_EIO, "%s%s%s", sqlite3_errmsg(store->db), os ? ": " : "", os ? strerror(os) : "");
    break;
  }
  dm_error_at(err, store->path, 0, 0);
  return DM_EIO;
}

dm_status dm_store_fail(dm_store *store, int rc, const char *sql, dm_error *err) {
  switch (rc & 0xff) {
  case SQLITE_NOMEM: return dm_fail(err, DM_EBUDGET, "SQLite: the machine has no memory left");
  case SQLITE_INTERRUPT: return dm_fail(err, DM_ECANCEL, "interrupted");
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    if (!store->stubborn && dm_ctx_cancelled(store->ctx)) return dm_fail(err, DM_ECANCEL, "interrupted");
    return fail_file(store, rc, err);
  case SQLITE_IOERR:
  case SQLITE_FULL:
  case SQLITE_CANTOPEN:
  case SQLITE_READONLY:
  case SQLITE_PROTOCOL:
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB: return fail_file(store, rc, err);
  default: break;
  }
  (void)dm_fail(err, DM_EINPUT, "SQL: %s", sqlite3_errmsg(store->db));
  int at = sql ? error_offset(store->db) : -1;
  if (at >= 0 && (size_t)at <= strlen(sql)) dm_store_place(err, sql, (size_t)at);
  return DM_EINPUT;
}

/* ---- opening ---------------------------------------------------------------- */

static int on_progress(void *user) {
  const dm_store *store = user;
  return !store->stubborn && dm_ctx_cancelled(store->ctx);
}

static int on_busy(void *user, int count) {
  dm_store *store = user;
  if (count == 0) {
    store->waiting_since = now_ms();
    store->announced = false;
  }
  long long waited = now_ms() - store->waiting_since;
  if ((!store->stubborn && dm_ctx_cancelled(store->ctx)) || waited >= store->wait) return 0;
  if (waited >= BUSY_MS && !store->announced) {
    store->announced = true;
    dm_log(store->ctx, DM_LOG_NOTICE, "the database is locked by another program: waiting up to %lld s for it", store->wait / 1000);
  }
  long ms = count < 5 ? 1 : count < 10 ? 5 : 25;
  struct timespec pause = {.tv_nsec = ms * 1000000};
  (void)nanosleep(&pause, NULL); /* a signal ends it early: the flag is looked at again */
  return 1;
}

/* What can be said about the path before SQLite sees it. */
static dm_status look_at_file(const char *path, unsigned mode, bool *created, dm_error *err) {
  struct stat st;
  dm_status s = DM_OK;
  *created = false;
  if (!*path) return dm_fail(err, DM_EUSAGE, "the name of the database is empty");
  if (strcmp(path, ":memory:") == 0) {
    *created = true;
    return DM_OK;
  }
  if (stat(path, &st) != 0) {
    int e = errno;
    if (e == ENOENT && (mode & DM_STORE_CREATE)) {
      *created = true;
      return DM_OK;
    }
    if (e == ENOENT) {
      s = dm_fail(err, DM_EIO, "no such database");
      dm_error_hint(err, "dm-clean import makes one");
    } else
      s = dm_fail(err, DM_EIO, "%s", strerror(e));
  } else if (S_ISDIR(st.st_mode))
    s = dm_fail(err, DM_EIO, "is a directory, want a database file");
  else if (!S_ISREG(st.st_mode))
    s = dm_fail(err, DM_EIO, "is not a regular file, want a database file");
  else if (st.st_size == 1) /* SQLite takes it for an empty file */
    s = dm_fail(err, DM_EIO, "not an SQLite database");
  else
    *created = st.st_size == 0 && (mode & DM_STORE_CREATE) != 0;
  if (s != DM_OK) dm_error_at(err, path, 0, 0);
  return s;
}

/* sqlite3_open_v2 without its URI reading: a file may be called "file:x". */
static int open_file(dm_store *store, int flags) {
  char *name = strncmp(store->path, "file:", 5) == 0 ? sqlite3_mprintf("./%s", store->path) : sqlite3_mprintf("%s", store->path);
  if (!name) return SQLITE_NOMEM;
  int rc = sqlite3_open_v2(name, &store->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
  sqlite3_free(name);
  if (!store->db) return SQLITE_NOMEM;
  sqlite3_extended_result_codes(store->db, 1);
  sqlite3_progress_handler(store->db, PROGRESS_OPS, on_progress, store);
  sqlite3_busy_handler(store->db, on_busy, store);
  return rc;
}

static int first_read(dm_store *store) { return sqlite3_exec(store->db, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL); }

/*
 * A writer that was killed left a journal: until somebody who may write rolls
 * it back, nobody can read. Readers do that too (it restores the committed
 * state and changes nothing of it).
 */
static int recover(dm_store *store) {
  sqlite3_close(store->db);
  int rc = open_file(store, SQLITE_OPEN_READWRITE);
  if (rc == SQLITE_OK) rc = first_read(store);
  if (rc != SQLITE_OK) return rc;
  sqlite3_close(store->db);
  rc = open_file(store, SQLITE_OPEN_READONLY);
  return rc == SQLITE_OK ? first_read(store) : rc;
}

/*
 * A user's journal mode and page size stay; ours are for files that we make.
 * trusted_schema stays on: SQLite 3.40 calls json_valid() unsafe without it,
 * so that our own CHECKs and users' views would break, and no function that
 * we register may be used in a schema.
 */
static dm_status apply_settings(dm_store *store, dm_error *err) {
  (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  (void)sqlite3_limit(store->db, SQLITE_LIMIT_SQL_LENGTH, 16 << 20);
  (void)sqlite3_limit(store->db, SQLITE_LIMIT_TRIGGER_DEPTH, 50);
  /* the page size first: SQLite makes the cache's size in pages of it, and does not think again */
  dm_status s = store->created ? dm_store_script(store, "PRAGMA page_size=16384; PRAGMA journal_mode=DELETE", err) : DM_OK;
  if (s != DM_OK) return s;
  return dm_store_script(store,
                         "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA cache_size=-16384;"
                         "PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF; PRAGMA recursive_triggers=OFF",
                         err);
}

static dm_status open_database(dm_store *store, unsigned mode, dm_error *err) {
  bool write = (mode & (DM_STORE_WRITE | DM_STORE_CREATE)) != 0;
  int flags = write ? SQLITE_OPEN_READWRITE | (store->created ? SQLITE_OPEN_CREATE : 0) : SQLITE_OPEN_READONLY;
  int rc = open_file(store, flags);
  if (rc == SQLITE_OK) rc = first_read(store);
  if (rc == SQLITE_READONLY_ROLLBACK || rc == SQLITE_READONLY_RECOVERY) rc = recover(store);
  if (!store->db) return dm_fail(err, DM_EBUDGET, "SQLite: the machine has no memory left");
  if (rc != SQLITE_OK) return dm_store_fail(store, rc, NULL, err);
  if (write && sqlite3_db_readonly(store->db, "main") == 1) return fail_file(store, SQLITE_READONLY, err);
  int64_t version;
  dm_status s = apply_settings(store, err);
  return s == DM_OK ? dm_schema_version(store, &version, err) : s;
}

static dm_status new_store(dm_ctx *ctx, const char *path, dm_store **out, dm_error *err) {
  dm_store *store = dm_alloc(ctx, 1, sizeof *store, "database", err);
  if (!store) return DM_EBUDGET;
  store->ctx = ctx;
  store->wait = BUSY_MS;
  store->path = dm_strdup(ctx, path, err);
  if (!store->path) {
    dm_free(ctx, store);
    return DM_EBUDGET;
  }
  *out = store;
  return DM_OK;
}

dm_status dm_store_open(dm_ctx *ctx, const char *path, unsigned mode, dm_store **out, dm_error *err) {
  bool created;
  dm_store *store = NULL;
  dm_status s = look_at_file(path, mode, &created, err);
  if (s == DM_OK) s = new_store(ctx, path, &store, err);
  if (s != DM_OK) return s;
  store->owned = true;
  store->created = created;
  if (strcmp(path, ":memory:") == 0) mode |= DM_STORE_WRITE;
  s = open_database(store, mode, err);
  if (s != DM_OK) {
    dm_store_close(store);
    return s;
  }
  *out = store;
  return DM_OK;
}

dm_status dm_store_attach(dm_ctx *ctx, struct sqlite3 *db, dm_store **out, dm_error *err) {
  const char *path = sqlite3_db_filename(db, "main");
  dm_store *store;
  dm_status s = new_store(ctx, path && *path ? path : ":memory:", &store, err);
  if (s != DM_OK) return s;
  store->db = db;
  *out = store;
  return DM_OK;
}

/* Without memory not even ROLLBACK runs: it is kept for dm_store_ready. Some failures roll back by themselves. */
static void take_back(dm_store *store, const char *sql) {
  if (sqlite3_get_autocommit(store->db)) return;
  if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK && !sqlite3_get_autocommit(store->db)) store->owed = sql;
}

dm_status dm_store_ready(dm_store *store, dm_error *err) {
  const char *sql = store->owed;
  if (!sql) return DM_OK;
  store->owed = NULL;
  take_back(store, sql);
  return store->owed ? dm_store_fail(store, sqlite3_errcode(store->db), NULL, err) : DM_OK;
}

/* COMMIT and not ROLLBACK: temporary tables may have been filled from what was read. */
static void end_reading(dm_store *store) {
  if (store->reading && !sqlite3_get_autocommit(store->db) && sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
    take_back(store, "ROLLBACK");
  store->reading = false;
}

/* A file that we made and never wrote to is taken away again. */
static void remove_unused(dm_store *store) {
  struct stat st;
  if (!store->created || strcmp(store->path, ":memory:") == 0) return;
  if (sqlite3_exec(store->db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) != SQLITE_OK) return;
  if (stat(store->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0) (void)unlink(store->path);
  (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

void dm_store_close(dm_store *store) {
  if (!store) return;
  dm_store_rollback(store);
  end_reading(store);
  if (store->owned && store->db) {
    sqlite3_progress_handler(store->db, 0, NULL, NULL);
    remove_unused(store);
    int rc = sqlite3_close(store->db);
    assert(rc == SQLITE_OK && "a statement of this store was not freed");
    (void)rc;
  }
  dm_free(store->ctx, store->path);
  dm_free(store->ctx, store);
}

dm_ctx *dm_store_ctx(const dm_store *store) { return store->ctx; }
const char *dm_store_path(const dm_store *store) { return store->path; }

void dm_store_waits(dm_store *store, double seconds, bool stubborn) {
  store->wait = seconds > 0 ? (long long)(seconds * 1000) : BUSY_MS;
  store->stubborn = stubborn;
}

const char *dm_store_sqlite_version(void) { return sqlite3_libversion(); }

/* ---- transactions ------------------------------------------------------------ */

dm_status dm_store_script(dm_store *store, const char *sql, dm_error *err) {
  dm_status s = dm_store_ready(store, err);
  if (s != DM_OK) return s;
  int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
  return rc == SQLITE_OK ? DM_OK : dm_store_fail(store, rc, NULL, err);
}

dm_status dm_store_begin(dm_store *store, dm_error *err) {
  if (store->transaction) return dm_fail(err, DM_EINTERNAL, "database: a transaction is open already");
  if (sqlite3_db_readonly(store->db, "main") == 1) return fail_file(store, SQLITE_READONLY, err); /* BEGIN IMMEDIATE would not mind */
  end_reading(store); /* a reader cannot become a writer without the risk of a deadlock */
  dm_status s = dm_store_ready(store, err);
  if (s != DM_OK) return s;
  bool inside = !sqlite3_get_autocommit(store->db);
  s = dm_store_script(store, inside ? "SAVEPOINT dm" : "BEGIN IMMEDIATE", err);
  if (s != DM_OK) return s;
  store->transaction = true;
  store->savepoint = inside;
  store->before = dm_store_file_state(store);
  return DM_OK;
}

dm_status dm_store_commit(dm_store *store, dm_error *err) {
  if (!store->transaction) return dm_fail(err, DM_EINTERNAL, "database: no transaction is open");
  dm_status s = dm_store_script(store, store->savepoint ? "RELEASE dm" : "COMMIT", err);
  if (s == DM_OK) store->transaction = store->savepoint = false;
  return s;
}

void dm_store_rollback(dm_store *store) {
  if (!store->transaction) return;
  take_back(store, store->savepoint ? "ROLLBACK TO dm; RELEASE dm" : "ROLLBACK");
  store->transaction = store->savepoint = store->has_schema = false;
}

dm_status dm_store_enter(dm_store *store, bool *mine, dm_error *err) {
  *mine = false;
  if (store->transaction) return DM_OK;
  dm_status s = dm_store_begin(store, err);
  *mine = s == DM_OK;
  return s;
}

dm_status dm_store_leave(dm_store *store, bool mine, dm_status s, dm_error *err) {
  if (!mine) return s;
  if (s == DM_OK) s = dm_store_commit(store, err);
  if (s != DM_OK) dm_store_rollback(store);
  return s;
}

dm_status dm_store_snapshot(dm_store *store, dm_error *err) {
  dm_status s = dm_store_ready(store, err);
  if (s != DM_OK) return s;
  if (store->snapshots == 0 && sqlite3_get_autocommit(store->db)) { /* inside a transaction all is of one state anyhow */
    s = dm_store_script(store, "BEGIN", err);
    if (s != DM_OK) return s;
    store->reading = true;
    s = dm_store_script(store, "SELECT 1 FROM sqlite_schema LIMIT 1", err);
    if (s != DM_OK) {
      end_reading(store);
      return s;
    }
  }
  store->snapshots++;
  return DM_OK;
}

void dm_store_snapshot_end(dm_store *store) {
  if (store->snapshots == 0) return;
  if (--store->snapshots == 0) end_reading(store);
}

int64_t dm_store_changes(dm_store *store) { return sqlite3_changes64(store->db); }
