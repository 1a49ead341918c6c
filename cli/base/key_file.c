/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/key_file.h"

#include "cli/base/private_key.h"
#include "common/base/file.h"

#include <string.h>

/* `*asks` where only its holder can tell more: then there is no key yet. */
static int read_key(struct cli *cli, const char *path, EVP_PKEY **key, bool *asks, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	int failed = 0;

	if (file_read_text(path, PEM_MAX, &text, e) < 0)
		return err_code(e);
	bool private = strstr(text, "PRIVATE KEY-----") != NULL;

	*asks = private && cli;
	if (!private)
		failed = key_from_public_pem(text, strlen(text), key, e);
	else if (!cli)
		failed = key_from_private_pem(text, strlen(text), NULL, NULL, key, e);
	explicit_bzero(text, strlen(text));
	return failed ? err_wrap(e, "'%s'", path) : 0;
}

int key_file_spki(struct cli *cli, const char *path, uint8_t **spki, size_t *len, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	bool asks;

	if (read_key(cli, path, &key, &asks, e) < 0)
		return err_code(e);
	if (asks && private_key_load(cli, path, &key, e) < 0)
		return err_code(e);
	return key_to_spki(key, spki, len, e);
}
