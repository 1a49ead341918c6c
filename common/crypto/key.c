/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/key.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static const char *const curves[] = { "prime256v1", "secp384r1", "secp521r1" };

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, RSA_BITS_MADE = 4096, PSS_SALT = 32 };

/* What a signature costs to verify grows with it. Everybody's is 65537. */
enum { RSA_EXPONENT_BITS_MAX = 64 };

int err_openssl(struct err *e, enum err_code code, const char *fmt, ...)
{
	char what[ERR_TEXT_MAX / 2];
	unsigned long number = ERR_peek_last_error();
	const char *reason = number ? ERR_reason_error_string(number) : NULL;
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	ERR_clear_error();
	if (ERR_GET_REASON(number) == ERR_R_MALLOC_FAILURE)
		code = ERR_EXHAUSTED; /* and nothing is said of what was read */
	return err_set(e, code, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
}

static int check_ec(const EVP_PKEY *key, struct err *e)
{
	char curve[64] = "";
	int explicit_parameters = 0;

	EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL);
	EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
			       &explicit_parameters);
	for (size_t i = 0; i < ARRAY_LEN(curves); i++)
		if (!explicit_parameters && strcmp(curve, curves[i]) == 0)
			return 0;
	return err_set(e, ERR_INVALID, "an EC key must be on P-256, P-384 or P-521 by name");
}

static int check_rsa(const EVP_PKEY *key, struct err *e)
{
	int bits = EVP_PKEY_get_bits(key);
	BIGNUM *exponent = NULL;

	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
		return err_set(e, ERR_INVALID, "an RSA key of %d bits; wanted %d to %d", bits,
			       RSA_BITS_MIN, RSA_BITS_MAX);
	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1)
		return err_openssl(e, ERR_INVALID, "an RSA key without an exponent");
	bits = BN_num_bits(exponent);
	BN_free(exponent);
	if (bits > RSA_EXPONENT_BITS_MAX)
		return err_set(e, ERR_INVALID,
			       "an RSA key with an exponent of %d bits; the limit is %d", bits,
			       RSA_EXPONENT_BITS_MAX);
	return 0;
}

static int check_usable(const EVP_PKEY *key, struct err *e)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_ED25519:
		return 0;
	case EVP_PKEY_EC:
		return check_ec(key, e);
	case EVP_PKEY_RSA:
		return check_rsa(key, e);
	default:
		return err_set(e, ERR_INVALID, "a key of another kind than RSA, ECDSA or Ed25519");
	}
}

/* The point is on the curve, the modulus is no prime, and so on. Half a second of work, if whoever
 * chose an RSA key wants that. */
static int check_public(EVP_PKEY *key, struct err *e)
{
	CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);

	if (check_usable(key, e) < 0)
		return err_code(e);
	if (!ctx || EVP_PKEY_public_check_quick(ctx) != 1)
		return err_openssl(e, ERR_INVALID, "the public key is not a sound one");
	return 0;
}

int key_parse_spki(const uint8_t *der, size_t len, EVP_PKEY **key, struct err *e)
{
	const uint8_t *at = der;

	if (len == 0 || len > SPKI_MAX)
		return err_set(e, ERR_INVALID, "a public key of %zu bytes; wanted 1 to %d", len,
			       SPKI_MAX);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *read = d2i_PUBKEY(NULL, &at, (long)len);
	if (!read || at != der + len)
		return err_openssl(e, ERR_INVALID, "not a DER SubjectPublicKeyInfo");
	if (check_usable(read, e) < 0)
		return err_code(e);

	CLEANUP(free) uint8_t *again = NULL;
	size_t again_len;
	if (key_to_spki(read, &again, &again_len, e) < 0)
		return err_code(e);
	/* One key, one encoding: keys are compared and listed by their bytes. */
	if (again_len != len || memcmp(again, der, len) != 0)
		return err_set(e, ERR_INVALID, "a SubjectPublicKeyInfo in an unusual encoding");
	*key = TAKE_PTR(read);
	return 0;
}

int key_from_spki(const uint8_t *der, size_t len, EVP_PKEY **key, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *read = NULL;

	if (key_parse_spki(der, len, &read, e) < 0 || check_public(read, e) < 0)
		return err_code(e);
	*key = TAKE_PTR(read);
	return 0;
}

int key_no_passphrase(char *out, int max, int writing, void *data)
{
	return -1;
}

