#define _GNU_SOURCE
#include "cli.h"
#include "help.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- signals, log, progress ------------------------------------------------ */

static dm_ctx *running; /* what a signal cancels; signals know no other way */

static void on_signal(int number) {
  if (running) dm_ctx_cancel(running);
  signal(number, SIG_DFL); /* a second Ctrl-C ends at once; SQLite's journal keeps the database whole */
}

typedef struct terminal {
  bool quiet, progress, shown;
  int verbose;
  struct timespec started;
  double from;   /* done when it started */
  char what[64]; /* up to a ':', behind which a task says more of itself */
} terminal;

static void clear_progress(terminal *t) {
  if (t->shown) (void)fputs("\r\033[K", stderr);
  t->shown = false;
}

static void on_log(void *user, dm_log_level level, const char *message) {
  terminal *t = user;
  if ((t->quiet && level > DM_LOG_WARNING) || (int)level > DM_LOG_NOTICE + t->verbose) return;
  clear_progress(t);
  (void)fprintf(stderr, "%s%s\n", level == DM_LOG_WARNING ? "warning: " : level == DM_LOG_NOTICE ? "note: " : "", message);
}

static void print_time_left(double seconds) {
  if (seconds < 100)
    (void)fprintf(stderr, ", %.0f s left", seconds);
  else if (seconds < 6000)
    (void)fprintf(stderr, ", %.0f min left", seconds / 60);
  else
    (void)fprintf(stderr, ", %.1f h left", seconds / 3600);
}

static void on_progress(void *user, const char *what, double done, double total, const char *unit) {
  terminal *t = user;
  if (!t->progress) return;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  size_t n = strcspn(what, ":");
  n = n < sizeof t->what ? n : sizeof t->what - 1;
  if (strncmp(t->what, what, n) != 0 || t->what[n] || done < t->from) {
    (void)snprintf(t->what, sizeof t->what, "%.*s", (int)n, what);
    t->started = now;
    t->from = done;
  }
  double seconds = (double)(now.tv_sec - t->started.tv_sec) + (double)(now.tv_nsec - t->started.tv_nsec) * 1e-9;
  double rate = seconds > 0.05 ? (done - t->from) / seconds : 0;
  (void)fprintf(stderr, done == floor(done) ? "\r\033[K%s: %.6g" : "\r\033[K%s: %.1f", what, done);
  if (total > 0) (void)fprintf(stderr, " of %.6g", total);
  (void)fprintf(stderr, " %s", unit);
  if (rate > 0) (void)fprintf(stderr, ", %.3g %s/s", rate, unit);
  if (rate > 0 && total > done) print_time_left((total - done) / rate);
  (void)fflush(stderr);
  t->shown = true;
  if (total > 0 && done >= total) clear_progress(t);
}

/* ---- options ----------------------------------------------------------------- */

const option_spec cli_common_options[] = {
    {"json", 0, OPTION_FLAG, NULL, "print one JSON document, also for errors"},
    {"seed", 0, OPTION_VALUE, "N", "seed of all random choices (default 0)"},
    {"threads", 0, OPTION_VALUE, "N", "threads (default: the processors there are); results are the same for any number"},
    {"memory", 0, OPTION_VALUE, "SIZE", "memory limit, for instance 512M or 4G (default none)"},
    {"quiet", 'q', OPTION_FLAG, NULL, "no results as text, no notes: warnings, errors and --json only"},
    {"verbose", 'v', OPTION_FLAG, NULL, "say more"},
    {"version", 0, OPTION_FLAG, NULL, "versions and licence"},
    {"help", 'h', OPTION_FLAG, NULL, "this help"},
    {0}};

