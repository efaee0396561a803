/*
 * What dm-clean and dm-mine share: verbs and options from tables, --help made
 * of the same tables, errors as text or JSON, progress, Ctrl-C, exit codes.
 */
#ifndef DM_TOOLS_CLI_H
#define DM_TOOLS_CLI_H

#include <dm/dm.h>

typedef enum option_kind { OPTION_FLAG, OPTION_VALUE, OPTION_LIST } option_kind;

typedef struct option_spec {
  const char *name; /* without "--" */
  char letter;      /* 0 = none */
  option_kind kind;
  const char *value; /* name of the value in help: "T", "auto|yes|no" (choices are checked) */
  const char *help;
} option_spec;

struct cli;

typedef struct verb_spec {
  const char *name, *arguments, *summary;
  size_t min_arguments, max_arguments;
  const option_spec *const *options; /* NULL-ended list of tables, each ended by name NULL */
  bool method_parameters;            /* options not in the tables are kept for the method named by the first argument */
  dm_status (*run)(struct cli *c);
  const char *notes; /* shown under the options, NULL = none */
} verb_spec;

typedef struct given_option {
  const char *name, *value; /* name as in its table, or as given for method parameters */
} given_option;

typedef struct cli {
  const char *program;
  const verb_spec *verb;
  dm_ctx *ctx;
  dm_arena *arena;
  dm_error err;
  const char **arguments;
  size_t n_arguments;
  given_option *options;
  size_t n_options;
  given_option *parameters; /* of the method */
  size_t n_parameters;
  bool json, quiet;
  int verbose;
  int exit_code; /* of success: 0, or 1 when records were rejected or a check failed */
  dm_buf out;    /* printed to stdout when the verb succeeded */
  dm_json_out j; /* over out, for --json */
} cli;

typedef struct program_spec {
  const char *name, *summary;
  const verb_spec *verbs; /* ended by name NULL */
  const char *examples;
} program_spec;

int cli_main(const program_spec *program, int argc, char **argv);

bool cli_has(const cli *c, const char *option);
const char *cli_value(const cli *c, const char *option); /* the last one given, or NULL */
/** All values of a list option (or of a comma-separated one when split), in the arena. */
dm_status cli_values(cli *c, const char *option, bool split, const char *const **values, size_t *n);
dm_status cli_number(cli *c, const char *option, double min, double max, bool integer, double *out); /* untouched when not given */

/** Options of every verb. */
extern const option_spec cli_common_options[];
/** Options that say how a data file is read; shared by import and every verb that takes SRC. */
extern const option_spec cli_reading_options[];
dm_status cli_reading(cli *c, dm_csv_options *out);
/** SRC of a verb with its reading options, which are refused when it is no data file. *src keeps `reading`. */
dm_status cli_source(cli *c, dm_store *store, const char *text, dm_csv_options *reading, dm_src *src);
/** The same for a verb that has other reading options. */
dm_status cli_source_of(cli *c, dm_store *store, const char *text, const option_spec *table, dm_csv_options *reading, dm_src *src);

enum { CLI_PARAMETER_MAX = 64 }; /* letters of a parameter's name, and more than an option needs */
/** A method's parameter as an option is spelt: dashes for underscores. */
void cli_parameter_name(const dm_param *p, char out[CLI_PARAMETER_MAX]);

/** Opens the database named by the first argument. */
dm_status cli_open(cli *c, const char *path, unsigned mode, dm_store **out);

#endif
