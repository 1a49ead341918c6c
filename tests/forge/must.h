/* SPDX-License-Identifier: Apache-2.0 */
/*
 * must.h — for code that makes evidence: steps that can't fail unless the code is wrong or memory
 * runs out. If one fails, MUST says where and aborts, which fails the unit test.
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