const option_spec cli_reading_options[] = {
    {"delimiter", 0, OPTION_VALUE, "C", "field delimiter, one character or 'tab' (default: detected)"},
    {"quote", 0, OPTION_VALUE, "C", "quote character (default \")"},
    {"encoding", 0, OPTION_VALUE, "NAME", "encoding of the file (default: detected)"},
    {"header", 0, OPTION_VALUE, "auto|yes|no", "whether the first record names the columns"},
    {"columns", 0, OPTION_VALUE, "A,B,...", "column names, in order"},
    {"types", 0, OPTION_VALUE, "auto|text", "text: keep every column as TEXT"},
    {"trim", 0, OPTION_VALUE, "auto|yes|no", "blanks around unquoted cells; auto: when every cell begins with one"},
    {"null", 0, OPTION_LIST, "TEXT", "cell text that means missing, besides the empty cell; may be repeated"},
    {"on-extra", 0, OPTION_VALUE, "reject|merge|drop", "records with too many fields: set aside, last field takes the rest, or cut"},
    {0}};

void cli_parameter_name(const dm_param *p, char out[CLI_PARAMETER_MAX]) {
  size_t i = 0;
  for (; p->name[i] && i + 1 < CLI_PARAMETER_MAX; i++) out[i] = p->name[i] == '_' ? '-' : p->name[i];
  out[i] = 0;
}

bool cli_has(const cli *c, const char *option) { return cli_value(c, option) != NULL; }

const char *cli_value(const cli *c, const char *option) {
  for (size_t i = c->n_options; i-- > 0;)
    if (strcmp(c->options[i].name, option) == 0) return c->options[i].value;
  return NULL;
}

dm_status cli_values(cli *c, const char *option, bool split, const char *const **values, size_t *n) {
  size_t most = 0;
  for (size_t i = 0; i < c->n_options; i++)
    if (strcmp(c->options[i].name, option) == 0) {
      most++;
      for (const char *p = c->options[i].value; split && *p; p++) most += *p == ',';
    }
  *n = 0;
  *values = NULL;
  if (most == 0) return DM_OK;
  const char **out = dm_arena_alloc(c->arena, most, sizeof *out, &c->err);
  if (!out) return DM_EBUDGET;
  size_t k = 0;
  for (size_t i = 0; i < c->n_options; i++) {
    if (strcmp(c->options[i].name, option) != 0) continue;
    const char *p = c->options[i].value;
    for (;;) {
      size_t length = split ? strcspn(p, ",") : strlen(p);
      if (!(out[k++] = dm_arena_strdup(c->arena, p, length, &c->err))) return DM_EBUDGET;
      p += length;
      if (!split || *p == 0) break;
      p++;
    }
  }
  *values = out;
  *n = k;
  return DM_OK;
}

dm_status cli_number(cli *c, const char *option, double min, double max, bool integer, double *out) {
  const char *text = cli_value(c, option);
  double v;
  if (!text) return DM_OK;
  if (!dm_text_to_double(text, strlen(text), &v) || !(v >= min && v <= max) || (integer && v != floor(v)))
    return dm_fail(&c->err, DM_EUSAGE, "--%s = %s, want %s from %g to %g", option, text, integer ? "an integer" : "a number", min, max);
  *out = v;
  return DM_OK;
}

/* One of the choices in "a|b|c"? */
static bool is_choice(const char *choices, const char *value) {
  size_t n = strlen(value);
  for (const char *p = choices; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
    if (strncmp(p, value, n) == 0 && (p[n] == 0 || p[n] == '|')) return true;
  return false;
}

static dm_status one_character(cli *c, const char *option, char *out) {
  const char *text = cli_value(c, option);
  if (!text) return DM_OK;
  if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0) text = "\t";
  if (text[0] == 0 || text[1] != 0 || (unsigned char)text[0] >= 0x80 || text[0] == '\n' || text[0] == '\r')
    return dm_fail(&c->err, DM_EUSAGE, "--%s = '%s', want one ASCII character or 'tab'", option, text);
  *out = text[0];
  return DM_OK;
}

static dm_auto auto_value(const cli *c, const char *option) {
  const char *v = cli_value(c, option);
  return !v || strcmp(v, "auto") == 0 ? DM_AUTO : strcmp(v, "yes") == 0 ? DM_YES : DM_NO;
}

