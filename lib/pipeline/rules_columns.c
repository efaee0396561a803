/* Rows of any table as transactions: their items are columns, or columns with their values. */
#include "pipeline/rules.h"

#include <strings.h>

enum { BINS = 5 };

static bool is_one_of(const char *name, const char *const *words) {
  for (; *words; words++)
    if (strcasecmp(name, *words) == 0) return true;
  return false;
}

/* Two columns that are called as those of a row for each item: column=value would make nonsense of them. */
static dm_status check_shape(const rules_job *j, const dm_frame *frame, dm_error *err) {
  static const char *const tids[] = {"tid", "transaction", "transaction_id", "order", "order_id", "basket", "basket_id", "receipt", "invoice", "session", NULL};
  static const char *const items[] = {"item", "item_id", "product", "product_id", "article", "article_id", NULL};
  const dm_rules_options *o = j->o;
  if (o->columns || o->one_hot || frame->d != 2) return DM_OK;
  for (size_t tid = 0; tid < 2; tid++) {
    const char *a = frame->columns[tid].name, *b = frame->columns[1 - tid].name;
    if (!is_one_of(a, tids) || !is_one_of(b, items)) continue;
    (void)dm_fail(err, DM_EUSAGE, "'%s' has the two columns %s and %s: a row for each item?", j->src->text, frame->columns[0].name, frame->columns[1].name);
    dm_error_hint(err, "--tid %s --item %s; or --columns %s,%s for items like %s=...", a, b, a, b, b);
    return DM_EUSAGE;
  }
  return DM_OK;
}

static dm_status unknown_column(const rules_job *j, const dm_frame *frame, const char *name, dm_error *err) {
  const char *names[512];
  size_t n = 0;
  for (; n < 512 && n < frame->d; n++) names[n] = frame->columns[n].name;
  const char *near = dm_text_nearest(name, names, n);
  (void)dm_fail(err, DM_EUSAGE, "'%s' has no column '%s'", j->src->text, name);
  if (near) dm_error_hint(err, "did you mean %s?", near);
  return DM_EUSAGE;
}

/* @param out [n] places of the columns, all but --count unless they are named */
static dm_status choose_columns(const rules_job *j, const dm_frame *frame, size_t *out, size_t *n, dm_error *err) {
  const dm_rules_options *o = j->o;
  size_t count = o->count ? dm_frame_find(frame, o->count) : SIZE_MAX;
  if (o->count && count == SIZE_MAX) return unknown_column(j, frame, o->count, err);
  *n = 0;
  for (size_t c = 0; !o->columns && c < frame->d; c++)
    if (c != count) out[(*n)++] = c;
  for (size_t i = 0; i < o->n_columns; i++) {
    size_t at = dm_frame_find(frame, o->columns[i]);
    if (at == SIZE_MAX) return unknown_column(j, frame, o->columns[i], err);
    if (at == count) return dm_fail(err, DM_EUSAGE, "column '%s' cannot be --count and one of --columns", o->columns[i]);
    for (size_t k = 0; k < *n; k++)
      if (out[k] == at) return dm_fail(err, DM_EUSAGE, "--columns names '%s' twice", o->columns[i]);
    out[(*n)++] = at;
  }
  return *n ? DM_OK : dm_fail(err, DM_EUSAGE, "'%s' has no column that could be an item", j->src->text);
}

dm_status rules_read_columns(rules_job *j, dm_error *err) {
  const dm_rules_options *o = j->o;
  const dm_itemize_options how = {.bins = o->bins ? o->bins : BINS, .one_hot = o->one_hot, .count = o->count};
  dm_frame *frame = NULL;
  size_t n = 0;
  dm_status s = dm_src_frame(j->store, j->src, NULL, 0, &frame, j->reading.digest, err);
  if (s != DM_OK) return s;
  size_t *columns = dm_arena_alloc(j->work, frame->d + o->n_columns, sizeof *columns, err);
  if (!columns) s = DM_EBUDGET;
  if (s == DM_OK) s = check_shape(j, frame, err);
  if (s == DM_OK) s = choose_columns(j, frame, columns, &n, err);
  if (s == DM_OK) s = dm_frame_itemize(frame, columns, n, &how, &j->t, err);
  if (s == DM_OK) j->r.rejects = frame->rejects;
  dm_frame_free(frame);
  return s;
}
