#define _GNU_SOURCE /* memmem */
/* Steps over texts: trim, case, replace. Cells that are numbers are left alone. */
#include "clean/regex.h"
#include "clean/run.h"

#include <string.h>

/* Maps every column of the step; the map looks at TEXT cells only. */
static dm_status map_texts(dm_clean_run *run, const dm_clean_step *step, dm_clean_map map, void *user, dm_error *err) {
  size_t *columns, n;
  dm_status s = dm_clean_run_columns(run, &step->columns, &columns, &n, err);
  dm_clean_mapping mapping = {.map = map, .user = user, .what = "text"};
  for (size_t i = 0; i < n && s == DM_OK; i++) {
    dm_type type = run->table.columns[columns[i]].type;
    if (type == DM_INTEGER || type == DM_REAL) {
      if (!step->columns.all)
        dm_log(run->ctx, DM_LOG_NOTICE, "%s: column '%s' is %s, there is no text to change", step->rule, run->table.columns[columns[i]].name,
               dm_type_name(type));
      continue;
    }
    s = dm_clean_map_column(run, columns[i], &mapping, err);
  }
  return s;
}

static dm_status new_arguments(const dm_clean_parser *in, dm_clean_step *step, size_t size, dm_error *err) {
  step->arguments = dm_arena_alloc(in->arena, 1, size, err);
  return step->arguments ? DM_OK : DM_EBUDGET;
}

/* ---- trim ---- */

typedef struct trim {
  bool collapse, empty_is_missing;
  dm_buf text; /* of the run */
} trim;

static dm_status parse_trim(const dm_clean_parser *in, const dm_yaml *args, dm_clean_step *step, dm_error *err) {
  static const char *const empties[] = {"keep", "missing", NULL};
  unsigned empty = 0;
  dm_status s = new_arguments(in, step, sizeof(trim), err);
  if (s != DM_OK) return s;
  trim *t = step->arguments;
  s = dm_clean_arg_columns(in, step, args, "columns", true, &step->columns, err);
  if (s == DM_OK) s = dm_clean_arg_bool(in, args, "collapse", false, &t->collapse, err);
  if (s == DM_OK) s = dm_clean_arg_choice(in, args, "empty", empties, 0, &empty, err);
  t->empty_is_missing = empty == 1;
  return s;
}

/* Every run of white space inside becomes one space. */
static void collapse(const char *p, size_t n, dm_buf *out) {
  uint32_t code;
  bool space = false;
  for (size_t i = 0; i < n;) {
    size_t step = dm_utf8_next(p + i, n - i, &code);
    bool white = dm_utf8_trim(p + i, step).n == 0;
    if (!white) dm_buf_add(out, p + i, step);
    else if (!space) dm_buf_addc(out, ' ');
    space = white;
    i += step;
  }
}

static dm_status trim_cell(void *user, const dm_value *old, dm_value *out, dm_clean_outcome *outcome, dm_error *err) {
  trim *t = user;
  (void)err;
  if (old->type != DM_TEXT) return DM_OK;
  dm_str text = dm_utf8_trim(old->text.p, old->text.n);
  if (t->collapse) {
    dm_buf_reset(&t->text);
    collapse(text.p, text.n, &t->text);
    if (dm_buf_status(&t->text) != DM_OK) return DM_EBUDGET;
    text = (dm_str){t->text.p ? t->text.p : "", t->text.n};
  }
  *out = (dm_value){.type = DM_TEXT, .text = text};
  if (text.n == 0 && t->empty_is_missing) *out = (dm_value){DM_NULL};
  *outcome = DM_CLEAN_NEW;
  return DM_OK;
}

static dm_status run_trim(dm_clean_run *run, const dm_clean_step *step, dm_error *err) {
  trim t = *(const trim *)step->arguments;
  if (t.collapse) dm_buf_adds(run->detail, "; runs of white space become one space");
  if (t.empty_is_missing) dm_buf_adds(run->detail, "; empty texts become missing");
  dm_buf_init(&t.text, run->ctx, err);
  dm_status s = map_texts(run, step, trim_cell, &t, err);
  dm_buf_clear(&t.text);
  return s;
}

static const char *const trim_keys[] = {"columns", "collapse", "empty", NULL};
const dm_clean_kind dm_clean_trim = {
    "trim", "{columns: A | [A, B] | '*', collapse: true|false, empty: keep|missing}",
    "takes white space off both ends; collapse makes every run of it inside one space", trim_keys, parse_trim, run_trim, NULL};

/* ---- case ---- */

typedef struct letter_case {
  dm_case to;
  dm_buf text;
} letter_case;

static const char *const case_names[] = {"lower", "upper", "title", NULL};

static dm_status parse_case(const dm_clean_parser *in, const dm_yaml *args, dm_clean_step *step, dm_error *err) {
  unsigned to = 0;
  const dm_yaml *node;
  dm_status s = new_arguments(in, step, sizeof(letter_case), err);
  if (s == DM_OK) s = dm_clean_arg_columns(in, step, args, "columns", false, &step->columns, err);
  if (s == DM_OK) s = dm_clean_arg_need(in, step, args, "to", &node, err);
  if (s == DM_OK) s = dm_clean_arg_choice(in, args, "to", case_names, 0, &to, err);
  if (s == DM_OK) ((letter_case *)step->arguments)->to = (dm_case)to;
  return s;
}

