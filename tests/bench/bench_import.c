/*
 * Import of a mixed table beside sqlite3's .import (all text there), in turn,
 * each in a process of its own on a fresh database: seconds, ratio of each
 * pair, peak memory. Wanted: a median of at least 1.3 times, at most 64 MiB.
 *
 *   bench_import MAKE_TABLE [MEGABYTES [PAIRS]]
 *   bench_import --import FILE DB THREADS     what the first form runs
 */
#define _GNU_SOURCE
#include <dm/store.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAIRS_MAX = 50 };

static int import_once(const char *file, const char *db, unsigned threads) {
  dm_ctx *ctx = NULL;
  dm_store *store = NULL;
  dm_arena *arena = NULL;
  dm_import_result result;
  dm_error err = {0};
  dm_import_options options = {.table = "t"};
  dm_status s = dm_ctx_new(&(dm_ctx_options){.threads = threads}, &ctx, &err);
  if (s == DM_OK) s = dm_arena_new(ctx, 0, &arena, &err);
  if (s == DM_OK) s = dm_store_open(ctx, db, DM_STORE_CREATE, &store, &err);
  if (s == DM_OK) s = dm_store_import(store, file, &options, arena, &result, &err);
  if (s != DM_OK) fprintf(stderr, "import: %s\n", err.message);
  dm_store_close(store);
  dm_arena_free(arena);
  dm_ctx_free(ctx);
  return s == DM_OK ? 0 : 1;
}

/* Runs argv with its messages thrown away. @return seconds, or -1 */
static double run(char *const *argv, const char *out, double *mebibytes) {
  struct rusage use;
  int status;
  double begin = dm_seconds();
  pid_t child = fork();
  if (child == 0) {
    if (out && !freopen(out, "wb", stdout)) _exit(126);
    if (!freopen("/dev/null", "wb", stderr)) _exit(126);
    execvp(argv[0], argv);
    _exit(127);
  }
  if (child < 0 || wait4(child, &status, 0, &use) != child) return -1;
  if (mebibytes) *mebibytes = (double)use.ru_maxrss / 1024;
  return WIFEXITED(status) && WEXITSTATUS(status) != 126 && WEXITSTATUS(status) != 127 ? dm_seconds() - begin : -1;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *v, size_t n) {
  qsort(v, n, sizeof *v, by_size);
  return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void fresh(const char *db) {
  char journal[300];
  (void)snprintf(journal, sizeof journal, "%s-journal", db);
  (void)unlink(db);
  (void)unlink(journal);
}

static double import_in_child(char *self, char *file, char *db, const char *threads, double *mebibytes) {
  char *argv[] = {self, "--import", file, db, (char *)(uintptr_t)threads, NULL};
  fresh(db);
  return run(argv, NULL, mebibytes);
}

static int compare(char *self, char *make_table, const char *megabytes, size_t pairs) {
  char directory[] = "/tmp/dm-bench-XXXXXX", file[64], db[64], command[128], answer[] = "/dev/null";
  double ratio[PAIRS_MAX], one[PAIRS_MAX], peak = 0;
  size_t n = 0;
  if (!mkdtemp(directory)) return 1;
  (void)snprintf(file, sizeof file, "%s/t.csv", directory);
  (void)snprintf(db, sizeof db, "%s/t.db", directory);
  (void)snprintf(command, sizeof command, ".import %s t", file);
  char *generator[] = {make_table, (char *)(uintptr_t)megabytes, NULL};
  char *theirs[] = {"sqlite3", db, ".mode csv", command, NULL};
  bool fine = run(generator, file, NULL) >= 0;
  while (fine && n < pairs) {
    double ours_mb, theirs_mb, ours, single, other;
    ours = import_in_child(self, file, db, "2", &ours_mb);
    fresh(db);
    other = run(theirs, answer, &theirs_mb);
    single = import_in_child(self, file, db, "1", NULL);
    fine = ours > 0 && other > 0 && single > 0;
    if (!fine) break;
    ratio[n] = other / ours;
    one[n++] = other / single;
    if (ours_mb > peak) peak = ours_mb;
    printf("import %s MB: %.2f s, %.0f MiB; one thread %.2f s; sqlite3 .import %.2f s, %.0f MiB; %.2f times as fast\n", megabytes, ours,
           ours_mb, single, other, theirs_mb, ratio[n - 1]);
    fflush(stdout);
  }
  fresh(db);
  (void)unlink(file);
  (void)rmdir(directory);
  if (!fine) return 77; /* no sqlite3, no room: nothing to compare */
  printf("import: median %.2f times sqlite3 .import (wanted: 1.30), one thread %.2f; peak %.0f MiB (wanted: 64)\n", median(ratio, n),
         median(one, n), peak);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 5 && strcmp(argv[1], "--import") == 0) return import_once(argv[2], argv[3], (unsigned)atoi(argv[4]));
  if (argc < 2) return 2;
  int pairs = argc > 3 ? atoi(argv[3]) : 3;
  return compare(argv[0], argv[1], argc > 2 ? argv[2] : "225", pairs > 0 && pairs <= PAIRS_MAX ? (size_t)pairs : 3);
}