dm_status cli_reading(cli *c, dm_csv_options *out) {
  *out = (dm_csv_options){0};
  dm_status s = one_character(c, "delimiter", &out->delimiter);
  if (s == DM_OK) s = one_character(c, "quote", &out->quote);
  if (s != DM_OK) return s;
  out->encoding = cli_value(c, "encoding");
  out->header = auto_value(c, "header");
  out->trim = auto_value(c, "trim");
  const char *types = cli_value(c, "types"), *extra = cli_value(c, "on-extra");
  out->all_text = types && strcmp(types, "text") == 0;
  out->on_extra = !extra || strcmp(extra, "reject") == 0 ? DM_EXTRA_REJECT : strcmp(extra, "merge") == 0 ? DM_EXTRA_MERGE : DM_EXTRA_DROP;
  if ((s = cli_values(c, "columns", true, &out->columns, &out->n_columns)) != DM_OK) return s;
  return cli_values(c, "null", false, &out->nulls, &out->n_nulls);
}

dm_status cli_source_of(cli *c, dm_store *store, const char *text, const option_spec *table, dm_csv_options *reading, dm_src *src) {
  *src = (dm_src){text, reading};
  if (dm_src_is_file(store, text)) return cli_reading(c, reading);
  for (const option_spec *o = table; o->name; o++)
    if (cli_has(c, o->name))
      return dm_fail(&c->err, DM_EUSAGE, "--%s says how a data file is read, and '%s' is %s", o->name, text,
                     strpbrk(text, " \t\n") ? "a SELECT" : "a table, or no file at all");
  return DM_OK;
}

dm_status cli_source(cli *c, dm_store *store, const char *text, dm_csv_options *reading, dm_src *src) {
  return cli_source_of(c, store, text, cli_reading_options, reading, src);
}

dm_status cli_open(cli *c, const char *path, unsigned mode, dm_store **out) { return dm_store_open(c->ctx, path, mode, out, &c->err); }

/* ---- errors ------------------------------------------------------------------------ */

static void print_error(const cli *c) {
  const dm_error *e = &c->err;
  if (e->file[0]) {
    (void)fprintf(stderr, "%s:", e->file);
    if (e->line) (void)fprintf(stderr, "%zu:", e->line);
    if (e->line && e->column) (void)fprintf(stderr, "%zu:", e->column);
    (void)fprintf(stderr, " error: %s\n", e->message);
  } else {
    (void)fprintf(stderr, "%s: error: %s\n", c->program, e->message);
  }
  if (e->excerpt[0]) {
    (void)fprintf(stderr, "  %s\n", e->excerpt);
    if (e->caret) (void)fprintf(stderr, "  %*s^\n", (int)e->caret - 1, "");
  }
  if (e->hint[0]) (void)fprintf(stderr, "hint: %s\n", e->hint);
}

static void print_error_json(cli *c) {
  const dm_error *e = &c->err;
  dm_buf_reset(&c->out);
  dm_json_out j;
  dm_json_out_init(&j, &c->out, true);
  dm_json_object(&j);
  dm_json_key(&j, "error");
  dm_json_object(&j);
  dm_json_put_int(&j, "code", e->code);
  dm_json_put_string(&j, "message", e->message);
  dm_json_put_string(&j, "file", e->file[0] ? e->file : NULL);
  dm_json_key(&j, "line");
  e->line ? dm_json_int(&j, (int64_t)e->line) : dm_json_null(&j);
  dm_json_key(&j, "column");
  e->column ? dm_json_int(&j, (int64_t)e->column) : dm_json_null(&j);
  dm_json_put_string(&j, "hint", e->hint[0] ? e->hint : NULL);
  dm_json_end_object(&j);
  dm_json_end_object(&j);
  if (c->out.p) (void)fwrite(c->out.p, 1, c->out.n, stdout);
  (void)fputc('\n', stdout);
}

/* ---- parsing the command line ---------------------------------------------------------- */

