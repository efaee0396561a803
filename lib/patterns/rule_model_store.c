/*
 * The rule model in the database: for loading tensors, for people and SQL rows
 * of dm_rule.
 *
 *   scalars    transactions, delimiter, tests (null: no q)
 *   names      utf8 [bytes]        name_end  i64 [items]     support i64 [items]
 *   sizes      i32 [rules, 2]      items of body and head
 *   items      i32 [...]           body, then head, of each rule in turn
 *   counts     i64 [rules, 3]      transactions with both, body, head
 *   q          f64 [rules]         when rules were tested
 *
 * Rows of dm_rule can be written by anybody; what is recommended comes from
 * the tensors, which the model's hash covers.
 */
#include "patterns/rule_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double TOTAL_MAX = 9007199254740992; /* 2^53: what counts are in double */

/* ---- saving -------------------------------------------------------------------------- */

static dm_status save_items(const dm_rule_model *m, dm_model_writer *w, dm_arena *arena, dm_error *err) {
  size_t bytes = 0, at = 0;
  for (size_t i = 0; i < m->n_items; i++) bytes += m->names[i].n;
  char *names = dm_arena_alloc(arena, bytes, 1, err);
  int64_t *end = names ? dm_arena_alloc(arena, m->n_items, sizeof *end, err) : NULL;
  if (!end) return DM_EBUDGET;
  for (size_t i = 0; i < m->n_items; i++) {
    if (m->names[i].n) memcpy(names + at, m->names[i].p, m->names[i].n);
    end[i] = (int64_t)(at += m->names[i].n);
  }
  dm_status s = w->tensor(w, "names", DM_UTF8, &bytes, 1, names, err);
  if (s == DM_OK) s = w->tensor(w, "name_end", DM_I64, &m->n_items, 1, end, err);
  if (s == DM_OK) s = w->tensor(w, "support", DM_I64, &m->n_items, 1, m->support, err);
  return s;
}

static dm_status save_rules(const dm_rule_model *m, dm_model_writer *w, dm_arena *arena, dm_error *err) {
  size_t all = 0, at = 0;
  for (size_t i = 0; i < m->n; i++) all += m->rules[i].n_body + m->rules[i].n_head;
  int32_t *sizes = dm_arena_alloc(arena, m->n, 2 * sizeof *sizes, err);
  int32_t *items = sizes ? dm_arena_alloc(arena, all, sizeof *items, err) : NULL;
  int64_t *counts = items ? dm_arena_alloc(arena, m->n, 3 * sizeof *counts, err) : NULL;
  double *q = counts ? dm_arena_alloc(arena, m->n, sizeof *q, err) : NULL;
  if (!q) return DM_EBUDGET;
  for (size_t i = 0; i < m->n; i++) {
    const dm_rule *r = &m->rules[i];
    sizes[2 * i] = (int32_t)r->n_body, sizes[2 * i + 1] = (int32_t)r->n_head;
    counts[3 * i] = (int64_t)r->counts.both, counts[3 * i + 1] = (int64_t)r->counts.body, counts[3 * i + 2] = (int64_t)r->counts.head;
    q[i] = r->q;
    memcpy(items + at, r->body, r->n_body * sizeof *items);
    memcpy(items + at + r->n_body, r->head, r->n_head * sizeof *items);
    at += r->n_body + r->n_head;
  }
  dm_status s = w->tensor(w, "sizes", DM_I32, (size_t[]){m->n, 2}, 2, sizes, err);
  if (s == DM_OK) s = w->tensor(w, "items", DM_I32, &all, 1, items, err);
  if (s == DM_OK) s = w->tensor(w, "counts", DM_I64, (size_t[]){m->n, 3}, 2, counts, err);
  if (s == DM_OK && m->tested) s = w->tensor(w, "q", DM_F64, &m->n, 1, q, err);
  return s;
}

static dm_status bind_items(const dm_rule_model *m, dm_stmt *s, int at, const uint32_t *codes, size_t n, dm_buf *text, dm_error *err) {
  dm_json_out j;
  dm_buf_reset(text);
  dm_json_out_init(&j, text, false);
  dm_rule_model_items(m, codes, n, &j);
  dm_status status = dm_buf_status(text);
  return status == DM_OK ? dm_stmt_bind(s, at, (dm_value){.type = DM_TEXT, .text = {text->p, text->n}}, err) : status;
}

