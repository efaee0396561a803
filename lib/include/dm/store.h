/**
 * store: the one room that knows SQLite. Schema, transactions, statements,
 * import and export of tables, reading into frames, runs and the change log,
 * origins, the model registry.
 */
#ifndef DM_STORE_H
#define DM_STORE_H

#include <dm/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dm_store dm_store;
struct sqlite3;

/* ---- database --------------------------------------------------------------- */

enum { DM_STORE_READ = 1, DM_STORE_WRITE = 2, DM_STORE_CREATE = 4 };

/**
 * Opens a database. READ never changes the file (no schema is made); WRITE
 * makes or migrates the dm_ tables at the first write; CREATE makes the file
 * (page_size 16384, journal DELETE, synchronous FULL). ":memory:" works.
 * @return DM_EIO: missing (without CREATE), directory, not a database, corrupt, locked longer than 5 s, newer schema.
 */
DM_API dm_status dm_store_open(dm_ctx *ctx, const char *path, unsigned mode, dm_store **out, dm_error *err);
/** Over a connection that somebody else owns (the SQL extension); closing leaves it open. */
DM_API dm_status dm_store_attach(dm_ctx *ctx, struct sqlite3 *db, dm_store **out, dm_error *err);
DM_API void dm_store_close(dm_store *store);
DM_API dm_ctx *dm_store_ctx(const dm_store *store);
DM_API const char *dm_store_path(const dm_store *store);
/**
 * How long a lock is waited for (0 = 5 s, as after opening; beyond 5 s the wait is announced), and whether a cancelled context
 * is not to end waits and statements: for the few that keep work from being lost. A connection of somebody else is left as it is.
 */
DM_API void dm_store_waits(dm_store *store, double seconds, bool stubborn);

#define DM_SCHEMA_VERSION 2
/** Makes or migrates the dm_ tables; part of the running transaction. Called by every writer of the store. */
DM_API dm_status dm_store_ensure_schema(dm_store *store, dm_error *err);
DM_API dm_status dm_store_has_schema(dm_store *store, bool *has, dm_error *err);

/** BEGIN IMMEDIATE (busy timeout 5 s) / COMMIT / ROLLBACK. Not nested. Rollback is safe to call when none is open. */
DM_API dm_status dm_store_begin(dm_store *store, dm_error *err);
DM_API dm_status dm_store_commit(dm_store *store, dm_error *err);
DM_API void dm_store_rollback(dm_store *store);
/** BEGIN (deferred) and a first read: everything read until _end is of one state. Inside an open transaction neither does anything. */
DM_API dm_status dm_store_snapshot(dm_store *store, dm_error *err);
DM_API void dm_store_snapshot_end(dm_store *store);

DM_API const char *dm_store_sqlite_version(void);

/* ---- statements: what rooms above use instead of SQLite's own --------------- */

typedef struct dm_stmt dm_stmt;
/** One statement; trailing text is refused. SQL errors of user text are DM_EINPUT with line:column when SQLite knows it. */
DM_API dm_status dm_stmt_prepare(dm_store *store, const char *sql, dm_stmt **out, dm_error *err);
DM_API dm_status dm_stmt_bind(dm_stmt *s, int index /* from 1 */, dm_value v, dm_error *err); /* text and blobs borrowed until the next reset */
DM_API dm_status dm_stmt_bind_int(dm_stmt *s, int index, int64_t v, dm_error *err);
DM_API dm_status dm_stmt_bind_text(dm_stmt *s, int index, const char *v, dm_error *err); /* NULL gives NULL */
/** *row false at the end. */
DM_API dm_status dm_stmt_step(dm_stmt *s, bool *row, dm_error *err);
DM_API dm_status dm_stmt_reset(dm_stmt *s, dm_error *err);
DM_API void dm_stmt_free(dm_stmt *s); /* NULL allowed */
DM_API int dm_stmt_n_columns(const dm_stmt *s);
DM_API const char *dm_stmt_column_name(const dm_stmt *s, int column); /* from 0 */
DM_API dm_value dm_stmt_value(const dm_stmt *s, int column);          /* borrowed until the next step */
DM_API int64_t dm_stmt_int(const dm_stmt *s, int column);
DM_API bool dm_stmt_is_read_only(const dm_stmt *s);
/** Table and column that a result column comes from unchanged; false for expressions or where SQLite was built without that knowledge. Borrowed. */
DM_API bool dm_stmt_column_origin(const dm_stmt *s, int column, const char **table, const char **name);
/** printf with %Q %q %w (identifiers: "%w") as SQLite's, appended. */
DM_API dm_status dm_sql_append(dm_buf *buf, dm_error *err, const char *format, ...);
/** Prepare, run to the end, free: for statements without results. Same formats. */
DM_API dm_status dm_store_exec(dm_store *store, dm_error *err, const char *format, ...);
DM_API int64_t dm_store_changes(dm_store *store);