struct asking {
	key_passphrase_fn *ask;
	void *data;
};

static int ask_passphrase(char *out, int max, int writing, void *data)
{
	struct asking *a = data;

	return a->ask ? a->ask(out, max, a->data) : key_no_passphrase(out, max, writing, NULL);
}

static int bio_over(const char *pem, size_t len, BIO **bio, struct err *e)
{
	if (len == 0 || len > PEM_MAX)
		return err_set(e, ERR_INVALID, "a PEM text of %zu bytes; wanted 1 to %d", len,
			       PEM_MAX);
	*bio = BIO_new_mem_buf(pem, (int)len);
	return *bio ? 0 : err_nomem(e);
}

/* With two, the one that happens to come first would count. */
static bool has_two_keys(const char *pem, size_t len)
{
	static const char begin[] = "-----BEGIN PUBLIC KEY-----";
	const char *one = memmem(pem, len, begin, sizeof(begin) - 1);
	const char *rest = one ? one + sizeof(begin) - 1 : NULL;

	return rest && memmem(rest, len - (size_t)(rest - pem), begin, sizeof(begin) - 1);
}

int key_parse_public_pem(const char *pem, size_t len, EVP_PKEY **key, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = NULL;

	if (has_two_keys(pem, len))
		return err_set(e, ERR_INVALID, "more than one public key where one is wanted");
	if (bio_over(pem, len, &bio, e) < 0)
		return err_code(e);
	CLEANUP(EVP_PKEY_free)
	EVP_PKEY *read = PEM_read_bio_PUBKEY(bio, NULL, key_no_passphrase, NULL);
	if (!read && memmem(pem, len, "PRIVATE KEY-----", 16))
		return err_set(e, ERR_INVALID,
			       "a private key, where a public one is wanted: give its public half");
	if (!read)
		return err_openssl(e, ERR_INVALID, "no PEM public key");
	if (check_usable(read, e) < 0)
		return err_code(e);
	*key = TAKE_PTR(read);
	return 0;
}

int key_from_public_pem(const char *pem, size_t len, EVP_PKEY **key, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *read = NULL;

	if (key_parse_public_pem(pem, len, &read, e) < 0 || check_public(read, e) < 0)
		return err_code(e);
	*key = TAKE_PTR(read);
	return 0;
}

/* PKCS#1 where the label says PKCS#8: so the stock CLI writes its RSA keys. */
static EVP_PKEY *mislabelled_rsa(const char *pem, size_t len)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(pem, (int)len);
	char *label = NULL, *header = NULL;
	uint8_t *der = NULL;
	long der_len = 0;
	EVP_PKEY *read = NULL;

	if (!bio || PEM_read_bio(bio, &label, &header, &der, &der_len) != 1)
		return NULL;
	if (strcmp(label, PEM_STRING_PKCS8INF) == 0 && !*header) {
		const uint8_t *at = der;

		read = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, der_len);
		if (read && at != der + der_len) {
			EVP_PKEY_free(read);
			read = NULL;
		}
	}
	OPENSSL_free(label);
	OPENSSL_free(header);
	OPENSSL_clear_free(der, (size_t)der_len);
	return read;
}

int key_from_private_pem(const char *pem, size_t len, key_passphrase_fn *ask, void *data,
			 EVP_PKEY **key, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = NULL;
	struct asking asking = { ask, data };

	if (bio_over(pem, len, &bio, e) < 0)
		return err_code(e);
	CLEANUP(EVP_PKEY_free)
	EVP_PKEY *read = PEM_read_bio_PrivateKey(bio, NULL, ask_passphrase, &asking);
	if (!read)
		read = mislabelled_rsa(pem, len);
	if (!read)
		return err_openssl(e, ERR_INVALID,
				   "no PEM private key, or the passphrase is not the right one");
	if (check_usable(read, e) < 0)
		return err_code(e);
	*key = TAKE_PTR(read);
	return 0;
}

int key_to_spki(const EVP_PKEY *key, uint8_t **der, size_t *len, struct err *e)
{
	uint8_t *made = NULL;
	int n = i2d_PUBKEY(key, &made);

	if (n <= 0)
		return err_openssl(e, ERR_INTERNAL, "encode a public key");
	*der = malloc((size_t)n);
	if (*der)
		memcpy(*der, made, (size_t)n);
	OPENSSL_free(made);
	if (!*der)
		return err_nomem(e);
	*len = (size_t)n;
	return 0;
}

