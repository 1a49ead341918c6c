/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_file.h — the public half of a key that a person has as a file, whichever half that holds.
 */
#pragma once

#include "cli/base/command.h"
#include "common/crypto/key.h"

/* Malloc'ed DER SubjectPublicKeyInfo. The passphrase of a private key is asked for (private_key.h);
 * `cli` NULL: nobody is asked, and an encrypted key refused. */
int key_file_spki(struct cli *cli, const char *path, uint8_t **spki, size_t *len,
		  struct err *e) MUST_CHECK;