/* ---- tables ------------------------------------------------------------------- */

typedef struct dm_table_column {
  const char *name;
  dm_type type;      /* declared affinity */
  dm_format format;
  const char *null_text; /* what NULL prints as */
} dm_table_column;

/** Columns of a user's table (dm_id left out, see has_dm_id), with what import learned; in an arena of the caller. */
typedef struct dm_table {
  const char *name;   /* as spelt in the schema */
  bool has_dm_id;
  size_t n_columns;
  dm_table_column *columns;
} dm_table;
/** DM_EUSAGE with "did you mean" when absent. */
DM_API dm_status dm_store_table(dm_store *store, const char *name, dm_arena *arena, dm_table *out, dm_error *err);
/** Names of all user tables (no dm_, no sqlite_). */
DM_API dm_status dm_store_tables(dm_store *store, dm_arena *arena, const char *const **names, size_t *n, dm_error *err);
DM_API size_t dm_table_find(const dm_table *table, const char *column); /* SIZE_MAX; ASCII case-insensitive */

/* ---- runs: every command that writes has one ------------------------------------ */

/** Inserts dm_run with status 'running' inside the open transaction. */
DM_API dm_status dm_run_start(dm_store *store, const char *command, const char *arguments_json, const char *recipe, int64_t *run_id,
                              dm_error *err);
DM_API dm_status dm_run_end(dm_store *store, int64_t run_id, const char *status /* "done" */, dm_error *err);

/* ---- import and export ------------------------------------------------------------- */

typedef struct dm_import_options {
  dm_csv_options csv;
  const char *table;       /* NULL: file name without directory and extension, made an identifier */
  bool append, replace, strict;
} dm_import_options;

typedef struct dm_import_result {
  char table[256];
  uint64_t rows, rejects;
  size_t n_columns;
  int64_t source_id;
  dm_csv_dialect dialect;  /* strings static or in the arena given */
  const dm_table_column *columns;
  const char *const *notes; /* announcements: widened columns, mixed missing markers, NA look-alikes, mixed line endings */
  size_t n_notes;
} dm_import_result;

/** Table name that an import of path without --table uses: the file name without directory and extension. */
DM_API dm_status dm_import_table_name(const char *path, dm_arena *arena, const char **name, dm_error *err);
/**
 * Imports one delimited file in one transaction (BEGIN IMMEDIATE … COMMIT):
 * user table (STRICT, dm_id INTEGER PRIMARY KEY first), dm_source, dm_column,
 * dm_origin (a row per block of records), dm_reject, dm_run. Where a cell does
 * not fit the column's type found on the sample, the rest of the file is
 * scanned for all types, and the file is read again once: no cell is altered.
 * --append finds the table's columns by name (by place without a header);
 * types only widen, a column that must is rebuilt with its numbers printed as
 * they came. --replace takes away the old table with its sources, rejects and
 * dm_change rows; runs that changed nothing else become 'replaced' in dm_run.
 * Missing cells: empty without quotes, or one of the null texts; "" is NULL
 * among numbers and '' among texts.
 * @param arena results live there.
 * @return DM_OK also with rejects; DM_EINPUT with strict and rejects (nothing written); DM_EUSAGE: table exists, bad names.
 */
DM_API dm_status dm_store_import(dm_store *store, const char *path, const dm_import_options *options, dm_arena *arena,
                                 dm_import_result *out, dm_error *err);

typedef enum dm_export_format { DM_EXPORT_CSV, DM_EXPORT_TSV, DM_EXPORT_JSONL } dm_export_format;
typedef struct dm_export_options {
  dm_export_format format;
  bool with_dm_id;
} dm_export_options;
/**
 * Writes a table or SELECT to path ("-" = stdout); a file is written beside
 * and renamed when whole. A table that came from one clean CSV gives its
 * bytes: delimiter, quotes, header, line ending, number formats and missing
 * markers are the source's. Always UTF-8. A number that its column's format
 * would cut is printed in full; blobs are written X'00FF'; JSON has null for
 * infinity. dm_id is left out unless with_dm_id, of a SELECT too.
 */
