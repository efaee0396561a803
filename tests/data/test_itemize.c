/* data: rows of a table as transactions, items taken away, ancestors added. */
#include "cmocka_all.h"

#include <dm/data.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static dm_ctx *new_ctx(void) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &ctx, NULL), DM_OK);
  return ctx;
}

/* age INTEGER, party TEXT, milk TEXT, n INTEGER */
static dm_frame *new_frame(dm_ctx *ctx) {
  static const char *const names[] = {"age", "party", "milk", "n"}, *const parties[] = {"b", "a", NULL, "b", "a, c", "b"},
                    *const milk[] = {"yes", "NO", "t", NULL, "1", "false"};
  static const int64_t ages[] = {18, 25, 25, 40, 62, 70}, n[] = {1, 2, 1, 3, 1, 1};
  dm_frame_builder *b = NULL;
  dm_frame *f = NULL;
  assert_int_equal(dm_frame_builder_new(ctx, 4, names, false, 6, &b, NULL), DM_OK);
  for (size_t i = 0; i < 6; i++) {
    assert_int_equal(dm_frame_builder_integer(b, 0, ages[i], NULL), DM_OK);
    if (parties[i]) assert_int_equal(dm_frame_builder_text(b, 1, parties[i], strlen(parties[i]), NULL), DM_OK);
    if (milk[i]) assert_int_equal(dm_frame_builder_text(b, 2, milk[i], strlen(milk[i]), NULL), DM_OK);
    assert_int_equal(dm_frame_builder_integer(b, 3, n[i], NULL), DM_OK);
    assert_int_equal(dm_frame_builder_end_row(b, 0, NULL), DM_OK);
  }
  assert_int_equal(dm_frame_builder_finish(b, &f, NULL), DM_OK);
  return f;
}

/* The rows as one text: items in the order of their codes, '|' between rows. */
static const char *text_of(const dm_transactions *t, char *out) {
  out[0] = 0;
  for (size_t r = 0; r < t->rows.n; r++) {
    if (r) strcat(out, " | ");
    for (size_t code = 0, first = 1; code < t->n_items; code++)
      for (size_t a = t->rows.start[r]; a < t->rows.start[r + 1]; a++)
        if (t->rows.index[a] == code) {
          if (!first) strcat(out, " ");
          strncat(out, t->names[code].p, t->names[code].n);
          first = 0;
        }
  }
  return out;
}

static dm_transactions *itemize(const dm_frame *f, const size_t *columns, size_t d, dm_itemize_options o) {
  dm_transactions *t = NULL;
  dm_error err = {0};
  if (dm_frame_itemize(f, columns, d, &o, &t, &err) != DM_OK) fail_msg("%s", err.message);
  return t;
}

static void values_and_bins_become_items(void **state) {
  (void)state;
  char text[1024];
  dm_ctx *ctx = new_ctx();
  dm_frame *f = new_frame(ctx);
  dm_transactions *t = itemize(f, (const size_t[]){0, 1}, 2, (dm_itemize_options){.bins = 2});
  assert_string_equal(text_of(t, text), "age=[18, 40) party=b | age=[18, 40) party=a | age=[18, 40) | party=b age=[40, 70] | age=[40, 70] party=a, c | party=b age=[40, 70]");
  assert_int_equal(t->total, 6);
  dm_transactions_free(t);
  t = itemize(f, (const size_t[]){0}, 1, (dm_itemize_options){.bins = 5, .count = "n"}); /* five values are few enough */
  assert_string_equal(text_of(t, text), "age=18 | age=25 | age=25 | age=40 | age=62 | age=70");
  assert_int_equal(t->total, 9);
  assert_int_equal(t->support[1], 3);
  dm_transactions_free(t);
  t = itemize(f, (const size_t[]){0, 3}, 2, (dm_itemize_options){.count = "n"}); /* the count is no item */
  assert_int_equal(t->n_items, 5);
  dm_transactions_free(t);
  dm_frame_free(f);
  dm_ctx_free(ctx);
}

