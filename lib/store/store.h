/* What the files of the store share: the connection, its errors, the time. */
#ifndef DM_STORE_STORE_H
#define DM_STORE_STORE_H

#include "store/sqlite.h"

#include <dm/store.h>

/** What tells one state of a database file from all others; see packed.h. */
typedef struct dm_file_state {
  bool counts;     /* commits are counted: a file that we opened, not in WAL mode */
  uint32_t change; /* file change counter of the last commit */
  uint32_t cookie; /* schema cookie of the same */
  uint64_t device, inode;
  int64_t written; /* seconds of its last change */
} dm_file_state;

struct dm_store {
  dm_ctx *ctx;
  sqlite3 *db;
  char *path;
  bool owned;       /* we opened it, so settings, progress and busy handlers are ours */
  bool created;     /* the file was not there, or empty, when we opened it */
  bool has_schema;  /* known to be of DM_SCHEMA_VERSION; forgotten by a rollback */
  bool transaction; /* begun by dm_store_begin */
  bool savepoint;   /* ... inside a transaction of the connection's owner */
  dm_file_state before; /* the transaction that dm_store_begin began */
  unsigned snapshots; /* dm_store_snapshot calls not yet ended */
  bool reading;     /* the outermost of them began a transaction */
  const char *owed; /* a rollback that could not be run for lack of memory */
  bool has_push;    /* the function that rows are read through is registered */
  long long waiting_since; /* ms, of the lock being waited for */
  long long wait;   /* ms that a lock is waited for */
  bool stubborn;    /* a cancelled context ends neither waiting nor statements */
  bool announced;   /* of this wait, that it takes long */
};

struct dm_stmt {
  dm_store *store;
  sqlite3_stmt *s;
};

/**
 * Fills err for result code rc of the connection and returns the status it
 * maps to. @param sql the text that failed, for line and column; NULL when it
 * is not the text's fault.
 */
dm_status dm_store_fail(dm_store *store, int rc, const char *sql, dm_error *err);
/** Puts line, column and excerpt of byte `at` of an SQL text into err. */
void dm_store_place(dm_error *err, const char *sql, size_t at);
/** Every statement is preceded by this: runs the rollback that an earlier failure could not. */
dm_status dm_store_ready(dm_store *store, dm_error *err);
/** Of the last commit, under the lock of an open transaction or snapshot; all zero when it cannot be told. */
dm_file_state dm_store_file_state(dm_store *store);
/** Several statements of our own, without results. */
dm_status dm_store_script(dm_store *store, const char *sql, dm_error *err);
/** Version of the dm_ tables: 0 when there are none. */
dm_status dm_schema_version(dm_store *store, int64_t *version, dm_error *err);
/** When SRC is a table that has rowids and a column to order them by: its name and that column, else *table NULL. */
dm_status dm_source_scan(dm_store *store, const char *src, dm_arena *arena, const char **table, const char **order, dm_error *err);
/** Like dm_store_begin, but when a transaction is open already it does nothing and says so in *mine. */
dm_status dm_store_enter(dm_store *store, bool *mine, dm_error *err);
/** Ends what dm_store_enter began: commits when s is DM_OK, else rolls back. @return s, or the commit's failure. */
dm_status dm_store_leave(dm_store *store, bool mine, dm_status s, dm_error *err);

/** A run that began and ended at once: what `models` does to the registry. @param file NULL = none. Part of the open transaction. */
dm_status dm_run_log(dm_store *store, const char *command, const char *model, const char *file, dm_error *err);

#endif
