/* An audit document as text for people. */
#include <dm/pipeline.h>

#include <string.h>

static void add_value(dm_buf *out, const dm_json *v) {
  char number[DM_NUMBER_MAX];
  if (!v || v->type == DM_JSON_NULL)
    dm_buf_adds(out, "(missing)");
  else if (v->type == DM_JSON_STRING)
    dm_buf_printf(out, "'%s'", v->string.p);
  else if (v->type == DM_JSON_INT)
    dm_buf_printf(out, "%lld", (long long)v->integer);
  else if (dm_text_of_double(v->real, false, number))
    dm_buf_adds(out, number);
}

/* Terms of a sum: "  1.25  age (2.5 * 0.5)". */
static void add_terms(dm_buf *out, const dm_json *terms) {
  dm_buf_adds(out, "\nscore\n");
  for (const dm_json *t = terms->first; t; t = t->next) {
    if (!dm_json_get(t, "term")) {
      dm_buf_printf(out, "  %- 12.5g sum\n", dm_json_get_double(t, "score", 0));
      continue;
    }
    dm_buf_printf(out, "  %- 12.5g %s", dm_json_get_double(t, "contribution", 0), dm_json_get_string(t, "term", ""));
    if (dm_json_get(t, "class")) dm_buf_printf(out, " of %s", dm_json_get_string(t, "class", ""));
    if (dm_json_get(t, "weight")) dm_buf_printf(out, " (%.5g * %.5g)", dm_json_get_double(t, "value", 0), dm_json_get_double(t, "weight", 0));
    dm_buf_addc(out, '\n');
  }
}

/* Conditions of the rule that fired, and the rule: "  rule 2: virginica (46 rows, confidence 0.978)". */
static void add_rule(dm_buf *out, const dm_json *steps) {
  dm_buf_adds(out, "\nrule\n");
  for (const dm_json *step = steps->first; step; step = step->next) {
    if (!dm_json_get(step, "rule")) {
      dm_buf_printf(out, "  %s; %s is ", dm_json_get_string(step, "test", ""), dm_json_get_string(step, "feature", ""));
      add_value(out, dm_json_get(step, "value"));
      dm_buf_addc(out, '\n');
      continue;
    }
    if (dm_json_get_bool(step, "default", false))
      dm_buf_adds(out, "  no rule: ");
    else
      dm_buf_printf(out, "  rule %lld: ", (long long)dm_json_get_int(step, "rule", 0));
    dm_buf_printf(out, "%s (%.0f rows, confidence %.3f)\n", dm_json_get_string(step, "class", ""), dm_json_get_double(step, "rows", 0),
                  dm_json_get_double(step, "confidence", 0));
  }
}

static bool is_rule(const dm_json *path) {
  for (const dm_json *step = path->first; step; step = step->next)
    if (dm_json_get(step, "rule")) return true;
  return false;
}

static void add_path(dm_buf *out, const dm_json *path) {
  if (!path || path->type != DM_JSON_ARRAY) return;
  if (is_rule(path)) {
    add_rule(out, path);
    return;
  }
  if (path->first && dm_json_get(path->first, "term")) {
    add_terms(out, path);
    return;
  }
  dm_buf_adds(out, "\npath\n");
  for (const dm_json *step = path->first; step; step = step->next) {
    dm_buf_printf(out, "  node %lld: ", (long long)dm_json_get_int(step, "node", 0));
    if (dm_json_get_bool(step, "leaf", false)) {
      dm_buf_adds(out, "leaf\n");
      continue;
    }
    dm_buf_printf(out, "%s; %s is ", dm_json_get_string(step, "test", ""), dm_json_get_string(step, "feature", ""));
    add_value(out, dm_json_get(step, "value"));
    dm_buf_printf(out, ", goes %s%s\n", dm_json_get_string(step, "goes", ""),
                  dm_json_get_bool(step, "missing", false) ? " as missing values do here" : "");
  }
}

/* "  age = 41, encoded 0.25, error 0.5" without the line's end. */
static void add_encoded(dm_buf *out, const dm_json *f) {
  dm_buf_printf(out, "  %s = ", dm_json_get_string(f, "name", ""));
  add_value(out, dm_json_get(f, "value"));
  const dm_json *encoded = dm_json_get(f, "encoded"), *part = dm_json_get(f, "part");
  for (const dm_json *e = encoded ? encoded->first : NULL; e; e = e->next) {
    dm_buf_adds(out, e == encoded->first ? ", encoded " : " ");
    add_value(out, dm_json_get(e, "value"));
  }
  if (part && part->type != DM_JSON_NULL) dm_buf_printf(out, ", error %.4g", part->real);
}