/* antecedent, consequent, support and then the measures, in the order of dm_measure */
static dm_status save_row(const dm_rule_model *m, size_t rule, dm_stmt *s, dm_buf text[2], dm_error *err) {
  const dm_rule *r = &m->rules[rule];
  bool row;
  dm_status status = dm_stmt_bind_int(s, 2, (int64_t)rule + 1, err);
  if (status == DM_OK) status = bind_items(m, s, 3, r->body, r->n_body, &text[0], err);
  if (status == DM_OK) status = bind_items(m, s, 4, r->head, r->n_head, &text[1], err);
  if (status == DM_OK) status = dm_stmt_bind_int(s, 5, (int64_t)r->counts.both, err);
  for (int i = 0; i < DM_N_MEASURES && status == DM_OK; i++) {
    double v = i == DM_Q_VALUE ? r->q : dm_measure_value(&r->counts, (dm_measure)i);
    status = dm_stmt_bind(s, 6 + i, isnan(v) ? (dm_value){.type = DM_NULL} : (dm_value){.type = DM_REAL, .real = v}, err);
  }
  if (status == DM_OK) status = dm_stmt_step(s, &row, err);
  return status == DM_OK ? dm_stmt_reset(s, err) : status;
}

static dm_status save_rows(dm_store *store, const dm_rule_model *m, int64_t model_id, dm_error *err) {
  dm_ctx *ctx = dm_store_ctx(store);
  dm_stmt *s = NULL;
  dm_buf sql, text[2];
  dm_buf_init(&sql, ctx, err);
  dm_buf_init(&text[0], ctx, err);
  dm_buf_init(&text[1], ctx, err);
  dm_buf_adds(&sql, "INSERT INTO main.dm_rule(model_id, id, antecedent, consequent, support");
  for (int i = 0; i < DM_N_MEASURES; i++) dm_buf_printf(&sql, ", %s", dm_measure_name((dm_measure)i));
  dm_buf_adds(&sql, ") VALUES(?1");
  for (int i = 2; i < 6 + DM_N_MEASURES; i++) dm_buf_printf(&sql, ", ?%d", i);
  dm_buf_adds(&sql, ")");
  dm_status status = dm_buf_status(&sql);
  if (status == DM_OK) status = dm_stmt_prepare(store, sql.p, &s, err);
  if (status == DM_OK) status = dm_stmt_bind_int(s, 1, model_id, err);
  for (size_t i = 0; i < m->n && status == DM_OK; i++) {
    if (i % 4096 == 0) {
      status = dm_ctx_check(ctx, err);
      dm_progress(ctx, "rules: writing", (double)i, (double)m->n, "rules");
    }
    if (status == DM_OK) status = save_row(m, i, s, text, err);
  }
  dm_stmt_free(s);
  dm_buf_clear(&sql);
  dm_buf_clear(&text[0]);
  dm_buf_clear(&text[1]);
  return status;
}

dm_status dm_rule_model_save(dm_store *store, const dm_rule_model *m, dm_model_meta *meta, const dm_model_metric *metrics, size_t n_metrics,
                             dm_arena *arena, dm_error *err) {
  dm_checkpoint *c = NULL;
  dm_arena *work = NULL;
  dm_status s = dm_checkpoint_new(dm_store_ctx(store), &c, err);
  if (s == DM_OK) s = dm_arena_new(dm_store_ctx(store), 0, &work, err);
  if (s == DM_OK) {
    dm_model_writer *w = dm_checkpoint_open(c);
    dm_json_put_int(w->json, "transactions", (int64_t)m->total);
    dm_json_put_string(w->json, "delimiter", m->delimiter);
    dm_json_key(w->json, "tests");
    m->tested ? dm_json_double(w->json, m->tests) : dm_json_null(w->json);
    s = save_items(m, w, work, err);
    if (s == DM_OK) s = save_rules(m, w, work, err);
    if (s == DM_OK) s = dm_checkpoint_close(c, err);
  }
  meta->method = meta->task = "rules";
  if (s == DM_OK) s = dm_registry_save_content(store, c, meta, metrics, n_metrics, arena, err);
  if (s == DM_OK) s = save_rows(store, m, meta->id, err);
  dm_arena_free(work);
  dm_checkpoint_free(c);
  return s;
}

/* ---- loading ------------------------------------------------------------------------- */

typedef struct loader {
  dm_model_reader *r;
  dm_arena *arena;
  dm_rule_model *m;
  dm_error *err;
} loader;

static dm_status vector(const loader *l, const char *name, dm_dtype type, size_t *n, const void **data) {
  return l->r->tensor(l->r, name, type, 1, n, data, l->err);
}

