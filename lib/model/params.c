/*
 * Values of a learner's parameter table.
 *
 * One slot for each line of the table, filled from its default and then by
 * the user; a value that does not fit leaves its slot as it was.
 */
#include <dm/model.h>

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct value {
  bool set, is_auto;
  int64_t integer; /* DM_PARAM_INT, DM_PARAM_BOOL */
  double real;     /* DM_PARAM_DOUBLE */
  char *text;      /* DM_PARAM_CHOICE, DM_PARAM_TEXT, in the arena */
} value;

struct dm_params {
  dm_ctx *ctx;
  dm_arena *memory;
  const char *owner;
  const dm_param *table;
  size_t n;
  value *values;
};

enum { NAME_MAX_SHOWN = 64 };

/* The name as an option: dashes for underscores. */
static const char *option_name(const char *name, char out[NAME_MAX_SHOWN]) {
  size_t i = 0;
  for (; name[i] && i + 1 < NAME_MAX_SHOWN; i++) out[i] = name[i] == '_' ? '-' : name[i];
  out[i] = 0;
  return out;
}

static bool same_name(const char *name, const char *given) {
  for (; *name && *given; name++, given++)
    if (*name != *given && !(*name == '_' && *given == '-')) return false;
  return *name == *given;
}

static bool may_be_auto(const dm_param *p) { return strcmp(p->otherwise, "auto") == 0; }

static void print_number(double v, char out[DM_NUMBER_MAX]) { (void)dm_text_of_double(v, false, out); }

/* "an integer >= 1 or auto", "0 < number <= 1", "gini|entropy", "yes or no" */
static void print_wanted(const dm_param *p, char *out, size_t capacity) {
  char low[DM_NUMBER_MAX], high[DM_NUMBER_MAX];
  print_number(p->min, low);
  print_number(p->max, high);
  const char *tail = may_be_auto(p) ? " or auto" : "", *noun = p->type == DM_PARAM_INT ? "an integer" : "a number";
  const char *relation = p->min_open ? ">" : ">=";
  bool has_low = isfinite(p->min), has_high = isfinite(p->max);
  if (p->type == DM_PARAM_BOOL)
    (void)snprintf(out, capacity, "yes or no%s", tail);
  else if (p->type == DM_PARAM_CHOICE)
    (void)snprintf(out, capacity, "%s%s", p->choices, strstr(p->choices, "auto") ? "" : tail);
  else if (p->type == DM_PARAM_TEXT)
    (void)snprintf(out, capacity, "printable UTF-8 of %s to %s bytes, such as '%s'%s", low, high, p->choices, tail);
  else if (has_low && has_high)
    (void)snprintf(out, capacity, "%s %s %s and <= %s%s", noun, relation, low, high, tail);
  else if (has_low)
    (void)snprintf(out, capacity, "%s %s %s%s", noun, relation, low, tail);
  else if (has_high)
    (void)snprintf(out, capacity, "%s <= %s%s", noun, high, tail);
  else
    (void)snprintf(out, capacity, "%s%s", noun, tail);
}

static dm_status refuse(const dm_params *p, const dm_param *param, const char *text, dm_error *err) {
  char name[NAME_MAX_SHOWN], wanted[256];
  print_wanted(param, wanted, sizeof wanted);
  return dm_fail(err, DM_EUSAGE, "%s: %s = %.200s, want %s", p->owner, option_name(param->name, name), text, wanted);
}

static bool within(const dm_param *p, double v) { return (p->min_open ? v > p->min : v >= p->min) && v <= p->max; }

static bool parse_bool(const char *text, int64_t *out) {
  static const char *const yes[] = {"yes", "true", "1", "on"}, *const no[] = {"no", "false", "0", "off"};
  for (size_t i = 0; i < 4; i++) {
    if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
      *out = strcmp(text, yes[i]) == 0;
      return true;
    }
  }
  return false;
}

/* True when text is one of the words of "a|b|c". */
static bool is_choice(const char *choices, const char *text) {
  size_t n = strlen(text);
  for (const char *at = choices; n && at; at = strchr(at, '|'), at = at ? at + 1 : NULL) {
    size_t length = strcspn(at, "|");
    if (length == n && memcmp(at, text, n) == 0) return true;
  }
  return false;
}

/* Printable text of a length within the table's bounds. */
static bool is_text(const dm_param *p, const char *text) {
  size_t n = strlen(text);
  for (size_t i = 0; i < n; i++)
    if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) return false;
  return within(p, (double)n) && dm_utf8_valid(text, n) == n;
}

/* Reads text into *out. @return false when it does not fit the line of the table. */
static bool parse(const dm_param *p, const char *text, value *out) {
  if (may_be_auto(p) && strcmp(text, "auto") == 0) {
    out->is_auto = true;
    return true;
  }
  switch (p->type) {
  case DM_PARAM_INT: return dm_text_to_int(text, strlen(text), &out->integer) && within(p, (double)out->integer);
  case DM_PARAM_DOUBLE: return dm_text_to_double(text, strlen(text), &out->real) && within(p, out->real);
  case DM_PARAM_BOOL: return parse_bool(text, &out->integer);
  case DM_PARAM_CHOICE: return is_choice(p->choices, text);
  case DM_PARAM_TEXT: return is_text(p, text);
  }
  return false;
}

