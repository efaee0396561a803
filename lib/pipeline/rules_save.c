/*
 * What `rules` leaves in the database: a model with its rules, rows of
 * dm_itemset, and the transactions themselves, packed, for the next search.
 * The sets are found and sorted before, without a lock; then all is one
 * transaction.
 */
#include "pipeline/rules.h"

#include <math.h>
#include <string.h>

/* ---- before ---------------------------------------------------------------------------- */

static dm_status take_set(void *user, const uint32_t *items, size_t n, uint64_t support, dm_error *err) {
  return dm_itemset_writer_add(user, items, n, support, err);
}

/* All sets to the writer, which sorts them: from memory, or as they are found. */
static dm_status gather_sets(rules_job *j, dm_itemset_writer *w, dm_error *err) {
  const dm_itemsets *sets = &j->sets;
  if (!j->keeps) return dm_itemsets_visit(j->ctx, j->t, &j->search, take_set, w, &j->r.itemsets, err);
  dm_status s = DM_OK;
  for (size_t i = 0; s == DM_OK && i < sets->n; i++)
    s = dm_itemset_writer_add(w, sets->items + sets->start[i], sets->start[i + 1] - sets->start[i], sets->support[i], err);
  return s;
}

/* The items of the model are those that are frequent, whatever sets are asked for. */
static dm_status single_items(rules_job *j, dm_error *err) {
  dm_mine_options single = {.min_support = j->search.min_support, .max_size = 1};
  return j->r.has_rules ? DM_OK : dm_itemsets_mine(j->ctx, j->t, &single, j->work, &j->frequent, err);
}

dm_status rules_make_model(rules_job *j, dm_arena *arena, dm_error *err) {
  const dm_rules_options *o = j->o;
  dm_rule_options rules = o->rules;
  dm_status s = single_items(j, err);
  if (s != DM_OK) return s;
  bool tested = j->n_rules && !isnan(j->rules[0].q);
  const dm_rule_model_parts parts = {.names = j->t->names, .total = j->t->total, .sets = &j->frequent, .rules = j->rules, .n = j->n_rules,
                                     .tests = tested ? dm_rules_tests(&j->frequent, &rules) : 0,
                                     .delimiter = o->basket && !o->delimiter ? "," : o->delimiter};
  dm_rule_model *model = NULL;
  s = dm_rule_model_make(&parts, arena, &model, err);
  if (s == DM_OK) j->r.rule_model = model;
  return s;
}

/* ---- the row of dm_model ------------------------------------------------------------------ */

static void put_texts(dm_json_out *j, const char *key, const char *const *texts, size_t n) {
  if (!n) return;
  dm_json_key(j, key);
  dm_json_array(j);
  for (size_t i = 0; i < n; i++) dm_json_string(j, texts[i]);
  dm_json_end_array(j);
}

static void put_source(const dm_rules_options *o, dm_json_out *j) {
  if (o->transaction_file) dm_json_put_string(j, "format", "basket");
  if (o->tid) dm_json_put_string(j, "tid", o->tid);
  if (o->item) dm_json_put_string(j, "item", o->item);
  if (o->basket) dm_json_put_string(j, "basket", o->basket);
  if (o->delimiter) dm_json_put_string(j, "delimiter", o->delimiter);
  if (o->columns) put_texts(j, "columns", o->columns, o->n_columns);
  if (o->one_hot) dm_json_put_bool(j, "one_hot", true);
  if (o->bins) dm_json_put_int(j, "bins", (int64_t)o->bins);
  if (o->count) dm_json_put_string(j, "count", o->count);
  if (o->hierarchy) dm_json_put_string(j, "hierarchy", o->hierarchy);
  put_texts(j, "never", o->never, o->n_never);
}

static void put_rules(const dm_rules_options *o, dm_json_out *j) {
  dm_json_put_double(j, "min_confidence", o->rules.min_confidence);
  dm_json_put_string(j, "measure", dm_measure_name(o->rules.measure));
  dm_json_put_int(j, "max_head", (int64_t)o->rules.max_head);
  put_texts(j, "left", o->left, o->n_left);
  put_texts(j, "right", o->right, o->n_right);
  if (o->rules.max_q > 0) dm_json_put_double(j, "max_q", o->rules.max_q);
  if (o->rules.drop_redundant) dm_json_put_string(j, "redundant", "drop");
  if (o->rules.min_improvement > 0) dm_json_put_double(j, "min_improvement", o->rules.min_improvement);
}

