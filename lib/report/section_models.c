/* Models: what each predicts, from what, how well, and how it decides. */
#include "report/sections.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MODELS_SHOWN 8
#define OTHERS_SHOWN 20
#define TEXT_SHOWN   12000

/* What metrics say, in words, and the order they are shown in. */
static const struct {
  const char *name, *says;
} meanings[] = {
    {"accuracy", "share of rows predicted right"},
    {"balanced_accuracy", "mean of the classes' recalls"},
    {"f1_macro", "mean of the classes' F1 (harmonic mean of precision and recall)"},
    {"auc", "chance that a row of the class is ranked above another; 0.5 is guessing"},
    {"log_loss", "mean negative log of the true class's probability; lower is better"},
    {"brier", "mean squared error of the probabilities; lower is better"},
    {"rmse", "root of the mean squared error, in units of the target"},
    {"mae", "mean absolute error, in units of the target"},
    {"r2", "share of the target's variance explained; 1 is perfect, 0 the mean"},
    {"reconstruction_mse", "mean squared error of the numbers, as they are scaled"},
    {"reconstruction_log_loss", "mean negative log of the probability of the category that is there; lower is better"},
    {"reconstruction_error", "mean error of a row"},
    {"unusual", "share of rows whose error is above the threshold"},
};
enum { MEANINGS = sizeof meanings / sizeof *meanings };

static size_t meaning_of(const char *metric) {
  size_t i = 0;
  while (i < MEANINGS && strcmp(meanings[i].name, metric) != 0) i++;
  return i;
}

/* ---- head ------------------------------------------------------------------------- */

static void fact_f(dm_buf *out, const char *name, const char *format, ...) DM_PRINTF(3, 4);
static void fact_f(dm_buf *out, const char *name, const char *format, ...) {
  char text[1200];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  dm_html_fact(out, name, text);
}

static void inputs_fact(dm_buf *out, const dm_scorer *scorer) {
  dm_buf text;
  dm_buf_init(&text, out->ctx, out->err);
  size_t shown = scorer->d < 12 ? scorer->d : 12;
  dm_buf_printf(&text, "%zu %s: ", scorer->d, scorer->d == 1 ? "column" : "columns");
  for (size_t i = 0; i < shown; i++) {
    if (i) dm_buf_adds(&text, ", ");
    dm_buf_adds(&text, scorer->inputs[i].name);
  }
  if (shown < scorer->d) dm_buf_printf(&text, " and %zu more", scorer->d - shown);
  if (text.failed)
    out->failed = true;
  else
    dm_html_fact(out, "inputs", text.p);
  dm_buf_clear(&text);
}

/* "max_depth 5, criterion gini" out of the parameters in force. */
static dm_status params_fact(const dm_section *s, dm_buf *out, const char *params, dm_error *err) {
  const dm_json *p = NULL;
  dm_status status = dm_json_parse(s->memory, params, strlen(params), &p, err);
  if (status != DM_OK) return status == DM_EBUDGET ? status : DM_OK;
  dm_buf text;
  dm_buf_init(&text, out->ctx, err);
  char number[DM_NUMBER_MAX];
  for (const dm_json *m = p->first; m; m = m->next) {
    const char *value = m->type == DM_JSON_STRING ? m->string.p : m->type == DM_JSON_NULL ? "auto" : number;
    if (m->type == DM_JSON_BOOL)
      value = m->integer ? "yes" : "no";
    else if (m->type == DM_JSON_INT)
      (void)dm_text_of_int(m->integer, number);
    else if (m->type == DM_JSON_DOUBLE)
      (void)dm_text_of_double(m->real, false, number);
    else if (m->type == DM_JSON_ARRAY || m->type == DM_JSON_OBJECT)
      value = "…";
    if (!*value) continue; /* a text that was not given */
    dm_buf_printf(&text, "%s%s %s", text.n ? ", " : "", m->key ? m->key : "", value);
  }
  if (text.n) dm_html_fact(out, "parameters", text.p);
  status = dm_buf_status(&text);
  dm_buf_clear(&text);
  return status;
}

static dm_status head(const dm_section *s, const dm_model_meta *m, const dm_scorer *scorer, dm_error *err) {
  dm_buf *out = &s->page->body;
  char rows[DM_LABEL_MAX], when[32];
  dm_number_count((uint64_t)(m->rows > 0 ? m->rows : 0), rows);
  dm_html_time(m->started, when);
  dm_buf_adds(out, "<dl class=\"facts\">\n");
  size_t k = scorer->target.levels.n;
  if (m->target && k)
    fact_f(out, "predicts", "%.200s, one of %zu classes", m->target, k);
  else if (m->target)
    fact_f(out, "predicts", "%.200s, a number", m->target);
  if (!m->target && scorer->model->n_code) fact_f(out, "learns", "%zu features", scorer->model->n_code);
  fact_f(out, "method", "%s", scorer->model->learner->summary);
  fact_f(out, "trained", "%s UTC, %s rows, %.3g s, seed %llu, dm %s", when, rows, m->seconds,
         (unsigned long long)m->seed, m->lib_version ? m->lib_version : "–");
  if (m->source_sql)
    fact_f(out, "rows from", "%.500s%s", m->source_sql, strlen(m->source_sql) > 500 ? "…" : "");
  inputs_fact(out, scorer);
  for (size_t i = 0; i < scorer->n_before; i++)
    fact_f(out, "learned from", "%zu features of a model by %s: %s", scorer->before[i].model->n_code, scorer->before[i].model->learner->name,
           scorer->before[i].model->learner->summary);
  dm_status status = m->params_json ? params_fact(s, out, m->params_json, err) : DM_OK;
  if (m->sha256) fact_f(out, "SHA-256", "%.16s…", m->sha256);
  dm_buf_adds(out, "</dl>\n");
  return status;
}

