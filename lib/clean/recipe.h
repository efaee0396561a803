/* Recipes as they are in memory: steps, the table of kinds of steps, and helpers that read arguments. */
#ifndef DM_CLEAN_RECIPE_H
#define DM_CLEAN_RECIPE_H

#include <dm/clean.h>

typedef struct dm_clean_run dm_clean_run; /* run.h */
typedef struct dm_clean_step dm_clean_step;

/** Reading one recipe; everything parsed lives in the arena. */
typedef struct dm_clean_parser {
  dm_ctx *ctx;
  dm_arena *arena;
  const char *file;
} dm_clean_parser;

/** A kind of step; steps.c lists them all. */
typedef struct dm_clean_kind {
  const char *name, *arguments, *help;
  const char *const *keys; /* NULL-ended */
  /** Fills step->columns and step->arguments; may leave both empty. */
  dm_status (*parse)(const dm_clean_parser *in, const dm_yaml *args, dm_clean_step *step, dm_error *err);
  dm_status (*run)(dm_clean_run *run, const dm_clean_step *step, dm_error *err);
  void (*free)(void *arguments); /* NULL: the arena holds all */
} dm_clean_kind;

extern const dm_clean_kind *const dm_clean_kinds[]; /* NULL-ended */
extern const dm_clean_kind dm_clean_trim, dm_clean_case, dm_clean_replace, dm_clean_recode, dm_clean_cast, dm_clean_parse_date,
    dm_clean_parse_number, dm_clean_fill, dm_clean_drop_duplicates, dm_clean_filter, dm_clean_derive;

/** Columns as a recipe names them: n nodes, or all of the table. */
typedef struct dm_clean_columns {
  size_t n;
  const dm_yaml **nodes; /* scalars */
  bool all;
} dm_clean_columns;

struct dm_clean_step {
  const dm_clean_kind *kind;
  const dm_yaml *place; /* a node at the step's name, for messages */
  const dm_yaml *args;
  const char *rule;     /* "2:case" */
  dm_clean_columns columns;
  void *arguments;      /* of the kind */
};

struct dm_recipe {
  dm_ctx *ctx;
  dm_arena *arena;
  const char *file;
  const dm_yaml *table; /* its scalar names the table */
  const char *text;     /* the recipe as JSON (which is YAML), for dm_run */
  size_t n_steps;
  dm_clean_step *steps;
};

/** Arguments. Each is DM_EINPUT at the node when it is of the wrong form; absent ones give `otherwise`. */
dm_status dm_clean_arg_text(const dm_clean_parser *in, const dm_yaml *args, const char *key, const char *otherwise, const char **out,
                            dm_error *err);
dm_status dm_clean_arg_need(const dm_clean_parser *in, const dm_clean_step *step, const dm_yaml *args, const char *key,
                            const dm_yaml **out, dm_error *err);
dm_status dm_clean_arg_bool(const dm_clean_parser *in, const dm_yaml *args, const char *key, bool otherwise, bool *out, dm_error *err);
/** @param names NULL-ended; *out the place in it. */
dm_status dm_clean_arg_choice(const dm_clean_parser *in, const dm_yaml *args, const char *key, const char *const *names,
                              unsigned otherwise, unsigned *out, dm_error *err);
/** A name, a list of names, or '*'. @param optional absent means all. */
dm_status dm_clean_arg_columns(const dm_clean_parser *in, const dm_clean_step *step, const dm_yaml *args, const char *key,
                               bool optional, dm_clean_columns *out, dm_error *err);

/** What becomes of a cell that cannot be read. */
typedef enum dm_clean_on_error { DM_CLEAN_KEEP = 0, DM_CLEAN_MISSING, DM_CLEAN_FAIL } dm_clean_on_error;
dm_status dm_clean_arg_on_error(const dm_clean_parser *in, const dm_yaml *args, dm_clean_on_error *out, dm_error *err);

#endif