static const option_spec *find_option(const option_spec *table, const char *name, size_t n, char letter) {
  for (; table->name; table++)
    if (letter ? table->letter == letter : strlen(table->name) == n && strncmp(table->name, name, n) == 0) return table;
  return NULL;
}

static const option_spec *find_any_option(const verb_spec *v, const char *name, size_t n, char letter) {
  const option_spec *o = find_option(cli_common_options, name, n, letter);
  for (const option_spec *const *t = v ? v->options : NULL; !o && t && *t; t++) o = find_option(*t, name, n, letter);
  return o;
}

/* Does any method know it? Whether the one that is asked for does is seen when its name is known. */
static bool is_parameter(const char *name, size_t n) {
  char spelt[CLI_PARAMETER_MAX];
  for (const dm_learner *const *l = dm_methods; *l; l++)
    for (const dm_param *p = (*l)->params; p->name; p++) {
      cli_parameter_name(p, spelt);
      if (strlen(spelt) == n && (strncmp(spelt, name, n) == 0 || strncmp(p->name, name, n) == 0)) return true;
    }
  return false;
}

static dm_status unknown_option(cli *c, const char *given) {
  enum { MOST = 256 };
  const char *names[MOST];
  char spelt[MOST][CLI_PARAMETER_MAX], word[CLI_PARAMETER_MAX];
  size_t n = 0;
  for (const option_spec *o = cli_common_options; o->name; o++) names[n++] = o->name;
  for (const option_spec *const *t = c->verb->options; t && *t; t++)
    for (const option_spec *o = *t; o->name && n < MOST; o++) names[n++] = o->name;
  for (const dm_learner *const *l = c->verb->method_parameters ? dm_methods : NULL; l && *l; l++)
    for (const dm_param *p = (*l)->params; p->name && n < MOST; p++, n++) {
      cli_parameter_name(p, spelt[n]);
      names[n] = spelt[n];
    }
  (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(given, "="), given);
  const char *near = word[1] == '-' ? dm_text_nearest(word + 2, names, n) : NULL;
  (void)dm_fail(&c->err, DM_EUSAGE, "%s: unknown option %s", c->verb->name, word);
  if (near)
    dm_error_hint(&c->err, "did you mean --%s?", near);
  else
    dm_error_hint(&c->err, "%s %s --help shows the options", c->program, c->verb->name);
  return DM_EUSAGE;
}

static dm_status keep_option(cli *c, const option_spec *o, const char *value) {
  if (o->kind == OPTION_VALUE && strchr(o->value, '|') && !is_choice(o->value, value))
    return dm_fail(&c->err, DM_EUSAGE, "--%s = '%s', want %s", o->name, value, o->value);
  if (o->kind != OPTION_LIST && o->kind != OPTION_FLAG && cli_has(c, o->name))
    return dm_fail(&c->err, DM_EUSAGE, "--%s is given twice", o->name);
  c->options[c->n_options++] = (given_option){o->name, value};
  return DM_OK;
}

/* "--name value", "--name=value", "-x value"; "--" ends options. */
static dm_status parse_arguments(cli *c, int argc, char **argv) {
  for (int i = 0; i < argc; i++) {
    const char *a = argv[i];
    if (strcmp(a, "--") == 0) {
      while (++i < argc) c->arguments[c->n_arguments++] = argv[i];
      break;
    }
    if (a[0] != '-' || a[1] == 0) {
      c->arguments[c->n_arguments++] = a;
      continue;
    }
    bool is_long = a[1] == '-';
    const char *equals = is_long ? strchr(a, '=') : NULL;
    size_t n = is_long ? (equals ? (size_t)(equals - a) : strlen(a)) - 2 : 0;
    const option_spec *o = is_long || a[2] == 0 ? find_any_option(c->verb, a + 2, n, is_long ? 0 : a[1]) : NULL;
    if (!o && !(c->verb->method_parameters && is_long && is_parameter(a + 2, n))) return unknown_option(c, a);
    const char *value = equals ? equals + 1 : NULL;
    if (o && o->kind == OPTION_FLAG) {
      if (value) return dm_fail(&c->err, DM_EUSAGE, "--%s takes no value", o->name);
      value = "";
    } else if (!value) {
      if (i + 1 >= argc) return dm_fail(&c->err, DM_EUSAGE, "%s needs a value", a);
      value = argv[++i];
    }
    if (o) {
      dm_status s = keep_option(c, o, value);
      if (s != DM_OK) return s;
    } else {
      char *name = dm_arena_strdup(c->arena, a + 2, n, &c->err);
      if (!name) return DM_EBUDGET;
      c->parameters[c->n_parameters++] = (given_option){name, value};
    }
  }
  return DM_OK;
}

