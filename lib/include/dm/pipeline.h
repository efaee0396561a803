/**
 * pipeline: the table of methods and the verbs of dm-mine: train, predict,
 * evaluate, audit, run a pipeline file.
 */
#ifndef DM_PIPELINE_H
#define DM_PIPELINE_H

#include <dm/patterns.h>
#include <dm/report.h>
#include <dm/linear.h>
#include <dm/nn.h>
#include <dm/tree.h>

#ifdef __cplusplus
extern "C" {
#endif

/** NULL-ended table of all methods built in; give it to dm_ctx_new. */
extern DM_API const dm_learner *const dm_methods[];

/** Versions of what is linked, and the licence: as text for --version, as an object for dm_debug(). */
DM_API void dm_about_text(dm_buf *out);
DM_API void dm_about_json(dm_json_out *json);

/* ---- source: a table, a SELECT or a data file -------------------------------- */

typedef struct dm_src {
  const char *text;              /* as the user gave it */
  const dm_csv_options *reading; /* for files; NULL = all detected */
} dm_src;
/** True when text names an existing file and no table of the store. */
DM_API bool dm_src_is_file(dm_store *store, const char *text);
/** Reads the source by what it is. digest may be NULL. */
DM_API dm_status dm_src_frame(dm_store *store, const dm_src *src, const char *const *columns, size_t n, dm_frame **out, char *digest, dm_error *err);

/* ---- train -------------------------------------------------------------------- */

typedef enum dm_task { DM_TASK_AUTO = 0, DM_TASK_CLASSIFY, DM_TASK_REGRESS } dm_task;

/** What to do with an unfinished training of the model's name: leave it, go on or fail, or go on unless it was begun with something else. */
typedef enum dm_resume { DM_RESUME_NO = 0, DM_RESUME_YES, DM_RESUME_IF_SAME } dm_resume;
#define DM_CHECKPOINT_NEVER (-1)

typedef struct dm_train_options {
  const char *method, *target, *model; /* model NULL: the method's name; target NULL: none, as methods that learn features want it */
  dm_task task;
  const char *const *features; size_t n_features; /* NULL = all but target and ignored */
  const char *const *ignored; size_t n_ignored;
  const char *features_from; /* model whose learned features are learned from instead of columns, copied into the new one; NULL none */
  const char *group;       /* column that keeps rows together in splits, NULL none */
  double test;             /* 0 = no test part */
  size_t folds;            /* 0 = none */
  bool train_metrics;
  const dm_params *params; /* of the method's table */
  /* For methods that train by epochs (DM_HAS_EPOCHS); DM_EUSAGE when set for others. */
  double time_limit;       /* seconds after which training ends with the best it has, shared out among the folds and the model; 0 = none */
  int64_t checkpoint;      /* a checkpoint every so many epochs; 0 = at the first end of an epoch after 60 s; DM_CHECKPOINT_NEVER */
  dm_resume resume;
} dm_train_options;

typedef struct dm_train_result {
  dm_model_meta meta;
  const char *features_from; /* 'name@version', NULL = none */
  size_t rows, test_rows; /* rows with a target; how many of them were held out for the test */
  size_t columns;
  uint64_t rejects; /* records of a data file that did not fit */
  double seconds;
  size_t n_train, n_test, n_cv, n_cv_sd; /* metrics in each */
  dm_metric train[DM_METRICS_MAX], test[DM_METRICS_MAX];
  dm_metric cv[DM_METRICS_MAX], cv_sd[DM_METRICS_MAX]; /* mean and standard deviation over the folds */
} dm_train_result;

/**
 * Reads a snapshot, splits, fits encoders on training rows, trains, evaluates, writes model and metrics in one transaction.
 * A method that trains by epochs writes checkpoints in between (a row of dm_model with status 'training', see
 * dm_registry_save_training), from which a broken training goes on with the same bits when resume is set. A context that is
 * cancelled leaves a checkpoint of the last whole epoch.
 * @return DM_EUSAGE also when resume finds a training that was begun with something else: the message says what.
 */
DM_API dm_status dm_train(dm_store *store, const dm_src *src, const dm_train_options *options, dm_arena *arena, dm_train_result *out,
                          dm_error *err);
DM_API void dm_train_json(const dm_train_result *r, dm_json_out *json);

/* ---- predict, encode, evaluate ------------------------------------------------------------ */

/** Where rows of a prediction go: table (into), file path, or "-". Exactly one. */
typedef struct dm_predict_options {
  const char *into, *path;
  bool replace;
} dm_predict_options;
typedef struct dm_predict_result {
  dm_model_meta meta;
  uint64_t rows, rejects;
  size_t columns; /* encode: features of a row */
  double seconds;
} dm_predict_result;
/**
 * Columns dm_id, prediction, score, p_<class>… in the order of SRC; of a model without a target dm_id, prediction (1 = unusual), score
 * (reconstruction error), e_<input>… (what each adds to it, NULL = missing).
 */
DM_API dm_status dm_predict(dm_store *store, const char *model, const dm_src *src, const dm_predict_options *options, dm_arena *arena,
                            dm_predict_result *out, dm_error *err);
/**
 * Learned features: columns dm_id, e1 … em in the order of SRC, or with `blob` dm_id, code (float32, little end first).
 * @return DM_EUSAGE for models that learn none, and for more features than a table has columns.
 */
DM_API dm_status dm_encode(dm_store *store, const char *model, const dm_src *src, const dm_predict_options *options, bool blob,
                           dm_arena *arena, dm_predict_result *out, dm_error *err);

/** table or file: where the rows went, the other NULL. */
DM_API void dm_encode_json(const dm_predict_result *r, const char *table, const char *file, dm_json_out *json);
DM_API void dm_predict_json(const dm_predict_result *r, const char *table, const char *file, dm_json_out *json);
DM_API void dm_import_json(const dm_import_result *r, double seconds, dm_json_out *json);

typedef struct dm_evaluation {
  dm_model_meta meta;
  uint64_t rows, rejects;
  size_t n_metrics;
  dm_metric metrics[DM_METRICS_MAX];
} dm_evaluation;
DM_API dm_status dm_evaluate(dm_store *store, const char *model, const dm_src *src, dm_arena *arena, dm_evaluation *out, dm_error *err);

DM_API void dm_evaluation_json(const dm_evaluation *e, dm_json_out *json);
/** One model of the registry. */
/** @param metrics as dm_registry_metrics gives them: of one split together. */
DM_API void dm_model_json(const dm_model_meta *m, const dm_model_metric *metrics, size_t n, dm_json_out *json);

/* ---- rules: frequent patterns ------------------------------------------------------------ */

/** All zero but min_support: items "column=value" of all columns, all frequent sets. */
typedef struct dm_rules_options {
  /* how SRC becomes transactions: one of the first three, or else rows whose columns are items */
  bool transaction_file;      /* SRC is a transaction file, one transaction a line; its items between `delimiter`, NULL: blanks and tabs */
  const char *tid, *item;     /* a row for each item */
  const char *basket;         /* a row for each transaction, its items in one column between `delimiter`, NULL: commas; or as a JSON array */
  const char *delimiter;      /* one character */
  const char *const *columns; size_t n_columns; /* items "column=value"; NULL = all columns */
  bool one_hot;               /* a column is an item, which a row has or has not */
  size_t bins;                /* numeric columns of more values are cut into so many parts; 0 = 5 */
  const char *count;          /* column with the number of times a transaction counts; NULL none */
  const char *hierarchy;      /* CSV file of two columns, an item and what it is a kind of; NULL none */
  const char *const *never; size_t n_never; /* items that are left out */
  /* what is searched for */
  const char *min_support;    /* "12": transactions; "0.01" or "1%": a share of them; NULL with top: 1 */
  dm_itemset_kind kind;
  const char *algorithm;      /* NULL: auto */
  size_t min_size, max_size;  /* items of a set, or of a rule; 0: any */
  bool has_limit;             /* else 10,000,000 where sets are kept, none where they go to a file as they are found */
  uint64_t limit;             /* more sets than this are an error; 0 = none */
  size_t top;                 /* only so many: of rules those best by rules.measure, else the sets with the largest support; 0 = all */
  /* rules */
  bool has_confidence;        /* rules are made, as `rules` says; its appear and top are set from here */
  dm_rule_options rules;
  const char *const *left; size_t n_left;   /* items that may stand in the body only */
  const char *const *right; size_t n_right; /* in the head only */
  /* what becomes of them */
  bool count_only;
  const char *path;           /* file (.csv, .tsv, .jsonl, else text) or "-" for rules, or else sets; NULL none */
  const char *into;           /* name of the model, with all sets and rules, in the database; NULL: nothing is written there */
} dm_rules_options;
enum { DM_RULES_LIMIT = 10000000 };

typedef struct dm_rules_result {
  uint64_t transactions, itemsets, min_support;
  size_t items;               /* different ones */
  bool has_rules;
  uint64_t rules;
  const char *kind, *algorithm, *path;
  uint64_t rejects;           /* records of a data file that did not fit */
  bool saved;
  dm_model_meta meta;         /* when saved */
  const dm_rule_model *rule_model; /* the rules; NULL when there are none and nothing was saved */
  double seconds;
} dm_rules_result;

/**
 * Frequent sets and rules of SRC. A model is written in one transaction, with the transactions in packed form where these can be kept.
 * @param arena holds the result. @param store NULL when SRC is a transaction file and nothing is written to a database.
 * @return DM_EUSAGE: options; DM_EINPUT: SRC; DM_EBUDGET: memory, or more sets than the limit: the hint has a support that fits.
 */
DM_API dm_status dm_mine_rules(dm_ctx *ctx, dm_store *store, const dm_src *src, const dm_rules_options *options, dm_arena *arena,
                               dm_rules_result *out, dm_error *err);
DM_API void dm_rules_json(const dm_rules_result *r, dm_json_out *json);
/**
 * A support as it is written: a number of transactions, or a share of them (0 < S < 1, or S%), of which the smallest number is
 * taken that reaches it: ceil(S * total). DM_EUSAGE: anything else, 0, or above total.
 */
DM_API dm_status dm_support_parse(const char *text, uint64_t total, uint64_t *out, dm_error *err);

/* ---- audit ---------------------------------------------------------------------------- */

/** One JSON document: score, path in the model, each feature's encoded value, cell, changes with rules, file:line:byte with the raw text. */
DM_API dm_status dm_audit_json(dm_store *store, const char *model, int64_t row, dm_json_out *json, dm_error *err);
/** The same document as text for people. */
DM_API dm_status dm_audit_text(const dm_json *audit, dm_buf *out, dm_error *err);

/* ---- run a pipeline file ------------------------------------------------------------------ */

/**
 * database: build/quickstart/dm.db
 * sources:
 *   - {file: datasets/biopsy.csv, table: biopsy, null: [NA]}
 * clean:
 *   - table: biopsy
 *     steps: [ … ]                      # as in a recipe
 * rules:
 *   - {source: sales, tid: receipt, item: article, min_support: 1%, min_confidence: 0.5, into: shop}   # the options of the verb as keys
 * models:
 *   - {method: tree, source: biopsy, target: class, model: m, test: 0.25, params: {max_depth: 5}}
 *     # features_from: MODEL learns from what that model has learned; methods with epochs also take time_limit: SECONDS and checkpoint: EPOCHS
 * encode:
 *   - {model: ae, source: biopsy, into: biopsy_codes}      # as: columns or blob; file: instead of into:
 * predict:
 *   - {model: m, source: biopsy, into: biopsy_scored}
 * report: build/quickstart/report.html
 * Paths are relative to the pipeline file.
 */
typedef struct dm_run_result {
  const char *database, *report;
  size_t n_sources, n_models;
  uint64_t rows, rejects;
  const char *json; /* document of all parts, as the single commands print them */
} dm_run_result;
DM_API dm_status dm_pipeline_run(dm_ctx *ctx, const char *path, bool resume, dm_arena *arena, dm_run_result *out, dm_error *err);

#ifdef __cplusplus
}
#endif
#endif
