/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/library/library_error.h"

#include <stdio.h>

/* The three that the public header names: what is neither want of something nor a broken library lies
 * in what the caller handed over. */
static int public_code(const struct err *e)
{
	switch (e->code) {
	case ERR_EXHAUSTED:
		return COCOS_EXHAUSTED;
	case ERR_OK:
	case ERR_UNKNOWN:
	case ERR_INTERNAL:
		return COCOS_INTERNAL;
	default:
		return COCOS_INVALID;
	}
}

int library_error(struct cocos_error *error, const struct err *e)
{
	int code = public_code(e);

	if (error) {
		error->code = code;
		snprintf(error->text, sizeof(error->text), "%s", e->text);
	}
	return -code;
}

int library_missing(struct cocos_error *error, const char *what)
{
	struct err e;

	err_record(&e, ERR_INVALID, "%s is missing", what);
	return library_error(error, &e);
}
