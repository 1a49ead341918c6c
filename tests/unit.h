/* SPDX-License-Identifier: Apache-2.0 */
/* unit.h — what every cmocka program includes, in the order that cmocka asks for. */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The call succeeds; its error text is shown when not. */
#define assert_ok(call, e)                                   \
	do {                                                 \
		if ((call) != 0)                             \
			fail_msg("%s: %s", #call, (e).text); \
	} while (0)

/* The call fails with that code, and its text holds `words`. */
#define assert_refused(call, e, code_, words)                                       \
	do {                                                                        \
		assert_int_equal((call), -(int)(code_));                            \
		if (!strstr((e).text, (words)))                                     \
			fail_msg("'%s' does not speak of '%s'", (e).text, (words)); \
	} while (0)