static dm_status case_cell(void *user, const dm_value *old, dm_value *out, dm_clean_outcome *outcome, dm_error *err) {
  letter_case *c = user;
  if (old->type != DM_TEXT || old->text.n == 0) return DM_OK;
  dm_buf_reset(&c->text);
  dm_status s = dm_utf8_case(old->text.p, old->text.n, c->to, &c->text, err);
  *out = (dm_value){.type = DM_TEXT, .text = {c->text.p, c->text.n}};
  *outcome = DM_CLEAN_NEW;
  return s;
}

static dm_status run_case(dm_clean_run *run, const dm_clean_step *step, dm_error *err) {
  letter_case c = *(const letter_case *)step->arguments;
  dm_buf_printf(run->detail, " to %s case", case_names[c.to]);
  dm_buf_init(&c.text, run->ctx, err);
  dm_status s = map_texts(run, step, case_cell, &c, err);
  dm_buf_clear(&c.text);
  return s;
}

static const char *const case_keys[] = {"columns", "to", NULL};
const dm_clean_kind dm_clean_case = {"case", "{columns: A | [A, B] | '*', to: lower|upper|title}",
                                     "changes the case of letters, in all of Unicode", case_keys, parse_case, run_case, NULL};

/* ---- replace ---- */

typedef struct replace {
  const char *pattern, *with;
  dm_clean_regex *regex; /* NULL: plain text */
  dm_buf text;
} replace;

static void free_replace(void *arguments) { dm_clean_regex_free(((replace *)arguments)->regex); }

static dm_status compile(const dm_clean_parser *in, const dm_yaml *args, replace *r, dm_error *err) {
  size_t offset = 0;
  bool in_replacement = false;
  dm_error why = {0};
  dm_status s = dm_clean_regex_new(in->ctx, r->pattern, r->with, &r->regex, &offset, &in_replacement, &why);
  if (s == DM_OK) return s;
  if (s != DM_EINPUT) return dm_fail(err, s, "%s", why.message);
  dm_yaml node = *dm_yaml_get(args, in_replacement ? "with" : "pattern");
  if (!strchr(node.scalar, '\n')) node.column += offset + node.quoted;
  s = dm_yaml_fail(&node, in->file, err, "%s in '%s'", why.message, node.scalar);
  if (in_replacement) dm_error_hint(err, "$1 is the first group, $$ a dollar");
  return s;
}

static dm_status parse_replace(const dm_clean_parser *in, const dm_yaml *args, dm_clean_step *step, dm_error *err) {
  const dm_yaml *node;
  bool regex = false;
  dm_status s = new_arguments(in, step, sizeof(replace), err);
  if (s != DM_OK) return s;
  replace *r = step->arguments;
  s = dm_clean_arg_columns(in, step, args, "columns", false, &step->columns, err);
  if (s == DM_OK) s = dm_clean_arg_need(in, step, args, "pattern", &node, err);
  if (s == DM_OK) s = dm_clean_arg_text(in, args, "pattern", "", &r->pattern, err);
  if (s == DM_OK && !*r->pattern) s = dm_yaml_fail(node, in->file, err, "'pattern' is empty");
  if (s == DM_OK && !dm_yaml_get(args, "with")) s = dm_clean_arg_need(in, step, args, "with", &node, err);
  if (s == DM_OK) s = dm_clean_arg_text(in, args, "with", "", &r->with, err);
  if (s == DM_OK) s = dm_clean_arg_bool(in, args, "regex", false, &regex, err);
  return s == DM_OK && regex ? compile(in, args, r, err) : s;
}

static bool replace_plain(replace *r, dm_str text) {
  size_t n = strlen(r->pattern), from = 0;
  dm_buf_reset(&r->text);
  for (;;) {
    const char *at = memmem(text.p + from, text.n - from, r->pattern, n);
    if (!at) break;
    dm_buf_add(&r->text, text.p + from, (size_t)(at - text.p) - from);
    dm_buf_adds(&r->text, r->with);
    from = (size_t)(at - text.p) + n;
  }
  if (from == 0) return false;
  dm_buf_add(&r->text, text.p + from, text.n - from);
  return true;
}

static dm_status replace_cell(void *user, const dm_value *old, dm_value *out, dm_clean_outcome *outcome, dm_error *err) {
  replace *r = user;
  bool changed;
  if (old->type != DM_TEXT) return DM_OK;
  out->type = DM_TEXT;
  if (r->regex) {
    dm_status s = dm_clean_regex_replace(r->regex, old->text.p, old->text.n, &out->text, &changed, err);
    if (s != DM_OK) return s;
  } else {
    changed = replace_plain(r, old->text);
    if (dm_buf_status(&r->text) != DM_OK) return DM_EBUDGET;
    if (changed) out->text = (dm_str){r->text.p ? r->text.p : "", r->text.n};
  }
  *outcome = changed ? DM_CLEAN_NEW : DM_CLEAN_SAME;
  return DM_OK;
}

static dm_status run_replace(dm_clean_run *run, const dm_clean_step *step, dm_error *err) {
  replace r = *(const replace *)step->arguments;
  dm_buf_printf(run->detail, ": %s%s%s by '%s'", r.regex ? "/" : "'", r.pattern, r.regex ? "/" : "'", r.with);
  dm_buf_init(&r.text, run->ctx, err);
  dm_status s = map_texts(run, step, replace_cell, &r, err);
  dm_buf_clear(&r.text);
  return s;
}

static const char *const replace_keys[] = {"columns", "pattern", "with", "regex", NULL};
const dm_clean_kind dm_clean_replace = {"replace", "{columns: A | [A, B] | '*', pattern: TEXT, with: TEXT, regex: true|false}",
                                        "replaces every occurrence; with regex a Perl-like pattern, $1 in 'with' its first group",
                                        replace_keys, parse_replace, run_replace, free_replace};