static void columns_are_items(void **state) {
  (void)state;
  char text[256];
  dm_ctx *ctx = new_ctx();
  dm_frame *f = new_frame(ctx);
  dm_transactions *t = itemize(f, (const size_t[]){2, 3}, 2, (dm_itemize_options){.one_hot = true});
  assert_string_equal(text_of(t, text), "milk n | n | milk n | n | milk n | n");
  dm_transactions_free(t);
  dm_error err = {0};
  t = NULL;
  assert_int_equal(dm_frame_itemize(f, (const size_t[]){1}, 1, &(dm_itemize_options){.one_hot = true}, &t, &err), DM_EINPUT);
  assert_string_equal(err.message, "row 1: column 'party' is 'b': want yes or no, true or false, or a number");
  assert_int_equal(dm_frame_itemize(f, (const size_t[]){1}, 1, &(dm_itemize_options){.count = "milk"}, &t, &err), DM_EINPUT);
  assert_int_equal(dm_frame_itemize(f, (const size_t[]){1}, 1, &(dm_itemize_options){.count = "none"}, &t, &err), DM_EUSAGE);
  assert_null(t);
  dm_frame_free(f);
  dm_ctx_free(ctx);
}

static dm_transactions *from_rows(dm_ctx *ctx, const char *const *rows, size_t n) {
  dm_transactions_builder *b = NULL;
  dm_transactions *t = NULL;
  assert_int_equal(dm_transactions_builder_new(ctx, &b, NULL), DM_OK);
  for (size_t r = 0; r < n; r++) {
    for (const char *p = rows[r]; *p; p += *p == ' ') {
      size_t length = strcspn(p, " ");
      assert_int_equal(dm_transactions_builder_item(b, p, length, NULL), DM_OK);
      p += length;
    }
    assert_int_equal(dm_transactions_builder_end(b, r + 1, NULL), DM_OK);
  }
  assert_int_equal(dm_transactions_builder_finish(b, &t, NULL), DM_OK);
  return t;
}

static void items_are_taken_away(void **state) {
  (void)state;
  char text[256];
  dm_ctx *ctx = new_ctx();
  dm_transactions *t = from_rows(ctx, (const char *const[]){"a b", "b", "", "c b a", "c"}, 5);
  assert_int_equal(dm_transactions_drop(t, (const bool[]){false, true, false}, NULL), DM_OK);
  assert_string_equal(text_of(t, text), "a | a c | c");
  assert_int_equal(t->total, 15);
  assert_int_equal(t->empty, 5);
  assert_int_equal(t->weight[1], 4);
  assert_int_equal(t->support[1], 0);
  assert_int_equal(t->support[0], 5);
  dm_transactions_free(t);
  dm_ctx_free(ctx);
}

static void ancestors_join_each_once(void **state) {
  (void)state;
  char text[256];
  const dm_str pairs[][2] = {{dm_str_of("milk"), dm_str_of("dairy")}, {dm_str_of("butter"), dm_str_of("dairy")}, {dm_str_of("dairy"), dm_str_of("food")},
                             {dm_str_of("milk"), dm_str_of("drink")}};
  dm_ctx *ctx = new_ctx();
  dm_transactions *t = from_rows(ctx, (const char *const[]){"milk", "butter milk", "", "soap dairy"}, 4), *g = NULL;
  assert_int_equal(dm_transactions_generalise(t, pairs, 4, &g, NULL), DM_OK);
  assert_string_equal(text_of(g, text), "milk dairy food drink | milk butter dairy food drink | soap dairy food");
  assert_int_equal(g->total, t->total);
  assert_int_equal(g->empty, t->empty);
  for (size_t i = 0; i < t->n_items; i++) assert_true(dm_str_equal(t->names[i], g->names[i]));
  size_t milk = dm_transactions_find(g, dm_str_of("milk")), food = dm_transactions_find(g, dm_str_of("food"));
  assert_int_equal(g->parent_start[milk + 1] - g->parent_start[milk], 3);
  assert_int_equal(g->parent_start[food + 1] - g->parent_start[food], 0);
  dm_transactions_free(g);
  const dm_str ring[][2] = {{dm_str_of("a"), dm_str_of("b")}, {dm_str_of("b"), dm_str_of("a")}};
  dm_error err = {0};
  g = NULL;
  assert_int_equal(dm_transactions_generalise(t, ring, 2, &g, &err), DM_EINPUT);
  assert_string_equal(err.message, "hierarchy: 'a' is its own ancestor");
  assert_null(g);
  dm_transactions_free(t);
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_and_bins_become_items), cmocka_unit_test(columns_are_items), cmocka_unit_test(items_are_taken_away),
      cmocka_unit_test(ancestors_join_each_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
