/* dm-clean: data in, clean, out. Options, printing and exit codes; all work is libdm's. */
#include "cli.h"
#include "print.h"

#include <stdio.h>
#include <string.h>

/* ---- import ------------------------------------------------------------------- */

static const option_spec import_options[] = {
    {"table", 't', OPTION_VALUE, "T", "table to make (default: the file's name); several files go into this one"},
    {"format", 'f', OPTION_VALUE, "csv|tsv", "format of the file (default: from its name and content)"},
    {"append", 0, OPTION_FLAG, NULL, "add to an existing table"},
    {"replace", 0, OPTION_FLAG, NULL, "replace an existing table"},
    {"strict", 0, OPTION_FLAG, NULL, "import nothing when any record is rejected"},
    {0}};
static const option_spec *const import_tables[] = {import_options, cli_reading_options, NULL};

static void print_import(cli *c, const char *file, const dm_import_result *r, double seconds) {
  dm_buf *o = &c->out;
  const dm_csv_dialect *d = &r->dialect;
  char delimiter[16];
  if (d->delimiter == '\t')
    (void)snprintf(delimiter, sizeof delimiter, "tab");
  else
    (void)snprintf(delimiter, sizeof delimiter, "'%c'", d->delimiter);
  dm_buf_printf(o, "%s -> table %s\n", file, r->table);
  dm_buf_printf(o, "found on %zu records (%zu KB): delimiter %s, %s, header %s%s\n", d->sample_records, (d->sample_bytes + 1023) / 1024, delimiter,
                d->encoding, d->header ? "yes" : "no", d->trim ? ", blanks around cells trimmed" : "");
  size_t wide = 0;
  for (size_t i = 0; i < r->n_columns; i++) {
    size_t w = dm_utf8_columns(r->columns[i].name, strlen(r->columns[i].name));
    if (w > wide) wide = w < 40 ? w : 40;
  }
  for (size_t i = 0; i < r->n_columns; i++) {
    if (i == 30 && r->n_columns > 34) {
      dm_buf_printf(o, "  ... and %zu more columns\n", r->n_columns - i);
      break;
    }
    print_padded(o, "  ", r->columns[i].name, wide + 2);
    dm_buf_printf(o, "%s\n", dm_type_name(r->columns[i].type));
  }
  for (size_t i = 0; i < r->n_notes; i++) {
    if (i == 30 && r->n_notes > 34) {
      dm_buf_printf(o, "note: ... and %zu more of the kind\n", r->n_notes - i);
      break;
    }
    dm_buf_printf(o, "note: %s\n", r->notes[i]);
  }
  dm_buf_printf(o, "%.2f s\n", seconds);
  dm_buf_printf(o, "accepted %llu, rejected %llu", (unsigned long long)r->rows, (unsigned long long)r->rejects);
  dm_buf_adds(o, r->rejects ? " (table dm_reject)\n" : "\n");
}

static dm_status import_file(cli *c, dm_store *store, const char *file, dm_import_options *o) {
  dm_import_result r = {0};
  double from = dm_seconds();
  dm_status s = dm_store_import(store, file, o, c->arena, &r, &c->err);
  if (s != DM_OK) return s;
  if (r.rejects) c->exit_code = 1;
  if (c->json)
    dm_import_json(&r, dm_seconds() - from, &c->j);
  else
    print_import(c, file, &r, dm_seconds() - from);
  return DM_OK;
}

