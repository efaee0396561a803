/* dm-mine: models. Options, printing and exit codes; all work is libdm's. */
#include "cli.h"
#include "mine_rules.h"
#include "print.h"

#include <stdio.h>
#include <string.h>

/* ---- run ------------------------------------------------------------------------ */

static const option_spec run_options[] = {{"resume", 0, OPTION_FLAG, NULL, "skip the parts that are done and whose inputs are unchanged; go on with unfinished trainings"}, {0}};
static const option_spec *const run_tables[] = {run_options, NULL};

static dm_status run_run(cli *c) {
  dm_run_result r = {0};
  dm_status s = dm_pipeline_run(c->ctx, c->arguments[0], cli_has(c, "resume"), c->arena, &r, &c->err);
  if (s != DM_OK) return s;
  if (r.rejects) c->exit_code = 1;
  if (c->json) {
    dm_json_raw(&c->j, r.json, strlen(r.json));
    return DM_OK;
  }
  dm_buf_printf(&c->out, "accepted %llu, rejected %llu%s; %zu sources, %zu models\n", (unsigned long long)r.rows, (unsigned long long)r.rejects,
                r.rejects ? " (table dm_reject)" : "", r.n_sources, r.n_models);
  dm_buf_printf(&c->out, "database %s\n", r.database);
  if (r.report) dm_buf_printf(&c->out, "report   %s\n", r.report);
  return DM_OK;
}

/* ---- train ------------------------------------------------------------------------ */

static const option_spec train_options[] = {
    {"target", 0, OPTION_VALUE, "COL", "column to predict"},
    {"task", 0, OPTION_VALUE, "auto|classify|regress", "auto: text, or integers with at most 50 values, classify"},
    {"features", 0, OPTION_LIST, "A,B,...", "columns to learn from (default: all others)"},
    {"ignore", 0, OPTION_LIST, "A,B,...", "columns to leave out"},
    {"features-from", 0, OPTION_VALUE, "MODEL", "learn from the features that this model has learned, and keep it as a part"},
    {"group", 0, OPTION_VALUE, "COL", "rows with the same value stay on one side of a split"},
    {"model", 0, OPTION_VALUE, "NAME", "name of the model (default: the method's)"},
    {"test", 0, OPTION_VALUE, "SHARE", "hold out this share for the test, for instance 0.25"},
    {"folds", 0, OPTION_VALUE, "K", "measure by K-fold cross-validation"},
    {"train-metrics", 0, OPTION_FLAG, NULL, "metrics on the training rows too"},
    {"time-limit", 0, OPTION_VALUE, "SECONDS", "methods with epochs: end training then, with the best so far; folds share the time"},
    {"checkpoint", 0, OPTION_VALUE, "EPOCHS", "methods with epochs: keep the state every so often (default: each 60 s; 0 = never)"},
    {"resume", 0, OPTION_FLAG, NULL, "go on with the unfinished training of this model, to the same result"},
    {0}};
static const option_spec *const train_tables[] = {train_options, cli_reading_options, NULL};

static dm_status set_params(cli *c, const dm_learner *learner, dm_params **out) {
  dm_status s = dm_params_new(c->ctx, learner->name, learner->params, out, &c->err);
  for (size_t i = 0; s == DM_OK && i < c->n_parameters; i++) s = dm_params_set(*out, c->parameters[i].name, c->parameters[i].value, &c->err);
  return s;
}

/* What only methods with epochs have; the library refuses it for others. */
static dm_status set_course(cli *c, dm_train_options *o) {
  double every = 0;
  dm_status s = cli_number(c, "time-limit", 0.001, 1e8, false, &o->time_limit);
  if (s == DM_OK) s = cli_number(c, "checkpoint", 0, 1e9, true, &every);
  if (cli_has(c, "checkpoint")) o->checkpoint = every > 0 ? (int64_t)every : DM_CHECKPOINT_NEVER;
  o->resume = cli_has(c, "resume") ? DM_RESUME_YES : DM_RESUME_NO;
  return s;
}

