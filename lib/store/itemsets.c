/*
 * Rows of dm_itemset: sets in any order, sorted, then written a hundred at a
 * time, their items as JSON arrays put together from names that were quoted
 * once. What is written is JSON, so that the table's own test of it, which
 * would take half the time, is passed over.
 */
#include "store/set_sort.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 100 /* of a statement */, COLUMNS = 4 };

struct dm_itemset_writer {
  dm_store *store;
  int64_t model_id;
  dm_arena *arena;
  dm_str *quoted;      /* [n_items] */
  size_t n_items;
  uint32_t *codes;     /* [codes_capacity] of the set that is added */
  size_t codes_capacity;
  char *directory;
  dm_set_sort *sort;
  dm_stmt *insert;     /* of `rows` rows */
  size_t rows;
  dm_buf text;
};

static dm_status quote_names(dm_itemset_writer *w, const dm_str *names, size_t n, dm_error *err) {
  dm_buf text;
  dm_json_out j;
  dm_status s = DM_OK;
  w->n_items = n;
  w->quoted = dm_arena_alloc(w->arena, n, sizeof *w->quoted, err);
  if (!w->quoted) return DM_EBUDGET;
  dm_buf_init(&text, w->store->ctx, err);
  for (size_t i = 0; s == DM_OK && i < n; i++) {
    dm_buf_reset(&text);
    dm_json_out_init(&j, &text, false);
    dm_json_string_n(&j, names[i].p, names[i].n);
    s = dm_buf_status(&text);
    if (s == DM_OK && !(w->quoted[i].p = dm_arena_strdup(w->arena, text.p, text.n, err))) s = DM_EBUDGET;
    w->quoted[i].n = text.n;
  }
  dm_buf_clear(&text);
  return s;
}

/* Beside the database, which will need the room as well; in memory for one that is there. */
static dm_status find_directory(dm_itemset_writer *w, dm_error *err) {
  const char *path = sqlite3_db_filename(w->store->db, "main");
  const char *slash = path && *path ? strrchr(path, '/') : NULL;
  if (!slash) return DM_OK;
  w->directory = dm_arena_strdup(w->arena, path, slash > path ? (size_t)(slash - path) : 1, err);
  return w->directory ? DM_OK : DM_EBUDGET;
}

dm_status dm_itemset_writer_open(dm_store *store, const dm_str *names, size_t n_items, dm_itemset_writer **out, dm_error *err) {
  dm_itemset_writer *w = dm_alloc(store->ctx, 1, sizeof *w, "itemsets", err);
  if (!w) return DM_EBUDGET;
  w->store = store;
  dm_buf_init(&w->text, store->ctx, NULL);
  dm_status s = dm_arena_new(store->ctx, 0, &w->arena, err);
  if (s == DM_OK) s = quote_names(w, names, n_items, err);
  if (s == DM_OK) s = find_directory(w, err);
  if (s == DM_OK) s = dm_set_sort_new(store->ctx, w->directory, 0, &w->sort, err);
  if (s != DM_OK) {
    dm_itemset_writer_free(w);
    return s;
  }
  *out = w;
  return DM_OK;
}

void dm_itemset_writer_free(dm_itemset_writer *w) {
  if (!w) return;
  dm_stmt_free(w->insert);
  dm_set_sort_free(w->sort);
  dm_buf_clear(&w->text);
  dm_free(w->store->ctx, w->codes);
  dm_arena_free(w->arena);
  dm_free(w->store->ctx, w);
}

/* ---- adding ------------------------------------------------------------------------------- */

static dm_status reserve(dm_itemset_writer *w, size_t n, dm_error *err) {
  if (n <= w->codes_capacity) return DM_OK;
  uint32_t *codes = dm_realloc(w->store->ctx, w->codes, 2 * n, sizeof *codes, "itemsets", err);
  if (!codes) return DM_EBUDGET;
  w->codes = codes;
  w->codes_capacity = 2 * n;
  return DM_OK;
}

