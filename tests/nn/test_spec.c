/* nn: what the --net line makes, and every way in which it is refused. */
#include "cmocka_all.h"
#include "nn/graph.h"

#include <stdio.h>
#include <stdlib.h>

static dm_ctx *new_ctx(void) {
  dm_ctx *ctx = NULL;
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.threads = 1}, &ctx, NULL), DM_OK);
  return ctx;
}

/* Ops by name, their units, and the nodes they read: "dense 4 (1)". */
static void print_graph(const nn_graph *g, char *out, size_t n) {
  size_t at = 0;
  out[0] = 0;
  for (size_t i = 1; i < g->n; i++) {
    const nn_node *node = &g->nodes[i];
    at += (size_t)snprintf(out + at, n - at, "%s%s %zu(", i > 1 ? ", " : "", node->op->name, node->size);
    for (size_t k = 0; k < node->n_in; k++) at += (size_t)snprintf(out + at, n - at, k ? " %zu" : "%zu", node->in[k]);
    at += (size_t)snprintf(out + at, n - at, ")");
  }
}

static void lines_become_nodes(void **state) {
  (void)state;
  static const struct {
    const char *line, *graph;
  } cases[] = {
      {"dense 7", "dense 7(0)"},
      {"dense 64 relu | dropout 0.1 | dense 3 softmax", "dense 64(0), dropout 64(1), dense 3(2), softmax 3(3)"},
      {" \tdense\t2\n|relu\n", "dense 2(0), activation 2(1)"},
      {"dense 2|leaky 0.2|gelu|tanh|sigmoid|silu|selu|softmax|batch_norm|layer_norm",
       "dense 2(0), activation 2(1), activation 2(2), activation 2(3), activation 2(4), activation 2(5), activation 2(6), softmax 2(7), "
       "batch_norm 2(8), layer_norm 2(9)"},
      {"residual(dense 5)", "dense 5(0), add 5(0 1)"},
      {"dense 4 | residual( dropout 0.1 | dense 4 tanh ) | dense 1", "dense 4(0), dropout 4(1), dense 4(2), add 4(1 3), dense 1(4)"},
      {"concat( ; dense 3 ; dense 2 | relu )", "dense 3(0), dense 2(0), activation 2(2), concat 10(0 1 3)"},
      {"concat(;)", "concat 10(0 0)"},
      {"concat(concat(;dense 1);)", "dense 1(0), concat 6(0 1), concat 11(2 0)"},
  };
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    dm_ctx *ctx = new_ctx();
    nn_graph *g = NULL;
    dm_error err = {0};
    size_t last = 99;
    char text[512];
    assert_int_equal(nn_graph_new(ctx, 5, &g, NULL), DM_OK);
    if (nn_spec_add(g, cases[c].line, 0, &last, &err) != DM_OK) fail_msg("%s: %s", cases[c].line, err.message);
    print_graph(g, text, sizeof text);
    assert_string_equal(text, cases[c].graph);
    assert_int_equal(last, g->n - 1);
    nn_graph_free(g);
    dm_ctx_free(ctx);
  }
}

static void arguments_reach_the_nodes(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  nn_graph *g = NULL;
  size_t last;
  assert_int_equal(nn_graph_new(ctx, 3, &g, NULL), DM_OK);
  assert_int_equal(nn_spec_add(g, "dense 8 leaky 0.25 | dropout .5 | leaky | dense 2 leaky | leaky 0 | dense 4 selu | batch_norm", 0, &last, NULL), DM_OK);
  assert_int_equal(g->n, 8);
  assert_int_equal(g->nodes[1].a.units, 8);
  assert_int_equal(g->nodes[1].a.activation, DM_ACT_LEAKY);
  assert_true(g->nodes[1].a.rate == 0.25);
  assert_true(g->nodes[2].a.rate == 0.5);
  assert_true(g->nodes[3].a.rate == 0.01);
  assert_true(g->nodes[4].a.rate == 0.01 && g->nodes[4].a.activation == DM_ACT_LEAKY);
  assert_true(g->nodes[5].a.rate == 0 && g->nodes[5].a.activation == DM_ACT_LEAKY);
  assert_int_equal(g->nodes[6].a.activation, DM_ACT_SELU);
  assert_true(g->nodes[7].a.rate == 1e-5);
  assert_int_equal(g->nodes[1].line_at, 1);
  assert_int_equal(g->nodes[2].line_at, 22);
  size_t from = 2; /* a line may begin anywhere */
  assert_int_equal(nn_spec_add(g, "tanh", from, &last, NULL), DM_OK);
  assert_int_equal(g->nodes[last].in[0], 2);
  nn_graph_free(g);
  dm_ctx_free(ctx);
}

typedef struct refusal {
  const char *line;
  size_t column;
  const char *message, *hint; /* hint "": none */
} refusal;

static const char all_layers[] =
    "layers: dense N, dropout P, batch_norm, layer_norm, residual( ), concat( ; ), relu, leaky, gelu, tanh, sigmoid, silu, selu, softmax";

