/*
 * Rows of SRC pushed through an SQL function.
 *
 * Rows are not fetched: that costs about half of sqlite3_step and
 * sqlite3_column_* for each cell. For a SELECT the function is an aggregate,
 * which sees each row once, after joins and filters, however SQLite arranges
 * the query:
 *
 *   WITH s(c0, c1, …) AS (SRC)
 *   SELECT dm_push(?1, c0, …), dm_push(?1, c120, …), … FROM s
 *
 * A SRC that may be ordered is wrapped once more, (SELECT * FROM (SRC) LIMIT -1),
 * so that s is computed for itself, sorted, before the aggregate sees it.
 * SQLite leaves an ordered subquery of an aggregate alone as well, but only
 * for views do we rely on that.
 *
 * A table with a rowid is scanned without s. The function is a scalar there,
 * because an aggregate cannot have an ORDER BY; it answers 0, so that no row
 * comes out and every call of a row is made, in this order:
 *
 *   SELECT 1 FROM main.t NOT INDEXED
 *   WHERE dm_push_row(?1, a, …) OR dm_push_row(?1, …) ORDER BY rowid
 */
#ifndef DM_STORE_PUSH_H
#define DM_STORE_PUSH_H

#include "store/store.h"

typedef struct dm_push dm_push;

/** Whoever receives has this as its first member. */
struct dm_push {
  dm_store *store;
  size_t n;            /* columns that are pushed */
  const char **names;  /* [n] */
  int *at;             /* [n] their place in SRC */
  size_t rows;         /* whole rows so far */
  dm_status (*restart)(dm_push *p, dm_error *err); /* the first row comes next; what was taken before is void */
  /** Columns first … first + n - 1 of a row; a wide row comes in several calls. */
  dm_status (*take)(dm_push *p, size_t first, sqlite3_value **cells, size_t n, dm_error *err);
  size_t next; /* column that the next call begins with */
  dm_status status;
  dm_error *err;
};

/** Prepared for its columns alone. Arena: what the two keep. */
dm_status dm_push_open(dm_store *store, const char *src, dm_arena *arena, dm_stmt **columns, dm_error *err);
/** Place of a column by name, exactly or else without case; -1 when there is none. */
int dm_push_find(const dm_stmt *columns, const char *name);
/** DM_EUSAGE with "did you mean". */
dm_status dm_push_unknown(const dm_stmt *columns, const char *name, dm_arena *arena, dm_error *err);
/** Adds the column at that place to what is pushed; room for it is the caller's. */
dm_status dm_push_add(dm_push *p, const dm_stmt *columns, int at, dm_arena *arena, dm_error *err);
/** Pushed are the columns of these names; room for n of them is the caller's. */
dm_status dm_push_choose(dm_push *p, const char *src, const char *const *names, size_t n, dm_arena *arena, dm_error *err);
/** All rows of SRC, in its order. */
dm_status dm_push_run(dm_push *p, const char *src, dm_arena *arena, dm_error *err);

#endif
