/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/cose.h"

#include "common/base/reader.h"
#include "common/base/writer.h"

#include <string.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free)

enum { COORDINATE_MAX = 66 };

static const struct algorithm {
	enum cose_algorithm number;
	const char *name, *curve; /* curve: of ECDSA, as OpenSSL names it */
	int key_type;
	const EVP_MD *(*hash)(void);
	size_t coordinate; /* bytes of r and of s */
} algorithms[] = {
	{ COSE_ES256, "ES256", "prime256v1", EVP_PKEY_EC, EVP_sha256, 32 },
	{ COSE_ES384, "ES384", "secp384r1", EVP_PKEY_EC, EVP_sha384, 48 },
	{ COSE_ES512, "ES512", "secp521r1", EVP_PKEY_EC, EVP_sha512, 66 },
	{ COSE_EDDSA, "EdDSA", NULL, EVP_PKEY_ED25519, NULL, 0 },
	{ COSE_PS256, "PS256", NULL, EVP_PKEY_RSA, EVP_sha256, 0 },
};

static const struct algorithm *find_algorithm(int64_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
		if (algorithms[i].number == number)
			return &algorithms[i];
	return NULL;
}

const char *cose_algorithm_name(int64_t number)
{
	const struct algorithm *a = find_algorithm(number);

	return a ? a->name : NULL;
}

static bool fits(const struct algorithm *a, const EVP_PKEY *key)
{
	char curve[64] = "";

	if (EVP_PKEY_get_base_id(key) != a->key_type)
		return false;
	return !a->curve || (EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1 &&
			     strcmp(curve, a->curve) == 0);
}

void cose_done(struct cose *message)
{
	datum_free(message->tree);
	datum_free(message->headers);
	*message = (struct cose){ 0 };
}

/* RFC 9052, section 3.1: crit is protected, not empty, and each label in it is understood and
 * there. */
static int check_crit(const struct cose *m, const int64_t *known, size_t count, struct err *e)
{
	const struct datum *crit = datum_get(m->headers, COSE_HEADER_CRIT);
	int64_t label;

	if (datum_get(m->unprotected, COSE_HEADER_CRIT))
		return err_set(e, ERR_INVALID, "cose: crit outside the protected header");
	if (!crit)
		return 0;
	if (crit->type != DATUM_ARRAY || !crit->count)
		return err_set(e, ERR_INVALID, "cose: crit is not an array, or is empty");
	for (size_t i = 0; i < crit->count; i++) {
		bool understood = datum_int(&crit->items[i], &label) && label >= COSE_HEADER_ALG &&
				  label <= COSE_HEADER_KID;

		for (size_t k = 0; !understood && k < count; k++)
			understood = datum_int(&crit->items[i], &label) && label == known[k];
		if (!understood || !datum_get(m->headers, label))
			return err_set(e, ERR_INVALID, "cose: an unknown critical header");
	}
	return 0;
}

static bool has_label(const struct datum *map, const struct datum *text)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct datum *key = &map->items[2 * i];

		if (key->type == DATUM_TEXT && key->len == text->len &&
		    memcmp(key->bytes, text->bytes, key->len) == 0)
			return true;
	}
	return false;
}

static bool has_either(const struct cose *m, int64_t label)
{
	return datum_get(m->headers, label) || datum_get(m->unprotected, label);
}

/* No label may be in both headers, and the algorithm must be in the protected one. */
static int check_headers(struct cose *m, struct err *e)
{
	int64_t label;

	if (!datum_int(datum_get(m->headers, COSE_HEADER_ALG), &m->algorithm) ||
	    !find_algorithm(m->algorithm))
		return err_set(e, ERR_INVALID,
			       "cose: no algorithm in the protected header that we accept");
	for (size_t i = 0; i < m->unprotected->count; i++) {
		const struct datum *name = &m->unprotected->items[2 * i];

		if (datum_int(name, &label) &&
		    (label == COSE_HEADER_ALG || datum_get(m->headers, label)))
			return err_set(e, ERR_INVALID, "cose: header %lld is in the wrong place",
				       (long long)label);
		if (name->type == DATUM_TEXT && has_label(m->headers, name))
			return err_set(e, ERR_INVALID, "cose: a text header is in both places");
	}
	if (has_either(m, COSE_HEADER_IV) && has_either(m, COSE_HEADER_PARTIAL_IV))
		return err_set(e, ERR_INVALID, "cose: an IV and a partial IV exclude each other");
	return 0;
}

