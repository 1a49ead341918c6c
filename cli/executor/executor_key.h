/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executor_key.h — an executor's own X25519 key in a file: PEM, PKCS#8, as 'openssl genpkey -algorithm X25519' writes it.
 */
#pragma once

#include "cli/base/command.h"
#include "common/crypto/hpke.h"

/* A new one, in a file that is there from now on, for its owner alone to read. ERR_EXISTS: there is one of that name. */
int executor_key_make(const char *path, struct hpke_key *key, struct err *e) MUST_CHECK;

/* ERR_DENIED: others on this machine may read the file. Hints at what to do. */
int executor_key_load(struct cli *cli, const char *path, struct hpke_key *key,
		      struct err *e) MUST_CHECK;
