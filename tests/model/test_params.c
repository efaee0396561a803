/* model: parameter tables, methods by name, tensor types. */
#include "cmocka_all.h"

#include <dm/model.h>
#include <math.h>
#include <stdio.h>

static const dm_param table[] = {
    {"max_depth", DM_PARAM_INT, "auto", 1, (double)INFINITY, false, NULL, "levels"},
    {"min_samples_leaf", DM_PARAM_INT, "1", 1, 1e6, false, NULL, "rows"},
    {"C", DM_PARAM_DOUBLE, "1", 0, (double)INFINITY, true, NULL, "cost"},
    {"share", DM_PARAM_DOUBLE, "0.5", 0, 1, false, NULL, "share"},
    {"criterion", DM_PARAM_CHOICE, "auto", 0, 0, false, "gini|entropy", "what a split gains"},
    {"shrinking", DM_PARAM_BOOL, "yes", 0, 0, false, NULL, "shrink"},
    {"hidden", DM_PARAM_TEXT, "auto", 1, 8, false, "256,128", "widths"},
    {"net", DM_PARAM_TEXT, "", 0, 20, false, "dense 8 relu", "layers"},
    {NULL},
};

typedef struct fixture {
  dm_ctx *ctx;
  dm_params *params;
} fixture;

static int setup(void **state) {
  static fixture f;
  f = (fixture){0};
  *state = &f;
  if (dm_ctx_new(NULL, &f.ctx, NULL) != DM_OK) return -1;
  return dm_params_new(f.ctx, "tree", table, &f.params, NULL) == DM_OK ? 0 : -1;
}

static int teardown(void **state) {
  fixture *f = *state;
  dm_params_free(f->params);
  size_t held = dm_ctx_memory(f->ctx);
  dm_ctx_free(f->ctx);
  return held == 0 ? 0 : -1;
}

static void defaults_are_those_of_the_table(void **state) {
  dm_params *p = ((fixture *)*state)->params;
  assert_true(dm_params_is_auto(p, "max_depth"));
  assert_false(dm_params_is_set(p, "max_depth"));
  assert_int_equal(dm_params_int(p, "min_samples_leaf"), 1);
  assert_near(dm_params_double(p, "C"), 1, 0);
  assert_int_equal(dm_params_size_or(p, "max_depth", 9), 9);
  assert_near(dm_params_double_or(p, "max_depth", 0.5), 0.5, 0);
  assert_near(dm_params_double_or(p, "C", 0.5), 1, 0);
  assert_true(dm_params_is_auto(p, "criterion"));
  assert_string_equal(dm_params_choice(p, "criterion"), "auto");
  assert_true(dm_params_bool(p, "shrinking"));
  assert_true(dm_params_is_auto(p, "hidden"));
  assert_string_equal(dm_params_text(p, "hidden"), "auto");
  assert_string_equal(dm_params_text(p, "net"), "");
  assert_ptr_equal(dm_params_table(p), table);
}

static void values_are_set_under_either_spelling(void **state) {
  dm_params *p = ((fixture *)*state)->params;
  assert_int_equal(dm_params_set(p, "max-depth", "7", NULL), DM_OK);
  assert_int_equal(dm_params_int(p, "max_depth"), 7);
  assert_int_equal(dm_params_size_or(p, "max_depth", 9), 7);
  assert_false(dm_params_is_auto(p, "max_depth"));
  assert_true(dm_params_is_set(p, "max-depth"));
  assert_int_equal(dm_params_set(p, "max_depth", "auto", NULL), DM_OK);
  assert_true(dm_params_is_auto(p, "max_depth"));
  assert_int_equal(dm_params_set(p, "C", "1e-3", NULL), DM_OK);
  assert_near(dm_params_double(p, "C"), 1e-3, 0);
  assert_int_equal(dm_params_set(p, "criterion", "entropy", NULL), DM_OK);
  assert_string_equal(dm_params_choice(p, "criterion"), "entropy");
  assert_int_equal(dm_params_set(p, "shrinking", "false", NULL), DM_OK);
  assert_false(dm_params_bool(p, "shrinking"));
  assert_int_equal(dm_params_set(p, "hidden", "64,32", NULL), DM_OK);
  assert_string_equal(dm_params_text(p, "hidden"), "64,32");
  assert_false(dm_params_is_auto(p, "hidden"));
  assert_int_equal(dm_params_set(p, "net", "d\u00fcnn", NULL), DM_OK);
  assert_string_equal(dm_params_text(p, "net"), "d\u00fcnn");
  assert_int_equal(dm_params_set(p, "net", "", NULL), DM_OK);
  assert_string_equal(dm_params_text(p, "net"), "");
}

static void all_values_in_force_become_json(void **state) {
  fixture *f = *state;
  dm_buf buf;
  dm_json_out json;
  assert_int_equal(dm_params_set(f->params, "share", "0.25", NULL), DM_OK);
  assert_int_equal(dm_params_set(f->params, "net", "say \"x\"", NULL), DM_OK);
  dm_buf_init(&buf, f->ctx, NULL);
  dm_json_out_init(&json, &buf, false);
  dm_params_json(f->params, &json);
  assert_string_equal(buf.p, "{\"max_depth\":\"auto\",\"min_samples_leaf\":1,\"C\":1.0,\"share\":0.25,"
                             "\"criterion\":\"auto\",\"shrinking\":true,\"hidden\":\"auto\",\"net\":\"say \\\"x\\\"\"}");
  dm_buf_clear(&buf);
}

