/*
 * Rows of typed cells into columns of double.
 *
 * A column is numbers until its first TEXT; from then on it is a category and
 * its cells are codes in order of first appearance, put in the order of the
 * levels at the end:
 *
 *   cells    3   NULL   2.5   'x'  'a'          3     NULL  2.5    'x'   'a'
 *   values   3.0  NaN   2.5         becomes     0     NaN   1      2     3
 *   real     no         yes                     "3"         "2.5"
 *
 * What a double forgets but the text of a number needs is kept beside the
 * values: which cells were REAL (only once a column mixes them with INTEGER),
 * and the integers that double cannot hold.
 */
#include <dm/data.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct big_integer {
  size_t row;
  int64_t v;
} big_integer;

typedef struct column {
  const char *name;
  double *values;             /* [capacity], NaN from n on */
  bool has_integer, has_real; /* among the cells so far */
  bool *real;                 /* [capacity], NULL until both were seen */
  big_integer *big;           /* ascending rows */
  size_t n_big, big_capacity;
  dm_dict *dict; /* set once the column is a category */
} column;

/* A level on its way to its place. */
typedef struct level {
  uint64_t head; /* first bytes as a number, so that most comparisons stay in the array */
  dm_str key;
  size_t code;
} level;

struct dm_frame_builder {
  dm_ctx *ctx;
  size_t n, d, capacity;
  bool has_row_ids;
  column *columns;
  int64_t *row_ids;
  dm_arena *memory; /* of the frame to be: names now, the rest at the end */
};

static const double EXACT = 9007199254740992.0; /* 2^53 */

void dm_frame_builder_free(dm_frame_builder *b) {
  if (!b) return;
  for (size_t c = 0; b->columns && c < b->d; c++) {
    dm_free(b->ctx, b->columns[c].values);
    dm_free(b->ctx, b->columns[c].real);
    dm_free(b->ctx, b->columns[c].big);
    dm_dict_free(b->columns[c].dict);
  }
  dm_free(b->ctx, b->columns);
  dm_free(b->ctx, b->row_ids);
  dm_arena_free(b->memory);
  dm_free(b->ctx, b);
}

/* Room for `capacity` rows in every column; a failure leaves some columns wider, which harms nobody. */
static dm_status reserve(dm_frame_builder *b, size_t capacity, dm_error *err) {
  for (size_t c = 0; c < b->d; c++) {
    column *col = &b->columns[c];
    double *values = dm_realloc(b->ctx, col->values, capacity, sizeof *values, "frame", err);
    if (!values) return DM_EBUDGET;
    for (size_t i = b->capacity; i < capacity; i++) values[i] = (double)NAN;
    col->values = values;
    if (!col->real) continue;
    bool *real = dm_realloc(b->ctx, col->real, capacity, sizeof *real, "frame", err);
    if (!real) return DM_EBUDGET;
    col->real = real;
  }
  if (b->has_row_ids) {
    int64_t *ids = dm_realloc(b->ctx, b->row_ids, capacity, sizeof *ids, "frame", err);
    if (!ids) return DM_EBUDGET;
    b->row_ids = ids;
  }
  b->capacity = capacity;
  return DM_OK;
}

