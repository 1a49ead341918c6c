/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/hpke.h"

#include "common/base/writer.h"
#include "common/crypto/aead.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"

#include <string.h>
#include <openssl/crypto.h>

enum {
	SECRET_LEN = SHA256_LEN, /* Nsecret, Nh, Nk */
	NONCE_LEN = 12,          /* Nn */
	LABELED_MAX = HPKE_MESSAGE_MAX,
};
enum { MODE_BASE = 0x00, MODE_AUTH = 0x02 };

/* RFC 9180, 7: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305. */
static const uint8_t kem_suite[] = { 'K', 'E', 'M', 0x00, 0x20 };
static const uint8_t hpke_suite[] = { 'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x03 };

struct suite {
	const uint8_t *id;
	size_t len;
};
static const struct suite of_kem = { kem_suite, sizeof(kem_suite) };
static const struct suite of_hpke = { hpke_suite, sizeof(hpke_suite) };

/* What the AEAD has. */
struct schedule {
	uint8_t key[SECRET_LEN], nonce[NONCE_LEN];
};

void hpke_key_done(struct hpke_key *key)
{
	OPENSSL_cleanse(key, sizeof(*key));
}

/* ---- X25519 ---- */

static EVP_PKEY *private_of(const uint8_t secret[HPKE_KEY_LEN], struct err *e)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, HPKE_KEY_LEN);

	if (!key)
		err_openssl(e, ERR_INTERNAL, "X25519");
	return key;
}

int hpke_key_of(const uint8_t secret[HPKE_KEY_LEN], struct hpke_key *key, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *half = private_of(secret, e);
	size_t len = HPKE_KEY_LEN;

	if (!half)
		return err_code(e);
	memmove(key->secret, secret, HPKE_KEY_LEN);
	if (EVP_PKEY_get_raw_public_key(half, key->public, &len) != 1 || len != HPKE_KEY_LEN)
		return err_openssl(e, ERR_INTERNAL, "X25519");
	return 0;
}

int hpke_key_generate(struct hpke_key *key, struct err *e)
{
	struct hpke_key made CLEANUP_HPKE_KEY;

	if (random_bytes(made.secret, sizeof(made.secret), e) < 0 ||
	    hpke_key_of(made.secret, key, e) < 0)
		return err_code(e);
	return 0;
}

/* RFC 7748, 6.1, and RFC 9180, 7.1.4: OpenSSL refuses a secret of zeros. */
static int exchange(const uint8_t secret[HPKE_KEY_LEN], const uint8_t public[HPKE_KEY_LEN],
		    uint8_t out[HPKE_KEY_LEN], struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *own = private_of(secret, e);
	CLEANUP(EVP_PKEY_free)
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public, HPKE_KEY_LEN);
	CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = NULL;
	size_t len = HPKE_KEY_LEN;

	if (!own)
		return err_code(e);
	if (!peer || !(ctx = EVP_PKEY_CTX_new(own, NULL)) || EVP_PKEY_derive_init(ctx) != 1)
		return err_openssl(e, ERR_INTERNAL, "X25519");
	if (EVP_PKEY_derive_set_peer(ctx, peer) != 1 || EVP_PKEY_derive(ctx, out, &len) != 1 ||
	    len != HPKE_KEY_LEN)
		return err_openssl(e, ERR_INVALID, "that X25519 key is none");
	return 0;
}

/* ---- RFC 9180, 4: LabeledExtract and LabeledExpand ---- */

struct part {
	const void *bytes;
	size_t len;
};

static void put_label(struct writer *w, const struct suite *suite, const char *label)
{
	writer_text(w, "HPKE-v1");
	writer_bytes(w, suite->id, suite->len);
	writer_text(w, label);
}

static int extract(const struct suite *suite, struct part salt, const char *label, struct part ikm,
		   uint8_t prk[SECRET_LEN], struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(LABELED_MAX);

	put_label(&w, suite, label);
	writer_bytes(&w, ikm.bytes, ikm.len);
	if (writer_check(&w, "HPKE", e) < 0)
		return err_code(e);
	return hmac(DIGEST_SHA256, salt.bytes, salt.len, w.bytes, w.len, prk, e);
}

/* At most SECRET_LEN bytes, which is one round of HKDF-Expand (RFC 5869, 2.3). */
static int expand(const struct suite *suite, const uint8_t prk[SECRET_LEN], const char *label,
		  struct part info, uint8_t *out, size_t len, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(LABELED_MAX);
	uint8_t round[SECRET_LEN];

	writer_be16(&w, (uint16_t)len);
	put_label(&w, suite, label);
	writer_bytes(&w, info.bytes, info.len);
	writer_u8(&w, 1);
	if (writer_check(&w, "HPKE", e) < 0 ||
	    hmac(DIGEST_SHA256, prk, SECRET_LEN, w.bytes, w.len, round, e) < 0)
		return err_code(e);
	memcpy(out, round, len);
	OPENSSL_cleanse(round, sizeof(round));
	return 0;
}

/* ---- 4.1 and 5.1 ---- */