static dm_status run_import(cli *c) {
  dm_import_options o = {.table = cli_value(c, "table"), .append = cli_has(c, "append"), .replace = cli_has(c, "replace"), .strict = cli_has(c, "strict")};
  dm_store *store = NULL;
  dm_status s = cli_reading(c, &o.csv);
  const char *format = cli_value(c, "format");
  if (format && strcmp(format, "tsv") == 0 && !o.csv.delimiter) o.csv.delimiter = '\t';
  if (s == DM_OK && o.append && o.replace) s = dm_fail(&c->err, DM_EUSAGE, "--append and --replace exclude each other");
  if (s == DM_OK) s = cli_open(c, c->arguments[0], DM_STORE_READ | DM_STORE_WRITE | DM_STORE_CREATE, &store);
  bool several = c->n_arguments > 2;
  if (s == DM_OK && several) s = dm_store_begin(store, &c->err); /* all of the files or none */
  if (s == DM_OK && c->json && several) dm_json_array(&c->j);
  for (size_t i = 1; s == DM_OK && i < c->n_arguments; i++) {
    s = import_file(c, store, c->arguments[i], &o);
    if (o.table && several) o.append = true, o.replace = false; /* the rest joins the first */
  }
  if (s == DM_OK && c->json && several) dm_json_end_array(&c->j);
  if (s == DM_OK && several) s = dm_store_commit(store, &c->err);
  if (s != DM_OK && store) dm_store_rollback(store);
  dm_store_close(store);
  return s;
}

/* ---- profile -------------------------------------------------------------------- */

static const option_spec profile_options[] = {{"target", 0, OPTION_VALUE, "COL", "target column, marked in the report"},
                                              {"report", 0, OPTION_VALUE, "FILE.html", "write the profile as a page with charts"},
                                              {0}};
static const option_spec *const profile_tables[] = {profile_options, NULL};

static dm_status write_text(cli *c, const char *path, const dm_buf *text) {
  dm_outfile *f = NULL;
  dm_status s = dm_outfile_open(c->ctx, path, &f, &c->err);
  if (s == DM_OK && (s = dm_outfile_write(f, text->p, text->n, &c->err)) == DM_OK) return dm_outfile_commit(f, &c->err);
  dm_outfile_abort(f);
  return s;
}

static dm_status profile_report(cli *c, dm_store *store, const char *path, const char *const *tables, size_t n) {
  dm_report_options o = {.tables = tables, .n_tables = n, .target = cli_value(c, "target"), .profiles_only = true};
  dm_buf html;
  dm_buf_init(&html, c->ctx, &c->err);
  dm_status s = dm_report_html(store, &o, &html, &c->err);
  if (s == DM_OK) s = write_text(c, path, &html);
  dm_buf_clear(&html);
  return s;
}

static dm_status run_profile(cli *c) {
  dm_store *store = NULL;
  const char *const *tables = c->arguments + 1;
  size_t n = c->n_arguments - 1;
  const char *report = cli_value(c, "report");
  if (report && strcmp(report, "-") == 0) return dm_fail(&c->err, DM_EUSAGE, "--report - and the profile both want standard output");
  dm_status s = cli_open(c, c->arguments[0], DM_STORE_READ, &store);
  if (s == DM_OK) s = dm_store_snapshot(store, &c->err);
  if (s == DM_OK && n == 0) s = dm_store_tables(store, c->arena, &tables, &n, &c->err);
  if (s == DM_OK && n == 0) {
    s = dm_fail(&c->err, DM_EINPUT, "the database has no tables");
    dm_error_hint(&c->err, "dm-clean import %s FILE makes one", c->arguments[0]);
  }
  if (s == DM_OK && c->json) dm_json_array(&c->j);
  for (size_t i = 0; s == DM_OK && i < n; i++) {
    dm_profile p;
    s = dm_profile_table(store, tables[i], cli_value(c, "target"), c->arena, &p, &c->err);
    if (s != DM_OK) break;
    if (c->json)
      dm_profile_json(&p, &c->j);
    else
      print_profile(&c->out, &p);
  }
  if (s == DM_OK && c->json) dm_json_end_array(&c->j);
  if (s == DM_OK && report) s = profile_report(c, store, report, tables, n);
  dm_store_close(store);
  return s;
}

/* ---- apply, history, undo ---------------------------------------------------------- */

static const option_spec apply_options[] = {{"dry-run", 0, OPTION_FLAG, NULL, "do the same work, show the result, keep nothing"}, {0}};
static const option_spec *const apply_tables[] = {apply_options, NULL};

