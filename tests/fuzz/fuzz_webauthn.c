/* SPDX-License-Identifier: Apache-2.0 */
/* What browsers bring of passkeys: a byte says which and how, a length and the client data follow, the rest is the
 * attestation or the authenticator data, which the target signs by a key of its own. */
#include "computations/people/webauthn.h"
#include "tests/fuzz/cose_resign.h"

enum { IS_USE = 1, WANTS_VERIFIED = 2, COUNTS = 4, ELIGIBLE = 8 };

static const uint8_t challenge[WEBAUTHN_CHALLENGE_LEN], other[WEBAUTHN_CHALLENGE_LEN] = { 1 };

static struct webauthn_want want_of(uint8_t how)
{
	return (struct webauthn_want){ .rp = "example.org",
				       .origin = "https://example.org",
				       .challenge = challenge,
				       .verified = how & WANTS_VERIFIED };
}

static void try_new(struct webauthn_want want, struct span client, struct span object)
{
	static struct webauthn_new made, again;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct err e;

	if (webauthn_register(&want, client, object, &made, &e) < 0)
		return;
	assert(made.id_len >= WEBAUTHN_ID_MIN && made.id_len <= WEBAUTHN_ID_MAX);
	assert(made.eligible || !made.backed_up);
	assert(key_parse_spki(made.spki, made.spki_len, &key, &e) == 0);
	object.len--;
	assert(webauthn_register(&want, client, object, &again, &e) == -ERR_INVALID);
	object.len++;
	want.challenge = other;
	assert(webauthn_register(&want, client, object, &again, &e) == -ERR_UNAUTHENTICATED);
}

static void sign(EVP_PKEY *key, const struct webauthn_use *use, uint8_t *signature, size_t *len)
{
	uint8_t bytes[WEBAUTHN_DATA_MAX + SHA256_LEN];
	struct err e;

	memcpy(bytes, use->data.bytes, use->data.len);
	assert(digest(DIGEST_SHA256, use->client.bytes, use->client.len, bytes + use->data.len,
		      &e) == 0);
	assert(key_sign(key, false, bytes, use->data.len + SHA256_LEN, signature, len, &e) == 0);
}

static void try_use(struct webauthn_want want, uint8_t how, struct span client, struct span data)
{
	EVP_PKEY *key = cose_test_key(COSE_EDDSA)->key;
	uint8_t signature[SIGNATURE_MAX] = { 0 };
	struct webauthn_use use = { client, data, { signature, 0 } };
	struct webauthn_known known = { .count = how & COUNTS ? 7 : 0, .eligible = how & ELIGIBLE };
	CLEANUP(free) uint8_t *spki = NULL;
	struct webauthn_used used;
	struct err e;

	assert(key_to_spki(key, &spki, &known.spki.len, &e) == 0);
	known.spki.bytes = spki;
	if (data.len && data.len <= WEBAUTHN_DATA_MAX)
		sign(key, &use, signature, &use.signature.len);
	if (webauthn_assert(&want, &use, &known, &used, &e) < 0)
		return;
	assert(used.went_back || used.count > known.count || (!used.count && !known.count));
	assert(known.eligible || !used.backed_up);
	signature[9] ^= 1;
	assert(webauthn_assert(&want, &use, &known, &used, &e) == -ERR_UNAUTHENTICATED);
	signature[9] ^= 1;
	use.data.len--;
	assert(webauthn_assert(&want, &use, &known, &used, &e) < 0);
	use.data.len++;
	want.challenge = other;
	assert(webauthn_assert(&want, &use, &known, &used, &e) == -ERR_UNAUTHENTICATED);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	uint8_t how = reader_u8(&r);
	struct span client = span_take(&r, reader_be16(&r));
	struct span rest = span_take(&r, reader_left(&r));

	if (!reader_ok(&r))
		return 0;
	if (how & IS_USE)
		try_use(want_of(how), how, client, rest);
	else
		try_new(want_of(how), client, rest);
	return 0;
}
