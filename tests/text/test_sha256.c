/* text: SHA-256 against the examples of FIPS 180-4. */
#include "cmocka_all.h"

#include <dm/text.h>

static void digests_are_those_of_the_standard(void **state) {
  (void)state;
  dm_ctx *ctx = NULL;
  dm_sha256 *h = NULL;
  char hex[DM_SHA256_HEX];
  assert_int_equal(dm_ctx_new(NULL, &ctx, NULL), DM_OK);
  assert_int_equal(dm_sha256_new(ctx, &h, NULL), DM_OK);
  dm_sha256_add(h, "abc", 3);
  dm_sha256_hex(h, hex);
  assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  dm_sha256_hex(h, hex); /* starts anew: nothing was added */
  assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (int i = 0; i < 1000000; i++) dm_sha256_add(h, "a", 1);
  dm_sha256_hex(h, hex);
  assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  dm_sha256_free(h);
  dm_sha256_free(NULL);
  assert_int_equal(dm_ctx_memory(ctx), 0);
  dm_ctx_free(ctx);
}

static void no_memory_is_an_error(void **state) {
  (void)state;
  dm_ctx *ctx = NULL;
  dm_sha256 *h = NULL;
  dm_error err = {0};
  dm_ctx_options o = {.budget = 16, .threads = 1};
  assert_int_equal(dm_ctx_new(&o, &ctx, NULL), DM_OK);
  assert_int_equal(dm_sha256_new(ctx, &h, &err), DM_EBUDGET);
  assert_null(h);
  assert_non_null(strstr(err.message, "digest"));
  dm_ctx_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(digests_are_those_of_the_standard),
    cmocka_unit_test(no_memory_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