static dm_status assign(dm_params *p, size_t i, const char *text, bool set, dm_error *err) {
  const dm_param *param = &p->table[i];
  value v = {.set = set};
  if (!parse(param, text, &v)) return refuse(p, param, text, err);
  bool kept = param->type == DM_PARAM_CHOICE || param->type == DM_PARAM_TEXT;
  if (kept && !(v.text = dm_arena_strdup(p->memory, text, strlen(text), err))) return DM_EBUDGET;
  p->values[i] = v;
  return DM_OK;
}

dm_status dm_params_new(dm_ctx *ctx, const char *owner, const dm_param *table, dm_params **out, dm_error *err) {
  dm_params *p = dm_alloc(ctx, 1, sizeof *p, "parameters", err);
  if (!p) return DM_EBUDGET;
  *p = (dm_params){.ctx = ctx, .owner = owner, .table = table};
  while (table[p->n].name) p->n++;
  dm_status s = dm_arena_new(ctx, 1024, &p->memory, err);
  if (s == DM_OK && !(p->values = dm_arena_alloc(p->memory, p->n, sizeof *p->values, err))) s = DM_EBUDGET;
  for (size_t i = 0; s == DM_OK && i < p->n; i++) s = assign(p, i, table[i].otherwise, false, err);
  if (s != DM_OK) {
    dm_params_free(p);
    return s;
  }
  *out = p;
  return DM_OK;
}

void dm_params_free(dm_params *p) {
  if (!p) return;
  dm_arena_free(p->memory);
  dm_free(p->ctx, p);
}

static dm_status refuse_name(const dm_params *p, const char *name, dm_error *err) {
  enum { MAX_NAMED = 64 };
  char dashed[MAX_NAMED][NAME_MAX_SHOWN], given[NAME_MAX_SHOWN];
  const char *names[MAX_NAMED];
  size_t n = p->n < MAX_NAMED ? p->n : MAX_NAMED;
  for (size_t i = 0; i < n; i++) names[i] = option_name(p->table[i].name, dashed[i]);
  (void)dm_fail(err, DM_EUSAGE, "%s: unknown parameter '%.100s'", p->owner, name);
  const char *near = dm_text_nearest(option_name(name, given), names, n);
  if (near) dm_error_hint(err, "did you mean '%s'?", near);
  return DM_EUSAGE;
}

dm_status dm_params_set(dm_params *p, const char *name, const char *text, dm_error *err) {
  for (size_t i = 0; i < p->n; i++)
    if (same_name(p->table[i].name, name)) return assign(p, i, text, true, err);
  return refuse_name(p, name, err);
}

static const value *find(const dm_params *p, const char *name) {
  for (size_t i = 0; i < p->n; i++)
    if (same_name(p->table[i].name, name)) return &p->values[i];
  assert(false && "a parameter that is not in the table was asked for");
  return &p->values[0];
}

bool dm_params_is_auto(const dm_params *p, const char *name) {
  const value *v = find(p, name);
  return v->is_auto || (v->text && strcmp(v->text, "auto") == 0);
}

bool dm_params_is_set(const dm_params *p, const char *name) { return find(p, name)->set; }
int64_t dm_params_int(const dm_params *p, const char *name) { return find(p, name)->integer; }
double dm_params_double(const dm_params *p, const char *name) { return find(p, name)->real; }

size_t dm_params_size_or(const dm_params *p, const char *name, size_t otherwise) {
  return dm_params_is_auto(p, name) ? otherwise : (size_t)dm_params_int(p, name);
}

double dm_params_double_or(const dm_params *p, const char *name, double otherwise) {
  return dm_params_is_auto(p, name) ? otherwise : dm_params_double(p, name);
}

const char *dm_params_choice(const dm_params *p, const char *name) { return find(p, name)->text; }
const char *dm_params_text(const dm_params *p, const char *name) { return find(p, name)->text; }
bool dm_params_bool(const dm_params *p, const char *name) { return find(p, name)->integer != 0; }
const dm_param *dm_params_table(const dm_params *p) { return p->table; }

void dm_params_json(const dm_params *p, dm_json_out *json) {
  dm_json_object(json);
  for (size_t i = 0; i < p->n; i++) {
    const value *v = &p->values[i];
    dm_json_key(json, p->table[i].name);
    if (v->is_auto)
      dm_json_string(json, "auto");
    else if (p->table[i].type == DM_PARAM_INT)
      dm_json_int(json, v->integer);
    else if (p->table[i].type == DM_PARAM_DOUBLE)
      dm_json_double(json, v->real);
    else if (p->table[i].type == DM_PARAM_BOOL)
      dm_json_bool(json, v->integer != 0);
    else
      dm_json_string(json, v->text);
  }
  dm_json_end_object(json);
}