static dm_status load_scalars(const loader *l) {
  const dm_json *total = dm_json_get(l->r->json, "transactions"), *tests = dm_json_get(l->r->json, "tests");
  const char *delimiter = dm_json_get_string(l->r->json, "delimiter", "");
  if (!total || total->type != DM_JSON_INT || total->integer < 0 || (double)total->integer > TOTAL_MAX)
    return dm_fail(l->err, DM_EINPUT, "rules: no number of transactions");
  if (strlen(delimiter) > 4) return dm_fail(l->err, DM_EINPUT, "rules: the delimiter is not one character");
  l->m->total = (uint64_t)total->integer;
  l->m->tested = tests && tests->type != DM_JSON_NULL;
  l->m->tests = l->m->tested ? tests->real : 0;
  if (l->m->tested && (tests->type == DM_JSON_STRING || !(l->m->tests > 0))) return dm_fail(l->err, DM_EINPUT, "rules: no number of tests");
  (void)snprintf(l->m->delimiter, sizeof l->m->delimiter, "%s", delimiter);
  return DM_OK;
}

static dm_status load_item(const loader *l, size_t i, dm_str name, int64_t support, int64_t most) {
  if (dm_utf8_valid(name.p, name.n) != name.n) return dm_fail(l->err, DM_EINPUT, "rules: the name of item %zu is not UTF-8", i);
  if (support < 1 || support > most) return dm_fail(l->err, DM_EINPUT, "rules: item %zu has support %lld", i, (long long)support);
  return DM_OK;
}

static dm_status load_items(const loader *l) {
  size_t bytes = 0, n = 0, k = 0, at = 0;
  const void *text = NULL, *data = NULL;
  dm_status s = vector(l, "names", DM_UTF8, &bytes, &text);
  if (s == DM_OK) s = vector(l, "name_end", DM_I64, &n, &data);
  const int64_t *end = data;
  if (s == DM_OK) s = vector(l, "support", DM_I64, &k, &data);
  const int64_t *support = data;
  if (s != DM_OK) return s;
  if (n != k || n >= UINT32_MAX) return dm_fail(l->err, DM_EINPUT, "rules: %zu names of %zu items", n, k);
  dm_str *names = dm_arena_alloc(l->arena, n, sizeof *names, l->err);
  uint64_t *counts = names ? dm_arena_alloc(l->arena, n, sizeof *counts, l->err) : NULL;
  if (!counts) return DM_EBUDGET;
  for (size_t i = 0; i < n && s == DM_OK; i++) {
    if (end[i] < (int64_t)at || (uint64_t)end[i] > bytes) return dm_fail(l->err, DM_EINPUT, "rules: the name of item %zu lies outside of the names", i);
    names[i] = (dm_str){(const char *)text + at, (size_t)end[i] - at};
    s = load_item(l, i, names[i], support[i], i ? support[i - 1] : (int64_t)l->m->total);
    counts[i] = (uint64_t)support[i];
    at = (size_t)end[i];
  }
  if (s == DM_OK && at != bytes) return dm_fail(l->err, DM_EINPUT, "rules: %zu bytes of names, the items have %zu", bytes, at);
  l->m->names = names;
  l->m->support = counts;
  l->m->n_items = n;
  return s;
}

/* Ascending codes of items. */
static bool are_codes(const dm_rule_model *m, const uint32_t *codes, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (codes[i] >= m->n_items || (i && codes[i] <= codes[i - 1])) return false;
  return n > 0;
}

static bool are_apart(const dm_rule *r) {
  uint32_t i = 0, j = 0;
  while (i < r->n_body && j < r->n_head) {
    if (r->body[i] == r->head[j]) return false;
    r->body[i] < r->head[j] ? i++ : j++;
  }
  return true;
}

static bool are_counts(const dm_rule_counts *c) {
  return c->both >= 1 && c->both <= c->body && c->both <= c->head && c->body <= c->total && c->head <= c->total && c->body - c->both <= c->total - c->head;
}