static dm_status run_train(cli *c) {
  dm_csv_options reading;
  dm_train_options o = {.method = c->arguments[0], .target = cli_value(c, "target"), .model = cli_value(c, "model"), .group = cli_value(c, "group"),
                        .features_from = cli_value(c, "features-from"),
                        .train_metrics = cli_has(c, "train-metrics")};
  dm_src src;
  dm_params *params = NULL;
  dm_store *store = NULL;
  dm_train_result r;
  double folds = 0;
  const char *task = cli_value(c, "task");
  o.task = !task || strcmp(task, "auto") == 0 ? DM_TASK_AUTO : strcmp(task, "classify") == 0 ? DM_TASK_CLASSIFY : DM_TASK_REGRESS;
  const dm_learner *learner = dm_learner_find(c->ctx, o.method, &c->err);
  if (!learner) return DM_EUSAGE;
  dm_status s = cli_values(c, "features", true, &o.features, &o.n_features);
  if (s == DM_OK) s = cli_values(c, "ignore", true, &o.ignored, &o.n_ignored);
  if (s == DM_OK) s = cli_number(c, "test", 0, 0.999, false, &o.test);
  if (s == DM_OK) s = cli_number(c, "folds", 2, 1000, true, &folds);
  o.folds = (size_t)folds;
  if (s == DM_OK) s = set_course(c, &o);
  if (s == DM_OK) s = set_params(c, learner, &params);
  o.params = params;
  if (s == DM_OK) s = cli_open(c, c->arguments[1], DM_STORE_READ | DM_STORE_WRITE | DM_STORE_CREATE, &store);
  if (s == DM_OK) s = cli_source(c, store, c->arguments[2], &reading, &src);
  if (s == DM_OK) s = dm_train(store, &src, &o, c->arena, &r, &c->err);
  if (s == DM_OK && r.rejects) c->exit_code = 1;
  if (s == DM_OK && c->json) dm_train_json(&r, &c->j);
  if (s == DM_OK && !c->json) print_train(&c->out, &r);
  dm_params_free(params);
  dm_store_close(store);
  return s;
}

/* ---- predict, encode, evaluate --------------------------------------------------------- */

static const option_spec predict_options[] = {{"into", 0, OPTION_VALUE, "T", "write a table"},
                                              {"output", 'o', OPTION_VALUE, "FILE", "write a file (.csv, .tsv, .jsonl); - is standard output, the default"},
                                              {"replace", 0, OPTION_FLAG, NULL, "replace the table of --into"},
                                              {0}};
static const option_spec *const predict_tables[] = {predict_options, cli_reading_options, NULL};

/* Where the rows go. */
static dm_status scored_options(cli *c, const char *what, dm_predict_options *o) {
  *o = (dm_predict_options){.into = cli_value(c, "into"), .path = cli_value(c, "output"), .replace = cli_has(c, "replace")};
  if (o->into && o->path) return dm_fail(&c->err, DM_EUSAGE, "--into and -o exclude each other");
  if (!o->into && !o->path) o->path = "-";
  if (!c->json || !o->path || strcmp(o->path, "-") != 0) return DM_OK;
  (void)dm_fail(&c->err, DM_EUSAGE, "--json and the %s both want standard output", what);
  dm_error_hint(&c->err, "give --into TABLE or -o FILE");
  return DM_EUSAGE;
}

static void print_scored(cli *c, const char *verb, const dm_predict_options *o, const dm_predict_result *r) {
  if (o->path && strcmp(o->path, "-") == 0) return;
  dm_buf_printf(&c->out, "%llu rows %s by %s@%lld into %s, %.3f s\n", (unsigned long long)r->rows, verb, r->meta.name,
                (long long)r->meta.version, o->into ? o->into : o->path, r->seconds);
}

static dm_status run_predict(cli *c) {
  dm_csv_options reading;
  dm_src src;
  dm_predict_options o;
  dm_store *store = NULL;
  dm_predict_result r;
  dm_status s = scored_options(c, "predictions", &o);
  if (s == DM_OK) s = cli_open(c, c->arguments[0], o.into ? DM_STORE_READ | DM_STORE_WRITE : DM_STORE_READ, &store);
  if (s == DM_OK) s = cli_source(c, store, c->arguments[2], &reading, &src);
  if (s == DM_OK) s = dm_predict(store, c->arguments[1], &src, &o, c->arena, &r, &c->err);
  if (s == DM_OK && r.rejects) c->exit_code = 1;
  if (s == DM_OK && c->json) dm_predict_json(&r, o.into, o.path, &c->j);
  if (s == DM_OK && !c->json) print_scored(c, "scored", &o, &r);
  dm_store_close(store);
  return s;
}

static const option_spec encode_options[] = {{"into", 0, OPTION_VALUE, "T", "write a table"},
                                             {"output", 'o', OPTION_VALUE, "FILE", "write a file (.csv, .tsv, .jsonl); - is standard output, the default"},
                                             {"as", 0, OPTION_VALUE, "columns|blob", "columns: e1, e2, ...; blob: one column code, float32"},
                                             {"replace", 0, OPTION_FLAG, NULL, "replace the table of --into"},
                                             {0}};
