/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/key_file.h"

#include "cli/base/private_key.h"
#include "common/base/file.h"

#include <string.h>

/* The public half, or no key at all yet where the file holds a private one. */
static int read_public(const char *path, EVP_PKEY **key, bool *private, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	int failed = 0;

	if (file_read_text(path, PEM_MAX, &text, e) < 0)
		return err_code(e);
	*private = strstr(text, "PRIVATE KEY-----") != NULL;
	if (!*private)
		failed = key_from_public_pem(text, strlen(text), key, e);
	explicit_bzero(text, strlen(text));
	return failed ? err_wrap(e, "'%s'", path) : 0;
}

int key_file_spki(struct cli *cli, const char *path, uint8_t **spki, size_t *len, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	bool private;

	if (read_public(path, &key, &private, e) < 0)
		return err_code(e);
	if (private && private_key_load(cli, path, &key, e) < 0)
		return err_code(e);
	return key_to_spki(key, spki, len, e);
}
