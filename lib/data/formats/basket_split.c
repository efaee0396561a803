/* One transaction's text into items, and cells of a table as such texts; see basket_split.h. */
#include "basket_split.h"

#include <string.h>

dm_status basket_delimiter(const dm_basket_options *options, char *out, dm_error *err) {
  const char *delimiter = options && options->delimiter ? options->delimiter : NULL;
  *out = 0;
  if (!delimiter) return DM_OK;
  if (strlen(delimiter) != 1 || strchr("\"\r\n", *delimiter))
    return dm_fail(err, DM_EUSAGE, "delimiter '%s': want one character, and not a quote or a newline", delimiter);
  *out = *delimiter;
  return DM_OK;
}

const char *basket_quoted_end(const char *p, const char *end) {
  for (p++; (p = memchr(p, '"', (size_t)(end - p))); p += 2)
    if (p + 1 == end || p[1] != '"') return p + 1;
  return NULL;
}

static bool next_between_blanks(const char **at, const char *end, dm_str *item) {
  const char *p = *at;
  while (p < end && basket_is_blank(*p)) p++;
  item->p = p;
  while (p < end && !basket_is_blank(*p)) p++;
  item->n = (size_t)(p - item->p);
  *at = p;
  return item->n > 0;
}

/* What stands between the quotes at p and before end. */
static dm_str unquote(const char *p, const char *end, dm_buf *buf) {
  dm_str inside = {p + 1, (size_t)(end - p) - 2};
  if (!memchr(inside.p, '"', inside.n)) return inside;
  dm_buf_reset(buf);
  for (size_t i = 0; i < inside.n; i++) {
    dm_buf_addc(buf, inside.p[i]);
    i += inside.p[i] == '"';
  }
  return (dm_str){buf->p, buf->n};
}

/* From *at to the next delimiter. @return false: something is wrong */
static bool cut(char delimiter, const char **at, const char *end, dm_buf *buf, dm_str *item, const char **bad) {
  const char *p = *at;
  while (p < end && basket_is_blank(*p) && *p != delimiter) p++;
  bool quoted = p < end && *p == '"';
  const char *first = p, *behind = quoted ? basket_quoted_end(p, end) : p;
  if (!behind) {
    *bad = first;
    return false;
  }
  const char *next = memchr(behind, delimiter, (size_t)(end - behind)), *last = next ? next : end;
  *at = next ? next + 1 : end;
  while (last > behind && basket_is_blank(last[-1])) last--;
  if (quoted && last > behind) {
    *bad = behind;
    return false;
  }
  *item = quoted ? unquote(first, behind, buf) : (dm_str){first, (size_t)(last - first)};
  return true;
}

bool basket_next(char delimiter, const char **p, const char *end, dm_buf *buf, dm_str *item, const char **bad) {
  *bad = NULL;
  if (!delimiter) return next_between_blanks(p, end, item);
  while (*p < end) {
    if (!cut(delimiter, p, end, buf, item, bad)) {
      *p = end;
      return false;
    }
    if (item->n) return true;
  }
  return false;
}

dm_status basket_refuse(char bad, dm_error *err) {
  if (bad == '"') return dm_fail(err, DM_EINPUT, "a quote is opened here and never closed");
  (void)dm_fail(err, DM_EINPUT, "text behind a closing quote");
  dm_error_hint(err, "a quote inside an item in quotes is written twice: \"\"");
  return DM_EINPUT;
}

/* ---- cells ----------------------------------------------------------------------------- */

struct dm_basket_splitter {
  dm_ctx *ctx;
  char delimiter;
  dm_buf item;
  dm_arena *array; /* of one cell */
};

dm_status dm_basket_splitter_new(dm_ctx *ctx, const dm_basket_options *options, dm_basket_splitter **out, dm_error *err) {
  char delimiter;
  dm_status s = basket_delimiter(options, &delimiter, err);
  if (s != DM_OK) return s;
  dm_basket_splitter *b = dm_alloc(ctx, 1, sizeof *b, "baskets", err);
  if (!b) return DM_EBUDGET;
  b->ctx = ctx;
  b->delimiter = delimiter;
  dm_buf_init(&b->item, ctx, NULL);
  s = dm_arena_new(ctx, 0, &b->array, err);
  if (s != DM_OK) {
    dm_basket_splitter_free(b);
    return s;
  }
  *out = b;
  return DM_OK;
}

void dm_basket_splitter_free(dm_basket_splitter *b) {
  if (!b) return;
  dm_buf_clear(&b->item);
  dm_arena_free(b->array);
  dm_free(b->ctx, b);
}

static dm_status add_array(dm_basket_splitter *b, dm_str text, dm_transactions_builder *to, dm_error *err) {
  const dm_json *array = NULL;
  char number[DM_NUMBER_MAX];
  dm_arena_reset(b->array);
  dm_status s = dm_json_parse(b->array, text.p, text.n, &array, err);
  if (s == DM_EINPUT) return dm_fail(err, DM_EINPUT, "begins with '[', but is no JSON array");
  for (const dm_json *e = s == DM_OK ? array->first : NULL; s == DM_OK && e; e = e->next) {
    if (e->type == DM_JSON_STRING)
      s = dm_transactions_builder_item(to, e->string.p, e->string.n, err);
    else if (e->type == DM_JSON_INT)
      s = dm_transactions_builder_item(to, number, dm_text_of_int(e->integer, number), err);
    else if (e->type == DM_JSON_DOUBLE)
      s = dm_transactions_builder_item(to, number, dm_text_of_double(e->real, true, number), err);
    else if (e->type != DM_JSON_NULL)
      s = dm_fail(err, DM_EINPUT, "holds something else than texts and numbers");
  }
  return s;
}

dm_status dm_basket_splitter_add(dm_basket_splitter *b, dm_str text, dm_transactions_builder *to, dm_error *err) {
  const char *p = text.p, *end = text.p + text.n, *bad = NULL;
  dm_str item;
  dm_status s = DM_OK;
  if (text.n && (dm_utf8_valid(text.p, text.n) != text.n || memchr(text.p, 0, text.n))) return dm_fail(err, DM_EINPUT, "is not UTF-8 text");
  while (p < end && basket_is_blank(*p)) p++;
  if (p < end && *p == '[') return add_array(b, text, to, err);
  while (s == DM_OK && basket_next(b->delimiter, &p, end, &b->item, &item, &bad))
    s = dm_buf_status(&b->item) == DM_OK ? dm_transactions_builder_item(to, item.p, item.n, err) : dm_fail(err, DM_EBUDGET, "baskets: no memory for an item");
  if (s != DM_OK || !bad) return s;
  if (*bad == '"') return dm_fail(err, DM_EINPUT, "has a quote that is opened and never closed");
  return dm_fail(err, DM_EINPUT, "has text behind a closing quote");
}