static dm_status run_apply(cli *c) {
  dm_store *store = NULL;
  dm_recipe *recipe = NULL;
  dm_apply_result r;
  dm_status s = dm_recipe_load(c->ctx, c->arguments[1], &recipe, &c->err);
  if (s == DM_OK) s = cli_open(c, c->arguments[0], DM_STORE_READ | DM_STORE_WRITE, &store);
  if (s == DM_OK) s = dm_recipe_apply(store, recipe, cli_has(c, "dry-run"), c->arena, &r, &c->err);
  if (s == DM_OK && c->json) dm_apply_json(&r, &c->j);
  if (s == DM_OK && !c->json) print_apply(&c->out, &r, c->arguments[0]);
  dm_recipe_free(recipe);
  dm_store_close(store);
  return s;
}

static dm_status run_history(cli *c) {
  dm_store *store = NULL;
  dm_history_entry *entries;
  size_t n;
  dm_status s = cli_open(c, c->arguments[0], DM_STORE_READ, &store);
  if (s == DM_OK) s = dm_history(store, c->arena, &entries, &n, &c->err);
  if (s == DM_OK && c->json) print_history_json(&c->j, entries, n);
  if (s == DM_OK && !c->json) print_history(&c->out, entries, n);
  dm_store_close(store);
  return s;
}

static dm_status parse_id(cli *c, const char *what, const char *text, int64_t *out) {
  if (dm_text_to_int(text, strlen(text), out)) return DM_OK;
  return dm_fail(&c->err, DM_EUSAGE, "%s = '%s', want a whole number", what, text);
}

static dm_status run_undo(cli *c) {
  dm_store *store = NULL;
  dm_apply_result r;
  int64_t run;
  dm_status s = parse_id(c, "RUN", c->arguments[1], &run);
  if (s == DM_OK) s = cli_open(c, c->arguments[0], DM_STORE_READ | DM_STORE_WRITE, &store);
  if (s == DM_OK) s = dm_undo(store, run, c->arena, &r, &c->err);
  if (s == DM_OK && c->json) dm_apply_json(&r, &c->j);
  if (s == DM_OK && !c->json) print_undo(&c->out, &r, run);
  dm_store_close(store);
  return s;
}

/* ---- why ---------------------------------------------------------------------------- */

static dm_status run_why(cli *c) {
  dm_store *store = NULL;
  dm_why why;
  int64_t row;
  dm_status s = parse_id(c, "ROW", c->arguments[2], &row);
  if (s == DM_OK) s = cli_open(c, c->arguments[0], DM_STORE_READ, &store);
  if (s == DM_OK) s = dm_why_row(store, c->arguments[1], row, c->n_arguments > 3 ? c->arguments[3] : NULL, c->arena, &why, &c->err);
  if (s == DM_OK && c->json) dm_why_json(&why, &c->j);
  if (s == DM_OK && !c->json) print_why(&c->out, &why);
  dm_store_close(store);
  return s;
}

/* ---- export -------------------------------------------------------------------------- */

static const option_spec export_options[] = {
    {"output", 'o', OPTION_VALUE, "FILE", "where to write; - is standard output"},
    {"format", 'f', OPTION_VALUE, "csv|tsv|jsonl", "format (default: from the file's name, else csv)"},
    {"with-dm-id", 0, OPTION_FLAG, NULL, "keep the column dm_id"},
    {0}};
static const option_spec *const export_tables[] = {export_options, cli_reading_options, NULL};

/* A data file is exported from a database in memory, which takes the place of *store and leaves no trace. */
static dm_status read_source(cli *c, const char *file, dm_store **store, const char **table, uint64_t *rejects) {
  dm_import_options o = {.table = "source"};
  dm_import_result r = {0};
  dm_src src;
  dm_status s = cli_source(c, *store, file, &o.csv, &src);
  if (s != DM_OK || !dm_src_is_file(*store, file)) return s;
  dm_store_close(*store);
  *store = NULL;
  s = cli_open(c, ":memory:", DM_STORE_READ | DM_STORE_WRITE | DM_STORE_CREATE, store);
  if (s == DM_OK) s = dm_store_import(*store, file, &o, c->arena, &r, &c->err);
  if (s != DM_OK) return s;
  *table = o.table;
  *rejects = r.rejects;
  if (r.rejects) {
    c->exit_code = 1;
    dm_log(c->ctx, DM_LOG_WARNING, "%s: %llu of %llu records do not fit and are left out; dm-clean import keeps them", file,
           (unsigned long long)r.rejects, (unsigned long long)(r.rows + r.rejects));
  }
  return DM_OK;
}

