/*
 * YAML documents as a tree with positions, over libyaml's events. Recipes and
 * pipelines are data, so what makes YAML a language (anchors, aliases, tags,
 * several documents, maps as keys) is refused with its place.
 */
#include <dm/text.h>

#include "text/keyed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

enum { MAX_DEPTH = 64, MAX_BYTES = 16 << 20 };

typedef struct reader {
  dm_arena *arena;
  const char *file_name, *source;
  size_t n;
  yaml_parser_t parser;
  unsigned depth;
  dm_error *err;
} reader;

/* ---- places ---------------------------------------------------------------- */

/* Bytes of the line break at p as libyaml counts lines, 0 when there is none. */
static size_t line_break(const char *p) {
  if (p[0] == '\r') return p[1] == '\n' ? 2 : 1;
  if (p[0] == '\n') return 1;
  if (p[0] == '\xC2' && p[1] == '\x85') return 2;
  return p[0] == '\xE2' && p[1] == '\x80' && (p[2] == '\xA8' || p[2] == '\xA9') ? 3 : 0;
}

/* Puts the place into err, and the line itself. */
static dm_status place(dm_error *err, const char *file_name, const char *source, size_t line, size_t column) {
  const char *start = source;
  for (size_t at = 1; at < line && *start;) {
    size_t n = line_break(start);
    at += n > 0;
    start += n ? n : 1;
  }
  size_t caret = 0, length = 0;
  while (start[length] && !line_break(start + length)) length++;
  for (size_t at = 1; at < column && caret < length; at++) {
    uint32_t code;
    caret += dm_utf8_next(start + caret, length - caret, &code);
  }
  dm_error_at(err, file_name, line, column);
  dm_error_excerpt(err, start, length, caret);
  return DM_EINPUT;
}

static dm_status fail_at_mark(const reader *r, yaml_mark_t mark, const char *what) {
  (void)dm_fail(r->err, DM_EINPUT, "%s", what);
  return place(r->err, r->file_name, r->source, mark.line + 1, mark.column + 1);
}

/* The same for a byte offset, where libyaml has no mark. */
static dm_status fail_at_byte(const reader *r, size_t offset, const char *what) {
  size_t line = 1, column = 1;
  for (size_t i = 0; i < offset && r->source[i];) {
    size_t n = line_break(r->source + i);
    line += n > 0;
    uint32_t code;
    size_t step = n ? n : dm_utf8_next(r->source + i, offset - i, &code);
    column = n ? 1 : column + 1;
    i += step;
  }
  (void)dm_fail(r->err, DM_EINPUT, "%s", what);
  return place(r->err, r->file_name, r->source, line, column);
}

static void add_hint(const reader *r, const char *problem) {
  size_t at = r->parser.problem_mark.index; /* in characters: good for ASCII text, and no more than a hint */
  char c = at < r->n ? r->source[at] : 0;
  if (strstr(problem, "cannot start any token") && c == '\t')
    dm_error_hint(r->err, "indent with blanks: YAML takes no tabs");
  else if (strstr(problem, "cannot start any token"))
    dm_error_hint(r->err, "put text that begins with %c in quotes", c > ' ' && c < 0x7F ? c : '@');
  else if (strstr(problem, "mapping values are not allowed"))
    dm_error_hint(r->err, "put text that holds ': ' in quotes, and look at the indentation");
  else if (r->parser.context && r->parser.context_mark.line != r->parser.problem_mark.line)
    dm_error_hint(r->err, "%s that begins on line %zu", r->parser.context, r->parser.context_mark.line + 1);
}

static dm_status fail_syntax(const reader *r) {
  const yaml_parser_t *p = &r->parser;
  char what[256];
  const char *problem = p->problem ? p->problem : "not understood";
  if (p->error == YAML_MEMORY_ERROR) return dm_fail(r->err, DM_EBUDGET, "YAML: the machine has no memory left");
  (void)snprintf(what, sizeof what, "YAML: %s", problem);
  if (p->error == YAML_READER_ERROR) return fail_at_byte(r, p->problem_offset, what);
  (void)fail_at_mark(r, p->problem_mark, what);
  add_hint(r, problem);
  return DM_EINPUT;
}

/* ---- events to nodes --------------------------------------------------------- */