static const refusal refusals[] = {
    {"", 1, "net: the line is empty, want layers such as 'dense 64 relu | dropout 0.1'", ""},
    {"  ", 3, "net: the line is empty, want layers such as 'dense 64 relu | dropout 0.1'", ""},
    {"|", 1, "net: an empty layer before '|'", ""},
    {"| dense 3", 1, "net: an empty layer before '|'", ""},
    {"dense 3 |", 10, "net: a layer is missing after '|'", ""},
    {"dense 3 || relu", 10, "net: an empty layer between '|' and '|'", ""},
    {"residual( | relu )", 11, "net: an empty layer before '|'", ""},
    {"residual( relu | )", 18, "net: a layer is missing after '|'", ""},
    {"concat( relu | ; relu )", 16, "net: a layer is missing after '|'", ""},
    {"residual( )", 11, "net: residual( ) has no layers", ""},
    {"residual", 9, "net: residual wants '(' and its layers, got the end of the line", ""},
    {"residual relu", 10, "net: residual wants '(' and its layers, got 'relu'", ""},
    {"concat 3", 8, "net: concat wants '(' and its layers, got '3'", ""},
    {"residual( relu", 15, "net: ')' of residual at 1 is missing", ""},
    {"relu | residual(", 17, "net: ')' of residual at 8 is missing", ""},
    {"concat( relu ;", 15, "net: ')' of concat at 1 is missing", ""},
    {"concat( relu ; residual( relu )", 32, "net: ')' of concat at 1 is missing", ""},
    {"residual( relu ; relu )", 16, "net: ';' parts the nets of concat( ) only", ""},
    {"relu ; relu", 6, "net: ';' parts the nets of concat( ) only", ""},
    {"; relu", 1, "net: ';' parts the nets of concat( ) only", ""},
    {"relu )", 6, "net: ')' closes nothing", ""},
    {")", 1, "net: ')' closes nothing", ""},
    {"( relu )", 1, "net: '(' stands behind residual and concat only", ""},
    {"dense 3 ( relu )", 9, "net: '(' is too much here, want '|' or the end of the net", ""},
    {"concat( )", 1, "net: concat wants two nets or more, parted by ';'", ""},
    {"concat( relu )", 1, "net: concat wants two nets or more, parted by ';'", ""},
    {"concat( ;;;; ;;;; )", 19, "net: concat takes at most 8 nets", ""},
    {"dens 3", 1, "net: 'dens' is no layer", "did you mean 'dense'?"},
    {"dense 3 | batchnorm", 11, "net: 'batchnorm' is no layer", "did you mean 'batch_norm'?"},
    {"Relu", 1, "net: 'Relu' is no layer", "did you mean 'relu'?"},
    {"attention 8", 1, "net: 'attention' is no layer", all_layers},
    {"64", 1, "net: '64' is no layer", all_layers},
    {"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", 1,
     "net: '\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc' is no layer", all_layers},
    {"dense", 6, "net: dense wants its units, a whole number from 1 to 1048576, got the end of the line", ""},
    {"dense relu", 7, "net: dense wants its units, a whole number from 1 to 1048576, got 'relu'", ""},
    {"dense | relu", 7, "net: dense wants its units, a whole number from 1 to 1048576, got '|'", ""},
    {"dense 0", 7, "net: dense wants its units, a whole number from 1 to 1048576, got '0'", ""},
    {"dense -3", 7, "net: dense wants its units, a whole number from 1 to 1048576, got '-3'", ""},
    {"dense 1e9", 7, "net: dense wants its units, a whole number from 1 to 1048576, got '1e9'", ""},
    {"dense 1048577", 7, "net: dense wants its units, a whole number from 1 to 1048576, got '1048577'", ""},
    {"dense 99999999999999999999999", 7, "net: dense wants its units, a whole number from 1 to 1048576, got '99999999999999999999999'", ""},
    {"dense 2.5", 7, "net: dense wants its units, a whole number from 1 to 1048576, got '2.5'", ""},
    {"dense 4 3", 9, "net: '3' is too much here, want '|' or the end of the net", ""},
    {"dense 4 relu relu", 14, "net: 'relu' is too much here, want '|' or the end of the net", "put '|' between layers"},
    {"dense 4 dropout 0.1", 9, "net: 'dropout' is too much here, want '|' or the end of the net", "put '|' between layers"},
    {"relu 3", 6, "net: '3' is too much here, want '|' or the end of the net", ""},
    {"softmax 3", 9, "net: '3' is too much here, want '|' or the end of the net", ""},
    {"dropout", 8, "net: dropout wants the share to drop, a number from 0 to below 1, got the end of the line", ""},
    {"dropout 1", 9, "net: dropout wants the share to drop, a number from 0 to below 1, got '1'", ""},
    {"dropout -0.1", 9, "net: dropout wants the share to drop, a number from 0 to below 1, got '-0.1'", ""},
    {"dropout nan", 9, "net: dropout wants the share to drop, a number from 0 to below 1, got 'nan'", ""},
    {"dropout 50%", 9, "net: dropout wants the share to drop, a number from 0 to below 1, got '50%'", ""},
    {"leaky -1", 7, "net: leaky wants its slope below 0, a number from 0 to below 1, got '-1'", ""},
    {"leaky 1", 7, "net: leaky wants its slope below 0, a number from 0 to below 1, got '1'", ""},
    {"dense 2 leaky 7", 15, "net: leaky wants its slope below 0, a number from 0 to below 1, got '7'", ""},
    {"dense 3 | residual( dense 4 )", 11, "net: add at 11: 3 and 4 features cannot be added", ""},
};

