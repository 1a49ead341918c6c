/* SPDX-License-Identifier: Apache-2.0 */
/* ca_signer_kind.c — what kinds of signers share: their secrets, and the forms of their keys. */
#include "computations/ca/ca_signer_kind.h"

#include "common/base/file.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

int ca_secret_check(const char *path, struct err *e)
{
	struct stat about;

	if (stat(path, &about) < 0)
		return 0;
	if (!S_ISREG(about.st_mode))
		return err_set(e, ERR_PRECONDITION, "'%s' is no regular file", path);
	if (about.st_uid != 0 && about.st_uid != geteuid())
		return err_set(e, ERR_PRECONDITION,
			       "'%s' belongs to uid %u, who can get at it: give it to this user, "
			       "or to root",
			       path, (unsigned)about.st_uid);
	if (about.st_mode & 077)
		return err_set(e, ERR_PRECONDITION,
			       "others than its owner can get at '%s': chmod 600 it", path);
	return 0;
}

int ca_secret_read(const char *path, char secret[CA_SIGNER_SECRET_MAX + 1], struct err *e)
{
	char *text;
	size_t len;

	if (ca_secret_check(path, e) < 0 ||
	    file_read_text(path, CA_SIGNER_SECRET_MAX + 1, &text, e) < 0)
		return err_code(e);
	len = strcspn(text, "\n");
	const bool is_one = len > 0 && len <= CA_SIGNER_SECRET_MAX && text[len + !!text[len]] == 0;
	if (is_one)
		snprintf(secret, CA_SIGNER_SECRET_MAX + 1, "%.*s", (int)len, text);
	explicit_bzero(text, strlen(text));
	free(text);
	return is_one ? 0
		      : err_set(e, ERR_INVALID, "'%s' is not one line of 1 to %d bytes", path,
				CA_SIGNER_SECRET_MAX);
}

int ca_public_of_point(const char *curve, struct span point, EVP_PKEY **public, struct err *e)
{
	CLEANUP(EVP_PKEY_CTX_free)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						 (char *)(uintptr_t)curve, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						  (void *)(uintptr_t)point.bytes, point.len),
		OSSL_PARAM_construct_end(),
	};
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return err_openssl(e, ERR_INVALID, "it gives no point of %s as its public key",
				   curve);
	/* Its numbers are looked at. */
	if (key_to_spki(key, &spki, &len, e) < 0)
		return err_code(e);
	return key_from_spki(spki, len, public, e);
}
