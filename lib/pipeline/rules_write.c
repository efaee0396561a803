/*
 * Files of sets and rules:
 *
 *   .csv .tsv  items,support              antecedent,consequent,support,share,coverage,confidence, …   sets of items are JSON arrays
 *   .jsonl     {"items":["a"],"support":12}   {"antecedent":["a"],"consequent":["b"],"support":12, …}
 *   else       a b (12)                   {a, b} => {c}  support 12  confidence 0.8  lift 1.2
 */
#include "pipeline/rules.h"

#include <math.h>
#include <string.h>

static bool ends_in(const char *path, const char *ending) {
  size_t n = strlen(path), m = strlen(ending);
  return n >= m && strcmp(path + n - m, ending) == 0;
}

static dm_itemsets_format format_of(const char *path) {
  if (ends_in(path, ".jsonl")) return DM_ITEMSETS_JSONL;
  if (ends_in(path, ".tsv")) return DM_ITEMSETS_TSV;
  return ends_in(path, ".csv") || strcmp(path, "-") == 0 ? DM_ITEMSETS_CSV : DM_ITEMSETS_TEXT;
}

static dm_status finish(dm_outfile *f, dm_status s, dm_error *err) {
  if (s == DM_OK) return dm_outfile_commit(f, err);
  dm_outfile_abort(f);
  return s;
}

dm_status rules_write_found(rules_job *j, dm_error *err) {
  dm_outfile *f = NULL;
  dm_status s = dm_outfile_open(j->ctx, j->o->path, &f, err);
  if (s == DM_OK) s = dm_itemsets_write(j->ctx, j->t, &j->search, format_of(j->o->path), f, &j->r.itemsets, err);
  return finish(f, s, err);
}

/* ---- what is kept -------------------------------------------------------------------------- */

typedef struct writer {
  dm_itemsets_format format;
  dm_str *names;  /* [codes] of items, as JSON strings fit for the format */
  dm_buf text;    /* of the lines that were not written yet */
  dm_outfile *file;
} writer;

static dm_status name_items(writer *w, rules_job *j, dm_error *err) {
  dm_status s = DM_OK;
  dm_buf json, cell;
  dm_json_out out;
  if (!(w->names = dm_arena_alloc(j->work, j->t->n_items + 1, sizeof *w->names, err))) return DM_EBUDGET;
  dm_buf_init(&json, j->ctx, err);
  dm_buf_init(&cell, j->ctx, err);
  for (size_t i = 0; s == DM_OK && i < j->t->n_items; i++) {
    dm_buf_reset(&json);
    dm_buf_reset(&cell);
    dm_json_out_init(&out, &json, false);
    dm_json_string_n(&out, j->t->names[i].p, j->t->names[i].n);
    for (size_t k = 0; k < json.n; k++) {
      if (json.p[k] == '"' && w->format == DM_ITEMSETS_CSV) dm_buf_addc(&cell, '"');
      dm_buf_addc(&cell, json.p[k]);
    }
    if (dm_buf_status(&json) != DM_OK || dm_buf_status(&cell) != DM_OK) s = DM_EBUDGET;
    if (s == DM_OK && !(w->names[i].p = dm_arena_strdup(j->work, cell.p, cell.n, err))) s = DM_EBUDGET;
    w->names[i].n = cell.n;
  }
  dm_buf_clear(&json);
  dm_buf_clear(&cell);
  return s;
}

static void add_items(writer *w, const uint32_t *items, size_t n) {
  bool csv = w->format == DM_ITEMSETS_CSV;
  dm_buf_adds(&w->text, csv ? "\"[" : "[");
  for (size_t i = 0; i < n; i++) {
    if (i) dm_buf_addc(&w->text, ',');
    dm_buf_add(&w->text, w->names[items[i]].p, w->names[items[i]].n);
  }
  dm_buf_adds(&w->text, csv ? "]\"" : "]");
}

static void add_int(writer *w, uint64_t v) {
  char number[DM_NUMBER_MAX];
  dm_buf_add(&w->text, number, dm_text_of_int((int64_t)v, number));
}

/* Infinite or undefined: null, or an empty cell. */
static void add_real(writer *w, double v) {
  char number[DM_NUMBER_MAX];
  if (isfinite(v))
    dm_buf_add(&w->text, number, dm_text_of_double(v, false, number));
  else if (w->format == DM_ITEMSETS_JSONL)
    dm_buf_adds(&w->text, "null");
}

/* Between two cells; in JSON the name of the next. */
static void next_cell(writer *w, const char *name, bool first) {
  if (w->format != DM_ITEMSETS_JSONL) {
    if (!first) dm_buf_addc(&w->text, w->format == DM_ITEMSETS_TSV ? '\t' : ',');
    return;
  }
  dm_buf_adds(&w->text, first ? "{\"" : ",\"");
  dm_buf_adds(&w->text, name);
  dm_buf_adds(&w->text, "\":");
}

