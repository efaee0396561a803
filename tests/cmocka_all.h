/* What every unit test includes: cmocka with the headers it wants before it. */
#ifndef DM_TESTS_CMOCKA_ALL_H
#define DM_TESTS_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#endif
