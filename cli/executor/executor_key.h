/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executor_key.h — an executor's own X25519 key in a file: PEM, PKCS#8, as 'openssl genpkey -algorithm X25519' writes it.
 */
#pragma once

#include "cli/base/command.h"
#include "common/crypto/hpke.h"
#include "common/crypto/key.h"

enum { EXECUTOR_SIGNER_LEN = 32 };

/* A new one, in a file that is there from now on, for its owner alone to read. ERR_EXISTS: there is one of that name. */
int executor_key_make(const char *path, struct hpke_key *key, struct err *e) MUST_CHECK;

/* ERR_DENIED: others on this machine may read the file. Hints at what to do. */
int executor_key_load(struct cli *cli, const char *path, struct hpke_key *key,
		      struct err *e) MUST_CHECK;

/* The Ed25519 key of the same executor, by which agents in CVMs know it: HMAC-SHA256 with the X25519 secret as key over
 * "cocos-executor-signer-v1" and its final zero is the seed (RFC 8032). Nobody finds one from the other. */
int executor_key_signer(const struct hpke_key *own, EVP_PKEY **signer,
			uint8_t public[EXECUTOR_SIGNER_LEN], struct err *e) MUST_CHECK;
