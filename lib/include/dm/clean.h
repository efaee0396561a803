/**
 * clean: profiles of tables, cleaning recipes with undo, and the history of a cell.
 */
#ifndef DM_CLEAN_H
#define DM_CLEAN_H

#include <dm/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- profile ------------------------------------------------------------- */

#define DM_PROFILE_TOP 10
#define DM_PROFILE_BINS 20

typedef struct dm_profile_top {
  dm_str text;      /* printed value */
  uint64_t count;
} dm_profile_top;

/** Exact figures of one column, from the table. */
typedef struct dm_profile_column {
  const char *name;
  dm_type type;
  uint64_t rows, missing, distinct;
  bool numeric;                       /* INTEGER or REAL column: the figures below hold */
  double min, max, mean, sd;          /* sd with n-1; NaN when undefined */
  double q01, q05, q25, q50, q75, q95, q99; /* linear interpolation (type 7) */
  uint64_t zeros, negatives;
  uint64_t min_length, max_length;    /* characters, TEXT */
  dm_str text_min, text_max;          /* by bytes, TEXT */
  size_t n_top;
  dm_profile_top top[DM_PROFILE_TOP]; /* most frequent values, ties by value */
  size_t n_bins;                      /* numeric: equal-width bins on round edges over [min, max] */
  double edges[DM_PROFILE_BINS + 1];
  uint64_t counts[DM_PROFILE_BINS];
} dm_profile_column;

typedef struct dm_profile {
  const char *table;
  uint64_t rows;
  size_t n_columns;
  dm_profile_column *columns;
  size_t target; /* SIZE_MAX none */
} dm_profile;

/** Mean and sd by Welford in double; memory within the budget (columns are read one at a time). @param arena holds the result. */
DM_API dm_status dm_profile_table(dm_store *store, const char *table, const char *target, dm_arena *arena, dm_profile *out, dm_error *err);
DM_API void dm_profile_json(const dm_profile *p, dm_json_out *json);

/* ---- recipes --------------------------------------------------------------- */

/**
 * A recipe is a YAML map:
 *   table: people
 *   steps:
 *     - trim: {columns: [name, city], collapse: true, empty: missing}   # no columns: all; empty: keep | missing
 *     - case: {columns: city, to: title}          # lower | upper | title
 *     - replace: {columns: phone, pattern: '[^0-9+]', with: '', regex: true}  # $1, ${name} in `with` are groups
 *     - recode: {column: sex, map: {m: male, f: female, '?': null}, other: keep}   # keep | missing
 *     - cast: {columns: age, to: integer, on_error: keep}               # integer | real | text
 *     - parse_date: {columns: born, formats: ['%d.%m.%Y', '%Y-%m-%d'], pivot: 69, on_error: keep}
 *     - parse_number: {columns: price, decimal: ',', group: '.', strip: '€ ', on_error: keep}
 *     - fill: {columns: age, with: median}        # mean | median | mode | {constant: 0}
 *     - drop_duplicates: {columns: [id]}          # default: all columns; the first row stays
 *     - filter: {where: 'age >= 18'}              # rows kept: where the condition is true
 *     - derive: {column: bmi, as: 'weight / (height * height)', type: real}   # auto | integer | real | text
 *
 * `columns` is a name, a list or '*'. on_error says what becomes of a cell that
 * cannot be read: keep (a TEXT column then stays TEXT, with what could be read
 * in its plain form), missing, or fail (nothing is changed). No cast alters a
 * value: 3.5 is no integer, and a whole number with more digits than a REAL
 * keeps is no real. parse_number gives INTEGER when all are whole, else REAL;
 * groups have three digits. parse_date gives 2024-05-31, or 2024-05-31T09:30:00
 * when the format has a time; two-digit years from pivot on are 19yy, the others
 * 20yy; the first format that fits counts, and how many cells fit several is
 * said. An INTEGER column that is filled with a fraction becomes REAL and
 * prints its whole numbers as before. Expressions are SQL over the table,
 * read-only; derive takes windows, and infinity is refused.
 */