static const option_spec *const encode_tables[] = {encode_options, cli_reading_options, NULL};

static dm_status run_encode(cli *c) {
  dm_csv_options reading;
  dm_src src;
  dm_predict_options o;
  dm_store *store = NULL;
  dm_predict_result r;
  const char *as = cli_value(c, "as");
  dm_status s = scored_options(c, "features", &o);
  if (s == DM_OK) s = cli_open(c, c->arguments[0], o.into ? DM_STORE_READ | DM_STORE_WRITE : DM_STORE_READ, &store);
  if (s == DM_OK) s = cli_source(c, store, c->arguments[2], &reading, &src);
  if (s == DM_OK) s = dm_encode(store, c->arguments[1], &src, &o, as && strcmp(as, "blob") == 0, c->arena, &r, &c->err);
  if (s == DM_OK && r.rejects) c->exit_code = 1;
  if (s == DM_OK && c->json) dm_encode_json(&r, o.into, o.path, &c->j);
  if (s == DM_OK && !c->json) print_scored(c, "encoded", &o, &r);
  dm_store_close(store);
  return s;
}

static const option_spec *const evaluate_tables[] = {cli_reading_options, NULL};

static dm_status run_evaluate(cli *c) {
  dm_csv_options reading;
  dm_src src;
  dm_store *store = NULL;
  dm_evaluation e;
  dm_status s = cli_open(c, c->arguments[0], DM_STORE_READ, &store);
  if (s == DM_OK) s = cli_source(c, store, c->arguments[2], &reading, &src);
  if (s == DM_OK) s = dm_evaluate(store, c->arguments[1], &src, c->arena, &e, &c->err);
  if (s == DM_OK && e.rejects) c->exit_code = 1;
  if (s == DM_OK && c->json) dm_evaluation_json(&e, &c->j);
  if (s == DM_OK && !c->json) {
    dm_buf_printf(&c->out, "model %s@%lld on %llu rows\n", e.meta.name, (long long)e.meta.version, (unsigned long long)e.rows);
    print_metrics(&c->out, "", e.metrics, e.n_metrics);
  }
  dm_store_close(store);
  return s;
}

/* ---- models ---------------------------------------------------------------------------- */

static dm_status list_models(cli *c, dm_store *store) {
  dm_model_meta *models;
  size_t n;
  dm_status s = dm_registry_list(store, c->arena, &models, &n, &c->err);
  if (s != DM_OK) return s;
  if (c->json) {
    dm_json_array(&c->j);
    for (size_t i = 0; s == DM_OK && i < n; i++) {
      dm_model_metric *metrics;
      size_t n_metrics;
      s = dm_registry_metrics(store, models[i].id, c->arena, &metrics, &n_metrics, &c->err);
      if (s == DM_OK) dm_model_json(&models[i], metrics, n_metrics, &c->j);
    }
    dm_json_end_array(&c->j);
  } else {
    print_models(&c->out, models, n);
  }
  return s;
}

static dm_status describe_scorer(cli *c, const dm_scorer *scorer) {
  for (size_t i = 0; i < scorer->n_before; i++)
    dm_buf_printf(&c->out, "stage %zu %s, %zu features for the next\n", i, scorer->before[i].model->learner->name, scorer->before[i].model->n_code);
  if (!scorer->model->learner->describe) return DM_OK;
  dm_buf_addc(&c->out, '\n');
  return scorer->model->learner->describe(scorer->model, scorer, &c->out, &c->err);
}

static dm_status describe_rules(cli *c, dm_store *store, const char *reference) {
  dm_rule_model *rules = NULL;
  dm_status s = dm_rule_model_load(store, reference, c->arena, &rules, NULL, &c->err);
  if (s == DM_OK && rules->n) dm_buf_addc(&c->out, '\n');
  if (s == DM_OK && rules->n) dm_rule_model_text(rules, MINE_RULES_SHOWN, &c->out);
  return s;
}

