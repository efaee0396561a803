/*
 * A model of rules from a transaction file, for the tests of SQL.
 * usage: make_rules DB NAME FILE SUPPORT CONFIDENCE DELIMITER ITEMS-IN-A-HEAD
 * (delimiter "" is blanks)
 */
#include <dm/dm.h>
#include <stdio.h>
#include <stdlib.h>

static dm_status make(dm_ctx *ctx, char **argv, dm_arena *arena, dm_transactions **t, dm_rule_model **m, dm_error *err) {
  dm_itemsets sets;
  dm_rule *rules;
  size_t n;
  dm_basket_options reading = {.delimiter = argv[6][0] ? argv[6] : NULL};
  dm_mine_options mining = {.min_support = strtoull(argv[4], NULL, 10)};
  dm_rule_options options = {.min_confidence = strtod(argv[5], NULL), .max_q = 1, .max_head = strtoull(argv[7], NULL, 10)};
  dm_status s = dm_basket_read(ctx, argv[3], &reading, t, err);
  if (s == DM_OK) s = dm_itemsets_mine(ctx, *t, &mining, arena, &sets, err);
  if (s == DM_OK) s = dm_rules_make(ctx, &sets, (*t)->total, &options, arena, &rules, &n, err);
  if (s != DM_OK) return s;
  dm_rule_model_parts parts = {.names = (*t)->names, .total = (*t)->total, .sets = &sets, .rules = rules, .n = n,
                               .tests = dm_rules_tests(&sets, &options), .delimiter = argv[6]};
  return dm_rule_model_make(&parts, arena, m, err);
}

static dm_status save(dm_ctx *ctx, const char *path, const char *name, const dm_rule_model *m, dm_arena *arena, dm_error *err) {
  dm_store *store = NULL;
  dm_model_meta meta = {.name = name, .rows = (int64_t)m->total, .params_json = "{}"};
  dm_status s = dm_store_open(ctx, path, DM_STORE_CREATE | DM_STORE_WRITE, &store, err);
  if (s != DM_OK) return s;
  s = dm_store_begin(store, err);
  if (s == DM_OK) s = dm_rule_model_save(store, m, &meta, NULL, 0, arena, err);
  if (s == DM_OK)
    s = dm_store_commit(store, err);
  else
    dm_store_rollback(store);
  dm_store_close(store);
  return s;
}

int main(int argc, char **argv) {
  dm_ctx *ctx = NULL;
  dm_arena *arena = NULL;
  dm_transactions *t = NULL;
  dm_rule_model *m = NULL;
  dm_error err = {0};
  if (argc != 8) return DM_EUSAGE;
  dm_status s = dm_ctx_new(&(dm_ctx_options){.threads = 1}, &ctx, &err);
  if (s == DM_OK) s = dm_arena_new(ctx, 0, &arena, &err);
  if (s == DM_OK) s = make(ctx, argv, arena, &t, &m, &err);
  if (s == DM_OK) s = save(ctx, argv[1], argv[2], m, arena, &err);
  if (s != DM_OK) fprintf(stderr, "make_rules: %s\n", err.message);
  dm_transactions_free(t);
  dm_arena_free(arena);
  dm_ctx_free(ctx);
  return (int)s;
}
