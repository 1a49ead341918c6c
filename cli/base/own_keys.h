/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own_keys.h — the keys of whoever types: public.pem and private.pem of the working directory, and those
 * that --key names.
 */
#pragma once

#include "cli/base/command.h"

#include <stdint.h>

enum { OWN_KEYS_MAX = 64 };

/* clang-format off */
#define OWN_KEYS_OPTION \
	{ .name = "key", .value = "PEM", .times = CLI_MANY, \
	  .help = "a key of yours, public or private; then public.pem and private.pem here are none" }
/* clang-format on */

struct own_key {
	const char *name; /* of the file; lent */
	uint8_t *spki;
	size_t len;
};

struct own_keys {
	struct own_key keys[OWN_KEYS_MAX];
	size_t count;
};

/* A file of --key has to be one. Without any, the working directory's count; what is there and can't be read is noted on
 * standard error; nobody is asked for its passphrase. */
int own_keys_find(struct cli *cli, struct own_keys *own, struct err *e) MUST_CHECK;
void own_keys_done(struct own_keys *own);
#define CLEANUP_OWN_KEYS __attribute__((cleanup(own_keys_done)))

/* The file, after the one at `*at`, that holds this key; NULL: no more. Begin with `*at` 0. */
const char *own_keys_next(const struct own_keys *own, const void *spki, size_t len, size_t *at);
