/* matrix: the CBLAS in this program is the fast one. */
#include "cmocka_all.h"

#include <dm/matrix.h>
#include <stdio.h>

static void cblas_is_not_the_slow_one_of_gsl(void **state) {
  (void)state;
  printf("cblas_sgemm comes from %s\n", dm_blas_library());
  assert_non_null(strstr(dm_blas_library(), ".so"));
  assert_null(strstr(dm_blas_library(), "gslcblas"));
  assert_true(dm_blas_is_fast());
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(cblas_is_not_the_slow_one_of_gsl)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