dm_status dm_frame_builder_new(dm_ctx *ctx, size_t d, const char *const *names, bool has_row_ids, size_t rows_expected,
                               dm_frame_builder **out, dm_error *err) {
  dm_frame_builder *b = dm_alloc(ctx, 1, sizeof *b, "frame", err);
  if (!b) return DM_EBUDGET;
  b->ctx = ctx;
  b->d = d;
  b->has_row_ids = has_row_ids;
  dm_status s = dm_arena_new(ctx, 0, &b->memory, err);
  if (s == DM_OK && !(b->columns = dm_alloc(ctx, d, sizeof *b->columns, "frame", err))) s = DM_EBUDGET;
  for (size_t c = 0; s == DM_OK && c < d; c++) {
    b->columns[c].name = dm_arena_strdup(b->memory, names[c], strlen(names[c]), err);
    if (!b->columns[c].name) s = DM_EBUDGET;
  }
  /* one row more than expected: the row being built always has its place */
  size_t capacity = 1024;
  if (s == DM_OK && rows_expected && !dm_size_add(rows_expected, 1, &capacity))
    s = dm_fail(err, DM_EBUDGET, "frame: %zu rows are more than memory can hold", rows_expected);
  if (s == DM_OK) s = reserve(b, capacity, err);
  if (s != DM_OK) {
    dm_frame_builder_free(b);
    return s;
  }
  *out = b;
  return DM_OK;
}

static dm_status refuse(const dm_frame_builder *b, size_t c, const char *what, const char *hint, dm_error *err) {
  (void)dm_fail(err, DM_EINPUT, "column '%s', row %zu: %s", b->columns[c].name, b->n + 1, what);
  dm_error_hint(err, "%s", hint);
  return DM_EINPUT;
}

static dm_status add_level(column *col, const char *p, size_t n, size_t row, dm_error *err) {
  size_t code;
  dm_status s = dm_dict_add(col->dict, p, n, &code, err);
  if (s == DM_OK) col->values[row] = (double)code;
  return s;
}

/* Marks where REAL cells are from now on, because INTEGER ones stand beside them. */
static dm_status mark_reals(dm_frame_builder *b, column *col, dm_error *err) {
  col->real = dm_alloc(b->ctx, b->capacity, sizeof *col->real, "frame", err);
  if (!col->real) return DM_EBUDGET;
  for (size_t i = 0; i < b->n; i++) col->real[i] = col->has_real;
  return DM_OK;
}

static dm_status keep_big(dm_frame_builder *b, column *col, int64_t v, dm_error *err) {
  if (col->n_big == col->big_capacity) {
    size_t capacity = col->big_capacity ? col->big_capacity * 2 : 16;
    big_integer *big = dm_realloc(b->ctx, col->big, capacity, sizeof *big, "frame", err);
    if (!big) return DM_EBUDGET;
    col->big = big;
    col->big_capacity = capacity;
  }
  col->big[col->n_big++] = (big_integer){b->n, v};
  return DM_OK;
}

static dm_status integer_unusual(dm_frame_builder *b, column *col, int64_t v, dm_error *err) {
  dm_status s = DM_OK;
  if (col->dict) {
    char text[DM_NUMBER_MAX];
    return add_level(col, text, dm_text_of_int(v, text), b->n, err);
  }
  if (col->has_real && !col->real) s = mark_reals(b, col, err);
  if (s == DM_OK && ((double)v >= EXACT || (double)v <= -EXACT)) s = keep_big(b, col, v, err);
  if (s != DM_OK) return s;
  if (col->real) col->real[b->n] = false;
  col->has_integer = true;
  col->values[b->n] = (double)v;
  return DM_OK;
}

dm_status dm_frame_builder_integer(dm_frame_builder *b, size_t c, int64_t v, dm_error *err) {
  column *col = &b->columns[c];
  double value = (double)v;
  if (col->dict || col->has_real || !col->has_integer || !(value < EXACT && value > -EXACT))
    return integer_unusual(b, col, v, err);
  col->values[b->n] = value;
  return DM_OK;
}

static dm_status real_unusual(dm_frame_builder *b, size_t c, double v, dm_error *err) {
  column *col = &b->columns[c];
  if (isnan(v))
    return refuse(b, c, "NaN is not a number to learn from", "a missing value is NULL: store NULL instead", err);
  if (isinf(v))
    return refuse(b, c, "infinity is not a finite number", "replace it in a recipe, or leave the row or column out", err);
  if (col->dict) {
    char text[DM_NUMBER_MAX];
    return add_level(col, text, dm_text_of_double(v, true, text), b->n, err);
  }
  if (col->has_integer && !col->real && mark_reals(b, col, err) != DM_OK) return DM_EBUDGET;
  if (col->real) col->real[b->n] = true;
  col->has_real = true;
  col->values[b->n] = v;
  return DM_OK;
}

