/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata by which a call says who makes it: role, proof, signature, challenge, digest, offset, as
 * headers bring them, genuine ones and any others.
 *
 * Input: flags(1), what was signed otherwise(1), then headers: key(1) how(1), and for raw values
 * length(1) bytes, for changed ones place(1) xor(1). A signature is taken only if it is ours, over
 * exactly this call.
 */
#include "agent/computation/access.h"
#include "common/base/encode.h"
#include "common/base/reader.h"
#include "common/crypto/key.h"
#include "common/rpc/metadata_wire.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
	FLAG_TLS = 1,
	FLAG_ROLE_SIGNATURE = 2,
	FLAG_NO_ASSET = 4,
	HEADERS_MAX = 24,
	VALUE_MAX = 256
};
enum how { HOW_RAW, HOW_GOOD, HOW_CHANGED };
enum other {
	OTHER_NONE,
	OTHER_ROLE,
	OTHER_METHOD,
	OTHER_MANIFEST,
	OTHER_SESSION,
	OTHER_ASSET,
	OTHER_PARAMETERS,
	OTHER_KEY,
	OTHERS
};

static const char *const keys[] = { PROOF_ROLE_KEY,      PROOF_KEY,        "signature",
				    PROOF_CHALLENGE_KEY, PROOF_DIGEST_KEY, PROOF_OFFSET_KEY,
				    "algo_args" };
static const char *const roles[] = { PROOF_ROLE_ALGORITHM, PROOF_ROLE_DATA, PROOF_ROLE_CONSUMER };

static EVP_PKEY *own, *foreign;
static const uint8_t session[PROOF_SESSION_LEN] = { 1 }, manifest[PROOF_DIGEST_LEN] = { 2 },
		     asset[PROOF_DIGEST_LEN] = { 3 };

/* One call. */
struct scene {
	const char *role;
	bool tls, role_signature, no_asset;
	uint8_t challenge[PROOF_SESSION_LEN];
	uint8_t proof[SIGNATURE_MAX], signature[SIGNATURE_MAX]; /* the genuine ones */
	size_t proof_len, signature_len;
};

static void make_keys(void)
{
	static const uint8_t secrets[2][32] = { { 7 }, { 8 } };

	own = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secrets[0], 32);
	foreign = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secrets[1], 32);
	assert(own && foreign);
}

static struct writer parameters_of(bool other)
{
	struct writer w = writer_up_to(PROOF_PARAMETERS_MAX);

	proof_parameter_text(&w, "filename", other ? "b" : "a");
	return w;
}

/* Signed over this call, but for what `other` says. */
static void sign(struct scene *s, enum other other)
{
	CLEANUP_WRITER struct writer parameters = parameters_of(other == OTHER_PARAMETERS);
	EVP_PKEY *key = other == OTHER_KEY ? foreign : own;
	struct proof p = { .role = other == OTHER_ROLE ? "other" : s->role,
			   .method = other == OTHER_METHOD ? "/other" : "/m" };
	CLEANUP(free) uint8_t *message = NULL;
	size_t len;
	struct err e;

	memcpy(p.manifest, manifest, sizeof(p.manifest));
	memcpy(p.session, s->tls ? session : s->challenge, sizeof(p.session));
	if (!s->no_asset)
		memcpy(p.asset, asset, sizeof(p.asset));
	p.manifest[31] ^= other == OTHER_MANIFEST;
	p.session[31] ^= other == OTHER_SESSION;
	p.asset[31] ^= other == OTHER_ASSET;
	assert(proof_message(&p, &parameters, &message, &len, &e) == 0);
	assert(key_sign(key, false, message, len, s->proof, &s->proof_len, &e) == 0);
	assert(key_sign(key, false, p.role, strlen(p.role), s->signature, &s->signature_len, &e) ==
	       0);
}

static size_t good_value(const struct scene *s, uint8_t key, char *out)
{
	CLEANUP(free) char *text = NULL;

	out[0] = '\0';
	switch (key) {
	case 0:
		return (size_t)snprintf(out, VALUE_MAX, "%s", s->role);
	case 1:
		text = base64_encode(s->proof, s->proof_len);
		break;
	case 2:
		text = base64_encode(s->signature, s->signature_len);
		break;
	case 3:
		hex_encode(s->challenge, sizeof(s->challenge), out);
		return strlen(out);
	case 4:
		hex_encode(asset, sizeof(asset), out);
		return strlen(out);
	default:
		return (size_t)snprintf(out, VALUE_MAX, "17");
	}
	assert(text);
	return (size_t)snprintf(out, VALUE_MAX, "%s", text);
}