typedef struct dm_recipe dm_recipe;
DM_API dm_status dm_recipe_load(dm_ctx *ctx, const char *path, dm_recipe **out, dm_error *err);
/** From a node of a bigger document (the `clean` part of a pipeline). node's arena must outlive the recipe. */
DM_API dm_status dm_recipe_from_yaml(dm_ctx *ctx, const char *file_name, const dm_yaml *node, dm_recipe **out, dm_error *err);
DM_API void dm_recipe_free(dm_recipe *r);

/** A kind of step, for help texts: "trim", "{columns: …}", what it does. */
typedef struct dm_step_help {
  const char *name, *arguments, *help;
} dm_step_help;
/** @return false when there is no i-th kind. */
DM_API bool dm_recipe_step_help(size_t i, dm_step_help *out);

typedef struct dm_step_result {
  const char *step;  /* "trim" */
  const char *rule;  /* "1:trim" as in dm_change.rule */
  const char *detail; /* columns and arguments in words */
  uint64_t cells_changed, rows_removed, rows_failed;
} dm_step_result;

typedef struct dm_apply_result {
  int64_t run_id; /* 0 for a dry run */
  const char *table;
  uint64_t rows_before, rows_after;
  size_t n_steps;
  dm_step_result *steps;
} dm_apply_result;

/**
 * Runs the steps in order in one transaction. Every changed cell, removed row
 * and added column is in dm_change with its rule `k:step`; a dry run does the
 * same work and rolls it back.
 */
DM_API dm_status dm_recipe_apply(dm_store *store, const dm_recipe *recipe, bool dry_run, dm_arena *arena, dm_apply_result *out, dm_error *err);

/** {"run","table","rows_before","rows_after","dry_run","steps":[{"rule","step","detail","cells_changed","rows_removed","rows_failed"}]} */
DM_API void dm_apply_json(const dm_apply_result *r, dm_json_out *json);

typedef struct dm_history_entry {
  int64_t run_id;
  const char *command, *table, *started, *status, *arguments;
  uint64_t cells, rows;
  bool undone;
} dm_history_entry;
DM_API dm_status dm_history(dm_store *store, dm_arena *arena, dm_history_entry **out, size_t *n, dm_error *err);
/**
 * Puts back what a run changed, byte for byte; in the result rows_removed
 * counts rows put back. Refused (DM_EUSAGE naming the
 * runs) when a later run that still stands changed one of its cells, rows or columns,
 * and when somebody else's SQL did. Imports and undos are not undone.
 */
DM_API dm_status dm_undo(dm_store *store, int64_t run_id, dm_arena *arena, dm_apply_result *out, dm_error *err);

/** One link of the chain of a cell, newest first; the last has run_id 0: as imported. */
typedef struct dm_why_step {
  int64_t run_id;
  const char *rule, *started;
  dm_value old_value, new_value;
  double confidence;
  bool undone;
} dm_why_step;
typedef struct dm_why_cell {
  const char *column;
  dm_value now;
  dm_str raw; /* source text */
  size_t n;
  dm_why_step *steps;
} dm_why_cell;
typedef struct dm_why {
  const char *table; /* as the database spells it */
  int64_t row;
  dm_origin origin;
  size_t n_cells;
  dm_why_cell *cells;
} dm_why;
/** @param column NULL = all columns. */
DM_API dm_status dm_why_row(dm_store *store, const char *table, int64_t row, const char *column, dm_arena *arena, dm_why *out, dm_error *err);
DM_API void dm_why_json(const dm_why *why, dm_json_out *json);
/** The origin of a row as an object; its file is null when the row was not imported. */
DM_API void dm_origin_json(const dm_origin *o, const char *table, dm_json_out *json);

#ifdef __cplusplus
}
#endif
#endif