static dm_status next_event(reader *r, yaml_event_t *event) {
  return yaml_parser_parse(&r->parser, event) ? DM_OK : fail_syntax(r);
}

static dm_status read_scalar(reader *r, const yaml_event_t *event, dm_yaml *out) {
  const char *text = (const char *)event->data.scalar.value;
  size_t n = event->data.scalar.length;
  if (memchr(text, 0, n)) return fail_at_mark(r, event->start_mark, "text with a NUL character");
  out->scalar = dm_arena_strdup(r->arena, text, n, r->err);
  if (!out->scalar) return DM_EBUDGET;
  out->length = n;
  out->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  return DM_OK;
}

/* What a node may not have, by event. */
static dm_status refuse_extras(const reader *r, const yaml_event_t *event) {
  const yaml_char_t *anchor = NULL, *tag = NULL;
  switch (event->type) {
  case YAML_SCALAR_EVENT: anchor = event->data.scalar.anchor, tag = event->data.scalar.tag; break;
  case YAML_SEQUENCE_START_EVENT: anchor = event->data.sequence_start.anchor, tag = event->data.sequence_start.tag; break;
  case YAML_MAPPING_START_EVENT: anchor = event->data.mapping_start.anchor, tag = event->data.mapping_start.tag; break;
  case YAML_ALIAS_EVENT: return fail_at_mark(r, event->start_mark, "an alias (*name), which is not taken here");
  default: break;
  }
  if (anchor) return fail_at_mark(r, event->start_mark, "an anchor (&name), which is not taken here");
  if (tag) return fail_at_mark(r, event->start_mark, "a tag (!type), which is not taken here");
  return DM_OK;
}

static dm_status read_node(reader *r, const yaml_event_t *event, dm_yaml *out);

static dm_status refuse_duplicates(const reader *r, const dm_yaml *map) {
  dm_keyed *members = dm_arena_alloc(r->arena, map->n, sizeof *members, r->err);
  if (!members) return DM_EBUDGET;
  size_t n = 0;
  for (const dm_yaml *m = map->first; m; m = m->next) members[n++] = (dm_keyed){m->key, m};
  dm_keyed_sort(members, n);
  for (size_t i = 1; i < n; i++) {
    if (strcmp(members[i - 1].key, members[i].key) != 0) continue;
    const dm_yaml *a = members[i - 1].item, *b = members[i].item, *second = a;
    if (b->key_line > a->key_line || (b->key_line == a->key_line && b->key_column > a->key_column)) second = b;
    (void)dm_fail(r->err, DM_EINPUT, "key '%.200s' is given twice, first on line %zu", a->key,
                  second == b ? a->key_line : b->key_line);
    return place(r->err, r->file_name, r->source, second->key_line, second->key_column);
  }
  return DM_OK;
}

static dm_status read_key(reader *r, const yaml_event_t *event, dm_yaml *out) {
  dm_yaml key = {0};
  dm_status s = refuse_extras(r, event);
  if (s == DM_OK && event->type != YAML_SCALAR_EVENT) s = fail_at_mark(r, event->start_mark, "a key must be plain text");
  if (s == DM_OK) s = read_scalar(r, event, &key);
  if (s != DM_OK) return s;
  out->key = key.scalar;
  out->key_line = event->start_mark.line + 1;
  out->key_column = event->start_mark.column + 1;
  return DM_OK;
}

/* One element: `event` begins it (in a map, its key). */
static dm_status read_child(reader *r, bool map, const yaml_event_t *event, dm_yaml *child) {
  if (!map) return read_node(r, event, child);
  dm_status s = read_key(r, event, child);
  if (s != DM_OK) return s;
  yaml_event_t value;
  s = next_event(r, &value);
  if (s != DM_OK) return s;
  s = read_node(r, &value, child);
  yaml_event_delete(&value);
  return s;
}