static int add_header(struct rpc_metadata *m, const struct scene *s, struct reader *r)
{
	uint8_t key = reader_u8(r) % ARRAY_LEN(keys), how = reader_u8(r) % 3;
	char value[VALUE_MAX];
	size_t value_len;
	struct err e;

	if (how == HOW_RAW) {
		value_len = reader_u8(r);
		if (value_len > reader_left(r))
			value_len = reader_left(r);
		reader_copy(r, value, value_len);
	} else {
		value_len = good_value(s, key, value);
	}
	if (how == HOW_CHANGED) {
		size_t place = reader_u8(r) % value_len;

		value[place] = (char)((uint8_t)value[place] ^ reader_u8(r));
	}
	return rpc_metadata_receive(m, keys[key], strlen(keys[key]), value, value_len, &e);
}

static bool is_good(struct challenges *challenges, const struct scene *s)
{
	struct challenge_claim *claim = NULL;
	struct err e;
	int failed = challenge_hold(challenges, uv_hrtime() / 1000000, s->challenge, &claim, &e);

	assert(!failed || failed == -ERR_DENIED);
	challenge_release(claim);
	return !failed;
}

/* The next one of the same key, which is another's neither before nor after. */
static void use_next(struct challenges *challenges, struct scene *s)
{
	CLEANUP(free) uint8_t *spki = NULL;
	struct challenge_claim *claim = NULL;
	uint64_t now_ms = uv_hrtime() / 1000000;
	struct err e;
	size_t len;

	assert(key_to_spki(own, &spki, &len, &e) == 0);
	assert(challenge_make(challenges, now_ms, s->challenge, &e) == 0 && is_good(challenges, s));
	assert(challenge_hold(challenges, now_ms, s->challenge, &claim, &e) == 0);
	assert(challenge_use(claim, now_ms, (struct span){ spki, len }, &e) == 0);
	challenge_release(claim);
	assert(challenges->user_count == 1 && !is_good(challenges, s));
}

static bool check_verify(const struct scene *s, const struct access *a, enum other other)
{
	CLEANUP_WRITER struct writer parameters = parameters_of(false);
	CLEANUP(free) uint8_t *spki = NULL;
	ProtobufCBinaryData key = { 0 };
	bool same, covered;
	struct err e;

	assert(key_to_spki(own, &spki, &key.len, &e) == 0);
	key.data = spki;
	if (a->is_proof)
		same = a->signature_len == s->proof_len &&
		       memcmp(a->signature, s->proof, s->proof_len) == 0;
	else
		same = a->signature_len == s->signature_len &&
		       memcmp(a->signature, s->signature, s->signature_len) == 0;
	covered =
		other == OTHER_NONE || (!a->is_proof && other != OTHER_ROLE && other != OTHER_KEY);
	bool yes =
		access_verify(a, &key, manifest, s->no_asset ? NULL : asset, &parameters, &e) == 0;
	assert(yes == (same && covered));
	/* Of the same call, as often as it is asked. */
	assert((access_verify(a, &key, manifest, s->no_asset ? NULL : asset, &parameters, &e) ==
		0) == yes);
	return yes;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct challenges challenges;
	struct reader r = reader_over(bytes, len);
	uint8_t flags = reader_u8(&r);
	enum other other = reader_u8(&r) % OTHERS;
	struct scene s = { .role = roles[(flags >> 4) % 3],
			   .tls = flags & FLAG_TLS,
			   .role_signature = flags & FLAG_ROLE_SIGNATURE,
			   .no_asset = flags & FLAG_NO_ASSET };
	struct rpc_metadata m = { 0 };
	struct access a = { 0 };
	struct err e;

	if (!own)
		make_keys();
	assert(challenges_begin(&challenges, &e) == 0);
	assert(challenge_make(&challenges, uv_hrtime() / 1000000, s.challenge, &e) == 0);
	sign(&s, other);
	for (int i = 0; i < HEADERS_MAX && reader_left(&r); i++)
		if (add_header(&m, &s, &r) < 0)
			break;
	if (access_read_metadata(&m, s.role, s.role_signature, s.tls ? session : NULL, &challenges,
				 &a, &e) == 0) {
		assert(a.is_proof || s.role_signature);
		assert(!a.has_offset || a.has_digest);
		a.method = "/m";
		bool held = a.challenge != NULL, yes = check_verify(&s, &a, other);

		assert(held == (a.is_proof && !s.tls));
		/* A challenge is good for one call: for no other meanwhile, and for none after a proof that holds. */
		if (held)
			assert(!is_good(&challenges, &s));
		access_done(&a);
		if (held)
			assert(is_good(&challenges, &s) == !yes);
		if (held && yes)
			use_next(&challenges, &s);
	} else {
		assert(!a.signature && !a.challenge && e.text[0]);
		assert(is_good(&challenges, &s));
	}
	assert(LIST_EMPTY(&challenges.claims));
	challenges_end(&challenges);
	assert(!is_good(&challenges, &s));
	rpc_metadata_done(&m);
	return 0;
}