static void end_line(writer *w) { dm_buf_adds(&w->text, w->format == DM_ITEMSETS_JSONL ? "}\n" : "\n"); }

static dm_status pass_on(writer *w, dm_error *err) {
  dm_status s = dm_buf_status(&w->text);
  if (s == DM_OK) s = dm_outfile_write(w->file, w->text.p, w->text.n, err);
  dm_buf_reset(&w->text);
  return s;
}

static void names_for_people(writer *w, const dm_transactions *t, const uint32_t *items, size_t n, const char *between) {
  for (size_t i = 0; i < n; i++) {
    if (i) dm_buf_adds(&w->text, between);
    dm_buf_add(&w->text, t->names[items[i]].p, t->names[items[i]].n);
  }
}

/* ---- sets, rules ------------------------------------------------------------------------------ */

static dm_status write_sets(rules_job *j, writer *w, dm_error *err) {
  const dm_itemsets *sets = &j->sets;
  dm_status s = DM_OK;
  if (w->format == DM_ITEMSETS_CSV) dm_buf_adds(&w->text, "items,support\n");
  if (w->format == DM_ITEMSETS_TSV) dm_buf_adds(&w->text, "items\tsupport\n");
  for (size_t i = 0; s == DM_OK && i < sets->n; i++) {
    const uint32_t *items = sets->items + sets->start[i];
    size_t n = sets->start[i + 1] - sets->start[i];
    if (w->format == DM_ITEMSETS_TEXT) {
      names_for_people(w, j->t, items, n, " ");
      dm_buf_printf(&w->text, " (%llu)\n", (unsigned long long)sets->support[i]);
    } else {
      next_cell(w, "items", true);
      add_items(w, items, n);
      next_cell(w, "support", false);
      add_int(w, sets->support[i]);
      end_line(w);
    }
    if (w->text.n > 1 << 16) s = pass_on(w, err);
  }
  return s == DM_OK ? pass_on(w, err) : s;
}

static void rule_line(const rules_job *j, writer *w, const dm_rule *rule, dm_measure last) {
  if (w->format == DM_ITEMSETS_TEXT) {
    dm_buf_addc(&w->text, '{');
    names_for_people(w, j->t, rule->body, rule->n_body, ", ");
    dm_buf_adds(&w->text, "} => {");
    names_for_people(w, j->t, rule->head, rule->n_head, ", ");
    dm_buf_printf(&w->text, "}  support %llu  confidence %.4g  lift %.4g\n", (unsigned long long)rule->counts.both,
                  dm_measure_value(&rule->counts, DM_CONFIDENCE), dm_measure_value(&rule->counts, DM_LIFT));
    return;
  }
  next_cell(w, "antecedent", true);
  add_items(w, rule->body, rule->n_body);
  next_cell(w, "consequent", false);
  add_items(w, rule->head, rule->n_head);
  next_cell(w, "support", false);
  add_int(w, rule->counts.both);
  for (int m = DM_SUPPORT; m <= (int)last; m++) {
    next_cell(w, dm_measure_name((dm_measure)m), false);
    add_real(w, m == DM_Q_VALUE ? rule->q : dm_measure_value(&rule->counts, (dm_measure)m));
  }
  end_line(w);
}

static dm_status write_rules(rules_job *j, writer *w, dm_error *err) {
  dm_status s = DM_OK;
  dm_measure last = j->n_rules && !isnan(j->rules[0].q) ? DM_Q_VALUE : DM_FISHER_P; /* q only where it was computed */
  if (w->format == DM_ITEMSETS_CSV || w->format == DM_ITEMSETS_TSV) {
    const char *between = w->format == DM_ITEMSETS_TSV ? "\t" : ",";
    dm_buf_printf(&w->text, "antecedent%sconsequent%ssupport", between, between);
    for (int m = DM_SUPPORT; m <= (int)last; m++) dm_buf_printf(&w->text, "%s%s", between, dm_measure_name((dm_measure)m));
    dm_buf_addc(&w->text, '\n');
  }
  for (size_t i = 0; s == DM_OK && i < j->n_rules; i++) {
    rule_line(j, w, &j->rules[i], last);
    if (w->text.n > 1 << 16) s = pass_on(w, err);
    if (s == DM_OK && i % 4096 == 0) {
      dm_progress(j->ctx, "rules", (double)i, (double)j->n_rules, "rules");
      s = dm_ctx_check(j->ctx, err);
    }
  }
  return s == DM_OK ? pass_on(w, err) : s;
}

dm_status rules_write_kept(rules_job *j, dm_error *err) {
  writer w = {.format = format_of(j->o->path)};
  dm_buf_init(&w.text, j->ctx, err);
  dm_status s = dm_outfile_open(j->ctx, j->o->path, &w.file, err);
  if (s == DM_OK) s = name_items(&w, j, err);
  if (s == DM_OK) s = j->o->has_confidence ? write_rules(j, &w, err) : write_sets(j, &w, err);
  dm_buf_clear(&w.text);
  return finish(w.file, s, err);
}