static bool parse_size(const char *text, double *out) {
  size_t n = strlen(text);
  double unit = 1;
  if (n && (text[n - 1] == 'B' || text[n - 1] == 'b')) n--;
  if (n && (text[n - 1] == 'i')) n--;
  if (n) {
    char u = text[n - 1] & ~0x20;
    unit = u == 'K' ? 0x1p10 : u == 'M' ? 0x1p20 : u == 'G' ? 0x1p30 : u == 'T' ? 0x1p40 : 1;
    if (unit > 1) n--;
  }
  return dm_text_to_double(text, n, out) && (*out *= unit) >= 1 && *out < 0x1p62;
}

static const verb_spec *find_verb(const program_spec *program, const char *name, dm_error *err) {
  const char *names[64];
  size_t n = 0;
  for (const verb_spec *v = program->verbs; v->name; v++) {
    if (strcmp(v->name, name) == 0) return v;
    if (n < 64) names[n++] = v->name;
  }
  const char *near = dm_text_nearest(name, names, n);
  (void)dm_fail(err, DM_EUSAGE, "unknown command '%s'", name);
  if (near)
    dm_error_hint(err, "did you mean %s?", near);
  else
    dm_error_hint(err, "%s --help lists the commands", program->name);
  return NULL;
}

/* The context is made anew once the options that it depends on are known. */
static dm_status make_context(cli *c, terminal *t) {
  double seed = 0, threads = 0, memory = 0;
  dm_status s = cli_number(c, "seed", 0, 0x1p53, true, &seed);
  if (s == DM_OK) s = cli_number(c, "threads", 1, 1024, true, &threads);
  if (s != DM_OK) return s;
  if (cli_has(c, "memory") && !parse_size(cli_value(c, "memory"), &memory))
    return dm_fail(&c->err, DM_EUSAGE, "--memory = '%s', want a size such as 512M or 4G", cli_value(c, "memory"));
  dm_ctx_options o = {.budget = (size_t)memory,
                      .threads = (unsigned)threads,
                      .seed = (uint64_t)seed,
                      .user = t,
                      .log = on_log,
                      .progress = on_progress,
                      .learners = dm_methods};
  return dm_ctx_new(&o, &c->ctx, &c->err);
}

static void set_terminal(const cli *c, terminal *t) {
  t->quiet = c->quiet;
  t->verbose = c->verbose;
  t->progress = !c->quiet && isatty(STDERR_FILENO);
}

static dm_status check_arguments(cli *c) {
  const verb_spec *v = c->verb;
  if (c->n_arguments >= v->min_arguments && c->n_arguments <= v->max_arguments) return DM_OK;
  (void)dm_fail(&c->err, DM_EUSAGE, "%s: %zu arguments, want %s", v->name, c->n_arguments, v->arguments);
  dm_error_hint(&c->err, "usage: %s %s %s [options]", c->program, v->name, v->arguments);
  return DM_EUSAGE;
}

static dm_status flush_output(cli *c) {
  if (c->quiet && !c->json) return DM_OK;
  if (dm_buf_status(&c->out) != DM_OK) return dm_fail(&c->err, DM_EBUDGET, "output: out of memory");
  if (c->out.n && fwrite(c->out.p, 1, c->out.n, stdout) != c->out.n) return dm_fail(&c->err, DM_EIO, "standard output cannot be written");
  if (c->json) (void)fputc('\n', stdout);
  if (fflush(stdout) != 0) return dm_fail(&c->err, DM_EIO, "standard output cannot be written");
  return DM_OK;
}

