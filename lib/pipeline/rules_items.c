/* Items that options name: what they are kinds of, those that are left out, and those that may stand on one side of a rule only. */
#include "pipeline/rules.h"

#include <string.h>

static dm_status find_item(const rules_job *j, const char *option, const char *name, size_t *code, dm_error *err) {
  *code = dm_transactions_find(j->t, dm_str_of(name));
  if (*code != SIZE_MAX) return DM_OK;
  const char **names = dm_alloc(j->ctx, j->t->n_items + 1, sizeof *names, "names of items", err);
  dm_arena *arena = NULL;
  dm_status s = names ? dm_arena_new(j->ctx, 0, &arena, err) : DM_EBUDGET;
  for (size_t i = 0; s == DM_OK && i < j->t->n_items; i++)
    if (!(names[i] = dm_arena_strdup(arena, j->t->names[i].p, j->t->names[i].n, err))) s = DM_EBUDGET;
  if (s == DM_OK) {
    const char *near = dm_text_nearest(name, names, j->t->n_items);
    s = dm_fail(err, DM_EUSAGE, "--%s: no transaction has an item '%s'", option, name);
    if (near) dm_error_hint(err, "did you mean %s?", near);
  }
  dm_arena_free(arena);
  dm_free(j->ctx, names);
  return s;
}

static dm_status drop_items(rules_job *j, dm_error *err) {
  const dm_rules_options *o = j->o;
  bool *drop = dm_arena_alloc(j->work, j->t->n_items + 1, sizeof *drop, err);
  dm_status s = drop ? DM_OK : DM_EBUDGET;
  for (size_t i = 0, code; s == DM_OK && i < o->n_never; i++)
    if ((s = find_item(j, "never", o->never[i], &code, err)) == DM_OK) drop[code] = true;
  return s == DM_OK ? dm_transactions_drop(j->t, drop, err) : s;
}

static dm_status restrict_to(rules_job *j, const char *option, const char *const *names, size_t n, uint8_t side, uint8_t *appear, dm_error *err) {
  dm_status s = DM_OK;
  for (size_t i = 0, code; s == DM_OK && i < n; i++) {
    if ((s = find_item(j, option, names[i], &code, err)) != DM_OK) break;
    if (appear[code] != (DM_APPEAR_BODY | DM_APPEAR_HEAD) && appear[code] != side)
      s = dm_fail(err, DM_EUSAGE, "item '%s' is named by --left and by --right: it could stand nowhere; --never leaves it out", names[i]);
    appear[code] = side;
  }
  return s;
}

dm_status rules_restrict(rules_job *j, const uint8_t **appear, dm_error *err) {
  const dm_rules_options *o = j->o;
  *appear = NULL;
  dm_status s = o->n_never ? drop_items(j, err) : DM_OK;
  if (s != DM_OK || o->n_left + o->n_right == 0) return s;
  uint8_t *sides = dm_arena_alloc(j->work, j->t->n_items + 1, 1, err);
  if (!sides) return DM_EBUDGET;
  memset(sides, DM_APPEAR_BODY | DM_APPEAR_HEAD, j->t->n_items);
  s = restrict_to(j, "left", o->left, o->n_left, DM_APPEAR_BODY, sides, err);
  if (s == DM_OK) s = restrict_to(j, "right", o->right, o->n_right, DM_APPEAR_HEAD, sides, err);
  *appear = sides;
  return s;
}

/* ---- hierarchy -------------------------------------------------------------------------- */

static dm_str text_of(const dm_frame_column *c, size_t row) {
  double v = c->values[row];
  return v == v ? c->levels.names[(size_t)v] : (dm_str){0};
}

static dm_status read_pairs(rules_job *j, const dm_frame *frame, dm_str (**pairs)[2], dm_error *err) {
  const char *path = j->o->hierarchy;
  if (frame->d != 2) {
    (void)dm_fail(err, DM_EINPUT, "%s has %zu columns, want 2: an item, and what it is a kind of", path, frame->d);
    return DM_EINPUT;
  }
  dm_str(*out)[2] = dm_arena_alloc(j->work, frame->n + 1, sizeof *out, err);
  if (!out) return DM_EBUDGET;
  for (size_t row = 0; row < frame->n; row++)
    for (size_t c = 0; c < 2; c++) {
      dm_str text = frame->columns[c].kind == DM_CATEGORY ? text_of(&frame->columns[c], row) : (dm_str){0};
      if (!text.p) return dm_fail(err, DM_EINPUT, "%s: record %zu: column '%s' is missing", path, row + 1, frame->columns[c].name);
      out[row][c] = text;
    }
  *pairs = out;
  return DM_OK;
}

dm_status rules_generalise(rules_job *j, dm_error *err) {
  const dm_csv_options reading = {.all_text = true, .header = DM_NO}; /* a header is a pair that no transaction has */
  dm_frame *frame = NULL;
  dm_str(*pairs)[2] = NULL;
  dm_transactions *wider = NULL;
  if (!j->o->hierarchy) return DM_OK;
  dm_status s = dm_file_frame(j->ctx, j->o->hierarchy, &reading, &frame, NULL, err);
  if (s == DM_OK) s = read_pairs(j, frame, &pairs, err);
  if (s == DM_OK) s = dm_transactions_generalise(j->t, (const dm_str(*)[2])pairs, frame->n, &wider, err);
  dm_frame_free(frame);
  if (s != DM_OK) return s;
  dm_transactions_free(j->t);
  j->t = wider;
  return DM_OK;
}
