/*
 * SELECT -> frame of 10 REAL columns against a plain sqlite3_column_* loop
 * into arrays, in turn in one process. Prints the median of the ratios of
 * pairs (loop seconds / frame seconds: more than 1 means the frame is faster).
 * usage: bench_frame [ROWS] [PAIRS]
 */
#include <dm/dm.h>
#include <sqlite3.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS = 10 };

static void check(bool ok, const char *what) {
  if (ok) return;
  (void)fprintf(stderr, "bench_frame: %s failed\n", what);
  exit(1);
}

static void make_table(const char *path, size_t rows) {
  sqlite3 *db;
  char sql[512];
  check(sqlite3_open(path, &db) == SQLITE_OK, "open");
  (void)snprintf(sql, sizeof sql,
                 "PRAGMA page_size=16384; CREATE TABLE t(dm_id INTEGER PRIMARY KEY, c1 REAL, c2 REAL, c3 REAL, c4 REAL, c5 REAL, c6 REAL,"
                 " c7 REAL, c8 REAL, c9 REAL, c10 REAL) STRICT;"
                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %zu)"
                 " INSERT INTO t SELECT i, i * 0.5, i * 0.25, i / 3.0, i / 7.0, i * 1.5, i / 11.0, i * 2.5, i / 13.0, i * 0.125, i / 17.0 FROM n;",
                 rows);
  check(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "make table");
  (void)sqlite3_close(db);
}

/* What a careful program writes by hand: arrays that grow, a test for NULL and for the type. */
static double column_loop(const char *path, double *sum) {
  sqlite3 *db;
  sqlite3_stmt *stmt;
  double *columns[COLUMNS] = {0}, from = dm_seconds();
  size_t n = 0, capacity = 0;
  check(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK, "open");
  check(sqlite3_prepare_v2(db, "SELECT * FROM t ORDER BY dm_id", -1, &stmt, NULL) == SQLITE_OK, "prepare");
  while (sqlite3_step(stmt) == SQLITE_ROW) {
    if (n == capacity) {
      capacity = capacity ? 2 * capacity : 1024;
      for (int c = 0; c < COLUMNS; c++) check((columns[c] = realloc(columns[c], capacity * sizeof(double))) != NULL, "realloc");
    }
    for (int c = 0; c < COLUMNS; c++)
      columns[c][n] = sqlite3_column_type(stmt, c + 1) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(stmt, c + 1);
    n++;
  }
  (void)sqlite3_finalize(stmt);
  (void)sqlite3_close(db);
  double seconds = dm_seconds() - from;
  *sum = 0;
  for (int c = 0; c < COLUMNS; c++) {
    for (size_t i = 0; i < n; i++) *sum += columns[c][i];
    free(columns[c]);
  }
  return seconds;
}

static double frame(dm_ctx *ctx, const char *path, double *sum) {
  static const char *const names[COLUMNS] = {"c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10"};
  dm_store *store = NULL;
  dm_frame *f = NULL;
  double from = dm_seconds();
  check(dm_store_open(ctx, path, DM_STORE_READ, &store, NULL) == DM_OK, "dm_store_open");
  check(dm_store_frame(store, "t", names, COLUMNS, &f, NULL, NULL) == DM_OK, "dm_store_frame");
  double seconds = dm_seconds() - from;
  *sum = 0;
  for (size_t c = 0; c < f->d; c++)
    for (size_t i = 0; i < f->n; i++) *sum += f->columns[c].values[i];
  dm_frame_free(f);
  dm_store_close(store);
  return seconds;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  size_t rows = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 500000, pairs = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 7;
  double ratio[64], loop_sum, frame_sum;
  char path[64];
  dm_ctx *ctx = NULL;
  check(pairs >= 1 && pairs <= 64 && rows >= 1, "arguments");
  (void)snprintf(path, sizeof path, "bench_frame-%ld.db", (long)getpid());
  make_table(path, rows);
  check(dm_ctx_new(NULL, &ctx, NULL) == DM_OK, "context");
  (void)column_loop(path, &loop_sum); /* warm */
  for (size_t p = 0; p < pairs; p++) {
    double loop = column_loop(path, &loop_sum), ours = frame(ctx, path, &frame_sum);
    check(loop_sum == frame_sum, "equal sums");
    ratio[p] = loop / ours;
    printf("column loop %.2f M rows/s, frame %.2f M rows/s, ratio %.2f\n", (double)rows / loop * 1e-6, (double)rows / ours * 1e-6, ratio[p]);
  }
  qsort(ratio, pairs, sizeof *ratio, by_value);
  printf("frame against a plain column loop, %zu rows x %d REAL: median ratio %.2f (wanted: at least 1)\n", rows, COLUMNS, ratio[pairs / 2]);
  dm_ctx_free(ctx);
  (void)unlink(path);
  return 0;
}