static dm_status read_container(reader *r, const yaml_event_t *opening, dm_yaml *out) {
  bool map = opening->type == YAML_MAPPING_START_EVENT;
  if (r->depth == MAX_DEPTH) return fail_at_mark(r, opening->start_mark, "nested deeper than 64");
  r->depth++;
  out->type = map ? DM_YAML_MAP : DM_YAML_LIST;
  dm_yaml **tail = &out->first;
  for (;;) {
    yaml_event_t event;
    dm_status s = next_event(r, &event);
    if (s != DM_OK) return s;
    if (event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT) {
      yaml_event_delete(&event);
      break;
    }
    dm_yaml *child = dm_arena_alloc(r->arena, 1, sizeof *child, r->err);
    s = child ? read_child(r, map, &event, child) : DM_EBUDGET;
    yaml_event_delete(&event);
    if (s != DM_OK) return s;
    *tail = child;
    tail = &child->next;
    out->n++;
  }
  r->depth--;
  return map ? refuse_duplicates(r, out) : DM_OK;
}

static dm_status read_node(reader *r, const yaml_event_t *event, dm_yaml *out) {
  dm_status s = refuse_extras(r, event);
  if (s != DM_OK) return s;
  out->line = event->start_mark.line + 1;
  out->column = event->start_mark.column + 1;
  out->source = r->source;
  return event->type == YAML_SCALAR_EVENT ? read_scalar(r, event, out) : read_container(r, event, out);
}

/* Takes the event that must come next; anything else in its place is refused as `what`. */
static dm_status expect(reader *r, yaml_event_type_t type, const char *what) {
  yaml_event_t event;
  dm_status s = next_event(r, &event);
  if (s != DM_OK) return s;
  if (event.type != type) s = fail_at_mark(r, event.start_mark, what);
  yaml_event_delete(&event);
  return s;
}

static dm_status read_document(reader *r, dm_yaml *root) {
  dm_status s = expect(r, YAML_STREAM_START_EVENT, "no YAML");
  if (s == DM_OK) s = expect(r, YAML_DOCUMENT_START_EVENT, "the document is empty");
  if (s != DM_OK) return s;
  yaml_event_t event;
  s = next_event(r, &event);
  if (s != DM_OK) return s;
  s = read_node(r, &event, root);
  yaml_event_delete(&event);
  if (s == DM_OK) s = expect(r, YAML_DOCUMENT_END_EVENT, "the document goes on");
  return s == DM_OK ? expect(r, YAML_STREAM_END_EVENT, "a second document begins here, want one only") : s;
}

/* source is NUL-ended and lives as long as the arena. */
static dm_status parse_owned(dm_arena *arena, const char *file_name, const char *source, size_t n, const dm_yaml **out,
                             dm_error *err) {
  if (n >= 3 && memcmp(source, "\xEF\xBB\xBF", 3) == 0) source += 3, n -= 3;
  reader r = {.arena = arena, .file_name = file_name, .source = source, .n = n, .err = err};
  size_t valid = dm_utf8_valid(source, n);
  if (valid < n) {
    (void)fail_at_byte(&r, valid, "YAML: the text is not UTF-8");
    dm_error_hint(err, "save the file as UTF-8");
    return DM_EINPUT;
  }
  dm_yaml *root = dm_arena_alloc(arena, 1, sizeof *root, err);
  if (!root) return DM_EBUDGET;
  if (!yaml_parser_initialize(&r.parser)) return dm_fail(err, DM_EBUDGET, "YAML: the machine has no memory left");
  yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)source, n);
  dm_status s = read_document(&r, root);
  yaml_parser_delete(&r.parser);
  if (s == DM_OK) *out = root;
  return s;
}

static dm_status refuse_size(const char *file_name, dm_error *err) {
  (void)dm_fail(err, DM_EINPUT, "YAML: the text is larger than 16 MB");
  dm_error_at(err, file_name, 0, 0);
  return DM_EINPUT;
}

dm_status dm_yaml_parse(dm_arena *arena, const char *file_name, const char *p, size_t n, const dm_yaml **out, dm_error *err) {
  if (n > MAX_BYTES) return refuse_size(file_name, err);
  const char *source = dm_arena_strdup(arena, p, n, err);
  return source ? parse_owned(arena, file_name, source, n, out, err) : DM_EBUDGET;
}

/* ---- files --------------------------------------------------------------------- */

static dm_status fail_io(const char *file_name, const char *what, dm_error *err) {
  (void)dm_fail(err, DM_EIO, "cannot be %s: %s", what, strerror(errno));
  dm_error_at(err, file_name, 0, 0);
  return DM_EIO;
}

