/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strip.h — a document of computations without what nobody but its owner may have: contents of assets ("asset") and
 * private keys ("server_key", "key_file"), wherever such members stand. They become "".
 */
#pragma once

#include "common/base/err.h"

#include <stdint.h>

enum { STRIP_MAX = 64 << 20 };

struct stripped {
	size_t contents, keys; /* how many were taken out */
};

/* JSON again, malloc'ed: the same values in the same order. ERR_INVALID: a private key stands where none
 * belongs. */
int strip(const void *json, size_t len, uint8_t **out, size_t *out_len, struct stripped *what,
	  struct err *e) MUST_CHECK;