/* ---- metrics ------------------------------------------------------------------------ */

#define SPLITS 6

static size_t place_of(const char *const *names, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(names[i], name) == 0) return i;
  return n;
}

/* One row per metric, one column per split; the best known first. */
static dm_status metrics_table(const dm_section *s, int64_t model, dm_error *err) {
  dm_model_metric *metrics = NULL;
  size_t n = 0, n_splits = 0, n_names = 0;
  dm_status status = dm_registry_metrics(s->store, model, s->memory, &metrics, &n, err);
  if (status != DM_OK) return status;
  const char *splits[SPLITS], *headings[SPLITS + 3] = {"Metric"};
  const char **names = dm_arena_alloc(s->memory, n + 1, sizeof *names, err);
  if (!names) return DM_EBUDGET;
  static const char *const known[] = {"test", "train"};
  for (size_t k = 0; k < 2; k++)
    for (size_t i = 0; i < n; i++)
      if (strcmp(metrics[i].split, known[k]) == 0 && place_of(splits, n_splits, known[k]) == n_splits)
        splits[n_splits++] = known[k];
  for (size_t i = 0; i < n; i++) {
    if (n_splits < SPLITS && place_of(splits, n_splits, metrics[i].split) == n_splits)
      splits[n_splits++] = metrics[i].split;
    if (place_of(names, n_names, metrics[i].name) < n_names) continue;
    size_t at = n_names++;
    for (; at > 0 && meaning_of(names[at - 1]) > meaning_of(metrics[i].name); at--) names[at] = names[at - 1];
    names[at] = metrics[i].name;
  }
  if (n_names == 0) {
    dm_html_note(s->page, "No metrics are stored with this model: it was trained without a test part.");
    return DM_OK;
  }
  for (size_t k = 0; k < n_splits; k++) {
    headings[k + 1] = dm_arena_printf(s->memory, err, "#%s", splits[k]);
    if (!headings[k + 1]) return DM_EBUDGET;
  }
  headings[n_splits + 1] = "Meaning";
  dm_buf *out = &s->page->body;
  dm_html_table(out, headings);
  for (size_t m = 0; m < n_names; m++) {
    dm_html_wrap(out, "<tr><td>", dm_str_of(names[m]), "</td>");
    for (size_t k = 0; k < n_splits; k++) {
      double value = (double)NAN;
      for (size_t i = 0; i < n; i++)
        if (strcmp(metrics[i].split, splits[k]) == 0 && strcmp(metrics[i].name, names[m]) == 0)
          value = metrics[i].value;
      dm_html_cell_value(out, value);
    }
    size_t known_as = meaning_of(names[m]);
    dm_html_wrap(out, "<td class=\"gone\">", dm_str_of(known_as < MEANINGS ? meanings[known_as].says : ""),
                 "</td></tr>\n");
  }
  dm_html_table_end(out);
  return DM_OK;
}

/* ---- one model ------------------------------------------------------------------------ */

static dm_status readable_text(const dm_section *s, const dm_scorer *scorer, dm_error *err) {
  const dm_learner *learner = scorer->model->learner;
  if (!learner->describe) return DM_OK;
  dm_buf text, piece;
  dm_buf_init(&text, s->page->body.ctx, err);
  dm_buf_init(&piece, s->page->body.ctx, err);
  dm_status status = learner->describe(scorer->model, scorer, &text, err);
  if (status == DM_OK) {
    size_t shown = text.n;
    if (shown > TEXT_SHOWN) { /* whole lines */
      shown = TEXT_SHOWN;
      while (shown > 0 && text.p[shown - 1] != '\n') shown--;
    }
    dm_html_wrap(&piece, "<details><summary>The model in words</summary>\n<pre>", (dm_str){text.p, shown},
                 "</pre>\n");
    if (shown < text.n)
      dm_buf_printf(&piece,
                    "<p class=\"note\">The first %zu of %zu characters; dm-mine models show has all.</p>\n",
                    shown, text.n);
    dm_buf_adds(&piece, "</details>\n");
    if (!dm_html_admit(s->page, &piece))
      dm_html_note(s->page, "The model in words is left out, so that the page stays small.");
  }
  dm_buf_clear(&text);
  dm_buf_clear(&piece);
  return status;
}