static int take_apart(struct cose *m, struct err *e)
{
	const struct datum *parts = datum_tagged(m->tree, COSE_TAG_SIGN1);

	if (!parts)
		return err_set(e, ERR_INVALID, "cose: not a COSE_Sign1 under tag 18");
	if (parts->type != DATUM_ARRAY || parts->count != 4 ||
	    parts->items[0].type != DATUM_BYTES || parts->items[1].type != DATUM_MAP ||
	    parts->items[3].type != DATUM_BYTES)
		return err_set(e, ERR_INVALID, "cose: not an array of headers, payload, signature");
	if (parts->items[2].type != DATUM_BYTES)
		return err_set(e, ERR_INVALID, "cose: the payload is missing");
	m->protected_bytes = parts->items[0].bytes;
	m->protected_len = parts->items[0].len;
	m->unprotected = &parts->items[1];
	m->payload = parts->items[2].bytes;
	m->payload_len = parts->items[2].len;
	m->signature = parts->items[3].bytes;
	m->signature_len = parts->items[3].len;
	if (m->protected_len == 0 || m->protected_len > COSE_HEADERS_MAX)
		return err_set(e, ERR_INVALID, "cose: a protected header of %zu bytes",
			       m->protected_len);
	if (datum_parse(m->protected_bytes, m->protected_len, &m->headers, e) < 0)
		return err_wrap(e, "cose: protected header");
	if (m->headers->type != DATUM_MAP)
		return err_set(e, ERR_INVALID, "cose: the protected header is not a map");
	return 0;
}

int cose_parse(const void *bytes, size_t len, const int64_t *known, size_t known_count,
	       struct cose *message, struct err *e)
{
	struct cose m = { 0 };

	if (len > COSE_MAX)
		return err_set(e, ERR_EXHAUSTED, "cose: %zu bytes; at most %d", len, COSE_MAX);
	if (datum_parse(bytes, len, &m.tree, e) < 0)
		return err_wrap(e, "cose");
	if (take_apart(&m, e) < 0 || check_headers(&m, e) < 0 ||
	    check_crit(&m, known, known_count, e) < 0) {
		cose_done(&m);
		return err_code(e);
	}
	*message = m;
	return 0;
}

/* RFC 9052, section 4.4: Sig_structure. */
static void put_to_be_signed(struct writer *w, const void *headers, size_t headers_len,
			     const struct cose_content *c)
{
	datum_put_array(w, 4);
	datum_put_text(w, "Signature1");
	datum_put_bytes(w, headers, headers_len);
	datum_put_bytes(w, c->aad, c->aad_len);
	datum_put_bytes(w, c->payload, c->payload_len);
}

/* COSE has r and s with fixed lengths, one after the other; OpenSSL wants them as DER. */
static int ecdsa_to_der(const struct algorithm *a, const uint8_t *raw, uint8_t **der, size_t *len,
			struct err *e)
{
	CLEANUP(ECDSA_SIG_free) ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, (int)a->coordinate, NULL);
	BIGNUM *s = BN_bin2bn(raw + a->coordinate, (int)a->coordinate, NULL);

	if (!sig || !r || !s || ECDSA_SIG_set0(sig, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		return err_nomem(e);
	}
	*der = NULL;
	int n = i2d_ECDSA_SIG(sig, der);
	if (n <= 0)
		return err_openssl(e, ERR_INTERNAL, "cose: signature");
	*len = (size_t)n;
	return 0;
}

static bool right_signature(const struct algorithm *a, EVP_PKEY *key, const struct writer *signed_,
			    const uint8_t *sig, size_t sig_len)
{
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;

	if (!md || EVP_DigestVerifyInit(md, &ctx, a->hash ? a->hash() : NULL, NULL, key) != 1)
		return false;
	if (a->number == COSE_PS256 &&
	    (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
	     EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) != 1))
		return false;
	return EVP_DigestVerify(md, sig, sig_len, signed_->bytes, signed_->len) == 1;
}

int cose_verify(const struct cose *message, EVP_PKEY *key, const void *aad, size_t aad_len,
		struct err *e)
{
	const struct algorithm *a = find_algorithm(message->algorithm);
	CLEANUP_WRITER struct writer w = writer_up_to(COSE_MAX + COSE_HEADERS_MAX);
	const struct cose_content c = { .payload = message->payload,
					.payload_len = message->payload_len,
					.aad = aad,
					.aad_len = aad_len };
	uint8_t *der = NULL;
	const uint8_t *sig = message->signature;
	size_t len = message->signature_len;

	if (!a || !fits(a, key))
		return err_set(e, ERR_DENIED, "cose: algorithm %s is not that of the key",
			       a ? a->name : "unknown");
	if (a->coordinate && len != 2 * a->coordinate)
		return err_set(e, ERR_DENIED, "cose: a signature of %zu bytes; %s has %zu", len,
			       a->name, 2 * a->coordinate);
	put_to_be_signed(&w, message->protected_bytes, message->protected_len, &c);
	if (writer_check(&w, "cose: signed bytes", e) < 0)
		return err_code(e);
	if (a->coordinate && ecdsa_to_der(a, message->signature, &der, &len, e) < 0)
		return err_code(e);
	bool right = right_signature(a, key, &w, der ? der : sig, len);
	OPENSSL_free(der);
	ERR_clear_error();
	return right ? 0 : err_set(e, ERR_DENIED, "cose: the signature is not that of the key");
}

