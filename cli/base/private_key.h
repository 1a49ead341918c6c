/* SPDX-License-Identifier: Apache-2.0 */
/*
 * private_key.h — a user's private key from its file; the passphrase of an encrypted one is asked
 * for on the terminal itself, so that neither pipes nor the shell's history see it.
 */
#pragma once

#include "cli/base/command.h"
#include "common/crypto/key.h"

/* Hints at what to do when it fails. The caller frees the key. */
int private_key_load(struct cli *cli, const char *path, EVP_PKEY **key, struct err *e) MUST_CHECK;