dm_status dm_frame_builder_real(dm_frame_builder *b, size_t c, double v, dm_error *err) {
  column *col = &b->columns[c];
  if (col->dict || col->has_integer || !col->has_real || !isfinite(v)) return real_unusual(b, c, v, err);
  col->values[b->n] = v;
  return DM_OK;
}

/* The first TEXT: numbers so far become the levels that their text names. */
static dm_status become_category(dm_frame_builder *b, column *col, dm_error *err) {
  dm_status s = dm_dict_new(b->ctx, &col->dict, err);
  size_t big = 0;
  for (size_t i = 0; s == DM_OK && i < b->n; i++) {
    double v = col->values[i];
    while (big < col->n_big && col->big[big].row < i) big++;
    if (isnan(v)) continue;
    char text[DM_NUMBER_MAX];
    size_t n;
    bool real = col->real ? col->real[i] : col->has_real;
    if (real)
      n = dm_text_of_double(v, true, text);
    else
      n = dm_text_of_int(big < col->n_big && col->big[big].row == i ? col->big[big].v : (int64_t)v, text);
    s = add_level(col, text, n, i, err);
  }
  dm_free(b->ctx, col->real);
  dm_free(b->ctx, col->big);
  col->real = NULL;
  col->big = NULL;
  col->n_big = col->big_capacity = 0;
  return s;
}

dm_status dm_frame_builder_text(dm_frame_builder *b, size_t c, const char *p, size_t n, dm_error *err) {
  column *col = &b->columns[c];
  dm_status s = col->dict ? DM_OK : become_category(b, col, err);
  return s == DM_OK ? add_level(col, p, n, b->n, err) : s;
}

dm_status dm_frame_builder_end_row(dm_frame_builder *b, int64_t row_id, dm_error *err) {
  if (b->n + 1 == b->capacity) { /* before the row counts, so that a failure leaves it open */
    if (b->n >= UINT32_MAX - 1) return dm_fail(err, DM_EBUDGET, "frame: more than %u rows", UINT32_MAX - 1);
    dm_status s = reserve(b, b->capacity + b->capacity / 2 + 1, err);
    if (s != DM_OK) return s;
  }
  if (b->has_row_ids) b->row_ids[b->n] = row_id;
  b->n++;
  return DM_OK;
}

dm_status dm_frame_builder_add(dm_frame_builder *b, const dm_value *values, int64_t row_id, dm_error *err) {
  dm_status s = DM_OK;
  for (size_t c = 0; s == DM_OK && c < b->d; c++) {
    const dm_value *v = &values[c];
    switch (v->type) {
    case DM_NULL: break;
    case DM_INTEGER: s = dm_frame_builder_integer(b, c, v->integer, err); break;
    case DM_REAL: s = dm_frame_builder_real(b, c, v->real, err); break;
    case DM_TEXT: s = dm_frame_builder_text(b, c, v->text.p, v->text.n, err); break;
    case DM_BLOB: s = refuse(b, c, "a BLOB is neither number nor text", "leave the column out", err); break;
    }
  }
  return s == DM_OK ? dm_frame_builder_end_row(b, row_id, err) : s;
}

static int by_bytes(const void *a, const void *b) {
  const level *x = a, *y = b;
  if (x->head != y->head) return x->head < y->head ? -1 : 1;
  return dm_str_compare(x->key, y->key);
}

static uint64_t head_of(dm_str key) {
  uint64_t head = 0;
  for (size_t i = 0; i < 8; i++) head = head << 8 | (i < key.n ? (unsigned char)key.p[i] : 0);
  return head;
}

