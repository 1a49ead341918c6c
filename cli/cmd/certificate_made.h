/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate_made.h — a new key and the certificate that the service gives for it, with their files.
 */
#pragma once

#include "cli/client/certificate_client.h"
#include "common/crypto/key.h"

/* Where they go; key or ca NULL: it is not written. None may be there. */
struct certificate_files {
	const char *key, *cert, *ca;
};

/* ERR_EXISTS with a hint: one of them is there. */
int certificate_files_check(struct cli *cli, const struct certificate_files *files,
			    struct err *e) MUST_CHECK;
/* What the service does once has its place on the disk before: whether certificate and authority can be written. */
int certificate_files_try(const struct certificate_files *files, struct err *e) MUST_CHECK;
int certificate_files_write_key(const struct certificate_files *files, const EVP_PKEY *key,
				struct err *e) MUST_CHECK;

/* A request that names nobody: the service knows whom it is for. OPENSSL_free() it. */
int certificate_made_request(EVP_PKEY *key, unsigned char **der, int *len,
			     struct err *e) MUST_CHECK;

/* From a text's first PEM; the caller frees it. */
int certificate_made_read(const char *pem, X509 **cert, struct err *e) MUST_CHECK;

/* The answer is for our key, and signed by the authority that came with it; `before`, where there is one, is the certificate
 * that it renews: of an authority of the same name, and of the same subject and names. Writes it, and says so, also where the
 * authority is the one that followed. */
int certificate_made_take(struct cli *cli, const Certificates__IssueResponse *m, EVP_PKEY *key,
			  X509 *before, const struct certificate_files *files,
			  struct err *e) MUST_CHECK;