static int by_code(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

dm_status dm_itemset_writer_add(dm_itemset_writer *w, const uint32_t *items, size_t n, uint64_t support, dm_error *err) {
  dm_status s = reserve(w, n, err);
  if (s != DM_OK) return s;
  bool ascend = true;
  for (size_t i = 0; i < n; i++) {
    if (items[i] >= w->n_items) return dm_fail(err, DM_EINTERNAL, "itemsets: item %u of %zu", items[i], w->n_items);
    ascend = ascend && (i == 0 || items[i - 1] < items[i]);
    w->codes[i] = items[i];
  }
  if (support > INT64_MAX) return dm_fail(err, DM_EINPUT, "itemsets: a support of %llu is more than the database can hold", (unsigned long long)support);
  if (!ascend) qsort(w->codes, n, sizeof *w->codes, by_code);
  return dm_set_sort_add(w->sort, w->codes, n, support, err);
}

/* ---- writing ------------------------------------------------------------------------------- */

static dm_status prepare(dm_itemset_writer *w, size_t rows, dm_error *err) {
  dm_buf sql;
  dm_buf_init(&sql, w->store->ctx, err);
  dm_buf_adds(&sql, "INSERT INTO main.dm_itemset(model_id, id, size, items, support) VALUES");
  for (size_t i = 0, at = 2; i < rows; i++, at += COLUMNS) dm_buf_printf(&sql, "%s(?1,?%zu,?%zu,?%zu,?%zu)", i ? "," : "", at, at + 1, at + 2, at + 3);
  dm_stmt_free(w->insert);
  w->insert = NULL;
  dm_status s = dm_buf_status(&sql);
  if (s == DM_OK) s = dm_stmt_prepare(w->store, sql.p, &w->insert, err);
  if (s == DM_OK) s = dm_stmt_bind_int(w->insert, 1, w->model_id, err);
  w->rows = rows;
  dm_buf_clear(&sql);
  return s;
}

static void put_items(dm_itemset_writer *w, const uint32_t *codes, size_t n) {
  size_t bytes = 2;
  for (size_t i = 0; i < n; i++) bytes += w->quoted[codes[i]].n + 1;
  if (!dm_buf_reserve(&w->text, bytes)) return;
  char *p = w->text.p + w->text.n;
  for (size_t i = 0; i < n; i++) {
    dm_str name = w->quoted[codes[i]];
    *p++ = i ? ',' : '[';
    memcpy(p, name.p, name.n);
    p += name.n;
  }
  if (n == 0) *p++ = '[';
  *p++ = ']';
  w->text.n = (size_t)(p - w->text.p);
}

typedef struct batch {
  size_t n, end[ROWS]; /* of the items in text */
  uint32_t size[ROWS];
  uint64_t support[ROWS];
} batch;

static dm_status take_batch(dm_itemset_writer *w, batch *b, dm_error *err) {
  dm_status s = DM_OK;
  const uint32_t *set = NULL;
  dm_buf_reset(&w->text);
  for (b->n = 0; s == DM_OK && b->n < ROWS; b->n++) {
    s = dm_set_sort_next(w->sort, &set, err);
    if (s != DM_OK || !set) break;
    b->size[b->n] = set[0];
    b->support[b->n] = dm_set_support(set);
    put_items(w, set + 3, set[0]);
    b->end[b->n] = w->text.n;
  }
  return s == DM_OK && dm_buf_status(&w->text) != DM_OK ? dm_fail(err, DM_EBUDGET, "itemsets: no memory for their names") : s;
}

static dm_status write_batch(dm_itemset_writer *w, const batch *b, uint64_t first, dm_error *err) {
  bool row;
  size_t from = 0;
  int at = 2;
  dm_status s = w->rows == b->n ? DM_OK : prepare(w, b->n, err);
  for (size_t i = 0; s == DM_OK && i < b->n; i++) {
    s = dm_stmt_bind_int(w->insert, at++, (int64_t)(first + i), err);
    if (s == DM_OK) s = dm_stmt_bind_int(w->insert, at++, b->size[i], err);
    if (s == DM_OK) s = dm_stmt_bind(w->insert, at++, (dm_value){.type = DM_TEXT, .text = {w->text.p + from, b->end[i] - from}}, err);
    if (s == DM_OK) s = dm_stmt_bind_int(w->insert, at++, (int64_t)b->support[i], err);
    from = b->end[i];
  }
  if (s == DM_OK) s = dm_stmt_step(w->insert, &row, err);
  return s == DM_OK ? dm_stmt_reset(w->insert, err) : s;
}

static dm_status write_all(dm_itemset_writer *w, uint64_t *written, dm_error *err) {
  batch b;
  uint64_t done = 0;
  dm_status s = dm_set_sort_finish(w->sort, err);
  while (s == DM_OK) {
    s = take_batch(w, &b, err);
    if (s != DM_OK || b.n == 0) break;
    s = write_batch(w, &b, done + 1, err);
    done += b.n;
    if (s == DM_OK && done % (80 * ROWS) == 0) {
      dm_progress(w->store->ctx, "itemsets: writing", (double)done, 0, "sets");
      s = dm_ctx_check(w->store->ctx, err);
    }
  }
  if (s == DM_OK) *written = done;
  return s;
}

/* The setting is the connection's: of somebody else's it stays as it is. */
static dm_status write_unchecked(dm_itemset_writer *w, uint64_t *written, dm_error *err) {
  if (!w->store->owned) return write_all(w, written, err);
  dm_status s = dm_store_exec(w->store, err, "PRAGMA ignore_check_constraints = ON");
  if (s != DM_OK) return s;
  s = write_all(w, written, err);
  dm_stmt_free(w->insert); /* it was prepared without the test */
  w->insert = NULL;
  dm_status off = dm_store_exec(w->store, s == DM_OK ? err : NULL, "PRAGMA ignore_check_constraints = OFF");
  return s == DM_OK ? off : s;
}

dm_status dm_itemset_writer_finish(dm_itemset_writer *w, int64_t model_id, uint64_t *written, dm_error *err) {
  w->model_id = model_id;
  bool mine = false;
  dm_status s = dm_store_enter(w->store, &mine, err);
  if (s == DM_OK) s = dm_store_ensure_schema(w->store, err);
  if (s == DM_OK) s = dm_registry_check_tables(w->store, err);
  if (s == DM_OK) s = write_unchecked(w, written, err);
  s = dm_store_leave(w->store, mine, s, err);
  dm_itemset_writer_free(w);
  return s;
}