/* Sorted levels into the frame's memory, codes into that order. */
static dm_status finish_levels(dm_frame_builder *b, column *col, dm_frame_column *out, dm_error *err) {
  size_t k = dm_dict_n(col->dict);
  dm_status s = DM_EBUDGET;
  dm_str *names = dm_arena_alloc(b->memory, k, sizeof *names, err);
  double *place = NULL;
  level *order = dm_alloc(b->ctx, k, sizeof *order, "levels", err);
  if (!names || !order || !(place = dm_alloc(b->ctx, k, sizeof *place, "levels", err))) goto done;
  for (size_t i = 0; i < k; i++) {
    dm_str key = dm_dict_key(col->dict, i);
    order[i] = (level){head_of(key), key, i};
  }
  qsort(order, k, sizeof *order, by_bytes);
  for (size_t i = 0; i < k; i++) {
    dm_str key = order[i].key;
    names[i] = (dm_str){dm_arena_strdup(b->memory, key.p, key.n, err), key.n};
    if (!names[i].p) goto done;
    place[order[i].code] = (double)i;
  }
  for (size_t i = 0; i < b->n; i++)
    if (!isnan(out->values[i])) out->values[i] = place[(size_t)out->values[i]];
  out->levels = (dm_levels){.n = k, .type = DM_TEXT, .names = names};
  s = DM_OK;
done:
  dm_free(b->ctx, order);
  dm_free(b->ctx, place);
  return s;
}

static dm_status finish_column(dm_frame_builder *b, column *col, dm_frame_column *out, dm_error *err) {
  double *values = dm_arena_alloc(b->memory, b->n, sizeof *values, err);
  if (!values) return DM_EBUDGET;
  size_t n_missing = 0;
  for (size_t i = 0; i < b->n; i++) {
    values[i] = col->values[i];
    n_missing += values[i] != values[i];
  }
  dm_free(b->ctx, col->values);
  col->values = NULL;
  *out = (dm_frame_column){.name = col->name,
                           .kind = col->dict ? DM_CATEGORY : DM_NUMERIC,
                           .type = col->dict                             ? DM_TEXT
                                   : col->has_real || !col->has_integer ? DM_REAL
                                                                         : DM_INTEGER,
                           .values = values,
                           .n_missing = n_missing};
  if (col->dict) return finish_levels(b, col, out, err);
  for (size_t i = 0; i < col->n_big; i++)
    if ((double)col->big[i].v >= 0x1p63 || (int64_t)(double)col->big[i].v != col->big[i].v) {
      dm_log(b->ctx, DM_LOG_WARNING, "column '%s', row %zu: %lld has more digits than a double holds and is rounded", col->name,
             col->big[i].row + 1, (long long)col->big[i].v);
      break;
    }
  return DM_OK;
}

dm_status dm_frame_builder_finish(dm_frame_builder *b, dm_frame **out, dm_error *err) {
  dm_status s = DM_EBUDGET;
  dm_frame *f = dm_arena_alloc(b->memory, 1, sizeof *f, err);
  dm_frame_column *columns = f ? dm_arena_alloc(b->memory, b->d, sizeof *columns, err) : NULL;
  if (!columns) goto done;
  *f = (dm_frame){.ctx = b->ctx, .n = b->n, .d = b->d, .columns = columns, .memory = b->memory};
  if (b->has_row_ids) {
    f->row_ids = dm_arena_alloc(b->memory, b->n, sizeof *f->row_ids, err);
    if (!f->row_ids) goto done;
    if (b->n) memcpy(f->row_ids, b->row_ids, b->n * sizeof *f->row_ids);
  }
  for (size_t c = 0; c < b->d; c++)
    if ((s = finish_column(b, &b->columns[c], &columns[c], err)) != DM_OK) goto done;
  s = DM_OK;
  b->memory = NULL;
  *out = f;
done:
  dm_frame_builder_free(b);
  return s;
}