static dm_status show_model(cli *c, dm_store *store, const char *reference) {
  dm_scorer *scorer = NULL;
  dm_model_meta meta;
  dm_model_reader content;
  dm_model_metric *metrics;
  size_t n;
  bool scores = true;
  dm_status s = dm_registry_find(store, reference, c->arena, &meta, &c->err);
  if (s == DM_OK) s = dm_registry_scores(store, meta.id, &scores, &c->err);
  if (s == DM_OK)
    s = scores ? dm_registry_load(store, reference, c->arena, &scorer, &meta, &c->err)
               : dm_registry_load_content(store, reference, NULL, c->arena, &content, &meta, &c->err);
  if (s == DM_OK) s = dm_registry_metrics(store, meta.id, c->arena, &metrics, &n, &c->err);
  if (s == DM_OK && c->json) {
    dm_model_json(&meta, metrics, n, &c->j);
  } else if (s == DM_OK) {
    print_models(&c->out, &meta, 1);
    dm_buf_printf(&c->out, "params %s\nsource %s\nsha256 %s\n", meta.params_json, meta.source_sql ? meta.source_sql : "", meta.sha256);
    for (size_t i = 0; i < n; i++) dm_buf_printf(&c->out, "%-6s %-18s %.6g\n", metrics[i].split, metrics[i].name, metrics[i].value);
    if (scorer)
      s = describe_scorer(c, scorer);
    else if (strcmp(meta.method, "rules") == 0)
      s = describe_rules(c, store, reference);
  }
  dm_scorer_free(scorer);
  return s;
}

static void done_json(cli *c, const char *action, const char *reference, int64_t n) {
  dm_json_object(&c->j);
  dm_json_put_string(&c->j, "model", reference);
  dm_json_put_string(&c->j, "action", action);
  dm_json_put_int(&c->j, "versions", n);
  dm_json_end_object(&c->j);
}

static dm_status change_models(cli *c, dm_store *store, const char *verb, const char *reference) {
  dm_status s;
  size_t n = 1;
  const char *said = "activated";
  dm_model_meta meta;
  if (strcmp(verb, "activate") == 0) {
    s = dm_registry_activate(store, reference, &c->err);
  } else if (strcmp(verb, "drop") == 0) {
    s = dm_registry_drop(store, reference, &n, &c->err);
    said = "dropped";
  } else if (strcmp(verb, "export") == 0) {
    s = dm_registry_export(store, reference, c->arguments[3], &c->err);
    said = "exported";
  } else {
    s = dm_registry_import(store, c->arguments[3], reference, c->arena, &meta, &c->err);
    said = "imported";
  }
  if (s != DM_OK) return s;
  if (c->json)
    done_json(c, verb, reference, (int64_t)n);
  else
    dm_buf_printf(&c->out, "%s %s%s\n", said, reference, n == 1 ? "" : ", all versions");
  return DM_OK;
}

static dm_status run_models(cli *c) {
  static const char *const verbs[] = {"show", "activate", "drop", "export", "import"};
  const char *verb = c->n_arguments > 1 ? c->arguments[1] : NULL;
  dm_store *store = NULL;
  size_t which = 0, wanted;
  if (verb) {
    while (which < 5 && strcmp(verbs[which], verb) != 0) which++;
    if (which == 5) {
      const char *near = dm_text_nearest(verb, verbs, 5);
      (void)dm_fail(&c->err, DM_EUSAGE, "models: unknown action '%s', want show, activate, drop, export or import", verb);
      if (near) dm_error_hint(&c->err, "did you mean %s?", near);
      return DM_EUSAGE;
    }
    wanted = which >= 3 ? 4 : 3;
    if (c->n_arguments != wanted) return dm_fail(&c->err, DM_EUSAGE, "models %s needs MODEL%s", verb, wanted == 4 ? " FILE" : "");
  }
  bool writes = verb && which != 0 && which != 3;
  unsigned mode = !writes ? DM_STORE_READ : which == 4 ? DM_STORE_READ | DM_STORE_WRITE | DM_STORE_CREATE : DM_STORE_READ | DM_STORE_WRITE;
  dm_status s = cli_open(c, c->arguments[0], mode, &store);
  if (s == DM_OK) s = !verb ? list_models(c, store) : which == 0 ? show_model(c, store, c->arguments[2]) : change_models(c, store, verb, c->arguments[2]);
  dm_store_close(store);
  return s;
}

/* ---- audit ------------------------------------------------------------------------------- */

static const option_spec audit_options[] = {{"row", 0, OPTION_VALUE, "ID", "dm_id of the row"}, {0}};
static const option_spec *const audit_tables[] = {audit_options, NULL};

static dm_status run_audit(cli *c) {
  const char *text = cli_value(c, "row");
  dm_store *store = NULL;
  int64_t row;
  dm_buf document;
  dm_json_out j;
  const dm_json *parsed;
  if (!text || !dm_text_to_int(text, strlen(text), &row))
    return dm_fail(&c->err, DM_EUSAGE, "audit needs --row ID%s%s%s", text ? ", a whole number, not '" : "", text ? text : "", text ? "'" : "");
  dm_buf_init(&document, c->ctx, &c->err);
  dm_json_out_init(&j, &document, true);
  dm_status s = cli_open(c, c->arguments[0], DM_STORE_READ, &store);
  if (s == DM_OK) s = dm_audit_json(store, c->arguments[1], row, &j, &c->err);
  if (s == DM_OK && c->json) dm_json_raw(&c->j, document.p, document.n);
  if (s == DM_OK && !c->json) {
    s = dm_json_parse(c->arena, document.p, document.n, &parsed, &c->err);
    if (s == DM_OK) s = dm_audit_text(parsed, &c->out, &c->err);
  }
  dm_buf_clear(&document);
  dm_store_close(store);
  return s;
}