static dm_status run_verb(cli *c, terminal *t) {
  dm_status s = check_arguments(c);
  dm_ctx *parse_ctx = c->ctx;
  if (s == DM_OK) s = make_context(c, t);
  if (s != DM_OK || c->ctx == parse_ctx) return s;
  running = c->ctx;
  (void)signal(SIGINT, on_signal);
  (void)signal(SIGTERM, on_signal);
  dm_buf_init(&c->out, c->ctx, NULL);
  dm_json_out_init(&c->j, &c->out, true);
  s = c->verb->run(c);
  clear_progress(t);
  if (s == DM_OK) s = flush_output(c);
  dm_buf_clear(&c->out);
  running = NULL;
  dm_ctx_free(c->ctx);
  c->ctx = parse_ctx;
  return s;
}

static int finish(cli *c, dm_status s, dm_arena *arena, dm_ctx *parse_ctx) {
  int code = s == DM_OK ? c->exit_code : (int)s;
  if (s != DM_OK) {
    c->ctx = parse_ctx;
    dm_buf_init(&c->out, parse_ctx, NULL);
    print_error(c);
    if (c->json) print_error_json(c);
    dm_buf_clear(&c->out);
  }
  dm_arena_free(arena);
  dm_ctx_free(parse_ctx);
  return code;
}

int cli_main(const program_spec *program, int argc, char **argv) {
  terminal t = {0};
  cli c = {.program = program->name};
  dm_ctx *parse_ctx = NULL;
  dm_arena *arena = NULL;
  dm_blas_stop_threads();
  dm_status s = dm_ctx_new(NULL, &parse_ctx, &c.err);
  if (s != DM_OK) return (int)s;
  for (int i = 1; i < argc; i++) c.json = c.json || strcmp(argv[i], "--json") == 0;
  c.ctx = parse_ctx;
  if ((s = dm_arena_new(parse_ctx, 0, &arena, &c.err)) != DM_OK) return finish(&c, s, arena, parse_ctx);
  c.arena = arena;
  size_t room = (size_t)argc + 1;
  c.arguments = dm_arena_alloc(arena, room, sizeof *c.arguments, &c.err);
  c.options = dm_arena_alloc(arena, room, sizeof *c.options, &c.err);
  c.parameters = dm_arena_alloc(arena, room, sizeof *c.parameters, &c.err);
  if (!c.arguments || !c.options || !c.parameters) return finish(&c, DM_EBUDGET, arena, parse_ctx);

  if (argc < 2) {
    (void)dm_fail(&c.err, DM_EUSAGE, "no command given");
    dm_error_hint(&c.err, "%s --help lists the commands", program->name);
    return finish(&c, DM_EUSAGE, arena, parse_ctx);
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
    help_of_program(program);
    return finish(&c, DM_OK, arena, parse_ctx);
  }
  if (strcmp(argv[1], "--version") == 0) {
    help_version(program);
    return finish(&c, DM_OK, arena, parse_ctx);
  }
  if (!(c.verb = find_verb(program, argv[1], &c.err))) return finish(&c, DM_EUSAGE, arena, parse_ctx);
  if ((s = parse_arguments(&c, argc - 2, argv + 2)) != DM_OK) return finish(&c, s, arena, parse_ctx);
  if (cli_has(&c, "help") || cli_has(&c, "version")) {
    if (cli_has(&c, "help"))
      help_of_verb(program, c.verb, dm_methods);
    else
      help_version(program);
    return finish(&c, DM_OK, arena, parse_ctx);
  }
  c.quiet = cli_has(&c, "quiet");
  for (size_t i = 0; i < c.n_options; i++) c.verbose += strcmp(c.options[i].name, "verbose") == 0;
  set_terminal(&c, &t);
  return finish(&c, run_verb(&c, &t), arena, parse_ctx);
}
