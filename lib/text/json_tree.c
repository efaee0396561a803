/* Looking things up in a parsed document, and its canonical text. */
#include "text/json.h"
#include "text/keyed.h"

#include <string.h>

const dm_json *dm_json_get(const dm_json *object, const char *key) {
  if (!object || object->type != DM_JSON_OBJECT) return NULL;
  for (const dm_json *m = object->first; m; m = m->next)
    if (strcmp(m->key, key) == 0) return m;
  return NULL;
}

const char *dm_json_get_string(const dm_json *object, const char *key, const char *otherwise) {
  const dm_json *m = dm_json_get(object, key);
  return m && m->type == DM_JSON_STRING ? m->string.p : otherwise;
}

double dm_json_get_double(const dm_json *object, const char *key, double otherwise) {
  const dm_json *m = dm_json_get(object, key);
  return m && (m->type == DM_JSON_INT || m->type == DM_JSON_DOUBLE) ? m->real : otherwise;
}

/* A double that is an integer within int64. */
static bool as_int(double v, int64_t *out) {
  if (!(v >= -0x1p63 && v < 0x1p63) || v != (double)(int64_t)v) return false;
  *out = (int64_t)v;
  return true;
}

int64_t dm_json_get_int(const dm_json *object, const char *key, int64_t otherwise) {
  const dm_json *m = dm_json_get(object, key);
  int64_t v = otherwise;
  if (m && m->type == DM_JSON_INT) return m->integer;
  if (m && m->type == DM_JSON_DOUBLE) (void)as_int(m->real, &v);
  return v;
}

bool dm_json_get_bool(const dm_json *object, const char *key, bool otherwise) {
  const dm_json *m = dm_json_get(object, key);
  return m && m->type == DM_JSON_BOOL ? m->integer != 0 : otherwise;
}

/* 1, 1.0 and 1e0 are one number: what is an integer is written as one. Minus zero keeps its sign. */
static void canonical_number(const dm_json *value, dm_buf *out) {
  int64_t v = value->integer;
  if (!dm_buf_reserve(out, DM_NUMBER_MAX)) return;
  bool minus_zero = value->type == DM_JSON_DOUBLE && value->real == 0 && __builtin_signbit(value->real);
  if (value->type == DM_JSON_INT || (!minus_zero && as_int(value->real, &v)))
    out->n += dm_text_of_int(v, out->p + out->n);
  else
    out->n += dm_text_of_double(value->real, false, out->p + out->n);
}

static void canonical_object(const dm_json *object, dm_buf *out) {
  dm_keyed *members = dm_alloc(out->ctx, object->n, sizeof *members, "JSON members", out->err);
  if (!members) {
    out->failed = true;
    return;
  }
  size_t n = 0;
  for (const dm_json *m = object->first; m; m = m->next) members[n++] = (dm_keyed){m->key, m};
  dm_keyed_sort(members, n);
  dm_buf_addc(out, '{');
  for (size_t i = 0; i < n; i++) {
    if (i) dm_buf_addc(out, ',');
    dm_json_quote(out, members[i].key, strlen(members[i].key));
    dm_buf_addc(out, ':');
    dm_json_canonical(members[i].item, out);
  }
  dm_buf_addc(out, '}');
  dm_free(out->ctx, members);
}

void dm_json_canonical(const dm_json *value, dm_buf *out) {
  switch (value->type) {
  case DM_JSON_NULL: dm_buf_adds(out, "null"); break;
  case DM_JSON_BOOL: dm_buf_adds(out, value->integer ? "true" : "false"); break;
  case DM_JSON_INT:
  case DM_JSON_DOUBLE: canonical_number(value, out); break;
  case DM_JSON_STRING: dm_json_quote(out, value->string.p, value->string.n); break;
  case DM_JSON_ARRAY:
    dm_buf_addc(out, '[');
    for (const dm_json *e = value->first; e; e = e->next) {
      if (e != value->first) dm_buf_addc(out, ',');
      dm_json_canonical(e, out);
    }
    dm_buf_addc(out, ']');
    break;
  case DM_JSON_OBJECT: canonical_object(value, out); break;
  }
}