static void refuses(dm_params *p, const char *name, const char *text, const char *message) {
  dm_error err = {0};
  assert_int_equal(dm_params_set(p, name, text, &err), DM_EUSAGE);
  assert_string_equal(err.message, message);
}

static void values_that_do_not_fit_are_refused_and_change_nothing(void **state) {
  dm_params *p = ((fixture *)*state)->params;
  refuses(p, "max_depth", "-1", "tree: max-depth = -1, want an integer >= 1 or auto");
  refuses(p, "max_depth", "2.5", "tree: max-depth = 2.5, want an integer >= 1 or auto");
  refuses(p, "max_depth", "", "tree: max-depth = , want an integer >= 1 or auto");
  refuses(p, "min-samples-leaf", "auto", "tree: min-samples-leaf = auto, want an integer >= 1 and <= 1000000");
  refuses(p, "C", "0", "tree: C = 0, want a number > 0");
  refuses(p, "C", "nan", "tree: C = nan, want a number > 0");
  refuses(p, "C", "inf", "tree: C = inf, want a number > 0");
  refuses(p, "share", "1.5", "tree: share = 1.5, want a number >= 0 and <= 1");
  refuses(p, "criterion", "gin", "tree: criterion = gin, want gini|entropy or auto");
  refuses(p, "criterion", "gini|entropy", "tree: criterion = gini|entropy, want gini|entropy or auto");
  refuses(p, "shrinking", "perhaps", "tree: shrinking = perhaps, want yes or no");
  const char *want = "printable UTF-8 of 1 to 8 bytes, such as '256,128' or auto";
  const char *const wrong[] = {"", "123456789", "1\n2", "1\x7f", "\xff"};
  for (size_t i = 0; i < 5; i++) {
    char message[160];
    (void)snprintf(message, sizeof message, "tree: hidden = %s, want %s", wrong[i], want);
    refuses(p, "hidden", wrong[i], message);
  }
  assert_true(dm_params_is_auto(p, "hidden"));
  assert_true(dm_params_is_auto(p, "max_depth"));
  assert_false(dm_params_is_set(p, "C"));
  assert_near(dm_params_double(p, "C"), 1, 0);
}

static void unknown_names_bring_the_nearest(void **state) {
  dm_params *p = ((fixture *)*state)->params;
  dm_error err = {0};
  assert_int_equal(dm_params_set(p, "max_dept", "3", &err), DM_EUSAGE);
  assert_string_equal(err.message, "tree: unknown parameter 'max_dept'");
  assert_string_equal(err.hint, "did you mean 'max-depth'?");
}

static void a_default_that_does_not_fit_is_an_error(void **state) {
  fixture *f = *state;
  static const dm_param wrong[] = {{"x", DM_PARAM_INT, "0", 1, 5, false, NULL, "x"}, {NULL}};
  dm_params *p = NULL;
  assert_int_equal(dm_params_new(f->ctx, "m", wrong, &p, NULL), DM_EUSAGE);
  assert_null(p);
}

static void methods_are_found_by_name(void **state) {
  (void)state;
  static const dm_learner tree = {.name = "tree"}, forest = {.name = "forest"};
  static const dm_learner *const all[] = {&tree, &forest, NULL};
  dm_ctx *ctx = NULL;
  dm_error err = {0};
  assert_int_equal(dm_ctx_new(&(dm_ctx_options){.learners = all}, &ctx, NULL), DM_OK);
  assert_ptr_equal(dm_learner_find(ctx, "forest", &err), &forest);
  assert_null(dm_learner_find(ctx, "tre", &err));
  assert_int_equal(err.code, DM_EUSAGE);
  assert_string_equal(err.hint, "did you mean 'tree'?");
  assert_null(dm_learner_find(ctx, "neuralnetwork", &err));
  assert_string_equal(err.hint, "methods: tree, forest");
  dm_ctx_free(ctx);
}

static void tensor_types_have_names_and_sizes(void **state) {
  (void)state;
  dm_dtype t = DM_F32;
  for (dm_dtype i = DM_F32; i <= DM_UTF8; i++) {
    assert_true(dm_dtype_parse(dm_dtype_name(i), &t));
    assert_int_equal(t, i);
  }
  assert_int_equal(dm_dtype_size(DM_F64), 8);
  assert_false(dm_dtype_parse("f16", &t));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(defaults_are_those_of_the_table, setup, teardown),
      cmocka_unit_test_setup_teardown(values_are_set_under_either_spelling, setup, teardown),
      cmocka_unit_test_setup_teardown(all_values_in_force_become_json, setup, teardown),
      cmocka_unit_test_setup_teardown(values_that_do_not_fit_are_refused_and_change_nothing, setup, teardown),
      cmocka_unit_test_setup_teardown(unknown_names_bring_the_nearest, setup, teardown),
      cmocka_unit_test_setup_teardown(a_default_that_does_not_fit_is_an_error, setup, teardown),
      cmocka_unit_test(methods_are_found_by_name),
      cmocka_unit_test(tensor_types_have_names_and_sizes),
  };
  return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