static dm_status read_all(dm_arena *arena, const char *file_name, FILE *file, char **text, size_t *n, dm_error *err) {
  size_t capacity = 16 << 10, used = 0;
  char *buf = dm_arena_alloc(arena, capacity + 1, 1, err);
  while (buf) {
    used += fread(buf + used, 1, capacity - used, file);
    if (ferror(file)) return fail_io(file_name, "read", err);
    if (used < capacity) break;
    if (used > MAX_BYTES) return refuse_size(file_name, err);
    char *bigger = dm_arena_alloc(arena, 2 * capacity + 1, 1, err);
    if (bigger) memcpy(bigger, buf, used);
    buf = bigger;
    capacity *= 2;
  }
  if (!buf) return DM_EBUDGET;
  buf[used] = 0;
  *text = buf;
  *n = used;
  return used > MAX_BYTES ? refuse_size(file_name, err) : DM_OK;
}

dm_status dm_yaml_load(dm_arena *arena, const char *file_name, const dm_yaml **out, dm_error *err) {
  FILE *file = fopen(file_name, "rb");
  if (!file) return fail_io(file_name, "opened", err);
  char *text = NULL;
  size_t n = 0;
  dm_status s = read_all(arena, file_name, file, &text, &n, err);
  (void)fclose(file);
  return s == DM_OK ? parse_owned(arena, file_name, text, n, out, err) : s;
}

/* ---- looking things up ----------------------------------------------------------- */

const dm_yaml *dm_yaml_get(const dm_yaml *map, const char *key) {
  if (!map || map->type != DM_YAML_MAP) return NULL;
  for (const dm_yaml *m = map->first; m; m = m->next)
    if (strcmp(m->key, key) == 0) return m;
  return NULL;
}

static bool is_plain_one_of(const dm_yaml *node, const char *const *words, size_t n) {
  if (node->type != DM_YAML_SCALAR || node->quoted) return false;
  for (size_t i = 0; i < n; i++)
    if (strcmp(node->scalar, words[i]) == 0) return true;
  return false;
}

bool dm_yaml_is_null(const dm_yaml *node) {
  static const char *const words[] = {"null", "Null", "NULL", "~", ""};
  return is_plain_one_of(node, words, 5);
}

bool dm_yaml_is_bool(const dm_yaml *node, bool *value) {
  static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes", "YES"};
  static const char *const no[] = {"false", "False", "FALSE", "no", "No", "NO"};
  bool v = is_plain_one_of(node, yes, 6);
  if (!v && !is_plain_one_of(node, no, 6)) return false;
  *value = v;
  return true;
}

dm_status dm_yaml_fail(const dm_yaml *node, const char *file_name, dm_error *err, const char *format, ...) {
  if (!err) return DM_EINPUT;
  char what[sizeof err->message];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(what, sizeof what, format, args);
  va_end(args);
  (void)dm_fail(err, DM_EINPUT, "%s", what);
  return place(err, file_name, node->source, node->line, node->column);
}

static void hint_known(dm_error *err, const char *key, const char *const *known, size_t n_known) {
  const char *near = dm_text_nearest(key, known, n_known);
  if (near) {
    dm_error_hint(err, "did you mean '%s'?", near);
    return;
  }
  char list[400] = "";
  for (size_t i = 0, at = 0; i < n_known && at < sizeof list; i++) {
    int n = snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", known[i]);
    at += n > 0 ? (size_t)n : 0;
  }
  dm_error_hint(err, "known: %s", list);
}

dm_status dm_yaml_check_keys(const dm_yaml *map, const char *file_name, const char *const *known, size_t n_known, dm_error *err) {
  if (map->type != DM_YAML_MAP) return dm_yaml_fail(map, file_name, err, "want a map (key: value)");
  for (const dm_yaml *m = map->first; m; m = m->next) {
    size_t i = 0;
    while (i < n_known && strcmp(known[i], m->key) != 0) i++;
    if (i < n_known) continue;
    (void)dm_fail(err, DM_EINPUT, "unknown key '%.200s'", m->key);
    (void)place(err, file_name, m->source, m->key_line, m->key_column);
    hint_known(err, m->key, known, n_known);
    return DM_EINPUT;
  }
  return DM_OK;
}