/* ---- report -------------------------------------------------------------------------------- */

static const option_spec report_options[] = {{"output", 'o', OPTION_VALUE, "FILE.html", "where to write (default report.html)"},
                                             {"title", 0, OPTION_VALUE, "TEXT", "title of the page"},
                                             {0}};
static const option_spec *const report_tables[] = {report_options, NULL};

static dm_status run_report(cli *c) {
  const char *path = cli_value(c, "output") ? cli_value(c, "output") : "report.html";
  dm_store *store = NULL;
  dm_outfile *file = NULL;
  dm_buf html;
  dm_report_options o = {.title = cli_value(c, "title")};
  if (c->json && strcmp(path, "-") == 0) return dm_fail(&c->err, DM_EUSAGE, "--json and -o - both want standard output");
  dm_buf_init(&html, c->ctx, &c->err);
  dm_status s = cli_open(c, c->arguments[0], DM_STORE_READ, &store);
  if (s == DM_OK) s = dm_report_html(store, &o, &html, &c->err);
  if (s == DM_OK) s = dm_outfile_open(c->ctx, path, &file, &c->err);
  if (s == DM_OK && (s = dm_outfile_write(file, html.p, html.n, &c->err)) == DM_OK)
    s = dm_outfile_commit(file, &c->err);
  else
    dm_outfile_abort(file);
  if (s == DM_OK && c->json) {
    dm_json_object(&c->j);
    dm_json_put_string(&c->j, "file", path);
    dm_json_put_int(&c->j, "bytes", (int64_t)html.n);
    dm_json_end_object(&c->j);
  } else if (s == DM_OK && strcmp(path, "-") != 0) {
    dm_buf_printf(&c->out, "%s, %zu KB\n", path, (html.n + 1023) / 1024);
  }
  dm_buf_clear(&html);
  dm_store_close(store);
  return s;
}

/* ---- table of verbs -------------------------------------------------------------------------- */

static const verb_spec verbs[] = {
    {"run", "PIPELINE.yaml", "sources, cleaning, models, predictions and report from one file", 1, 1, run_tables, false, run_run,
     "Parts: database, sources, clean, rules, models, encode, predict, report, title. Paths are relative to the file.\n"},
    {"rules", "DB SRC", "frequent sets of items", 2, 2, mine_rules_tables, false, mine_rules_run, mine_rules_notes},
    {"train", "METHOD DB SRC", "train a model and make it the active version", 3, 3, train_tables, true, run_train,
     "SRC is a table, a SELECT, or a data file. DB may be :memory:.\n"},
    {"predict", "DB MODEL SRC", "score rows: dm_id, prediction, score, p_<class>...", 3, 3, predict_tables, false, run_predict,
     "MODEL is a name (the active version) or name@3. Columns are matched by name.\n"},
    {"encode", "DB MODEL SRC", "features that a model has learned, of each row: dm_id, e1, e2, ...", 3, 3, encode_tables, false, run_encode,
     "MODEL is an autoencoder (its latent layer) or a net (its last hidden layer).\n"},
    {"evaluate", "DB MODEL SRC", "metrics of a model on rows that have the target", 3, 3, evaluate_tables, false, run_evaluate, NULL},
    {"models", "DB [ACTION MODEL [FILE]]", "list models; show, activate, drop, export to or import from another database file", 1, 4, NULL, false,
     run_models, NULL},
    {"audit", "DB MODEL", "walk one prediction back to the bytes it came from", 2, 2, audit_tables, false, run_audit, NULL},
    {"report", "DB", "one page: what came in, profiles, cleaning, models", 1, 1, report_tables, false, run_report, NULL},
    {0}};

static const program_spec program = {"dm-mine", "Train models on tables in an SQLite file, score with them, explain each score.", verbs,
                                     "  dm-mine train tree my.db people --target income --test 0.25\n"
                                     "  dm-mine predict my.db tree people --into scored\n"
                                     "  dm-mine audit my.db tree --row 17\n"
                                     "  dm-mine report my.db -o report.html\n"};

int main(int argc, char **argv) { return cli_main(&program, argc, argv); }
