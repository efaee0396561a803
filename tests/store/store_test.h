/* What the tests of the store share: a directory of their own, a context each, one-number queries. */
#ifndef DM_TESTS_STORE_TEST_H
#define DM_TESTS_STORE_TEST_H

#include "cmocka_all.h"

#include <dm/store.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char test_directory[64];

static inline int test_make_directory(void **state) {
  (void)state;
  strcpy(test_directory, "/tmp/dm-store-XXXXXX");
  return mkdtemp(test_directory) && chmod(test_directory, 0755) == 0 ? 0 : -1;
}

static inline int test_remove_directory(void **state) {
  (void)state;
  DIR *d = opendir(test_directory);
  if (!d) return -1;
  for (struct dirent *e = readdir(d); e; e = readdir(d)) {
    char path[400];
    (void)snprintf(path, sizeof path, "%s/%s", test_directory, e->d_name);
    if (e->d_name[0] != '.') (void)unlink(path);
  }
  closedir(d);
  return rmdir(test_directory);
}

static inline int test_new_ctx(void **state) {
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.threads = 1};
  if (dm_ctx_new(&o, &ctx, NULL) != DM_OK) return -1;
  *state = ctx;
  return 0;
}

/* Fails when a block was not freed. */
static inline int test_free_ctx(void **state) {
  if (dm_ctx_memory(*state) != 0) return -1;
  dm_ctx_free(*state);
  return 0;
}

#define test_with_ctx(f) cmocka_unit_test_setup_teardown(f, test_new_ctx, test_free_ctx)

static inline void test_path(char out[128], const char *name) { (void)snprintf(out, 128, "%s/%s", test_directory, name); }

static inline void test_write(const char *path, const char *p, size_t n) {
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(p, 1, n, f), n);
  assert_int_equal(fclose(f), 0);
}

static inline char *test_read(const char *path, size_t *n) {
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  assert_int_equal(fseek(f, 0, SEEK_END), 0);
  long size = ftell(f);
  rewind(f);
  char *p = malloc((size_t)size + 1);
  assert_non_null(p);
  *n = fread(p, 1, (size_t)size, f);
  fclose(f);
  return p;
}

static inline dm_store *test_open(dm_ctx *ctx, const char *path, unsigned mode) {
  dm_store *store = NULL;
  dm_error err = {0};
  if (dm_store_open(ctx, path, mode, &store, &err) != DM_OK) fail_msg("%s: %s", path, err.message);
  return store;
}

static inline void test_exec(dm_store *store, const char *sql) {
  dm_error err = {0};
  if (dm_store_exec(store, &err, "%s", sql) != DM_OK) fail_msg("%s: %s", sql, err.message);
}

static inline bool test_has_schema(dm_store *store) {
  bool has = false;
  assert_int_equal(dm_store_has_schema(store, &has, NULL), DM_OK);
  return has;
}

/* First column of the first row. */
static inline int64_t test_int(dm_store *store, const char *sql) {
  dm_stmt *s = NULL;
  dm_error err = {0};
  bool row = false;
  if (dm_stmt_prepare(store, sql, &s, &err) != DM_OK || dm_stmt_step(s, &row, &err) != DM_OK) fail_msg("%s: %s", sql, err.message);
  assert_true(row);
  int64_t v = dm_stmt_int(s, 0);
  dm_stmt_free(s);
  return v;
}

#endif