int key_fingerprint(const void *spki, size_t len, uint8_t fingerprint[KEY_FINGERPRINT_LEN],
		    struct err *e)
{
	return digest(DIGEST_SHA3_256, spki, len, fingerprint, e);
}

static int text_of(BIO *bio, char **text, struct err *e)
{
	char *in;
	long n = BIO_get_mem_data(bio, &in);

	*text = n > 0 ? strndup(in, (size_t)n) : NULL;
	return *text ? 0 : err_nomem(e);
}

int key_to_public_pem(const EVP_PKEY *key, char **pem, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());

	if (!bio || PEM_write_bio_PUBKEY(bio, key) != 1)
		return err_openssl(e, ERR_INTERNAL, "write a public key");
	return text_of(bio, pem, e);
}

int key_to_private_pem(const EVP_PKEY *key, char **pem, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_secmem());

	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		return err_openssl(e, ERR_INTERNAL, "write a private key");
	return text_of(bio, pem, e);
}

int key_generate(enum key_kind kind, EVP_PKEY **key, struct err *e)
{
	EVP_PKEY *made = NULL;

	switch (kind) {
	case KEY_RSA:
		made = EVP_RSA_gen(RSA_BITS_MADE);
		break;
	case KEY_ECDSA:
		made = EVP_EC_gen("P-256");
		break;
	case KEY_ED25519:
		made = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		break;
	}
	if (!made)
		return err_openssl(e, ERR_INTERNAL, "make a key");
	*key = made;
	return 0;
}

enum key_kind key_kind_of(const EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		return KEY_RSA;
	case EVP_PKEY_EC:
		return KEY_ECDSA;
	default:
		return KEY_ED25519;
	}
}

/* Ed25519 hashes the bytes itself; the others sign a SHA-256. */
static const EVP_MD *hash_for(const EVP_PKEY *key)
{
	return key_kind_of(key) == KEY_ED25519 ? NULL : EVP_sha256();
}

static int set_padding(EVP_PKEY_CTX *ctx, const EVP_PKEY *key, bool pss)
{
	if (key_kind_of(key) != KEY_RSA)
		return 1;
	if (EVP_PKEY_CTX_set_rsa_padding(ctx, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) != 1)
		return 0;
	return pss ? EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, PSS_SALT) : 1;
}

int key_sign(EVP_PKEY *key, bool pss, const void *bytes, size_t len, uint8_t *sig, size_t *sig_len,
	     struct err *e)
{
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL; /* owned by md */
	size_t room = SIGNATURE_MAX;

	if (!md || EVP_DigestSignInit(md, &ctx, hash_for(key), NULL, key) != 1 ||
	    set_padding(ctx, key, pss) != 1 || EVP_PKEY_get_size(key) > SIGNATURE_MAX)
		return err_openssl(e, ERR_INTERNAL, "prepare a signature");
	if (EVP_DigestSign(md, sig, &room, bytes, len) != 1)
		return err_openssl(e, ERR_INTERNAL, "sign");
	*sig_len = room;
	return 0;
}

static bool verify_once(EVP_PKEY *key, bool pss, const void *bytes, size_t len, const uint8_t *sig,
			size_t sig_len)
{
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;

	return md && EVP_DigestVerifyInit(md, &ctx, hash_for(key), NULL, key) == 1 &&
	       set_padding(ctx, key, pss) == 1 &&
	       EVP_DigestVerify(md, sig, sig_len, bytes, len) == 1;
}

int key_verify_as(EVP_PKEY *key, bool pss, const void *bytes, size_t len, const uint8_t *sig,
		  size_t sig_len, struct err *e)
{
	bool right = verify_once(key, pss, bytes, len, sig, sig_len);

	ERR_clear_error();
	return right ? 0
		     : err_set(e, ERR_DENIED, "the signature is not of that key over these bytes");
}

int key_verify(EVP_PKEY *key, const void *bytes, size_t len, const uint8_t *sig, size_t sig_len,
	       struct err *e)
{
	if (key_verify_as(key, false, bytes, len, sig, sig_len, e) == 0)
		return 0;
	return key_kind_of(key) == KEY_RSA ? key_verify_as(key, true, bytes, len, sig, sig_len, e)
					   : err_code(e);
}
