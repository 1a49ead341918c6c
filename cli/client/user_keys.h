/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user_keys.h — keys that users registered with the computation service: "user:NAME" in a manifest, where a key is
 * wanted; and "asset:NAME", where the digest of a registered asset is.
 */
#pragma once

#include "cli/base/command.h"
#include "common/manifest/manifest_names.h"
#include "people.pb-c.h"

#include <stdint.h>

/* Puts the key that the service has of each user who is named in place of the name, and so the digest of each asset, in JSON that manifest_from_json() is
 * to read, and says on standard error which it was; text without such names stays as it is. A key that a user registered for
 * `computation` ("": a new one) alone goes before the one of all. Malloc'ed; the text that was is wiped and freed. */
int user_keys_fill(struct cli *cli, const char *computation, uint8_t **text, size_t *len,
		   struct err *e) MUST_CHECK;

/* The same of one, for "user:NAME" elsewhere: malloc'ed DER SubjectPublicKeyInfo. */
int user_keys_get(struct cli *cli, const char *name, uint8_t **spki, size_t *len,
		  struct err *e) MUST_CHECK;

/* Whose the keys of a computation's manifest are, by the service's word; the caller frees it. `*owners` NULL: it is a
 * service that knows no keys. */
int user_keys_owners(struct cli *cli, const char *computation, People__KeyOwners **owners,
		     struct err *e) MUST_CHECK;
