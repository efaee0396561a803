/* What a typed pass found that the user should know, and missing markers for the database. */
#include "data/typed.h"

#include <string.h>

typedef struct notes {
  dm_arena *arena;
  const char **list;
  size_t n, capacity;
  dm_buf text; /* of the note being written */
} notes;

static dm_status add(notes *o, dm_error *err) {
  dm_status s = dm_buf_status(&o->text);
  if (s != DM_OK) return s;
  if (o->n == o->capacity) {
    size_t capacity = o->capacity ? o->capacity * 2 : 8;
    const char **list = dm_arena_alloc(o->arena, capacity, sizeof *list, err);
    if (!list) return DM_EBUDGET;
    if (o->n) memcpy(list, o->list, o->n * sizeof *list);
    o->list = list;
    o->capacity = capacity;
  }
  if (!(o->list[o->n] = dm_arena_strdup(o->arena, o->text.p, o->text.n, err))) return DM_EBUDGET;
  o->n++;
  dm_buf_reset(&o->text);
  return DM_OK;
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash && slash[1] ? slash + 1 : path;
}

/* The column would be a number but for texts that often mean missing. */
static bool only_look_alikes(const dm_typed_column *c) {
  return c->type == DM_TEXT && c->open && c->n_look_alikes && c->typing.n && dm_typing_type(&c->typing) != DM_TEXT;
}

/* "--null NA --null ?" */
static void write_nulls(const dm_typed_column *c, dm_buf *out) {
  const char *between = "";
  for (size_t i = 0; i < DM_LOOK_ALIKES; i++)
    if (c->look_alikes[i]) {
      dm_buf_printf(out, "%s--null %s%s%s", between, dm_look_alikes[i][0] == '?' ? "'" : "", dm_look_alikes[i],
                    dm_look_alikes[i][0] == '?' ? "'" : "");
      between = " ";
    }
}

static dm_status note_type(const dm_typed *t, const dm_typed_column *c, notes *o, dm_error *err) {
  bool changed = c->type != c->sample_type && !c->floor;
  bool hint = only_look_alikes(c);
  if (!changed && !hint) return DM_OK;
  const char *type = dm_type_name(hint ? dm_typing_type(&c->typing) : c->type);
  if (changed && !c->change_line)
    dm_buf_printf(&o->text, "column '%s': %s on the sample, %s after reading all of %s", c->name, dm_type_name(c->sample_type),
                  dm_type_name(c->type), base_name(t->path));
  else if (changed && c->type > c->sample_type)
    dm_buf_printf(&o->text, "column '%s': widened from %s to %s at %s:%llu ('%s')", c->name, dm_type_name(c->sample_type),
                  dm_type_name(c->type), base_name(t->path), (unsigned long long)c->change_line, c->change_text);
  else if (changed)
    dm_buf_printf(&o->text, "column '%s': no value in the sample, %s after reading %s:%llu ('%s')", c->name, dm_type_name(c->type),
                  base_name(t->path), (unsigned long long)c->change_line, c->change_text);
  else
    dm_buf_printf(&o->text, "column '%s': TEXT only because of %llu cells that look like missing values", c->name,
                  (unsigned long long)c->n_look_alikes);
  if (hint) {
    dm_buf_adds(&o->text, "; ");
    write_nulls(c, &o->text);
    dm_buf_printf(&o->text, changed ? " would keep it %s" : " would make it %s", type);
  }
  return add(o, err);
}

/* Place of the next most frequent marker after one with count `below` at place `after`; SIZE_MAX at the end. */
static size_t next_marker(const dm_typed *t, const dm_typed_column *c, uint64_t below, size_t after) {
  size_t best = SIZE_MAX;
  for (size_t i = 0; i < dm_typed_n_markers(t); i++) {
    uint64_t n = c->markers[i];
    if (n == 0 || n > below || (n == below && i <= after)) continue;
    if (best == SIZE_MAX || n > c->markers[best]) best = i;
  }
  return best;
}

static size_t first_marker(const dm_typed *t, const dm_typed_column *c) { return next_marker(t, c, UINT64_MAX, 0); }

dm_status dm_typed_markers_json(const dm_typed *t, size_t column, dm_buf *out, dm_error *err) {
  const dm_typed_column *c = &t->columns[column];
  dm_json_out json;
  dm_json_out_init(&json, out, false);
  dm_json_array(&json);
  for (size_t i = first_marker(t, c); i != SIZE_MAX; i = next_marker(t, c, c->markers[i], i)) {
    const char *spelling;
    dm_status s = dm_typed_marker(t, i, &spelling, err);
    if (s != DM_OK) return s;
    dm_json_string(&json, spelling);
  }
  dm_json_end_array(&json);
  return dm_buf_status(out);
}

static dm_status note_markers(const dm_typed *t, const dm_typed_column *c, notes *o, dm_error *err) {
  size_t first = first_marker(t, c);
  if (first == SIZE_MAX || next_marker(t, c, c->markers[first], first) == SIZE_MAX) return DM_OK;
  dm_buf_printf(&o->text, "column '%s': missing is spelt", c->name);
  const char *spelling, *main_spelling = "", *between = "";
  for (size_t i = first; i != SIZE_MAX; i = next_marker(t, c, c->markers[i], i), between = ",") {
    dm_status s = dm_typed_marker(t, i, &spelling, err);
    if (s != DM_OK) return s;
    if (i == first) main_spelling = spelling;
    dm_buf_printf(&o->text, "%s '%s' (%llu)", between, spelling, (unsigned long long)c->markers[i]);
  }
  dm_buf_printf(&o->text, "; export writes '%s'", main_spelling);
  return add(o, err);
}

static dm_status note_file(const dm_typed *t, notes *o, dm_error *err) {
  const dm_csv_dialect *dialect = dm_csv_get_dialect(t->csv);
  dm_status s = DM_OK;
  if (t->records == 0) {
    dm_buf_printf(&o->text, "%s has a header and no records: all columns are TEXT", base_name(t->path));
    s = add(o, err);
  } else if (t->accepted == 0) {
    dm_buf_printf(&o->text, "%s: no record was accepted", base_name(t->path));
    s = add(o, err);
  }
  if (s == DM_OK && dialect->mixed_endings) {
    const char *ending = dialect->line_ending;
    dm_buf_printf(&o->text, "%s: lines end in several ways; export writes %s", base_name(t->path),
                  ending[1] ? "\\r\\n" : ending[0] == '\r' ? "\\r" : "\\n");
    s = add(o, err);
  }
  return s;
}

dm_status dm_typed_notes(const dm_typed *t, dm_arena *arena, const char ***list, size_t *n, dm_error *err) {
  notes o = {.arena = arena};
  dm_buf_init(&o.text, t->ctx, err);
  dm_status s = DM_OK;
  for (size_t i = 0; s == DM_OK && i < dm_csv_n_notes(t->csv); i++) {
    dm_buf_adds(&o.text, dm_csv_note(t->csv, i));
    s = add(&o, err);
  }
  if (s == DM_OK) s = note_file(t, &o, err);
  for (size_t i = 0; s == DM_OK && i < t->d; i++) {
    s = note_type(t, &t->columns[i], &o, err);
    if (s == DM_OK) s = note_markers(t, &t->columns[i], &o, err);
  }
  dm_buf_clear(&o.text);
  if (s != DM_OK) return s;
  *list = o.list;
  *n = o.n;
  return DM_OK;
}
