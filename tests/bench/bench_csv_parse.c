/*
 * How fast delimited text is told into cells and typed, in MB/s of processor time:
 *
 *   bench_csv_parse FILE | MAKE_TABLE MEGABYTES
 *
 * index: the structural scan alone; cells: records and cells; typed: each cell
 * seen by its column's typing. DM_SIMD=scalar shows the portable scan.
 */
#include "data/formats/csv.h"

#include <dm/data.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const dm_error *err) {
  fprintf(stderr, "bench_csv_parse: %s\n", err->message);
  exit(1);
}

static double index_seconds(const char *p, size_t n) {
  static uint32_t index[CSV_WINDOW];
  csv_scan scan;
  size_t marks = 0;
  double begin = now();
  csv_scan_init(&scan, (csv_chars){',', '"', 0, false});
  for (size_t at = 0; at < n; at += CSV_WINDOW)
    marks += csv_scan_window(&scan, p + at, n - at < CSV_WINDOW ? n - at : CSV_WINDOW, 0, index);
  double seconds = now() - begin;
  fprintf(stderr, "%zu marks, scan %s\n", marks, scan.ops->name);
  return seconds;
}

static double read_seconds(dm_ctx *ctx, const char *path, bool typed, size_t *records, size_t *peak) {
  dm_error err = {0};
  dm_csv *csv = NULL;
  double begin = now();
  if (dm_csv_open(ctx, path, NULL, &csv, &err) != DM_OK) fail(&err);
  size_t d = dm_csv_n_columns(csv), n = 0, bytes = 0;
  dm_typing *typing = calloc(d, sizeof *typing);
  if (!typing) exit(1);
  for (size_t i = 0; i < d; i++) dm_typing_init(&typing[i]);
  for (;; n++) {
    const dm_csv_record *r;
    if (dm_csv_next(csv, &r, &err) != DM_OK) fail(&err);
    if (!r) break;
    if (r->reason != DM_REJECT_NONE) continue;
    for (size_t i = 0; i < r->n_cells; i++) {
      bytes += r->cells[i].n;
      if (typed && !dm_csv_is_missing(csv, &r->cells[i])) dm_typing_see(&typing[i], r->cells[i].p, r->cells[i].n, r->cells[i].quoted);
    }
  }
  *records = n + (bytes == 1); /* bytes are used */
  *peak = dm_ctx_memory_peak(ctx);
  dm_csv_close(csv);
  free(typing);
  return now() - begin;
}

static char *read_all(const char *path, size_t *n) {
  FILE *f = fopen(path, "rb");
  if (!f || fseek(f, 0, SEEK_END) != 0) return NULL;
  long size = ftell(f);
  rewind(f);
  char *p = size > 0 ? malloc((size_t)size) : NULL;
  *n = p ? fread(p, 1, (size_t)size, f) : 0;
  (void)fclose(f);
  return p;
}

int main(int argc, char **argv) {
  const char *path = argc > 1 ? argv[1] : NULL;
  char command[1024], made[] = "/tmp/bench-csv-XXXXXX";
  if (!path || argc > 2) { /* bench_csv_parse MAKE_TABLE MEGABYTES */
    if (argc < 3) return fprintf(stderr, "usage: bench_csv_parse FILE | MAKE_TABLE MEGABYTES\n"), 2;
    int fd = mkstemp(made);
    if (fd < 0 || snprintf(command, sizeof command, "'%s' '%s' > '%s'", argv[1], argv[2], made) < 0 || system(command) != 0) return 1;
    path = made;
  }
  size_t n = 0, records = 0, peak = 0;
  char *p = read_all(path, &n);
  dm_ctx *ctx = NULL;
  if (!p || dm_ctx_new(NULL, &ctx, NULL) != DM_OK) return fprintf(stderr, "bench_csv_parse: %s cannot be read\n", path), 1;
  double mb = (double)n * 1e-6;
  printf("index %6.0f MB/s\n", mb / index_seconds(p, n));
  free(p);
  printf("cells %6.0f MB/s\n", mb / read_seconds(ctx, path, false, &records, &peak));
  printf("typed %6.0f MB/s, %zu records, %.0f MB, %.1f MB of memory\n", mb / read_seconds(ctx, path, true, &records, &peak), records, mb,
         (double)peak * 1e-6);
  dm_ctx_free(ctx);
  if (path == made) (void)remove(made);
  return 0;
}