/* What was asked for, so that it can be asked for again. */
static const char *params_text(const rules_job *job, dm_arena *arena, dm_error *err) {
  const dm_rules_options *o = job->o;
  dm_buf text;
  dm_json_out j;
  dm_buf_init(&text, job->ctx, err);
  dm_json_out_init(&j, &text, false);
  dm_json_object(&j);
  put_source(o, &j);
  dm_json_put_int(&j, "min_support", (int64_t)job->search.min_support);
  dm_json_put_string(&j, "kind", job->r.kind);
  dm_json_put_string(&j, "algorithm", dm_itemsets_algorithm(&job->search));
  if (o->min_size) dm_json_put_int(&j, "min_size", (int64_t)o->min_size);
  if (o->max_size) dm_json_put_int(&j, "max_size", (int64_t)o->max_size);
  if (o->top && o->top != SIZE_MAX) dm_json_put_int(&j, "top", (int64_t)o->top);
  if (o->has_confidence) put_rules(o, &j);
  dm_json_end_object(&j);
  const char *out = dm_buf_status(&text) == DM_OK ? dm_arena_strdup(arena, text.p, text.n, err) : NULL;
  dm_buf_clear(&text);
  return out;
}

static dm_status describe(rules_job *j, dm_arena *arena, dm_error *err) {
  j->r.meta = (dm_model_meta){
      .method = "rules",
      .task = "rules",
      .status = DM_STATUS_READY,
      .lib_version = DM_VERSION,
      .rows = (int64_t)j->t->total,
      .seed = dm_ctx_seed(j->ctx),
      .seconds = j->r.seconds,
      .name = dm_arena_strdup(arena, j->o->into, strlen(j->o->into), err),
      .params_json = params_text(j, arena, err),
      .source_sql = dm_arena_strdup(arena, j->src->text, strlen(j->src->text), err),
      .source_digest = dm_arena_strdup(arena, j->reading.digest, strlen(j->reading.digest), err),
      .started = dm_arena_strdup(arena, j->started, strlen(j->started), err),
  };
  const dm_model_meta *m = &j->r.meta;
  return m->name && m->params_json && m->source_sql && m->source_digest && m->started ? DM_OK : DM_EBUDGET;
}

/* ---- one transaction ------------------------------------------------------------------------- */

static dm_status write_all(rules_job *j, dm_itemset_writer **w, dm_arena *arena, dm_error *err) {
  const dm_model_metric metrics[] = {{"train", "transactions", (double)j->t->total}, {"train", "items", (double)j->t->n_items},
                                     {"train", "itemsets", (double)j->r.itemsets},   {"train", "rules", (double)j->n_rules}};
  int64_t run;
  uint64_t written;
  bool kept;
  dm_status s = dm_store_ensure_schema(j->store, err);
  if (s == DM_OK) s = dm_run_start(j->store, "rules", j->r.meta.params_json, NULL, &run, err);
  if (s == DM_OK) s = dm_rule_model_save(j->store, j->r.rule_model, &j->r.meta, metrics, j->r.has_rules ? 4 : 3, arena, err);
  if (s != DM_OK) return s;
  s = dm_itemset_writer_finish(*w, j->r.meta.id, &written, err);
  *w = NULL;
  if (s == DM_OK) s = dm_run_end(j->store, run, "done", err);
  if (s != DM_OK) return s;
  return j->reading.pack ? dm_reading_keep(j->store, &j->reading, &kept, err) : dm_reading_renew(j->store, err);
}

dm_status rules_save(rules_job *j, dm_arena *arena, dm_error *err) {
  dm_itemset_writer *w = NULL;
  dm_status s = dm_itemset_writer_open(j->store, j->t->names, j->t->n_items, &w, err);
  if (s == DM_OK) s = gather_sets(j, w, err);
  if (s == DM_OK) s = rules_make_model(j, arena, err);
  if (s == DM_OK) s = describe(j, arena, err);
  if (s == DM_OK) s = dm_store_begin(j->store, err);
  if (s == DM_OK) {
    s = write_all(j, &w, arena, err);
    if (s == DM_OK) s = dm_store_commit(j->store, err);
    if (s != DM_OK) dm_store_rollback(j->store);
  }
  dm_itemset_writer_free(w);
  j->r.saved = s == DM_OK;
  return s;
}