DM_API dm_status dm_store_export(dm_store *store, const char *src, const char *path, const dm_export_options *options, uint64_t *rows,
                                 dm_error *err);

/** SRC of the commands -> SELECT text: a table name gives SELECT * … ORDER BY dm_id; a SELECT or WITH is kept (checked to be read-only). */
DM_API dm_status dm_source_sql(dm_store *store, const char *src, dm_arena *arena, const char **sql, dm_error *err);
/**
 * Reads SRC into a frame, in SRC's order; a column called dm_id becomes
 * row_ids. @param columns NULL = all, else only these (by name).
 * @param digest NULL or 65 bytes: SHA-256 over the values read.
 */
DM_API dm_status dm_store_frame(dm_store *store, const char *src, const char *const *columns, size_t n_columns, dm_frame **out,
                                char *digest, dm_error *err);
/** The same from a data file, through import's typing, without a database. */
DM_API dm_status dm_file_frame(dm_ctx *ctx, const char *path, const dm_csv_options *options, dm_frame **out, char *digest, dm_error *err);

/** How transactions stand in SRC: a row for each item, or a row for each transaction. */
typedef struct dm_transactions_source {
  const char *tid, *item;      /* columns of a row for each item; NULL = "tid", "item" */
  const char *basket;          /* column with all items of a row in one text, by dm_basket_splitter; then tid and item are not looked at */
  dm_basket_options splitting; /* of basket */
  const char *count;           /* column with the number of times a transaction counts, the same in all its rows; NULL none */
} dm_transactions_source;

/** What reading transactions tells besides; zero-initialise it, dm_reading_clear it in any case. */
typedef struct dm_reading {
  char digest[DM_SHA256_HEX]; /* SHA-256 of the transactions in packed form: the same for the same transactions, however they are stored */
  bool kept;                  /* they came from dm_packed: SRC was not read */
  bool can_keep;              /* SRC can be kept: only commits to this file can change it */
  bool pack;                  /* asked by the caller: have them ready for dm_reading_keep, in 1 to 3 bytes an item */
  /* what follows is dm_reading_keep's */
  dm_ctx *ctx;
  char *sql, *how;
  uint32_t change;
  uint64_t transactions, items;
  dm_buf packed;
} dm_reading;
DM_API void dm_reading_clear(dm_reading *r);

/**
 * Reads transactions from a table or SELECT; its state is one of the database. Rows of one tid may stand anywhere, those that
 * stand together cost least. A tid is any value but NULL (numbers are one when they are equal); an item is an INTEGER, a REAL
 * (as it is printed) or a TEXT, and NULL is no item, but its transaction counts. What was kept of the same SRC, and is still
 * true, is taken instead.
 * @param about NULL: not wanted.
 * @return DM_EUSAGE: unknown columns; DM_EINPUT: a value that cannot be used, named by its row; DM_EBUDGET.
 */
DM_API dm_status dm_store_transactions(dm_store *store, const char *src, const dm_transactions_source *how, dm_transactions **out,
                                       dm_reading *about, dm_error *err);
/**
 * Keeps what was read in the database, so that the next reading of the same SRC skips it; at the end of the open transaction of
 * dm_store_begin, which may write only dm_ tables. Not kept, which is no failure: SRC that other things than commits to this
 * file can change (random(), attached databases), the database was written to since the reading, it is in memory or in WAL mode.
 * What was kept before, of this SRC or others, stays.
 */
DM_API dm_status dm_reading_keep(dm_store *store, const dm_reading *r, bool *kept, dm_error *err);
/** At the end of another transaction of dm_store_begin that wrote only dm_ tables: what is kept stays true after it. */
DM_API dm_status dm_reading_renew(dm_store *store, dm_error *err);

/**
 * Rows of dm_itemset: sets come in any order and are stored by size, then support (falling), then codes, with ids from 1. At
 * most 16 MB and an index of them stay in memory; the rest waits in a file without a name beside the database.
 * @param names [n_items] UTF-8, copied: item codes are places in it.
 */
typedef struct dm_itemset_writer dm_itemset_writer;
DM_API dm_status dm_itemset_writer_open(dm_store *store, const dm_str *names, size_t n_items, dm_itemset_writer **out, dm_error *err);
/** @param items [n] codes, each once, in any order */
DM_API dm_status dm_itemset_writer_add(dm_itemset_writer *w, const uint32_t *items, size_t n, uint64_t support, dm_error *err);
/** Writes all of them as those of a model, part of the open transaction, or in one of its own; frees w in any case. */
DM_API dm_status dm_itemset_writer_finish(dm_itemset_writer *w, int64_t model_id, uint64_t *written, dm_error *err);
DM_API void dm_itemset_writer_free(dm_itemset_writer *w); /* writes nothing; NULL allowed */

