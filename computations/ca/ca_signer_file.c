/* SPDX-License-Identifier: Apache-2.0 */
/* ca_signer_file.c — a key in a file of the service's user. */
#include "common/base/file.h"
#include "computations/ca/ca_signer_kind.h"

#include <string.h>

struct file {
	char *path;
	EVP_PKEY *key; /* NULL: it was not read yet */
};

static void close_file(void *state)
{
	struct file *f = state;

	EVP_PKEY_free(f->key);
	free(f->path);
	free(f);
}

static int open_file(const char *where, void **state, struct err *e)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f || !(f->path = strdup(where))) {
		free(f);
		return err_nomem(e);
	}
	*state = f;
	return 0;
}

static int read_key(struct file *f, struct err *e)
{
	CLEANUP(free) char *pem = NULL;
	int failed;

	if (f->key)
		return 0;
	if (ca_secret_check(f->path, e) < 0 || file_read_text(f->path, PEM_MAX, &pem, e) < 0)
		return err_code(e);
	failed = key_from_private_pem(pem, strlen(pem), NULL, NULL, &f->key, e);
	explicit_bzero(pem, strlen(pem));
	return failed ? err_wrap(e, "'%s'", f->path) : 0;
}

static int sign_by_file(void *state, const struct ca_signing *what, uint8_t sig[CA_SIGNATURE_MAX],
			size_t *len, struct err *e)
{
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct file *f = state;
	size_t size = CA_SIGNATURE_MAX;

	if (read_key(f, e) < 0)
		return err_code(e);
	/* Its signature would not fit, and is no authority's (authority.h). */
	if (key_kind_of(f->key) == KEY_RSA)
		return err_set(e, ERR_PRECONDITION, "the key is another certificate's");
	if (!ctx || EVP_DigestSignInit(ctx, NULL, what->md, NULL, f->key) != 1 ||
	    EVP_DigestSign(ctx, sig, &size, what->bytes.bytes, what->bytes.len) != 1)
		return err_openssl(e, ERR_INTERNAL, "sign");
	*len = size;
	return 0;
}

static int make_file(void *state, EVP_PKEY **public, bool *is_new, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) char *pem = NULL;
	struct file *f = state;
	int failed;

	if (key_generate(KEY_ECDSA, &key, e) < 0 || key_to_private_pem(key, &pem, e) < 0)
		return err_code(e);
	failed = file_write_new(f->path, pem, strlen(pem), 0600, e);
	explicit_bzero(pem, strlen(pem));
	if (failed)
		return failed;
	*public = TAKE_PTR(key);
	*is_new = true;
	return 0;
}

const struct ca_signer_kind ca_signer_file = {
	.scheme = "/",
	.open = open_file,
	.close = close_file,
	.sign = sign_by_file,
	.make = make_file,
};