static dm_status run_export(cli *c) {
  const char *path = cli_value(c, "output"), *format = cli_value(c, "format"), *source = c->arguments[1];
  dm_store *store = NULL;
  uint64_t rows = 0, rejects = 0;
  if (!path) return dm_fail(&c->err, DM_EUSAGE, "export needs -o FILE (- for standard output)");
  if (c->json && strcmp(path, "-") == 0) return dm_fail(&c->err, DM_EUSAGE, "--json and -o - both want standard output");
  const char *dot = strrchr(path, '.');
  if (!format) format = dot ? dot + 1 : "csv";
  dm_export_options o = {.format = strcmp(format, "tsv") == 0     ? DM_EXPORT_TSV
                                   : strcmp(format, "jsonl") == 0 ? DM_EXPORT_JSONL
                                                                  : DM_EXPORT_CSV,
                         .with_dm_id = cli_has(c, "with-dm-id")};
  dm_status s = cli_open(c, c->arguments[0], DM_STORE_READ, &store);
  if (s == DM_OK) s = read_source(c, source, &store, &source, &rejects);
  if (s == DM_OK) s = dm_store_export(store, source, path, &o, &rows, &c->err);
  dm_store_close(store);
  if (s != DM_OK) return s;
  if (c->json) {
    dm_json_object(&c->j);
    dm_json_put_string(&c->j, "file", path);
    dm_json_put_int(&c->j, "rows", (int64_t)rows);
    dm_json_put_int(&c->j, "rejects", (int64_t)rejects);
    dm_json_end_object(&c->j);
  } else if (strcmp(path, "-") != 0) {
    dm_buf_printf(&c->out, "%llu rows written to %s\n", (unsigned long long)rows, path);
  }
  return DM_OK;
}

/* ---- table of verbs ------------------------------------------------------------------- */

static const verb_spec verbs[] = {
    {"import", "DB FILE...", "read delimited files into tables; records that do not fit are kept in dm_reject", 2, 10000, import_tables, false,
     run_import,
     "Only form rejects a record: too few or too many fields, an unclosed quote, bytes that are\n"
     "not of the encoding. A column becomes INTEGER or REAL only when every cell prints back the\n"
     "same. Exit code 1 when records were rejected.\n"},
    {"profile", "DB [T...]", "counts, ranges, quantiles, top values of tables", 1, 10000, profile_tables, false, run_profile, NULL},
    {"apply", "DB RECIPE.yaml", "run a cleaning recipe; every changed cell is logged", 2, 2, apply_tables, false, run_apply,
     "Steps: trim, case, replace, recode, cast, parse_date, parse_number, fill, drop_duplicates,\n"
     "filter, derive.\n"},
    {"history", "DB", "what was done to the database, and what was undone", 1, 1, NULL, false, run_history, NULL},
    {"undo", "DB RUN", "put back what a run changed", 2, 2, NULL, false, run_undo,
     "RUN is the number that apply and history print. Refused while a later run depends on it.\n"},
    {"why", "DB T ROW [COLUMN]", "how a cell came to its value, down to the byte of its file", 3, 4, NULL, false, run_why, "ROW is the row's dm_id.\n"},
    {"export", "DB SRC", "write a table, SELECT or data file as CSV, TSV or JSON lines", 2, 2, export_tables, false, run_export,
     "A table imported from a clean CSV gives the same bytes. DB may be :memory: for a data file.\n"},
    {0}};

static const program_spec program = {
    "dm-clean", "Bring data into an SQLite file without loss, clean it with undo, and bring it out again.", verbs,
    "  dm-clean import my.db people.csv\n"
    "  dm-clean profile my.db people\n"
    "  dm-clean apply my.db recipe.yaml --dry-run\n"
    "  dm-clean why my.db people 17 age\n"};

int main(int argc, char **argv) { return cli_main(&program, argc, argv); }
