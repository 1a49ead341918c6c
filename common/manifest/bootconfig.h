/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bootconfig.h — what the host gives to a guest at boot, as bytes, and the digest that fixes it.
 *
 * On a disk (bootdisk.h), or in two shares: `env_share` with the file `environment`, `certs_share` with
 * `cert.pem`, `key.pem`, `ca.pem`; each file may be missing. The canonical form of a boot configuration is
 *
 *   "cocos-boot-v1" 00
 *   and for each of environment, cert.pem, key.pem, ca.pem, in this order:
 *     01 ‖ length (4 bytes, big endian) ‖ the file's bytes, or 00 if there is no such file.
 *
 * Its SHA3-256 (32 bytes) is what a launch fixes in SEV-SNP's HOST_DATA, its SHA3-384 (48 bytes)
 * in TDX's MRCONFIGID; both are measured as the first event into PCR14, each into the bank of its
 * length. The manager that writes them and the agent that reads them call this same
 * function.
 */
#pragma once

#include "common/base/err.h"
#include "common/crypto/digest.h"

#include <stddef.h>
#include <stdint.h>

enum { BOOTCONFIG_FILE_MAX = 65536 };

enum bootconfig_file {
	BOOTCONFIG_ENVIRONMENT,
	BOOTCONFIG_CERT,
	BOOTCONFIG_KEY,
	BOOTCONFIG_CA,
	BOOTCONFIG_FILES,
};

struct bootconfig {
	struct {
		uint8_t *bytes; /* NULL: no such file; an empty file is a pointer with len 0 */
		size_t len;
	} files[BOOTCONFIG_FILES];
};

struct bootconfig_digests {
	uint8_t sha3_256[SHA3_256_LEN]; /* HOST_DATA */
	uint8_t sha3_384[SHA3_384_LEN]; /* MRCONFIGID */
};

/* The file's name in its share: "environment", "cert.pem", … */
const char *bootconfig_name(enum bootconfig_file file);

/* Reads the four files. A missing one, or a missing folder of certificates, is simply absent; an
 * unreadable, irregular or too large one is refused. bootconfig_done() it. */
int bootconfig_read(const char *config_dir, const char *certs_dir, struct bootconfig *boot,
		    struct err *e) MUST_CHECK;
void bootconfig_done(struct bootconfig *boot); /* wipes, frees */

/* The canonical form itself, malloc'ed; holds secrets, so wipe it. */
int bootconfig_canonical(const struct bootconfig *boot, uint8_t **bytes, size_t *len,
			 struct err *e) MUST_CHECK;

int bootconfig_digest(const struct bootconfig *boot, struct bootconfig_digests *digests,
		      struct err *e) MUST_CHECK;
