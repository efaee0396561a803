/* From transactions to numbers, files and sets in memory; limits, supports that fit, options that cannot be. */
#include "patterns/data.h"
#include "patterns/miner.h"

static const char *const rows[] = {"milk bread", "bread", "milk bread beer", "bread", "", "beer \"x\",y"};

static dm_transactions *shop(dm_ctx *ctx) { return transactions_of_rows(ctx, rows, NULL, 6); }

static uint64_t count(dm_ctx *ctx, const dm_transactions *t, dm_mine_options o, uint64_t stop_at) {
  uint64_t n = 0;
  dm_error err = {0};
  if (dm_itemsets_count(ctx, t, &o, stop_at, &n, &err) != DM_OK) fail_msg("%s", err.message);
  return n;
}

static void sets_are_counted(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_transactions *t = shop(ctx);
  assert_int_equal(count(ctx, t, (dm_mine_options){.min_support = 2}, 0), 4); /* bread 4, milk 2, beer 2, milk bread 2 */
  assert_int_equal(count(ctx, t, (dm_mine_options){.min_support = 2, .kind = DM_CLOSED}, 0), 3);
  assert_int_equal(count(ctx, t, (dm_mine_options){.min_support = 2, .kind = DM_MAXIMAL}, 0), 2);
  assert_int_equal(count(ctx, t, (dm_mine_options){.min_support = 1, .max_size = 1}, 0), 4);
  assert_int_equal(count(ctx, t, (dm_mine_options){.min_support = 1, .min_size = 3}, 0), 1);
  assert_int_equal(count(ctx, t, (dm_mine_options){.min_support = 7}, 0), 0);
  dm_transactions_free(t);
  t = random_transactions(ctx, 1, 200, 12, 0.9, 0.5);
  uint64_t all = count(ctx, t, (dm_mine_options){.min_support = 2}, 0);
  assert_true(all > 2000);
  assert_int_equal(count(ctx, t, (dm_mine_options){.min_support = 2}, 1000), 1000);
  assert_int_equal(count(ctx, t, (dm_mine_options){.min_support = 2}, all + 1), all);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

static void sets_in_memory_have_the_codes_of_the_transactions(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_transactions *t = shop(ctx);
  dm_arena *arena = NULL;
  dm_itemsets sets;
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  dm_mine_options o = {.min_support = 2};
  assert_int_equal(dm_itemsets_mine(ctx, t, &o, arena, &sets, NULL), DM_OK);
  assert_int_equal(sets.n, 4);
  size_t seen = 0;
  for (size_t i = 0; i < sets.n; i++) {
    size_t n = sets.start[i + 1] - sets.start[i];
    const uint32_t *items = sets.items + sets.start[i];
    if (n == 2) assert_true(items[0] == 0 && items[1] == 1 && sets.support[i] == 2); /* milk, bread: in the order of their first appearance */
    if (n == 1 && items[0] == 1) assert_int_equal(sets.support[i], 4);
    seen |= (size_t)1 << (n == 2 ? 7 : items[0]);
  }
  assert_int_equal(seen, 1 << 7 | 7);
  dm_arena_free(arena);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

static dm_status add_up(void *user, const uint32_t *items, size_t n, uint64_t support, dm_error *err) {
  uint64_t *sum = user;
  (void)items;
  (void)err;
  sum[0]++;
  sum[1] += n;
  sum[2] += support;
  return DM_OK;
}

/* Many sets, so that pieces are filled; each once, all with the support that a plain count gives. */
static void many_sets_in_memory_are_whole(void **state) {
  (void)state;
  dm_ctx *ctx = new_threads_ctx(2);
  dm_transactions *t = random_transactions(ctx, 3, 40, 20, 0.95, 0.8);
  dm_arena *arena = NULL;
  dm_itemsets sets;
  dm_mine_options o = {.min_support = 3};
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  assert_int_equal(dm_itemsets_mine(ctx, t, &o, arena, &sets, NULL), DM_OK);
  assert_int_equal(sets.n, count(ctx, t, o, 0));
  assert_true(sets.n > 100000);
  uint64_t sum[3] = {0}, n = 0;
  assert_int_equal(dm_itemsets_visit(ctx, t, &o, add_up, sum, &n, NULL), DM_OK); /* the same sets one by one */
  assert_true(n == sets.n && sum[0] == sets.n && sum[1] == sets.start[sets.n]);
  for (size_t i = 0; i < sets.n; i++) sum[2] -= sets.support[i];
  assert_int_equal(sum[2], 0);
  uint32_t *row = calloc(t->rows.n, sizeof *row);
  uint8_t *seen = calloc(1, 1 << 20);
  for (size_t r = 0; r < t->rows.n; r++)
    for (size_t i = t->rows.start[r]; i < t->rows.start[r + 1]; i++) row[r] |= 1u << t->rows.index[i];
  for (size_t i = 0; i < sets.n; i++) {
    uint32_t set = 0;
    uint64_t support = 0;
    for (size_t k = sets.start[i]; k < sets.start[i + 1]; k++) {
      if (k > sets.start[i]) assert_true(sets.items[k] > sets.items[k - 1]);
      set |= 1u << sets.items[k];
    }
    for (size_t r = 0; r < t->rows.n; r++) support += (row[r] & set) == set;
    assert_int_equal(support, sets.support[i]);
    assert_int_equal(seen[set]++, 0);
  }
  free(row);
  free(seen);
  dm_arena_free(arena);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

static void written(dm_ctx *ctx, const dm_transactions *t, dm_itemsets_format format, const char *wanted) {
  char *path = file_of("", 0), got[1024];
  dm_outfile *f = NULL;
  uint64_t n = 0;
  dm_mine_options o = {.min_support = 1, .max_size = 1};
  assert_int_equal(dm_outfile_open(ctx, path, &f, NULL), DM_OK);
  assert_int_equal(dm_itemsets_write(ctx, t, &o, format, f, &n, NULL), DM_OK);
  assert_int_equal(n, 4);
  assert_int_equal(dm_outfile_commit(f, NULL), DM_OK);
  FILE *in = fopen(path, "r");
  got[fread(got, 1, sizeof got - 1, in)] = 0;
  fclose(in);
  for (const char *p = wanted, *end; *p; p = end) { /* its lines, in whatever order */
    char line[128];
    end = strchr(p, '\n') + 1;
    assert_true(snprintf(line, sizeof line, "%.*s", (int)(end - p), p) > 0);
    if (!strstr(got, line)) fail_msg("no %s in %s", line, got);
  }
  assert_int_equal(strlen(got), strlen(wanted));
  remove_file(path);
}

static void sets_are_written_in_each_format(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_transactions *t = shop(ctx);
  written(ctx, t, DM_ITEMSETS_TEXT, "bread (4)\nmilk (2)\nbeer (2)\n\"\\\"x\\\",y\" (1)\n");
  written(ctx, t, DM_ITEMSETS_CSV, "items,support\n\"[\"\"bread\"\"]\",4\n\"[\"\"milk\"\"]\",2\n\"[\"\"beer\"\"]\",2\n\"[\"\"\\\"\"x\\\"\",y\"\"]\",1\n");
  written(ctx, t, DM_ITEMSETS_TSV, "items\tsupport\n[\"bread\"]\t4\n[\"milk\"]\t2\n[\"beer\"]\t2\n[\"\\\"x\\\",y\"]\t1\n");
  written(ctx, t, DM_ITEMSETS_JSONL,
          "{\"items\":[\"bread\"],\"support\":4}\n{\"items\":[\"milk\"],\"support\":2}\n{\"items\":[\"beer\"],\"support\":2}\n"
          "{\"items\":[\"\\\"x\\\",y\"],\"support\":1}\n");
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

static void a_limit_names_a_support_that_fits(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_transactions *t = random_transactions(ctx, 5, 300, 14, 0.9, 0.4);
  dm_arena *arena = NULL;
  dm_itemsets sets;
  dm_error err = {0};
  dm_mine_options o = {.min_support = 2, .limit = 500}, plain = {.min_support = 2};
  uint64_t n = 0, fits = 0, all = count(ctx, t, plain, 0);
  char words[64];
  assert_int_equal(dm_arena_new(ctx, 0, &arena, NULL), DM_OK);
  assert_int_equal(dm_itemsets_support_for(ctx, t, &plain, 500, &fits, NULL), DM_OK);
  plain.min_support = fits;
  assert_true(count(ctx, t, plain, 0) <= 500);
  plain.min_support = fits - 1;
  assert_true(count(ctx, t, plain, 0) > 500);
  assert_int_equal(dm_itemsets_check_limit(ctx, t, &o, &n, &err), DM_EBUDGET);
  (void)snprintf(words, sizeof words, "%llu frequent sets, limit 500", (unsigned long long)all);
  assert_string_equal(err.message, words);
  (void)snprintf(words, sizeof words, "--min-support %llu fits", (unsigned long long)fits);
  assert_non_null(strstr(err.hint, words));
  assert_int_equal(dm_itemsets_mine(ctx, t, &o, arena, &sets, &err), DM_EBUDGET);
  assert_non_null(strstr(err.hint, words));
  o.limit = all;
  assert_int_equal(dm_itemsets_check_limit(ctx, t, &o, &n, NULL), DM_OK);
  assert_int_equal(n, all);
  dm_arena_free(arena);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

static void refused(dm_ctx *ctx, const dm_transactions *t, dm_mine_options o, const char *words) {
  uint64_t n = 7;
  dm_error err = {0};
  assert_int_equal(dm_itemsets_count(ctx, t, &o, 0, &n, &err), DM_EUSAGE);
  assert_int_equal(n, 7);
  char all[sizeof err.message + sizeof err.hint];
  (void)snprintf(all, sizeof all, "%s %s", err.message, err.hint);
  if (!strstr(all, words)) fail_msg("no '%s' in: %s", words, all);
}

static void odd_options_are_refused(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_transactions *t = shop(ctx);
  refused(ctx, t, (dm_mine_options){0}, "min_support = 0");
  refused(ctx, t, (dm_mine_options){.min_support = 1, .min_size = 3, .max_size = 2}, "min_size = 3 is above max_size = 2");
  refused(ctx, t, (dm_mine_options){.min_support = 1, .algorithm = "eclaat"}, "did you mean eclat?");
  refused(ctx, t, (dm_mine_options){.min_support = 1, .algorithm = "zzzzzzz"}, "there are auto, ");
  uint32_t start[8] = {0}, parent[1] = {0};
  t->parent_start = start;
  t->parent = parent;
  refused(ctx, t, (dm_mine_options){.min_support = 1, .kind = DM_CLOSED}, "hierarchy");
  t->parent_start = t->parent = NULL;
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

static void kinds_have_names(void **state) {
  (void)state;
  for (int kind = DM_FREQUENT; kind <= DM_GENERATORS; kind++) {
    dm_itemset_kind k = DM_FREQUENT;
    assert_true(dm_itemset_kind_parse(dm_itemset_kind_name((dm_itemset_kind)kind), &k));
    assert_int_equal(k, kind);
    assert_non_null(dm_miner_choose(NULL, k));
  }
  dm_itemset_kind k = DM_CLOSED;
  assert_false(dm_itemset_kind_parse("open", &k));
  assert_int_equal(k, DM_CLOSED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(sets_are_counted),
    cmocka_unit_test(sets_in_memory_have_the_codes_of_the_transactions),
    cmocka_unit_test(many_sets_in_memory_are_whole),
    cmocka_unit_test(sets_are_written_in_each_format),
    cmocka_unit_test(a_limit_names_a_support_that_fits),
    cmocka_unit_test(odd_options_are_refused),
    cmocka_unit_test(kinds_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
