/* SPDX-License-Identifier: Apache-2.0 */
/* ca_signer_kind.h — a place where a key may be, as ca_signer.c knows it; for ca_signer*.c and what they call. */
#pragma once

#include "computations/ca/ca_signature.h"

enum { CA_DIGEST_MAX = 64 };

/* A kind takes one or the other. */
struct ca_signing {
	struct span bytes; /* empty for a device */
	uint8_t digest[CA_DIGEST_MAX];
	size_t digest_len;
	const EVP_MD *md;
};

struct ca_signer_kind {
	const char *scheme; /* with its colon; "/": a path */
	bool is_device;     /* is called by one thread at a time, and may hang */

	/* Reads `where` and files, and asks no device. `*state` belongs to the caller. */
	int (*open)(const char *where, void **state, struct err *e);
	void (*close)(void *state);
	/* Connects first where it has to, and again where what there was is broken. */
	int (*sign)(void *state, const struct ca_signing *what, uint8_t sig[CA_SIGNATURE_MAX],
		    size_t *len, struct err *e);
	/* Lets go of the connection; of a device. */
	void (*rest)(void *state);
	int (*make)(void *state, EVP_PKEY **public, bool *is_new, struct err *e);
};

extern const struct ca_signer_kind ca_signer_file, ca_signer_pkcs11, ca_signer_tpm;

/* ---- what they share ---- */

/* A path's secret, without the line's end, for its owner alone. Wipe it. */
int ca_secret_read(const char *path, char secret[CA_SIGNER_SECRET_MAX + 1],
		   struct err *e) MUST_CHECK;
/* ERR_PRECONDITION: others than this user and root can get at that file, or it is no regular one. A missing one is another's matter. */
int ca_secret_check(const char *path, struct err *e) MUST_CHECK;

/* A point (uncompressed) on the curve of that name, such as "P-256". */
int ca_public_of_point(const char *curve, struct span point, EVP_PKEY **public,
		       struct err *e) MUST_CHECK;
