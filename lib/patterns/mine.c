/*
 * From transactions to sets: an item database of the support, a search, and
 * what becomes of the sets.
 *
 *   transactions --dm_itemdb_build--> database --miner--> reporter --> a number | lines of text | sets in memory
 */
#include "patterns/miner.h"

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

/* Searches once. @param r with format, sink and limit; the rest is filled in here. */
static dm_status search(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, dm_itemdb *db, dm_reporter_options r, uint64_t *n,
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
  dm_status s = search(ctx, t, o, &db, (dm_reporter_options){.format = DM_REPORT_COUNT, .limit = stop_at}, &count, &limited, err);
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
  dm_status s = search(ctx, t, o, &db, (dm_reporter_options){.format = DM_REPORT_COUNT, .limit = o->limit ? look : 0}, &count, &limited, err);
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
    s = search(ctx, t, o, &db, (dm_reporter_options){.format = formats[format], .sink = &sink, .limit = o->limit}, &count, &limited, err);
  dm_itemdb_clear(&db);
  if (s == DM_OK && limited) s = dm_itemsets_check_limit(ctx, t, o, &count, err);
  if (s == DM_OK) *n = count;
  return s;
}

/* ---- in memory ----------------------------------------------------------------------------- */

/* Records as they come, in pieces of one size, and what they amount to. */
typedef struct piece {
  struct piece *next;
  size_t n, capacity;
} piece;

typedef struct record_list {
  dm_ctx *ctx;
  piece *first, *last;
  size_t n_sets, n_items;
} record_list;

enum { PIECE = 1 << 20 };

static uint32_t u32_at(const char *p) {
  uint32_t v;
  memcpy(&v, p, sizeof v);
  return v;
}

static size_t record_bytes(const char *p) { return sizeof(uint32_t) * ((size_t)u32_at(p) + 1) + sizeof(uint64_t); }

static dm_status add_piece(record_list *list, size_t capacity, dm_error *err) {
  piece *fresh = dm_alloc(list->ctx, 1, sizeof *fresh + capacity, "itemsets", err);
  if (!fresh) return DM_EBUDGET;
  fresh->capacity = capacity;
  if (list->last)
    list->last->next = fresh;
  else
    list->first = fresh;
  list->last = fresh;
  return DM_OK;
}

static dm_status keep_records(void *user, const char *p, size_t n, dm_error *err) {
  record_list *list = user;
  const char *end = p + n;
  while (p < end) {
    size_t left = list->last ? list->last->capacity - list->last->n : 0, taken = 0;
    while (p + taken < end && taken + record_bytes(p + taken) <= left) {
      list->n_sets++;
      list->n_items += u32_at(p + taken);
      taken += record_bytes(p + taken);
    }
    if (taken == 0) {
      size_t bytes = record_bytes(p);
      if (add_piece(list, bytes > PIECE ? bytes : PIECE, err) != DM_OK) return DM_EBUDGET;
      continue;
    }
    memcpy((char *)(list->last + 1) + list->last->n, p, taken);
    list->last->n += taken;
    p += taken;
  }
  return DM_OK;
}

static void free_records(record_list *list) {
  while (list->first) {
    piece *next = list->first->next;
    dm_free(list->ctx, list->first);
    list->first = next;
  }
}

/* Codes of the database ascend by rarity; those of the transactions must ascend anew. */
static void recode(const uint32_t *source, const char *record, uint32_t n, uint32_t *out) {
  for (uint32_t i = 0; i < n; i++) {
    uint32_t code = source[u32_at(record + sizeof(uint32_t) * i)], j = i;
    for (; j > 0 && out[j - 1] > code; j--) out[j] = out[j - 1];
    out[j] = code;
  }
}

/* The pieces go as their sets are taken over. */
static dm_status unpack(record_list *list, const dm_itemdb *db, dm_arena *arena, dm_itemsets *out, dm_error *err) {
  size_t *start = dm_arena_alloc(arena, list->n_sets + 1, sizeof *start, err);
  uint32_t *items = start ? dm_arena_alloc(arena, list->n_items + 1, sizeof *items, err) : NULL;
  uint64_t *support = items ? dm_arena_alloc(arena, list->n_sets + 1, sizeof *support, err) : NULL;
  if (!support) return DM_EBUDGET;
  size_t i = 0;
  while (list->first) {
    const char *p = (const char *)(list->first + 1), *end = p + list->first->n;
    for (; p < end; i++) {
      uint32_t n = u32_at(p);
      recode(db->source, p + sizeof n, n, items + start[i]);
      start[i + 1] = start[i] + n;
      p += sizeof n * (n + 1);
      memcpy(&support[i], p, sizeof *support);
      p += sizeof *support;
    }
    piece *next = list->first->next;
    dm_free(list->ctx, list->first);
    list->first = next;
  }
  *out = (dm_itemsets){.n = list->n_sets, .start = start, .items = items, .support = support};
  return DM_OK;
}

dm_status dm_itemsets_mine(dm_ctx *ctx, const dm_transactions *t, const dm_mine_options *o, dm_arena *arena, dm_itemsets *out, dm_error *err) {
  dm_itemdb db = {0};
  record_list list = {.ctx = ctx};
  uint64_t count = 0;
  bool limited = false;
  const dm_sink sink = {.user = &list, .write = keep_records};
  dm_status s = search(ctx, t, o, &db, (dm_reporter_options){.format = DM_REPORT_RECORDS, .sink = &sink, .limit = o->limit}, &count, &limited, err);
  if (s == DM_OK && limited) {
    free_records(&list);
    s = dm_itemsets_check_limit(ctx, t, o, &count, err);
  }
  if (s == DM_OK) s = unpack(&list, &db, arena, out, err);
  free_records(&list);
  dm_itemdb_clear(&db);
  return s;
}
