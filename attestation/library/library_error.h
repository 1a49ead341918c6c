/* SPDX-License-Identifier: Apache-2.0 */
/*
 * library_error.h — our errors as those of the public header. Private to attestation/library.
 */
#pragma once

#include "attestation/library/cocos/attestation.h"
#include "common/base/err.h"

/* What a public function returns of a failed call: never 0. `error` may be NULL. */
int library_error(struct cocos_error *error, const struct err *e);

/* An argument that must not be NULL is. */
int library_missing(struct cocos_error *error, const char *what);
