/* What every unit test includes: cmocka with the headers it wants before it. */
#ifndef DM_TESTS_CMOCKA_ALL_H
#define DM_TESTS_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

/* |got - wanted| <= epsilon, shown when it is not; NaN is near nothing. */
#define assert_near(got, wanted, epsilon) near_or_fail((got), (wanted), (epsilon), #got, __FILE__, __LINE__)
static inline void near_or_fail(double got, double wanted, double epsilon, const char *what, const char *file, int line) {
  if (fabs(got - wanted) <= epsilon) return;
  print_error("%s = %.17g, want %.17g +- %g\n", what, got, wanted, epsilon);
  _fail(file, line);
}

#endif
