/*
 * Rows of a table as transactions:
 *
 *   age  party      relational, 2 bins             one-hot: columns are items
 *   31   Labour     age=[18, 40) party=Labour      milk bread
 *   62   -          age=[40, 62]                   1    0      milk
 */
#include <dm/data.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_CODE UINT32_MAX

/* One column: what its cells are called. Numbers have one name for each value, or for each bin. */
typedef struct column {
  const dm_frame_column *c;
  size_t n;          /* names */
  double *cuts;      /* [n + 1] of numbers: values (the last unused), or ends of the bins */
  bool binned;
  uint32_t *code;    /* [n] NO_CODE until a row has it */
} column;

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* Few values keep their names; else bins of about equal counts, whose ends are values. */
static dm_status cut_numbers(const dm_frame *f, column *k, size_t bins, dm_arena *memory, dm_error *err) {
  double *sorted = dm_alloc(f->ctx, f->n + 1, sizeof *sorted, "values", err);
  size_t n = 0, distinct = 0;
  if (!sorted) return DM_EBUDGET;
  for (size_t i = 0; i < f->n; i++)
    if (!isnan(k->c->values[i])) sorted[n++] = k->c->values[i] + 0.0;
  qsort(sorted, n, sizeof *sorted, by_value);
  for (size_t i = 0; i < n; i++) distinct += i == 0 || sorted[i] != sorted[i - 1];
  k->binned = bins > 0 && distinct > bins;
  size_t room = (k->binned ? bins : distinct) + 2;
  dm_status s = (k->cuts = dm_arena_alloc(memory, room, sizeof *k->cuts, err)) ? DM_OK : DM_EBUDGET;
  if (s == DM_OK && k->binned) {
    k->cuts[0] = sorted[0];
    for (size_t b = 1; b < bins; b++) {
      double cut = sorted[b * n / bins];
      if (cut > k->cuts[k->n]) k->cuts[++k->n] = cut;
    }
    k->cuts[++k->n] = sorted[n - 1];
  } else if (s == DM_OK) {
    for (size_t i = 0; i < n; i++)
      if (i == 0 || sorted[i] != sorted[i - 1]) k->cuts[k->n++] = sorted[i];
  }
  dm_free(f->ctx, sorted);
  return s;
}