/* ---- origins -------------------------------------------------------------------------- */

typedef struct dm_origin {
  char uri[4096];
  uint64_t record, line, byte_offset;
  dm_str raw;        /* source bytes of the record, in the arena */
  dm_str text;       /* the same in UTF-8 */
  bool verified;     /* the file is there and its bytes have the SHA-256 of the import */
  char problem[256]; /* why not: "file is gone", "file has changed since import" */
} dm_origin;
/** Where row dm_id of table came from, read again from the source file. Bounded: reads from the block's start on. */
DM_API dm_status dm_store_origin(dm_store *store, const char *table, int64_t row, dm_arena *arena, dm_origin *out, dm_error *err);
/** Raw text of each cell of that record, in the table's column order. */
DM_API dm_status dm_store_origin_cells(dm_store *store, const char *table, int64_t row, dm_arena *arena, dm_str **cells, size_t *n,
                                       dm_error *err);

/* ---- change log ------------------------------------------------------------------------- */

/** Appends to dm_change; prepared once per run. old and new are the stored values. */
typedef struct dm_change_log dm_change_log;
DM_API dm_status dm_change_log_open(dm_store *store, int64_t run_id, const char *table, dm_change_log **out, dm_error *err);
DM_API dm_status dm_change_log_add(dm_change_log *log, int64_t row_id, const char *column, dm_value old_value, dm_value new_value,
                                   const char *rule, double confidence, dm_error *err);
DM_API void dm_change_log_close(dm_change_log *log);

/* ---- model registry ------------------------------------------------------------------------ */

typedef struct dm_model_meta {
  int64_t id, version, rows;
  const char *name, *method, *task, *target, *status, *params_json, *source_sql, *source_digest, *lib_version, *started, *sha256;
  uint64_t seed;
  double seconds;
  bool active;
} dm_model_meta;

typedef struct dm_model_metric {
  const char *split, *name;
  double value;
} dm_model_metric;

/* dm_model.status */
#define DM_STATUS_READY "ready"
#define DM_STATUS_TRAINING "training" /* not finished: neither active nor loaded, goes on with dm_train_options.resume */

/** One figure of one epoch of a training: "train_loss", "valid_loss", "lr", … */
typedef struct dm_model_epoch {
  int64_t epoch; /* from 1 */
  const char *name;
  double value;
} dm_model_epoch;

/** DM_EUSAGE unless it is 1–128 characters without '@' and control characters: known before a long training. */
DM_API dm_status dm_registry_check_name(const char *name, dm_error *err);
/**
 * Writes a new version of meta->name and makes it active; one transaction,
 * unless one is open. Blobs beyond 64 MiB are split in parts. Name: 1–128
 * characters without '@' and control characters.
 * @param meta id 0, or that of a training, whose row and version the model takes; id, version, sha256 are written back.
 */
DM_API dm_status dm_registry_save(dm_store *store, const dm_scorer *scorer, dm_model_meta *meta, const dm_model_metric *metrics,
                                  size_t n_metrics, dm_arena *arena, dm_error *err);
/**
 * Loads 'name' (active) or 'name@3': finds the method in the context's
 * table, verifies the SHA-256, bounds everything.
 * @return DM_EUSAGE: no such model ("did you mean"); DM_EINPUT: hash, shapes or values are wrong.
 */
DM_API dm_status dm_registry_load(dm_store *store, const char *reference, dm_arena *arena, dm_scorer **scorer, dm_model_meta *meta,
                                  dm_error *err);
