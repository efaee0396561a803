/*
 * From transactions to sets: an item database of the support, a search, and
 * what becomes of the sets.
 *
 *   transactions --dm_itemdb_build--> database --miner--> reporter --> a number | lines of text | sets one by one, or in memory (mine_sets.c)
 */
#include "patterns/mine.h"

#include <string.h>

/* ---- kinds ------------------------------------------------------------------------- */

static const char *const kinds[] = {"frequent", "closed", "maximal", "generators"};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

const char *dm_itemset_kind_name(dm_itemset_kind kind) { return kinds[kind]; }

bool dm_itemset_kind_parse(const char *name, dm_itemset_kind *out) {
  for (size_t i = 0; i < N_KINDS; i++)
    if (strcmp(kinds[i], name) == 0) {
      *out = (dm_itemset_kind)i;
      return true;
    }
  return false;
}

/* ---- one search --------------------------------------------------------------------- */

static dm_status check_options(const dm_transactions *t, const dm_mine_options *o, dm_error *err) {
  if (o->min_support < 1) return dm_fail(err, DM_EUSAGE, "min_support = 0, want 1 or more transactions");
  if (o->max_size && o->min_size > o->max_size)
    return dm_fail(err, DM_EUSAGE, "min_size = %zu is above max_size = %zu", o->min_size, o->max_size);
  if (t->parent_start && (o->kind == DM_CLOSED || o->kind == DM_MAXIMAL)) {
    (void)dm_fail(err, DM_EUSAGE, "with a hierarchy there are no %s sets to show: each holds all ancestors of its items", kinds[o->kind]);
    dm_error_hint(err, "use --kind frequent, or generators");
    return DM_EUSAGE;
  }
  return DM_OK;
}

dm_status dm_mine_search(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, dm_itemdb *db, dm_reporter_options r, uint64_t *n,
                         bool *limited, dm_error *err) {
  const dm_miner *miner = NULL;
  dm_reporter *reporter = NULL;
  dm_status s = check_options(t, o, err);
  if (s == DM_OK) s = dm_itemdb_build(ctx, t, o->min_support, db, err);
  if (s != DM_OK) return s;
  r.db = db;
  r.names = t->names;
  r.min_size = o->min_size ? o->min_size : 1;
  r.max_size = o->max_size ? o->max_size : SIZE_MAX;
  r.parent_start = t->parent_start;
  r.parent = t->parent;
  s = dm_miner_find(o->algorithm, db, o->kind, &miner, err);
  if (s == DM_OK) s = dm_reporter_new(ctx, &r, &reporter, err);
  if (s == DM_OK) {
    dm_log(ctx, DM_LOG_INFO, "search by %s: %zu items, %zu rows", miner->name, db->n_items, db->rows.n);
    s = miner->mine(ctx, db, o->kind, r.max_size, reporter, err);
    dm_status done = s == DM_OK ? dm_reporter_finish(reporter, n, err) : s;
    *limited = dm_reporter_limited(reporter);
    s = done;
  }
  dm_reporter_free(reporter);
  return s;
}

const char *dm_itemsets_algorithm(const dm_mine_options *o) {
  if (o->algorithm && strcmp(o->algorithm, "auto") != 0) return o->algorithm;
  return dm_miner_choose(NULL, o->kind)->name;
}

dm_status dm_itemsets_count(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, uint64_t stop_at, uint64_t *n, dm_error *err) {
  dm_itemdb db = {0};
  uint64_t count = 0;
  bool limited = false;
  dm_status s = dm_mine_search(ctx, t, o, &db, (dm_reporter_options){.format = DM_REPORT_COUNT, .limit = stop_at}, &count, &limited, err);
  dm_itemdb_clear(&db);
  if (s == DM_OK) *n = limited ? stop_at : count;
  return s;
}

/* ---- a support that fits ------------------------------------------------------------- */

dm_status dm_itemsets_support_for(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, uint64_t most, uint64_t *support,
                                  dm_error *err) {
  dm_mine_options at = *o;
  uint64_t low = o->min_support, high = t->total + 1, n; /* at low they are too many, above all transactions there are none */
  dm_status s = DM_OK;
  while (s == DM_OK && high - low > 1) {
    /* from below in steps that double: where sets are few, a search is fast */
    uint64_t step = high > t->total && low < t->total / 2 ? low : (high - low) / 2;
    at.min_support = low + step;
    s = dm_itemsets_count(ctx, t, &at, most + 1, &n, err);
    if (s != DM_OK) break;
    if (n > most)
      low = at.min_support;
    else
      high = at.min_support;
  }
  if (s == DM_OK) *support = high;
  return s;
}

dm_status dm_itemsets_check_limit(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, uint64_t *n, dm_error *err) {
  const uint64_t many = 1000000000, look = o->limit < many / 10 ? many : o->limit < UINT64_MAX / 10 ? o->limit * 10 : UINT64_MAX;
  uint64_t count = 0, fits;
  dm_itemdb db = {0};
  bool limited = false;
  dm_status s = dm_mine_search(ctx, t, o, &db, (dm_reporter_options){.format = DM_REPORT_COUNT, .limit = o->limit ? look : 0}, &count, &limited, err);
  dm_itemdb_clear(&db);
  if (s == DM_OK && o->limit && count > o->limit) {
    s = dm_itemsets_support_for(ctx, t, o, o->limit, &fits, err);
    if (s != DM_OK) return s;
    (void)dm_fail(err, DM_EBUDGET, "%s%llu %s sets, limit %llu", limited ? "at least " : "", (unsigned long long)count, kinds[o->kind],
                  (unsigned long long)o->limit);
    if (fits <= t->total)
      dm_error_hint(err, "--min-support %llu fits; or raise --limit, bound them with --max-size, or ask for the --top K", (unsigned long long)fits);
    else
      dm_error_hint(err, "raise --limit, bound them with --max-size, or ask for the --top K");
    return DM_EBUDGET;
  }
  if (s == DM_OK) *n = count;
  return s;
}

/* ---- to a file -------------------------------------------------------------------------- */

static dm_status to_outfile(void *user, const char *p, size_t n, dm_error *err) { return dm_outfile_write(user, p, n, err); }

dm_status dm_itemsets_write(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, dm_itemsets_format format, dm_outfile *f,
                            uint64_t *n, dm_error *err) {
  static const dm_report_format formats[] = {DM_REPORT_TEXT, DM_REPORT_CSV, DM_REPORT_TSV, DM_REPORT_JSONL};
  dm_itemdb db = {0};
  uint64_t count = 0;
  bool limited = false;
  const dm_sink sink = {.user = f, .write = to_outfile};
  const char *header = format == DM_ITEMSETS_CSV ? "items,support\n" : format == DM_ITEMSETS_TSV ? "items\tsupport\n" : "";
  dm_status s = dm_outfile_write(f, header, strlen(header), err);
  if (s == DM_OK)
    s = dm_mine_search(ctx, t, o, &db, (dm_reporter_options){.format = formats[format], .sink = &sink, .limit = o->limit}, &count, &limited, err);
  dm_itemdb_clear(&db);
  if (s == DM_OK && limited) s = dm_itemsets_check_limit(ctx, t, o, &count, err);
  if (s == DM_OK) *n = count;
  return s;
}
