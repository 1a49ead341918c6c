/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/near.h"

#include <string.h>

enum { COMPARED = 64 }; /* letters */

size_t near_slips(const char *a, const char *b)
{
	size_t row[COMPARED + 1], a_len = strnlen(a, COMPARED), b_len = strnlen(b, COMPARED);

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t changed = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
			row[j] = changed < row[j] ? changed : row[j];
		}
	}
	return row[b_len];
}
