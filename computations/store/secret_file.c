/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/secret_file.h"

#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/crypto/digest.h"
#include "computations/ca/ca_signer_kind.h"

#include <string.h>

int secret_key_read(const char *path, struct secret_key *key, struct err *e)
{
	char line[CA_SIGNER_SECRET_MAX + 1];
	uint8_t bytes[SECRET_KEY_LEN];
	struct err ignored;
	int failed;

	if (ca_secret_read(path, line, e) < 0)
		return err_code(e);
	failed = hex_decode(line, bytes, sizeof(bytes), &ignored);
	explicit_bzero(line, sizeof(line));
	failed = failed ? err_set(e, ERR_INVALID,
				  "'%s' is not %d hexadecimal digits in one line: 'openssl rand "
				  "-hex %d' makes some",
				  path, 2 * SECRET_KEY_LEN, SECRET_KEY_LEN)
			: secret_key_of(bytes, key, e);
	explicit_bzero(bytes, sizeof(bytes));
	return failed;
}

int secret_key_make(const char *path, struct secret_key *key, struct err *e)
{
	char line[2 * SECRET_KEY_LEN + 2];
	uint8_t bytes[SECRET_KEY_LEN];
	struct secret_key made;
	int failed = random_bytes(bytes, sizeof(bytes), e);

	if (!failed)
		failed = secret_key_of(bytes, &made, e);
	if (!failed) {
		hex_encode(bytes, sizeof(bytes), line);
		line[2 * SECRET_KEY_LEN] = '\n';
		failed = file_write_new(path, line, 2 * SECRET_KEY_LEN + 1, 0600, e);
	}
	if (!failed)
		*key = made;
	explicit_bzero(bytes, sizeof(bytes));
	explicit_bzero(line, sizeof(line));
	secret_key_wipe(&made);
	return failed;
}