/* The exchanges, and who takes part: enc, recipient and, if it is in mode auth, sender. */
struct encapsulated {
	uint8_t dh[2 * HPKE_KEY_LEN], context[3 * HPKE_KEY_LEN];
	size_t parties; /* 2 or 3 */
};

static void name_parties(struct encapsulated *c, const uint8_t *enc, const uint8_t *to,
			 const uint8_t *from)
{
	memcpy(c->context, enc, HPKE_KEY_LEN);
	memcpy(c->context + HPKE_KEY_LEN, to, HPKE_KEY_LEN);
	if (from)
		memcpy(c->context + 2 * (size_t)HPKE_KEY_LEN, from, HPKE_KEY_LEN);
	c->parties = from ? 3 : 2;
}

static int schedule_of(const struct encapsulated *c, const struct hpke_about *about,
		       struct schedule *s, struct err *e)
{
	const struct part none = { "", 0 };
	const size_t dh_len = (c->parties - 1) * HPKE_KEY_LEN;
	uint8_t prk[SECRET_LEN], shared[SECRET_LEN], secret[SECRET_LEN];
	uint8_t context[1 + 2 * SECRET_LEN] = { c->parties == 3 ? MODE_AUTH : MODE_BASE };
	const struct part all = { context, sizeof(context) };
	int done = 0;

	if (extract(&of_kem, none, "eae_prk", (struct part){ c->dh, dh_len }, prk, e) < 0 ||
	    expand(&of_kem, prk, "shared_secret",
		   (struct part){ c->context, c->parties * HPKE_KEY_LEN }, shared, sizeof(shared),
		   e) < 0 ||
	    extract(&of_hpke, none, "psk_id_hash", none, context + 1, e) < 0 ||
	    extract(&of_hpke, none, "info_hash", (struct part){ about->info, about->info_len },
		    context + 1 + SECRET_LEN, e) < 0 ||
	    extract(&of_hpke, (struct part){ shared, sizeof(shared) }, "secret", none, secret, e) <
		    0 ||
	    expand(&of_hpke, secret, "key", all, s->key, sizeof(s->key), e) < 0 ||
	    expand(&of_hpke, secret, "base_nonce", all, s->nonce, sizeof(s->nonce), e) < 0)
		done = err_code(e);
	OPENSSL_cleanse(prk, sizeof(prk));
	OPENSSL_cleanse(shared, sizeof(shared));
	OPENSSL_cleanse(secret, sizeof(secret));
	return done;
}

static int check_size(const struct hpke_about *about, size_t len, struct err *e)
{
	/* Labels and lengths have room beside them. */
	if (len > HPKE_MESSAGE_MAX || about->aad_len > HPKE_MESSAGE_MAX ||
	    about->info_len > HPKE_MESSAGE_MAX / 2)
		return err_set(e, ERR_INVALID, "HPKE: that is longer than %d bytes",
			       HPKE_MESSAGE_MAX);
	return 0;
}

int hpke_seal(const uint8_t to[HPKE_KEY_LEN], const struct hpke_key *from,
	      const struct hpke_about *about, const void *bytes, size_t len,
	      uint8_t enc[HPKE_KEY_LEN], uint8_t *sealed, struct err *e)
{
	struct hpke_key once CLEANUP_HPKE_KEY = { .secret = { 0 } };
	struct encapsulated c;
	struct schedule s;
	int done = 0;

	if (check_size(about, len, e) < 0 || hpke_key_generate(&once, e) < 0)
		return err_code(e);
	name_parties(&c, once.public, to, from ? from->public : NULL);
	if (exchange(once.secret, to, c.dh, e) < 0 ||
	    (from && exchange(from->secret, to, c.dh + HPKE_KEY_LEN, e) < 0) ||
	    schedule_of(&c, about, &s, e) < 0 ||
	    aead_seal(s.key, s.nonce, about->aad, about->aad_len, bytes, len, sealed, e) < 0)
		done = err_code(e);
	else
		memcpy(enc, once.public, HPKE_KEY_LEN);
	OPENSSL_cleanse(&c, sizeof(c));
	OPENSSL_cleanse(&s, sizeof(s));
	return done;
}

int hpke_open(const struct hpke_key *to, const uint8_t *from, const struct hpke_about *about,
	      const uint8_t enc[HPKE_KEY_LEN], const void *sealed, size_t len, uint8_t *bytes,
	      struct err *e)
{
	struct encapsulated c;
	struct schedule s;
	int done = 0;

	if (len < HPKE_TAG_LEN || check_size(about, len - HPKE_TAG_LEN, e) < 0)
		return err_set(e, ERR_INVALID, "HPKE: %zu bytes hold no sealed message", len);
	name_parties(&c, enc, to->public, from);
	if (exchange(to->secret, enc, c.dh, e) < 0 ||
	    (from && exchange(to->secret, from, c.dh + HPKE_KEY_LEN, e) < 0) ||
	    schedule_of(&c, about, &s, e) < 0 ||
	    aead_open(s.key, s.nonce, about->aad, about->aad_len, sealed, len, bytes, e) < 0)
		done = err_code(e);
	OPENSSL_cleanse(&c, sizeof(c));
	OPENSSL_cleanse(&s, sizeof(s));
	return done;
}