/* Codes of the stages, the last one's first: the way goes back. */
static void add_stages(dm_buf *out, const dm_json *stages) {
  for (size_t n = stages ? stages->n : 0; n-- > 0;) {
    const dm_json *stage = stages->first;
    for (size_t i = 0; i < n; i++) stage = stage->next;
    const dm_json *codes = dm_json_get(stage, "codes");
    dm_buf_printf(out, "\nstage %zu (%s)\n", n, dm_json_get_string(stage, "method", ""));
    for (const dm_json *c = codes ? codes->first : NULL; c; c = c->next) {
      add_encoded(out, c);
      dm_buf_addc(out, '\n');
    }
  }
}

static void add_feature(dm_buf *out, const dm_json *f) {
  add_encoded(out, f);
  const dm_json *changes = dm_json_get(f, "changes"), *raw = dm_json_get(f, "raw");
  dm_buf_addc(out, '\n');
  for (const dm_json *c = changes ? changes->first : NULL; c; c = c->next) {
    dm_buf_printf(out, "      run %lld, rule %s: ", (long long)dm_json_get_int(c, "run", 0), dm_json_get_string(c, "rule", ""));
    add_value(out, dm_json_get(c, "old"));
    dm_buf_adds(out, " -> ");
    add_value(out, dm_json_get(c, "new"));
    dm_buf_addc(out, '\n');
  }
  if (raw && raw->type == DM_JSON_STRING && changes && changes->n) dm_buf_printf(out, "      in the file: '%s'\n", raw->string.p);
}

static void add_origin(dm_buf *out, const dm_json *o) {
  if (!o || o->type != DM_JSON_OBJECT) {
    dm_buf_adds(out, "\norigin: not an imported row\n");
    return;
  }
  const char *problem = dm_json_get_string(o, "problem", NULL), *raw = dm_json_get_string(o, "raw", NULL);
  if (!dm_json_get_string(o, "file", NULL)) {
    dm_buf_printf(out, "\norigin: %s\n", problem ? problem : "not an imported row");
    return;
  }
  dm_buf_printf(out, "\norigin: %s:%lld, record %lld, bytes %lld to %lld%s\n", dm_json_get_string(o, "file", ""),
                (long long)dm_json_get_int(o, "line", 0), (long long)dm_json_get_int(o, "record", 0),
                (long long)dm_json_get_int(o, "byte_offset", 0),
                (long long)(dm_json_get_int(o, "byte_offset", 0) + dm_json_get_int(o, "bytes", 0)),
                dm_json_get_bool(o, "verified", false) ? ", file unchanged since import (SHA-256)" : "");
  if (problem) dm_buf_printf(out, "  %s\n", problem);
  if (raw) dm_buf_printf(out, "  %s%s", raw, raw[0] && raw[strlen(raw) - 1] == '\n' ? "" : "\n");
}

dm_status dm_audit_text(const dm_json *audit, dm_buf *out, dm_error *err) {
  dm_buf_printf(out, "%s@%lld (%s), row %lld\n%s = ", dm_json_get_string(audit, "model", ""), (long long)dm_json_get_int(audit, "version", 0),
                dm_json_get_string(audit, "method", ""), (long long)dm_json_get_int(audit, "row", 0),
                dm_json_get_string(audit, "target", "unusual"));
  add_value(out, dm_json_get(audit, "prediction"));
  if (!dm_json_get_string(audit, "target", NULL)) dm_buf_printf(out, ", error %.4g", dm_json_get_double(audit, "score", 0));
  const dm_json *probabilities = dm_json_get(audit, "probabilities");
  for (const dm_json *p = probabilities ? probabilities->first : NULL; p; p = p->next)
    dm_buf_printf(out, "%s%s %.4g", p == probabilities->first ? "   " : ", ", p->key, p->real);
  dm_buf_addc(out, '\n');
  add_path(out, dm_json_get(audit, "path"));
  add_stages(out, dm_json_get(audit, "stages"));
  dm_buf_adds(out, "\nfeatures\n");
  const dm_json *features = dm_json_get(audit, "features");
  for (const dm_json *f = features ? features->first : NULL; f; f = f->next) add_feature(out, f);
  add_origin(out, dm_json_get(audit, "origin"));
  return dm_buf_status(out) == DM_OK ? DM_OK : dm_fail(err, DM_EBUDGET, "audit: out of memory");
}
