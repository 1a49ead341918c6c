/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/secret_file.h"

#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"
#include "computations/ca/ca_signer_kind.h"
#include "computations/tpm/tpm_sealed.h"

#include <string.h>

_Static_assert((int)SECRET_KEY_LEN == (int)TPM_SEALED_LEN, "keys");

bool secret_place_is_tpm(const char *place)
{
	return strncmp(place, "tpm:", 4) == 0;
}

int secret_place_check(const char *place, struct err *e)
{
	CLEANUP(tpm_sealing_free) struct tpm_sealing *tpm = NULL;

	if (secret_place_is_tpm(place))
		return tpm_sealing_new(place, &tpm, e);
	return place[0] == '/'
		       ? 0
		       : err_set(e, ERR_INVALID, "%s is not an absolute path, nor tpm:/FILE",
				 log_quote(place).text);
}

/* ---- a file ---- */

static int read_digits(const char *path, struct secret_key *key, struct err *e)
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

static int write_digits(const char *path, const struct secret_key *key, struct err *e)
{
	char line[2 * SECRET_KEY_LEN + 2];
	int failed;

	hex_encode(key->bytes, SECRET_KEY_LEN, line);
	line[2 * SECRET_KEY_LEN] = '\n';
	failed = file_write_new(path, line, 2 * SECRET_KEY_LEN + 1, 0600, e);
	explicit_bzero(line, sizeof(line));
	return failed;
}

/* ---- a file that a TPM opens ---- */

static int read_blob(const char *path, uint8_t **blob, size_t *len, struct err *e)
{
	if (ca_secret_check(path, e) < 0)
		return err_code(e);
	const int failed = file_read(path, TPM_SEALED_BLOB_MAX, blob, len, e);
	if (err_is(failed, ERR_NOT_FOUND))
		return err_set(e, ERR_NOT_FOUND,
			       "'%s' is missing: bring it back from a copy, or have the key sealed "
			       "there by --copy-secrets-key or --make-secrets-key",
			       path);
	return failed;
}

static int read_sealed(const char *words, struct secret_key *key, struct err *e)
{
	CLEANUP(tpm_sealing_free) struct tpm_sealing *tpm = NULL;
	CLEANUP(free) uint8_t *blob = NULL;
	uint8_t bytes[SECRET_KEY_LEN];
	size_t len;
	int failed;

	if (tpm_sealing_new(words, &tpm, e) < 0 || read_blob(tpm->path, &blob, &len, e) < 0)
		return err_code(e);
	failed = tpm_unseal(tpm, blob, len, bytes, e);
	if (!failed)
		failed = secret_key_of(bytes, key, e);
	explicit_bzero(bytes, sizeof(bytes));
	return failed ? err_wrap(e, "'%s'", tpm->path) : 0;
}

static int write_sealed(const char *words, const struct secret_key *key, struct err *e)
{
	CLEANUP(tpm_sealing_free) struct tpm_sealing *tpm = NULL;
	CLEANUP(free) uint8_t *blob = NULL;
	size_t len;

	if (tpm_sealing_new(words, &tpm, e) < 0 || tpm_seal(tpm, key->bytes, &blob, &len, e) < 0)
		return err_code(e);
	return file_write_new(tpm->path, blob, len, 0600, e);
}

/* ---- whichever ---- */

int secret_key_read(const char *place, struct secret_key *key, struct err *e)
{
	return secret_place_is_tpm(place) ? read_sealed(place, key, e) : read_digits(place, key, e);
}

int secret_key_write(const char *place, const struct secret_key *key, struct err *e)
{
	return secret_place_is_tpm(place) ? write_sealed(place, key, e)
					  : write_digits(place, key, e);
}

int secret_key_make(const char *place, struct secret_key *key, struct err *e)
{
	uint8_t bytes[SECRET_KEY_LEN];
	struct secret_key made;
	int failed = random_bytes(bytes, sizeof(bytes), e);

	if (!failed)
		failed = secret_key_of(bytes, &made, e);
	if (!failed)
		failed = secret_key_write(place, &made, e);
	if (!failed)
		*key = made;
	explicit_bzero(bytes, sizeof(bytes));
	secret_key_wipe(&made);
	return failed;
}
