/* --help and --version, from the tables of verbs, options and parameters. */
#include "help.h"

#include <stdio.h>
#include <string.h>

enum { LEFT = 34 }; /* width of the left column */

/* Two blanks behind what is longer than its column, so that the eye finds where the text begins. */
static void print_line(const char *left, const char *text) { printf("  %-*s %s%s", LEFT, left, strlen(left) > LEFT ? " " : "", text); }

static void print_options(const option_spec *o) {
  for (; o->name; o++) {
    char left[80];
    (void)snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : " ", o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
                   o->value ? " " : "", o->value ? o->value : "");
    print_line(left, o->help);
    printf("\n");
  }
}

static void print_parameters(const dm_learner *l) {
  printf("\nParameters of %s (%s):\n", l->name, l->summary);
  for (const dm_param *p = l->params; p->name; p++) {
    char name[CLI_PARAMETER_MAX], left[120];
    cli_parameter_name(p, name);
    (void)snprintf(left, sizeof left, "    --%s %s", name,
                   p->type == DM_PARAM_CHOICE ? p->choices
                   : p->type == DM_PARAM_TEXT ? "TEXT"
                   : p->type == DM_PARAM_BOOL ? "true|false"
                   : p->type == DM_PARAM_INT  ? "N"
                                              : "X");
    print_line(left, p->help);
    printf(" (default %s)\n", p->otherwise[0] ? p->otherwise : "none");
  }
}

void help_of_verb(const program_spec *program, const verb_spec *v, const dm_learner *const *learners) {
  printf("usage: %s %s %s [options]\n\n%s\n", program->name, v->name, v->arguments, v->summary);
  for (const option_spec *const *t = v->options; t && *t; t++) {
    printf("\n%s:\n", *t == cli_reading_options ? "How a data file is read" : "Options");
    print_options(*t);
  }
  if (v->method_parameters)
    for (; *learners; learners++) print_parameters(*learners);
  printf("\nCommon options:\n");
  print_options(cli_common_options);
  if (v->notes) printf("\n%s", v->notes);
}

void help_of_program(const program_spec *program) {
  printf("usage: %s COMMAND ... [options]\n\n%s\n\nCommands:\n", program->name, program->summary);
  for (const verb_spec *v = program->verbs; v->name; v++) {
    char left[120];
    (void)snprintf(left, sizeof left, "%s %s", v->name, v->arguments);
    printf("  %-*s %s%s\n", LEFT, left, strlen(left) > LEFT ? "\n                                     " : "", v->summary);
  }
  printf("\n%s COMMAND --help shows the options of a command.\n\nCommon options:\n", program->name);
  print_options(cli_common_options);
  printf("\nExamples:\n%s", program->examples);
  printf("\nExit codes: 0 done; 1 done, but records were rejected or a check failed; 2 usage; 3 bad input;\n"
         "4 file system or database; 5 memory; 130 interrupted.\n");
}

void help_version(const program_spec *program) {
  printf("%s %s\n", program->name, DM_VERSION);
  dm_ctx *ctx = NULL;
  dm_buf text;
  if (dm_ctx_new(NULL, &ctx, NULL) != DM_OK) return;
  dm_buf_init(&text, ctx, NULL);
  dm_about_text(&text);
  if (dm_buf_status(&text) == DM_OK) (void)fputs(text.p, stdout);
  dm_buf_clear(&text);
  dm_ctx_free(ctx);
}