static const struct algorithm *algorithm_of(const EVP_PKEY *key)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
		if (fits(&algorithms[i], key))
			return &algorithms[i];
	return NULL;
}

static void put_protected(struct writer *w, const struct algorithm *a, const struct cose_content *c)
{
	datum_put_map(w, 1u + (c->content_type != NULL) + (c->extra_label != 0));
	datum_put_uint(w, COSE_HEADER_ALG);
	datum_put_int(w, a->number);
	if (c->content_type) {
		datum_put_uint(w, COSE_HEADER_CONTENT_TYPE);
		datum_put_text(w, c->content_type);
	}
	if (c->extra_label) {
		datum_put_int(w, c->extra_label);
		datum_put_bytes(w, c->extra, c->extra_len);
	}
}

static int der_to_raw(const struct algorithm *a, const uint8_t *der, size_t len,
		      uint8_t raw[2 * COORDINATE_MAX], struct err *e)
{
	CLEANUP(ECDSA_SIG_free) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);

	if (!sig || BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int)a->coordinate) < 0 ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + a->coordinate, (int)a->coordinate) < 0)
		return err_openssl(e, ERR_INTERNAL, "cose: signature");
	return 0;
}

static int sign(const struct algorithm *a, EVP_PKEY *key, const struct writer *bytes, uint8_t *sig,
		size_t *sig_len, struct err *e)
{
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;

	if (!md || EVP_DigestSignInit(md, &ctx, a->hash ? a->hash() : NULL, NULL, key) != 1)
		return err_openssl(e, ERR_INTERNAL, "cose: sign");
	if (a->number == COSE_PS256 &&
	    (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
	     EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) != 1))
		return err_openssl(e, ERR_INTERNAL, "cose: sign");
	*sig_len = SIGNATURE_MAX;
	if (EVP_DigestSign(md, sig, sig_len, bytes->bytes, bytes->len) != 1)
		return err_openssl(e, ERR_INTERNAL, "cose: sign");
	if (!a->coordinate)
		return 0;
	uint8_t raw[2 * COORDINATE_MAX];
	if (der_to_raw(a, sig, *sig_len, raw, e) < 0)
		return err_code(e);
	*sig_len = 2 * a->coordinate;
	memcpy(sig, raw, *sig_len);
	return 0;
}

int cose_sign(const struct cose_content *content, EVP_PKEY *key, struct writer *out, struct err *e)
{
	const struct algorithm *a = algorithm_of(key);
	CLEANUP_WRITER struct writer headers = writer_up_to(COSE_HEADERS_MAX);
	CLEANUP_WRITER struct writer bytes = writer_up_to(COSE_MAX + COSE_HEADERS_MAX);
	uint8_t sig[SIGNATURE_MAX];
	size_t sig_len;

	if (!a)
		return err_set(e, ERR_INVALID, "cose: no algorithm for a key of this kind");
	put_protected(&headers, a, content);
	put_to_be_signed(&bytes, headers.bytes, headers.len, content);
	if (writer_check(&headers, "cose: headers", e) < 0 ||
	    writer_check(&bytes, "cose: signed bytes", e) < 0 ||
	    sign(a, key, &bytes, sig, &sig_len, e) < 0)
		return err_code(e);

	datum_put_tag(out, COSE_TAG_SIGN1);
	datum_put_array(out, 4);
	datum_put_bytes(out, headers.bytes, headers.len);
	datum_put_map(out, content->kid ? 1 : 0);
	if (content->kid) {
		datum_put_uint(out, COSE_HEADER_KID);
		datum_put_bytes(out, content->kid, content->kid_len);
	}
	datum_put_bytes(out, content->payload, content->payload_len);
	datum_put_bytes(out, sig, sig_len);
	return writer_check(out, "cose", e);
}

int cose_put_beside(const struct cose *message, const struct cose_beside *headers, size_t count,
		    struct writer *out, struct err *e)
{
	if (message->unprotected->count)
		return err_set(e, ERR_INVALID, "cose: unprotected headers are there already");
	datum_put_tag(out, COSE_TAG_SIGN1);
	datum_put_array(out, 4);
	datum_put_bytes(out, message->protected_bytes, message->protected_len);
	datum_put_map(out, count);
	for (size_t i = 0; i < count; i++) {
		datum_put_int(out, headers[i].label);
		datum_put_bytes(out, headers[i].bytes, headers[i].len);
	}
	datum_put_bytes(out, message->payload, message->payload_len);
	datum_put_bytes(out, message->signature, message->signature_len);
	return writer_check(out, "cose", e);
}
