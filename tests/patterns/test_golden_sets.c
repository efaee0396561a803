/*
 * Every search on real data gives the numbers that other programs gave. By
 * itself it runs what takes a moment; with the argument `all`, everything.
 */
#include "golden/sets.h"
#include "patterns/naive.h"

typedef struct golden_run {
  const char *data;
  bool all;
} golden_run;

static bool is_run(const golden_run *run, const struct golden_sets *row, int kind, const dm_miner *miner, const dm_itemdb *db) {
  if (!row->n[kind] || !(miner->kinds >> kind & 1)) return false;
  if (run->all) return true;
  switch (row->quick[kind]) {
  case SETS_ALL: return true;
  case SETS_NO_APRIORI: return miner != &dm_miner_apriori;
  case SETS_AUTO: return miner == dm_miner_choose(db, (dm_itemset_kind)kind);
  default: return false;
  }
}

static void count_row(dm_ctx *ctx, const golden_run *run, const dm_transactions *t, const struct golden_sets *row) {
  dm_itemdb db;
  itemdb_of(ctx, t, row->support, &db);
  for (int kind = 0; kind < 4; kind++)
    for (const dm_miner *const *m = dm_miners; *m; m++) {
      if (!is_run(run, row, kind, *m, &db)) continue;
      double start = dm_seconds();
      uint64_t n = miner_count(ctx, *m, &db, (dm_itemset_kind)kind);
      if (run->all)
        print_message("%s %llu %s, %s: %llu sets, %.2f s\n", row->data, (unsigned long long)row->support,
                      dm_itemset_kind_name((dm_itemset_kind)kind), (*m)->name, (unsigned long long)n, dm_seconds() - start);
      if (n != row->n[kind])
        print_error("%s %llu %s, %s: %llu sets, want %llu\n", row->data, (unsigned long long)row->support,
                    dm_itemset_kind_name((dm_itemset_kind)kind), (*m)->name, (unsigned long long)n, (unsigned long long)row->n[kind]);
      assert_true(n == row->n[kind]);
    }
  dm_itemdb_clear(&db);
}

static void sets_are_as_many_as_others_found(void **state) {
  const golden_run *run = *state;
  dm_ctx *ctx = new_threads_ctx(2);
  dm_transactions *t = shared_transactions(ctx, run->data);
  for (size_t i = 0; i < sizeof golden_sets / sizeof *golden_sets; i++)
    if (strcmp(golden_sets[i].data, run->data) == 0) count_row(ctx, run, t, &golden_sets[i]);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

int main(int argc, char **argv) {
  bool all = argc > 1 && strcmp(argv[1], "all") == 0;
  golden_run runs[] = {{"mushroom", all}, {"connect", all}, {"retail", all}, {"T10I4D100K", all}};
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(sets_are_as_many_as_others_found, &runs[0]),
      cmocka_unit_test_prestate(sets_are_as_many_as_others_found, &runs[1]),
      cmocka_unit_test_prestate(sets_are_as_many_as_others_found, &runs[2]),
      cmocka_unit_test_prestate(sets_are_as_many_as_others_found, &runs[3]),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
