/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/verdict/value_set.h"

#include "common/base/bytes.h"
#include "common/base/encode.h"

#include <assert.h>
#include <stdio.h>

_Static_assert(2 * VALUE_SET_LEN_MAX < VERDICT_TEXT_MAX, "a value in hexadecimal fits a check");

bool value_set_has(const struct value_set *set, const void *value, size_t len)
{
	return bytes_among(set->values, set->count, value, len);
}

void value_set_text(const struct value_set *set, size_t len, const char *empty,
		    char text[VERDICT_TEXT_MAX])
{
	assert(len <= VALUE_SET_LEN_MAX);
	if (set->count == 1)
		hex_encode(set->values, len, text);
	else if (set->count == 0)
		snprintf(text, VERDICT_TEXT_MAX, "%s", empty ? empty : "");
	else
		snprintf(text, VERDICT_TEXT_MAX, "one of %zu values that the policy names",
			 set->count);
}

bool value_set_report(const struct value_set *set, const uint8_t *value, size_t len, bool passed,
		      const char *empty, enum check_id id, struct verdict *v)
{
	char found[VERDICT_TEXT_MAX], wanted[VERDICT_TEXT_MAX];

	assert(len <= VALUE_SET_LEN_MAX);
	hex_encode(value, len, found);
	value_set_text(set, len, empty, wanted);
	return verdict_check(v, id, passed, found, wanted);
}

bool value_set_judge(const struct value_set *set, const uint8_t *value, size_t len,
		     const char *empty, enum check_id id, struct verdict *v)
{
	return value_set_report(set, value, len, value_set_has(set, value, len), empty, id, v);
}

bool value_set_judge_or_zero(const struct value_set *set, const uint8_t *value, size_t len,
			     const char *empty, enum check_id id, struct verdict *v)
{
	bool passed = set->count ? value_set_has(set, value, len) : bytes_are(value, len, 0);

	return value_set_report(set, value, len, passed, empty, id, v);
}