/** @return DM_EUSAGE also for a training that is not finished: there is no model yet. */
DM_API dm_status dm_registry_find(dm_store *store, const char *reference, dm_arena *arena, dm_model_meta *meta, dm_error *err);
/** All versions by name and version, trainings that are not finished too: see status. */
DM_API dm_status dm_registry_list(dm_store *store, dm_arena *arena, dm_model_meta **out, size_t *n, dm_error *err);
DM_API dm_status dm_registry_metrics(dm_store *store, int64_t model_id, dm_arena *arena, dm_model_metric **out, size_t *n, dm_error *err);
DM_API dm_status dm_registry_add_metrics(dm_store *store, int64_t model_id, const dm_model_metric *metrics, size_t n, dm_error *err);
/** Writes figures of epochs, part of the open transaction; those that are not finite have no row. What was there under the same name is replaced. */
DM_API dm_status dm_registry_add_epochs(dm_store *store, int64_t model_id, const dm_model_epoch *epochs, size_t n, dm_error *err);
/** By name, then by epoch; *n 0 for models that are not trained by epochs. @return DM_EINPUT when a row holds something else. */
DM_API dm_status dm_registry_epochs(dm_store *store, int64_t model_id, dm_arena *arena, dm_model_epoch **out, size_t *n, dm_error *err);
DM_API dm_status dm_registry_activate(dm_store *store, const char *reference, dm_error *err);
/** 'name' drops all versions, 'name@3' one; the newest left becomes active. */
DM_API dm_status dm_registry_drop(dm_store *store, const char *reference, size_t *dropped, dm_error *err);

/** Scalars and tensors in memory, by dm_model_writer: the state of a learner between two epochs, or a model that scores no rows. */
typedef struct dm_checkpoint dm_checkpoint;
DM_API dm_status dm_checkpoint_new(dm_ctx *ctx, dm_checkpoint **out, dm_error *err);
DM_API void dm_checkpoint_free(dm_checkpoint *c); /* NULL allowed */
/** Empties it for a learner to fill; borrowed until dm_checkpoint_close, which makes it whole. */
DM_API dm_model_writer *dm_checkpoint_open(dm_checkpoint *c);
DM_API dm_status dm_checkpoint_close(dm_checkpoint *c, dm_error *err);
DM_API bool dm_checkpoint_is_whole(const dm_checkpoint *c);
/**
 * Writes a checkpoint as a row of dm_model with status 'training', in place of that of meta->id (0 = the first: a version is
 * taken); one transaction, unless one is open. @param state JSON object of the caller's. @param meta id and version are written back.
 */
DM_API dm_status dm_registry_save_training(dm_store *store, const dm_checkpoint *c, const char *state, dm_model_meta *meta, dm_error *err);
/** The newest unfinished training of that name. */
DM_API dm_status dm_registry_find_training(dm_store *store, const char *name, dm_arena *arena, dm_model_meta *meta, bool *found, dm_error *err);
/** Its state and a reader for the learner, whose d, n_classes and levels are left for the caller; both live in the arena. DM_EINPUT: damaged. */
DM_API dm_status dm_registry_load_training(dm_store *store, const dm_model_meta *meta, dm_arena *arena, const dm_json **state,
                                           dm_model_reader *reader, dm_error *err);
/**
 * A model that scores no rows (rules): a whole checkpoint's scalars and tensors, under meta->method and meta->task, which need
 * no learner. All else, versions, hash, activity, and the transaction, as dm_registry_save. Rows of dm_itemset and dm_rule with
 * its id are the caller's to write in the same transaction; they are dropped and copied with the model.
 */
DM_API dm_status dm_registry_save_content(dm_store *store, const dm_checkpoint *c, dm_model_meta *meta, const dm_model_metric *metrics,
                                          size_t n_metrics, dm_arena *arena, dm_error *err);
/**
 * Its counterpart: the hash is verified; the reader's scalars and tensors live in the arena. What they say is for the caller to
 * bound. @param method NULL: whatever scores no rows.
 * @return DM_EUSAGE: no such model, or one of another method; DM_EINPUT: changed.
 */
DM_API dm_status dm_registry_load_content(dm_store *store, const char *reference, const char *method, dm_arena *arena,
                                          dm_model_reader *reader, dm_model_meta *meta, dm_error *err);
/** Whether the model is one for dm_registry_load (true) or for dm_registry_load_content. */
DM_API dm_status dm_registry_scores(dm_store *store, int64_t model_id, bool *scores, dm_error *err);
/** Copies one model to or from another database file. */
DM_API dm_status dm_registry_export(dm_store *store, const char *reference, const char *path, dm_error *err);
DM_API dm_status dm_registry_import(dm_store *store, const char *path, const char *reference, dm_arena *arena, dm_model_meta *meta, dm_error *err);
/** Refused by readers and the SQL extension when dm_model or dm_tensor in main is a view, virtual or has triggers. */
DM_API dm_status dm_registry_check_tables(dm_store *store, dm_error *err);

#ifdef __cplusplus
}
#endif
#endif