/* The value's place, or the bin b with cuts[b] <= v < cuts[b + 1]; the last one is closed. */
static size_t place_of(const column *k, double v) {
  size_t low = 0, high = k->n;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (k->cuts[middle] <= v)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static void add_number(dm_buf *text, const dm_frame_column *c, double v) {
  char number[DM_NUMBER_MAX];
  bool whole = v == floor(v) && fabs(v) < 0x1p53 && (c->type == DM_INTEGER || c->kind == DM_NUMERIC);
  dm_buf_add(text, number, whole ? dm_text_of_int((int64_t)v, number) : dm_text_of_double(v, false, number));
}

static void name_place(const column *k, size_t place, dm_buf *text) {
  dm_buf_reset(text);
  dm_buf_adds(text, k->c->name);
  dm_buf_addc(text, '=');
  if (k->c->kind == DM_CATEGORY) {
    dm_buf_add(text, k->c->levels.names[place].p, k->c->levels.names[place].n);
  } else if (!k->binned) {
    add_number(text, k->c, k->cuts[place]);
  } else {
    dm_buf_addc(text, '[');
    add_number(text, k->c, k->cuts[place]);
    dm_buf_adds(text, ", ");
    add_number(text, k->c, k->cuts[place + 1]);
    dm_buf_addc(text, place + 1 == k->n ? ']' : ')');
  }
}

static dm_status init_column(const dm_frame *f, column *k, const dm_frame_column *c, const dm_itemize_options *o, dm_arena *memory, dm_error *err) {
  *k = (column){.c = c, .n = c->kind == DM_CATEGORY ? c->levels.n : 0};
  dm_status s = DM_OK;
  if (o->one_hot)
    k->n = 1;
  else if (c->kind == DM_NUMERIC)
    s = cut_numbers(f, k, o->bins, memory, err);
  if (s != DM_OK) return s;
  if (!(k->code = dm_arena_alloc(memory, k->n + 1, sizeof *k->code, err))) return DM_EBUDGET;
  for (size_t i = 0; i < k->n; i++) k->code[i] = NO_CODE;
  return DM_OK;
}

/* ---- one-hot ------------------------------------------------------------------------------ */

static bool is_word(dm_str text, const char *const *words) {
  for (; *words; words++) {
    size_t n = strlen(*words), i = 0;
    if (n != text.n) continue;
    while (i < n && ((unsigned char)text.p[i] | 0x20) == (unsigned char)(*words)[i]) i++;
    if (i == n) return true;
  }
  return false;
}

/* Whether the item of the column is in the row. */
static dm_status look_at(const dm_frame_column *c, size_t row, bool *there, dm_error *err) {
  static const char *const yes[] = {"true", "yes", "t", "y", NULL}, *const no[] = {"false", "no", "f", "n", NULL};
  double v = c->values[row];
  if (c->kind == DM_NUMERIC) {
    *there = v != 0;
    return DM_OK;
  }
  dm_str text = c->levels.names[(size_t)v];
  bool one = text.n == 1 && text.p[0] == '1', zero = text.n == 0 || (text.n == 1 && text.p[0] == '0');
  *there = one || is_word(text, yes);
  if (*there || zero || is_word(text, no)) return DM_OK;
  (void)dm_fail(err, DM_EINPUT, "row %zu: column '%s' is '%.*s': want yes or no, true or false, or a number", row + 1, c->name,
                (int)(text.n < 60 ? text.n : 60), text.p);
  dm_error_hint(err, "without one-hot each value is an item of its own: %s=%.*s", c->name, (int)(text.n < 60 ? text.n : 60), text.p);
  return DM_EINPUT;
}

/* ---- rows ----------------------------------------------------------------------------------- */

static dm_status add_cell(dm_transactions_builder *b, column *k, size_t row, bool one_hot, dm_buf *text, dm_error *err) {
  double v = k->c->values[row];
  size_t place = 0;
  if (isnan(v)) return DM_OK;
  if (one_hot) {
    bool there;
    dm_status s = look_at(k->c, row, &there, err);
    if (s != DM_OK || !there) return s;
  } else {
    place = k->c->kind == DM_CATEGORY ? (size_t)v : place_of(k, v);
  }
  if (k->code[place] == NO_CODE) {
    if (one_hot) {
      dm_buf_reset(text);
      dm_buf_adds(text, k->c->name);
    } else {
      name_place(k, place, text);
    }
    dm_status s = dm_buf_status(text);
    if (s == DM_OK) s = dm_transactions_builder_code(b, text->p, text->n, &k->code[place], err);
    if (s != DM_OK) return s;
  }
  return dm_transactions_builder_add(b, k->code[place], err);
}

static dm_status weight_of(const dm_frame_column *c, size_t row, uint64_t *out, dm_error *err) {
  *out = 1;
  if (!c) return DM_OK;
  double v = c->values[row];
  if (c->kind != DM_NUMERIC || !(v >= 1 && v <= UINT32_MAX) || v != floor(v))
    return dm_fail(err, DM_EINPUT, "row %zu: column '%s' is no count: want a whole number from 1 to 4294967295", row + 1, c->name);
  *out = (uint64_t)v;
  return DM_OK;
}

dm_status dm_frame_itemize(const dm_frame *f, const size_t *columns, size_t d, const dm_itemize_options *o, dm_transactions **out, dm_error *err) {
  dm_arena *memory = NULL;
  dm_transactions_builder *b = NULL;
  dm_buf text;
  const dm_frame_column *count = NULL;
  dm_buf_init(&text, f->ctx, err);
  if (o->count) {
    size_t at = dm_frame_find(f, o->count);
    if (at == SIZE_MAX) return dm_fail(err, DM_EUSAGE, "no column '%s'", o->count);
    count = &f->columns[at];
  }
  dm_status s = dm_arena_new(f->ctx, 0, &memory, err);
  column *k = s == DM_OK ? dm_arena_alloc(memory, d + 1, sizeof *k, err) : NULL;
  if (!k) s = DM_EBUDGET;
  for (size_t j = 0; s == DM_OK && j < d; j++) s = init_column(f, &k[j], &f->columns[columns[j]], o, memory, err);
  if (s == DM_OK) s = dm_transactions_builder_new(f->ctx, &b, err);
  for (size_t i = 0; s == DM_OK && i < f->n; i++) {
    uint64_t weight;
    if (i % 4096 == 0) s = dm_ctx_check(f->ctx, err);
    for (size_t j = 0; s == DM_OK && j < d; j++)
      if (k[j].c != count) s = add_cell(b, &k[j], i, o->one_hot, &text, err);
    if (s == DM_OK) s = weight_of(count, i, &weight, err);
    if (s == DM_OK) s = dm_transactions_builder_end(b, weight, err);
  }
  if (s == DM_OK)
    s = dm_transactions_builder_finish(b, out, err);
  else
    dm_transactions_builder_free(b);
  dm_buf_clear(&text);
  dm_arena_free(memory);
  return s;
}