static void what_is_wrong_is_told_with_its_place(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  for (size_t c = 0; c < sizeof refusals / sizeof *refusals; c++) {
    const refusal *r = &refusals[c];
    nn_graph *g = NULL;
    dm_error err = {0};
    size_t last = 99;
    assert_int_equal(nn_graph_new(ctx, 5, &g, NULL), DM_OK);
    if (nn_spec_add(g, r->line, 0, &last, &err) != DM_EUSAGE) fail_msg("'%s' was not refused", r->line);
    assert_string_equal(err.message, r->message);
    assert_string_equal(err.hint, r->hint);
    assert_int_equal(err.code, DM_EUSAGE);
    assert_int_equal(err.line, 1);
    if (err.column != r->column) fail_msg("'%s': column %zu, want %zu", r->line, err.column, r->column);
    assert_string_equal(err.excerpt, r->line);
    assert_int_equal(err.caret, r->column);
    assert_int_equal(last, 99);
    nn_graph_free(g);
  }
  dm_ctx_free(ctx);
}

static dm_status add_line(dm_ctx *ctx, const char *line, dm_error *err) {
  nn_graph *g = NULL;
  size_t last;
  assert_int_equal(nn_graph_new(ctx, 2, &g, NULL), DM_OK);
  dm_status s = nn_spec_add(g, line, 0, &last, err);
  nn_graph_free(g);
  return s;
}

/* n times the same, between two other texts. */
static char *repeat(const char *head, const char *what, size_t n, const char *tail) {
  char *line = malloc(strlen(head) + n * strlen(what) + strlen(tail) + 1);
  assert_non_null(line);
  strcpy(line, head);
  for (size_t i = 0, at = strlen(head); i < n; i++, at += strlen(what)) strcpy(line + at, what);
  strcat(line, tail);
  return line;
}

static void nets_end_somewhere(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  static const struct {
    const char *head, *what;
    size_t n;
    const char *tail, *message; /* NULL: taken */
    size_t column;
  } cases[] = {
      {"", "tanh | ", 999, "tanh", NULL, 0},
      {"", "tanh | ", 1000, "tanh", "net: more than 1000 layers", 7001},
      {"", "residual(", 16, "tanh) ) ) ) ) ) ) ) ) ) ) ) ) ) ) )", NULL, 0},
      {"", "residual(", 17, "tanh", "net: nets in nets deeper than 16", 145},
      {"", "concat(", 100000, "", "net: nets in nets deeper than 16", 113},
      {"dense 3", " ", 100000, "", NULL, 0},
      {"dense 1 ", "x", 100000, "", "net: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' is too much here, want '|' or the end of the net", 9},
      {"dense 1048576", " | concat(;;;;;;;)", 5, "", NULL, 0}, /* refused by size, whatever the words */
  };
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    char *line = repeat(cases[c].head, cases[c].what, cases[c].n, cases[c].tail);
    dm_error err = {0};
    dm_status s = add_line(ctx, line, &err);
    if (c + 1 == sizeof cases / sizeof *cases) {
      assert_int_equal(s, DM_EUSAGE);
      assert_non_null(strstr(err.message, "features, want at most"));
      assert_int_equal(err.column, err.line ? 53 : 0);
    } else if (!cases[c].message) {
      assert_int_equal(s, DM_OK);
    } else {
      assert_int_equal(s, DM_EUSAGE);
      assert_string_equal(err.message, cases[c].message);
      assert_int_equal(err.column, cases[c].column);
    }
    free(line);
  }
  dm_ctx_free(ctx);
}

static void places_count_lines(void **state) {
  (void)state;
  dm_ctx *ctx = new_ctx();
  dm_error err = {0};
  assert_int_equal(add_line(ctx, "dense 3\n| dropuot 0.1\n| relu", &err), DM_EUSAGE);
  assert_int_equal(err.line, 2);
  assert_int_equal(err.column, 3);
  assert_string_equal(err.excerpt, "| dropuot 0.1");
  assert_int_equal(err.caret, 3);
  assert_string_equal(err.hint, "did you mean 'dropout'?");
  assert_int_equal(add_line(ctx, "den\xff", &err), DM_EUSAGE); /* no UTF-8 */
  assert_string_equal(err.message, "net: 'den' is no layer");
  assert_int_equal(add_line(ctx, "dense 0", NULL), DM_EUSAGE);
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_become_nodes), cmocka_unit_test(arguments_reach_the_nodes), cmocka_unit_test(what_is_wrong_is_told_with_its_place),
      cmocka_unit_test(nets_end_somewhere), cmocka_unit_test(places_count_lines),
  };
  return cmocka_run_group_tests_name("spec", tests, NULL, NULL);
}
