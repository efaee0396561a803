/* Helpers of the tests of patterns: transactions and item databases from text, from baskets beside the project, and at random. */
#ifndef DM_TESTS_PATTERNS_DATA_H
#define DM_TESTS_PATTERNS_DATA_H

#include "cmocka_all.h"
#include "patterns/itemdb.h"

#include <dm/data.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static inline dm_ctx *new_threads_ctx(unsigned threads) {
  dm_ctx *ctx = NULL;
  dm_ctx_options o = {.threads = threads};
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  return ctx;
}

static inline dm_ctx *new_ctx(void) { return new_threads_ctx(1); }

/* One transaction of items between blanks, which counts `weight` times. */
static inline void add_transaction(dm_transactions_builder *b, const char *text, size_t n, uint64_t weight) {
  for (const char *p = text, *end = text + n; p < end;) {
    size_t length = 0;
    while (p + length < end && p[length] != ' ') length++;
    if (length) assert_int_equal(dm_transactions_builder_item(b, p, length, NULL), DM_OK);
    p += length + 1;
  }
  assert_int_equal(dm_transactions_builder_end(b, weight, NULL), DM_OK);
}

static inline dm_transactions *finish_transactions(dm_transactions_builder *b) {
  dm_transactions *t = NULL;
  dm_error err = {0};
  if (dm_transactions_builder_finish(b, &t, &err) != DM_OK) print_error("transactions: %s\n", err.message);
  assert_non_null(t);
  return t;
}

/* Each string is a transaction: "a b c". */
static inline dm_transactions *transactions_of_rows(dm_ctx *ctx, const char *const *rows, const uint64_t *weight, size_t n) {
  dm_transactions_builder *b = NULL;
  assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
  for (size_t i = 0; i < n; i++) add_transaction(b, rows[i], strlen(rows[i]), weight ? weight[i] : 1);
  return finish_transactions(b);
}

/* Each line is a transaction: "a b c\na d\n"; an empty line is an empty one. */
static inline dm_transactions *transactions_of(dm_ctx *ctx, const char *text) {
  dm_transactions_builder *b = NULL;
  assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
  while (*text) {
    size_t n = strcspn(text, "\n");
    add_transaction(b, text, n, 1);
    text += n + (text[n] == '\n');
  }
  return finish_transactions(b);
}

static inline void itemdb_of(dm_ctx *ctx, const dm_transactions *t, uint64_t min_support, dm_itemdb *db) {
  dm_error err = {0};
  dm_status s = dm_itemdb_build(ctx, t, min_support, db, &err);
  if (s != DM_OK) print_error("itemdb: %s\n", err.message);
  assert_int_equal(s, DM_OK);
}

/* n rows of items below d, each there with a chance that falls from `high` of item 0 to `low` of the last. Same seed, same rows. */
static inline dm_transactions *random_transactions(dm_ctx *ctx, uint64_t seed, size_t n, size_t d, double high, double low) {
  dm_transactions_builder *b = NULL;
  dm_rng rng;
  dm_rng_init(&rng, seed, 0);
  assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
  for (size_t r = 0; r < n; r++) {
    for (size_t i = 0; i < d; i++) {
      char name[24];
      int length = snprintf(name, sizeof name, "%zu", i);
      double chance = high - (high - low) * (double)i / (double)d;
      if (dm_rng_uniform(&rng) < chance) assert_int_equal(dm_transactions_builder_item(b, name, (size_t)length, NULL), DM_OK);
    }
    assert_int_equal(dm_transactions_builder_end(b, 1, NULL), DM_OK);
  }
  return finish_transactions(b);
}

/* Writes bytes to a new file; remove_file takes it away. */
static inline char *file_of(const char *p, size_t n) {
  char *path = strdup("/tmp/dm-test-XXXXXX");
  assert_non_null(path);
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, p, n), (ssize_t)n);
  assert_int_equal(close(fd), 0);
  return path;
}

static inline void remove_file(char *path) {
  assert_int_equal(unlink(path), 0);
  free(path);
}

/* Whether they are there; a word where not. */
static inline bool has_shared_baskets(const char *name, char packed[1024]) {
  const char *dir = getenv("DM_SHARED");
  struct stat about;
  if (dir && snprintf(packed, 1024, "%s/data/baskets/%s.dat.gz", dir, name) < 1024 && stat(packed, &about) == 0) return true;
  print_message("no shared data beside the project: skipped\n");
  return false;
}

/* Real baskets beside the project, unpacked: "mushroom", "connect", "retail", "T10I4D100K". Skips the test, with a word, where they are not. */
static inline char *shared_baskets(const char *name) {
  char packed[1024], command[2200];
  if (!has_shared_baskets(name, packed)) skip();
  char *path = file_of("", 0);
  assert_true(snprintf(command, sizeof command, "gzip -dc '%s' > '%s'", packed, path) > 0);
  assert_int_equal(system(command), 0);
  return path;
}

/* The context must hold nothing else yet: it is freed where the test ends here. */
static inline dm_transactions *shared_transactions(dm_ctx *ctx, const char *name) {
  char packed[1024];
  if (!has_shared_baskets(name, packed)) {
    dm_ctx_free(ctx);
    skip();
  }
  char *path = shared_baskets(name);
  dm_transactions *t = NULL;
  dm_error err = {0};
  if (dm_basket_read(ctx, path, NULL, &t, &err) != DM_OK) print_error("%s: %s\n", name, err.message);
  remove_file(path);
  assert_non_null(t);
  return t;
}

/* Rows as text for comparing: "a b 2\n", the weight behind the names where it is not 1. */
static inline void describe_rows(const dm_csr *rows, const uint32_t *weight, const dm_str *names, const uint32_t *source, dm_buf *out) {
  for (size_t r = 0; r < rows->n; r++) {
    for (size_t i = rows->start[r]; i < rows->start[r + 1]; i++) {
      dm_str name = names[source ? source[rows->index[i]] : rows->index[i]];
      if (i > rows->start[r]) dm_buf_addc(out, ' ');
      dm_buf_add(out, name.p, name.n);
    }
    if (weight && weight[r] != 1) dm_buf_printf(out, " *%u", weight[r]);
    dm_buf_addc(out, '\n');
  }
}

#endif
