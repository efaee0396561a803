/*
 * A recipe while it runs, and the encoding of what it does in dm_change.
 *
 *   row_id   column   old            new            means
 *   dm_id    name     value          value          the cell got another value
 *   dm_id    name     value          NULL           ... and a marker of the same rule: the cell of a removed row
 *   dm_id    ''       1              NULL           marker: the row was removed (its cells that were not NULL stand before it)
 *   0        name     NULL           definition     the column was added (its cells are not logged: dropping it undoes them)
 *   0        name     definition     definition     the column's type or its row in dm_column changed
 *
 * A definition is JSON: {"declared": the type as CREATE TABLE spells it, with
 * the white space before it, "column": the row of dm_column or null}; `new`
 * may add "cells" (how many an added column got) and "logged": 1 (the type
 * changed and every cell that was not NULL is logged by the same rule, so that
 * they go back together with the type; without it values only change between
 * INTEGER and REAL without loss). Rows with dm_id < 1 would be mistaken for
 * definitions, so tables that have them are refused. A rule changes a cell at
 * most once, its cells of one column have consecutive ids, and undoing goes
 * from the highest id down.
 */
#ifndef DM_CLEAN_RUN_H
#define DM_CLEAN_RUN_H

#include "clean/recipe.h"

struct dm_clean_run {
  dm_store *store;
  dm_ctx *ctx;
  const char *file;       /* of the recipe, for messages */
  int64_t run_id;
  dm_table table;         /* as it is now; read again after a change of columns */
  const char *sql_table;  /* main."people" */
  uint64_t rows;
  dm_arena *memory;       /* of the whole run */
  dm_change_log *log;
  const dm_clean_step *step;
  dm_step_result *result;
  dm_buf *detail;         /* the step in words; steps append */
};

/* ---- statements (query.c) ---- */

/** An integer from the first row; no row or NULL gives otherwise. Up to three bound values. */
dm_status dm_clean_query_int(dm_store *store, const char *sql, const dm_value *values, int n, int64_t otherwise, int64_t *out,
                             dm_error *err);
/** Runs a statement with bound values to its end. */
dm_status dm_clean_exec(dm_store *store, const char *sql, const dm_value *values, int n, dm_error *err);
/** Text of the first row copied to the arena; NULL when there is none. */
dm_status dm_clean_query_text(dm_store *store, dm_arena *arena, const char *sql, const dm_value *values, int n, const char **out,
                              dm_error *err);
dm_value dm_clean_int(int64_t v);
dm_value dm_clean_text(const char *s); /* NULL gives NULL */
/** The value as a text for messages and details: numbers shortest, texts cut. */
void dm_clean_print(dm_value v, char *out, size_t capacity);
bool dm_clean_same(dm_value a, dm_value b); /* type and bits */

/* ---- the table while a recipe runs (apply.c) ---- */

/** Columns of the step that exist now. DM_EINPUT at the recipe with "did you mean". @param out [*n] places in run->table. */
dm_status dm_clean_run_columns(dm_clean_run *run, const dm_clean_columns *columns, size_t **out, size_t *n, dm_error *err);
dm_status dm_clean_run_reload(dm_clean_run *run, dm_error *err);
/** Refuses tables whose changes could not be undone: no dm_id, triggers, generated or nameless columns. */
dm_status dm_clean_check_table(dm_store *store, const dm_table *table, dm_arena *arena, dm_error *err);

/** What a run says of itself in dm_run.arguments: the recipe's name, or NULL and the run that was undone. */
dm_status dm_clean_write_arguments(dm_store *store, int64_t run_id, const char *recipe, int64_t undone, const dm_apply_result *result,
                                   dm_error *err);

/* ---- changing cells (map.c) ---- */

typedef enum dm_clean_outcome { DM_CLEAN_SAME = 0, DM_CLEAN_NEW, DM_CLEAN_BAD } dm_clean_outcome;
/** New value of one cell that is not NULL; *out borrowed until the next call. BAD: cannot be read. */
typedef dm_status (*dm_clean_map)(void *user, const dm_value *old_value, dm_value *out, dm_clean_outcome *outcome, dm_error *err);

typedef struct dm_clean_mapping {
  dm_clean_map map;
  void *user;
  dm_clean_on_error on_error;
  /**
   * DM_NULL: values keep the column's type. Else the type the column is to
   * get; DM_REAL with `narrow` means INTEGER when all results are. While a
   * cell cannot be read and is kept, a column stays TEXT and the others
   * become the text of their result.
   */
  dm_type type;
  bool narrow;
  const dm_typing *typing; /* NULL, or what `map` has seen: gives the number format of a new REAL column */
  const char *what; /* for messages: "an integer" */
} dm_clean_mapping;
dm_status dm_clean_map_column(dm_clean_run *run, size_t column, const dm_clean_mapping *mapping, dm_error *err);
/** The cell as it prints in an export of its column: what recodes and casts read. @param out borrows from v or number. */
void dm_clean_cell_text(const dm_table_column *column, const dm_value *v, char number[512], dm_str *out);

/* ---- definitions of columns (column.c) ---- */

/** The definition of a column now, as in the table above. */
dm_status dm_clean_definition(dm_store *store, const char *table, const char *column, dm_arena *arena, const char **out, dm_error *err);
/** Makes dm_column say what a definition says. */
dm_status dm_clean_restore_meta(dm_store *store, const char *table, const char *column, const char *definition, dm_error *err);
/** Writes the definition entry of the step that runs. @param old_definition NULL: the column is new. @param key "cells", "logged" or NULL. */
dm_status dm_clean_log_definition(dm_clean_run *run, const char *column, const char *old_definition, const char *key, int64_t value,
                                  dm_error *err);
/** dm_column.type and format of a column that has a row there. */
dm_status dm_clean_set_meta(dm_clean_run *run, const char *column, dm_type type, dm_format format, dm_error *err);
/** A REAL format that still prints v exactly: the format itself, or a shortest one. */
dm_format dm_clean_fit_format(dm_format format, double v);

/** Which entries of dm_change give the cells of a column that gets another type. */
typedef struct dm_clean_source {
  const char *rule; /* NULL: the cells stay, converted without loss */
  int64_t run_id;
  bool use_old;
} dm_clean_source;
/**
 * Gives a column another declared type by building the table anew: the text
 * of CREATE TABLE keeps every other byte, dm_id and indexes stay.
 */
dm_status dm_clean_retype(dm_store *store, const char *table, const char *column, const char *declared, const dm_clean_source *source,
                          dm_error *err);

#endif
