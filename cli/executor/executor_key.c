/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/executor/executor_key.h"

#include "common/base/file.h"
#include "common/crypto/key.h"

#include <string.h>
#include <sys/stat.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

static int write_pem(const char *path, const EVP_PKEY *key, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *memory = BIO_new(BIO_s_secmem());
	char *pem = NULL;
	long len;

	if (!memory || PEM_write_bio_PKCS8PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) != 1)
		return err_openssl(e, ERR_INTERNAL, "executor's key");
	len = BIO_get_mem_data(memory, &pem);
	return file_write_new(path, pem, (size_t)len, 0600, e);
}

int executor_key_make(const char *path, struct hpke_key *key, struct err *e)
{
	struct hpke_key made CLEANUP_HPKE_KEY = { .secret = { 0 } };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *whole = NULL;

	if (hpke_key_generate(&made, e) < 0)
		return err_code(e);
	whole = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, made.secret, HPKE_KEY_LEN);
	if (!whole)
		return err_openssl(e, ERR_INTERNAL, "executor's key");
	if (write_pem(path, whole, e) < 0)
		return err_wrap(e, "executor's key");
	*key = made;
	return 0;
}

static int check_mode(struct cli *cli, const char *path, struct err *e)
{
	struct stat about;

	if (stat(path, &about) < 0)
		return err_errno(e, "executor's key '%s'", path);
	if (!(about.st_mode & (S_IRWXG | S_IRWXO)))
		return 0;
	cli_hint(cli, "chmod 600 %s", path);
	return err_set(e, ERR_DENIED, "executor's key '%s': others on this machine may use it",
		       path);
}

static int take(const char *pem, size_t len, struct hpke_key *key, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *memory = BIO_new_mem_buf(pem, (int)len);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *whole = NULL;
	uint8_t secret[HPKE_KEY_LEN];
	size_t secret_len = sizeof(secret);
	int failed;

	if (!memory)
		return err_openssl(e, ERR_INTERNAL, "memory");
	whole = PEM_read_bio_PrivateKey(memory, NULL, key_no_passphrase, NULL);
	if (!whole || EVP_PKEY_get_base_id(whole) != EVP_PKEY_X25519 ||
	    EVP_PKEY_get_raw_private_key(whole, secret, &secret_len) != 1)
		return err_openssl(e, ERR_INVALID, "it is no X25519 private key in PEM");
	failed = hpke_key_of(secret, key, e);
	OPENSSL_cleanse(secret, sizeof(secret));
	return failed;
}

/* What is no key is no secret: its mode is another matter. */
int executor_key_load(struct cli *cli, const char *path, struct hpke_key *key, struct err *e)
{
	struct hpke_key found CLEANUP_HPKE_KEY = { .secret = { 0 } };
	char *pem = NULL;
	int failed;

	if (file_read_text(path, PEM_MAX, &pem, e) < 0) {
		cli_hint(cli, "'cocos-cli executor key FILE' makes one");
		return err_wrap(e, "executor's key");
	}
	failed = take(pem, strlen(pem), &found, e);
	OPENSSL_cleanse(pem, strlen(pem));
	free(pem);
	if (failed) {
		cli_hint(
			cli,
			"'cocos-cli executor key FILE' makes one, as does 'openssl genpkey -algorithm X25519'");
		return err_wrap(e, "executor's key '%s'", path);
	}
	if (check_mode(cli, path, e) < 0)
		return err_code(e);
	*key = found;
	return 0;
}

int executor_key_signer(const struct hpke_key *own, EVP_PKEY **signer,
			uint8_t public[EXECUTOR_SIGNER_LEN], struct err *e)
{
	static const char label[] = "cocos-executor-signer-v1"; /* its final zero belongs to it */
	CLEANUP(EVP_PKEY_free) EVP_PKEY *made = NULL;
	uint8_t seed[EXECUTOR_SIGNER_LEN];
	size_t len = EXECUTOR_SIGNER_LEN;

	if (hmac(DIGEST_SHA256, own->secret, sizeof(own->secret), label, sizeof(label), seed, e) <
	    0)
		return err_code(e);
	made = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
	OPENSSL_cleanse(seed, sizeof(seed));
	if (!made || EVP_PKEY_get_raw_public_key(made, public, &len) != 1)
		return err_openssl(e, ERR_INTERNAL, "executor's signing key");
	*signer = TAKE_PTR(made);
	return 0;
}
