/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value_set.h — 'one of these values', as owners' policies say it of measurements, keys and chips, and
 * how a value is judged by it.
 *
 * An empty set holds nothing. What it means that a policy names no value is the check's to say: a
 * refusal, or zero alone. No function here takes it for 'any'.
 */
#pragma once

#include "attestation/verdict/verdict.h"

enum { VALUE_SET_LEN_MAX = 64 }; /* bytes of one value */

/* `count` values of the field's length, one after the other; whoever filled it owns them. */
struct value_set {
	const uint8_t *values;
	size_t count;
};

bool value_set_has(const struct value_set *set, const void *value, size_t len);

/* What is wanted, for a person: the one value in hexadecimal, or one of how many; `empty` if there is
 * none (may be NULL). */
void value_set_text(const struct value_set *set, size_t len, const char *empty,
		    char text[VERDICT_TEXT_MAX]);

/* Add the check of `value` and return whether it passed. */
/* The set has it; an empty one refuses. */
bool value_set_judge(const struct value_set *set, const uint8_t *value, size_t len,
		     const char *empty, enum check_id id, struct verdict *v);
/* The set has it; of an empty one, only zero passes. */
bool value_set_judge_or_zero(const struct value_set *set, const uint8_t *value, size_t len,
			     const char *empty, enum check_id id, struct verdict *v);
/* As the caller found. */
bool value_set_report(const struct value_set *set, const uint8_t *value, size_t len, bool passed,
		      const char *empty, enum check_id id, struct verdict *v);