static dm_status load_rule(const loader *l, size_t number, const int32_t *items, const int64_t *counts, const double *q, dm_rule *r) {
  if (counts[0] < 0 || counts[1] < 0 || counts[2] < 0) return dm_fail(l->err, DM_EINPUT, "rules: rule %zu has negative counts", number);
  r->body = (const uint32_t *)items;
  r->head = r->body + r->n_body;
  r->counts = (dm_rule_counts){(uint64_t)counts[0], (uint64_t)counts[1], (uint64_t)counts[2], l->m->total};
  r->q = q ? *q : (double)NAN;
  if (!are_codes(l->m, r->body, r->n_body) || !are_codes(l->m, r->head, r->n_head) || !are_apart(r))
    return dm_fail(l->err, DM_EINPUT, "rules: the items of rule %zu cannot be", number);
  if (!are_counts(&r->counts)) return dm_fail(l->err, DM_EINPUT, "rules: the counts of rule %zu cannot be", number);
  if (q && !(*q >= 0 && *q <= 1)) return dm_fail(l->err, DM_EINPUT, "rules: rule %zu has q %g", number, *q);
  return DM_OK;
}

/* The tensors of all rules. */
typedef struct columns {
  size_t n, n_items;
  const int32_t *sizes, *items;
  const int64_t *counts;
  const double *q; /* or NULL */
} columns;

static dm_status load_columns(const loader *l, columns *c) {
  size_t sizes[2], counts[2], tested = 0;
  const void *data[4] = {NULL};
  dm_status s = l->r->tensor(l->r, "sizes", DM_I32, 2, sizes, &data[0], l->err);
  if (s == DM_OK) s = l->r->tensor(l->r, "counts", DM_I64, 2, counts, &data[1], l->err);
  if (s == DM_OK) s = vector(l, "items", DM_I32, &c->n_items, &data[2]);
  if (s == DM_OK && l->m->tested) s = vector(l, "q", DM_F64, &tested, &data[3]);
  if (s != DM_OK) return s;
  c->n = sizes[0];
  if (sizes[1] != 2 || c->n >= UINT32_MAX) return dm_fail(l->err, DM_EINPUT, "rules: sizes of %zu x %zu", sizes[0], sizes[1]);
  if (counts[0] != c->n || counts[1] != 3) return dm_fail(l->err, DM_EINPUT, "rules: %zu rules have counts of %zu x %zu", c->n, counts[0], counts[1]);
  if (l->m->tested && tested != c->n) return dm_fail(l->err, DM_EINPUT, "rules: %zu rules have %zu q-values", c->n, tested);
  c->sizes = data[0], c->counts = data[1], c->items = data[2], c->q = data[3];
  return DM_OK;
}

static dm_status load_rules(const loader *l) {
  columns c = {0};
  size_t at = 0;
  dm_status s = load_columns(l, &c);
  if (s != DM_OK) return s;
  dm_rule *rules = dm_arena_alloc(l->arena, c.n, sizeof *rules, l->err);
  if (!rules) return DM_EBUDGET;
  for (size_t i = 0; i < c.n && s == DM_OK; i++) {
    int64_t body = c.sizes[2 * i], head = c.sizes[2 * i + 1];
    if (body < 1 || head < 1 || (uint64_t)(body + head) > c.n_items - at)
      return dm_fail(l->err, DM_EINPUT, "rules: rule %zu of %lld and %lld items, %zu are left", i, (long long)body, (long long)head, c.n_items - at);
    rules[i].n_body = (uint32_t)body;
    rules[i].n_head = (uint32_t)head;
    s = load_rule(l, i, c.items + at, c.counts + 3 * i, c.q ? c.q + i : NULL, &rules[i]);
    at += (size_t)(body + head);
  }
  if (s == DM_OK && at != c.n_items) return dm_fail(l->err, DM_EINPUT, "rules: %zu items are left over", c.n_items - at);
  l->m->rules = rules;
  l->m->n = c.n;
  return s;
}

dm_status dm_rule_model_load(dm_store *store, const char *reference, dm_arena *arena, dm_rule_model **out, dm_model_meta *meta, dm_error *err) {
  dm_model_reader reader;
  dm_model_meta found;
  dm_status s = dm_registry_load_content(store, reference, "rules", arena, &reader, &found, err);
  if (s != DM_OK) return s;
  dm_rule_model *m = dm_arena_alloc(arena, 1, sizeof *m, err);
  if (!m) return DM_EBUDGET;
  loader l = {&reader, arena, m, err};
  s = load_scalars(&l);
  if (s == DM_OK) s = load_items(&l);
  if (s == DM_OK) s = load_rules(&l);
  if (s == DM_OK) s = rule_model_index(m, arena, err);
  if (s != DM_OK) {
    dm_error_prefix(err, "model '%s@%lld'", found.name, (long long)found.version);
    return s;
  }
  *out = m;
  if (meta) *meta = found;
  return DM_OK;
}
