/* SPDX-License-Identifier: Apache-2.0 */
/*
 * must.h — for code that makes evidence: what can't fail unless the code is wrong, or the machine
 * is out of memory, says where and aborts. In a unit test that fails the test.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#define MUST(what)                                                                 \
	do {                                                                       \
		if (!(what)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                   \
		}                                                                  \
	} while (0)