/* Rules score no rows: they have facts and pictures of their own. */
static dm_status show_rules(const dm_section *s, const dm_model_meta *m, dm_error *err) {
  dm_buf *out = &s->page->body;
  char rows[DM_LABEL_MAX], when[32];
  dm_number_count((uint64_t)(m->rows > 0 ? m->rows : 0), rows);
  dm_html_time(m->started, when);
  dm_buf_adds(out, "<dl class=\"facts\">\n");
  fact_f(out, "holds", "itemsets and rules");
  fact_f(out, "found", "%s UTC in %s transactions, %.3g s, dm %s", when, rows, m->seconds, m->lib_version ? m->lib_version : "–");
  if (m->source_sql) fact_f(out, "from", "%.500s%s", m->source_sql, strlen(m->source_sql) > 500 ? "…" : "");
  dm_status status = m->params_json ? params_fact(s, out, m->params_json, err) : DM_OK;
  if (m->sha256) fact_f(out, "SHA-256", "%.16s…", m->sha256);
  dm_buf_adds(out, "</dl>\n");
  return status == DM_OK ? dm_section_rules(s, m, err) : status;
}

static dm_status show_model(const dm_section *s, const dm_model_meta *m, dm_error *err) {
  char title[300];
  (void)snprintf(title, sizeof title, "%.200s, version %lld", m->name, (long long)m->version);
  dm_html_heading(s->page, 3, dm_str_of(title));
  if (strcmp(m->method, "rules") == 0) return show_rules(s, m, err);
  char *reference = dm_arena_printf(s->memory, err, "%s@%lld", m->name, (long long)m->version);
  if (!reference) return DM_EBUDGET;
  dm_scorer *scorer = NULL;
  dm_model_meta meta = {0};
  dm_error problem = {0};
  dm_status status = dm_registry_load(s->store, reference, s->memory, &scorer, &meta, &problem);
  if (status == DM_EINPUT || status == DM_EUSAGE) { /* a damaged model is worth a report, too */
    dm_html_wrap(&s->page->body, "<p class=\"bad\">This model cannot be used: ", dm_str_of(problem.message),
                 "</p>\n");
    return DM_OK;
  }
  if (status != DM_OK) {
    if (err) *err = problem;
    return status;
  }
  status = head(s, m, scorer, err);
  if (status == DM_OK) status = metrics_table(s, m->id, err);
  if (status == DM_OK) status = dm_section_evaluation(s, m, scorer, err);
  if (status == DM_OK) status = dm_section_encoding(s, m, scorer, err);
  if (status == DM_OK) status = dm_section_training(s, m, err);
  if (status == DM_OK) status = dm_section_tree(s, scorer, err);
  if (status == DM_OK) status = readable_text(s, scorer, err);
  dm_scorer_free(scorer);
  return status;
}

static void other_models(const dm_section *s, size_t shown) {
  static const char *const headings[] = {"Model", "Method", "Predicts", "#Rows", "#Trained (UTC)", NULL};
  size_t listed = 0, passed = 0, others = s->n_models - shown;
  if (others == 0) return;
  dm_html_heading(s->page, 3, dm_str_of("Other models and versions"));
  dm_html_table(&s->page->body, headings);
  for (size_t i = 0; i < s->n_models && listed < OTHERS_SHOWN; i++) {
    const dm_model_meta *m = &s->models[i];
    if (m->active && passed++ < shown) continue;
    char name[300], when[32];
    bool training = m->status && strcmp(m->status, DM_STATUS_TRAINING) == 0;
    (void)snprintf(name, sizeof name, "%.200s@%lld%s", m->name, (long long)m->version, training ? " (not finished)" : "");
    if (strcmp(m->status, DM_STATUS_TRAINING) == 0)
      (void)snprintf(when, sizeof when, "in training");
    else
      dm_html_time(m->started, when);
    dm_buf *out = &s->page->body;
    dm_buf_adds(out, "<tr>");
    dm_html_cell(out, dm_str_of(name));
    dm_html_cell(out, dm_str_of(m->method));
    dm_html_cell(out, dm_str_of(m->target ? m->target : "–"));
    dm_html_cell_count(out, (uint64_t)(m->rows > 0 ? m->rows : 0));
    dm_html_wrap(out, "<td class=\"n\">", dm_str_of(when), "</td></tr>\n");
    listed++;
  }
  dm_html_table_end(&s->page->body);
  if (listed < others) dm_html_note(s->page, "%zu of %zu shown; dm-mine models lists all.", listed, others);
}

dm_status dm_section_models(const dm_section *s, dm_error *err) {
  dm_html_heading(s->page, 2, dm_str_of("What was learned"));
  if (s->n_models == 0) {
    dm_html_note(s->page, "No model was trained.");
    return DM_OK;
  }
  size_t shown = 0;
  dm_status status = DM_OK;
  for (size_t i = 0; i < s->n_models && status == DM_OK && shown < MODELS_SHOWN; i++) {
    if (!s->models[i].active) continue;
    if (s->page->body.n + 4000 > s->page->limit) break;
    status = show_model(s, &s->models[i], err);
    shown++;
  }
  if (status == DM_OK) other_models(s, shown);
  return status;
}
