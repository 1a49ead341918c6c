/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authenticators, as they come and made from a recipe. The first two bytes say how long the request
 * is; what follows is taken as an authenticator as it is, and as a recipe of one:
 *
 *   flags(1) scheme(2), then per certificate: which(1) length(2) extensions,
 *   where which is one of those below, or OTHER length(2) DER
 *
 * Lengths, the context, the signature and the MAC are put right, and in extension 0xff00 '@H' and '@B'
 * become the hash and the binding that this session's key has, so that what is inside is looked at.
 */
#include "attestation/channel/authenticator.h"
#include "common/base/encode.h"
#include "tests/self_signed.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { IS_SHA384 = 1, WRONG_CONTEXT = 2, WRONG_SIGNATURE = 4, WRONG_MAC = 8, BYTES_AFTER = 16 };
enum which { SIGNING, NOT_SIGNING, P384, OTHER };
enum { EXTENSION_ATTESTATION = 0xff00 };

/* Self-signed CAs, so that one may stand for its own issuer. */
static struct identity {
	const char *curve, *usage;
	EVP_PKEY *key;
	uint8_t *der, *spki;
	size_t der_len, spki_len;
} identities[] = {
	[SIGNING] = { "P-256", "critical,digitalSignature,keyCertSign", NULL, NULL, NULL, 0, 0 },
	[NOT_SIGNING] = { "P-256", "critical,keyCertSign", NULL, NULL, NULL, 0, 0 },
	[P384] = { "P-384", "critical,digitalSignature,keyCertSign", NULL, NULL, NULL, 0, 0 },
};

static void set_up(void)
{
	for (size_t i = 0; i < ARRAY_LEN(identities); i++) {
		struct identity *id = &identities[i];
		const struct self_signed_extension extensions[] = {
			{ NID_basic_constraints, "critical,CA:TRUE" },
			{ NID_key_usage, id->usage },
		};
		struct err e;

		id->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", id->curve);
		X509 *cert = self_signed(id->key, "fuzz", extensions, ARRAY_LEN(extensions));
		int n = i2d_X509(cert, &id->der);
		assert(n > 0 && key_to_spki(id->key, &id->spki, &id->spki_len, &e) == 0);
		id->der_len = (size_t)n;
		X509_free(cert);
	}
}

/* ---- the recipe ---- */

struct recipe {
	struct authenticator_session session;
	struct digest_part request; /* the whole of it */
	uint8_t flags;
	struct binding_binder binder;
	const struct identity *leaf;
};

static void put_text(struct writer *w, struct reader text, const struct binding_binder *binder)
{
	while (reader_left(&text)) {
		uint8_t c = reader_u8(&text);
		uint8_t next = reader_left(&text) ? *text.pos : 0;
		const uint8_t *digest_bytes = next == 'H'   ? binder->aik_pub_hash
					      : next == 'B' ? binder->binding
							    : NULL;

		if (c == '@' && digest_bytes) {
			CLEANUP(free) char *encoded = base64_encode(digest_bytes, binder->len);

			assert(encoded);
			writer_text(w, encoded);
			reader_skip(&text, 1);
		} else {
			writer_u8(w, c);
		}
	}
}

static void put_extensions(struct writer *w, struct reader in, const struct binding_binder *binder)
{
	size_t all = writer_reserve(w, 2);

	while (reader_left(&in) >= 4) {
		uint16_t type = reader_be16(&in);
		struct reader body = reader_sub(&in, reader_be16(&in));

		if (!reader_ok(&in))
			break;
		writer_be16(w, type);
		size_t whole = writer_reserve(w, 2);
		size_t inner = type == EXTENSION_ATTESTATION ? writer_reserve(w, 2) : 0;
		put_text(w, body, binder);
		if (inner)
			writer_patch(w, inner, 2);
		writer_patch(w, whole, 2);
	}
	writer_patch(w, all, 2);
}

static void put_certificate(struct writer *w, struct recipe *r, const struct ea_request *request,
			    struct reader *in)
{
	uint8_t context[EA_CONTEXT_LEN];

	memcpy(context, request->context, sizeof(context));
	context[0] ^= r->flags & WRONG_CONTEXT ? 1 : 0;
	writer_u8(w, 11);
	size_t message = writer_reserve(w, 3);
	writer_u8(w, EA_CONTEXT_LEN);
	writer_bytes(w, context, sizeof(context));
	size_t list = writer_reserve(w, 3);
	while (reader_ok(in) && reader_left(in)) {
		enum which which = reader_u8(in) % (OTHER + 1);
		const struct identity *id = which == OTHER ? NULL : &identities[which];
		struct reader der = which == OTHER ? reader_sub(in, reader_be16(in))
						   : reader_over(id->der, id->der_len);

		if (!r->leaf && id) {
			struct binding unused;
			struct err e;

			r->leaf = id;
			assert(binding_channel(r->session.hash, id->spki, id->spki_len,
					       r->session.exporter, &r->binder, &unused, &e) == 0);
		}
		size_t entry = writer_reserve(w, 3);
		size_t der_len = reader_left(&der);
		writer_bytes(w, reader_take(&der, der_len), der_len);
		writer_patch(w, entry, 3);
		put_extensions(w, reader_sub(in, reader_be16(in)), &r->binder);
	}
	writer_patch(w, list, 3);
	writer_patch(w, message, 3);
}

/* Of the transcript so far, RFC 9261, sections 5.2.2 and 5.2.3. */
static void transcript(const struct recipe *r, const struct writer *w, uint8_t out[DIGEST_MAX])
{
	const struct digest_part parts[] = {
		{ r->session.handshake_context, digest_len(r->session.hash) },
		r->request,
		{ w->bytes, w->len },
	};
	struct err e;

	assert(digest_parts(r->session.hash, parts, ARRAY_LEN(parts), out, &e) == 0);
}

static void put_verify(struct writer *w, const struct recipe *r, uint16_t scheme)
{
	static const char label[] = "Exported Authenticator";
	uint8_t hash[DIGEST_MAX], content[64 + sizeof(label) + DIGEST_MAX], sig[SIGNATURE_MAX];
	size_t n = digest_len(r->session.hash), sig_len;
	struct err e;

	transcript(r, w, hash);
	memset(content, 0x20, 64);
	memcpy(content + 64, label, sizeof(label));
	memcpy(content + 64 + sizeof(label), hash, n);
	const struct identity *id = r->leaf ? r->leaf : &identities[SIGNING];
	assert(key_sign(id->key, false, content, 64 + sizeof(label) + n, sig, &sig_len, &e) == 0);
	sig[sig_len - 1] ^= r->flags & WRONG_SIGNATURE ? 1 : 0;
	writer_u8(w, 15);
	writer_be24(w, (uint32_t)sig_len + 4);
	writer_be16(w, scheme);
	writer_be16(w, (uint16_t)sig_len);
	writer_bytes(w, sig, sig_len);
}

static void put_finished(struct writer *w, const struct recipe *r)
{
	uint8_t hash[DIGEST_MAX], mac[DIGEST_MAX];
	size_t n = digest_len(r->session.hash);
	struct err e;

	transcript(r, w, hash);
	assert(hmac(r->session.hash, r->session.finished_key, n, hash, n, mac, &e) == 0);
	mac[0] ^= r->flags & WRONG_MAC ? 1 : 0;
	writer_u8(w, 20);
	writer_be24(w, (uint32_t)n);
	writer_bytes(w, mac, n);
	if (r->flags & BYTES_AFTER)
		writer_u8(w, 0);
}

/* Whatever was asked for, only a leaf that may sign, in its own session, is believed. */
static void check_recipe(struct recipe *r, const struct ea_request *request, struct reader in)
{
	CLEANUP_WRITER struct writer w = writer_up_to(AUTHENTICATOR_MAX);
	struct authenticator a;
	struct err e;

	r->flags = reader_u8(&in);
	r->session.hash = r->flags & IS_SHA384 ? DIGEST_SHA384 : DIGEST_SHA256;
	uint16_t scheme = reader_be16(&in);
	if (!reader_ok(&in))
		return;
	put_certificate(&w, r, request, &in);
	put_verify(&w, r, scheme);
	put_finished(&w, r);
	if (w.bad || authenticator_verify(&r->session, r->request.bytes, r->request.len, w.bytes,
					  w.len, &a, &e) < 0)
		return;
	assert(!(r->flags & ~IS_SHA384 & 31) && r->leaf == &identities[SIGNING]);
	assert(scheme == EA_ECDSA_P256_SHA256 && ea_request_offers(request, scheme));
	assert(a.evidence_len && a.spki_len == r->leaf->spki_len);
	authenticator_done(&a);
	r->session.exporter[0] ^= 1;
	assert(authenticator_verify(&r->session, r->request.bytes, r->request.len, w.bytes, w.len,
				    &a, &e) == -ERR_DENIED);
	r->session.exporter[0] ^= 1;
}

/* ---- ours ---- */

/* What we answer to that request is believed, with the evidence that went in. */
static void check_writing(const struct recipe *r, const struct ea_request *request,
			  const struct reader *evidence)
{
	CLEANUP_WRITER struct writer w = writer_up_to(AUTHENTICATOR_MAX);
	const struct identity *id = &identities[SIGNING];
	const struct authenticator_input input = {
		r->request.bytes, r->request.len, id->der,       id->der_len,          id->key,
		id->spki,         id->spki_len,   evidence->pos, reader_left(evidence)
	};
	struct authenticator a;
	struct err e;

	if (authenticator_write(&r->session, &input, &w, &e) < 0) {
		assert(!ea_request_offers(request, EA_ECDSA_P256_SHA256) ||
		       input.evidence_len > UINT16_MAX / 2);
		return;
	}
	if (!input.evidence_len)
		return;
	assert(authenticator_verify(&r->session, r->request.bytes, r->request.len, w.bytes, w.len,
				    &a, &e) == 0);
	assert(a.evidence_len == input.evidence_len);
	authenticator_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct ea_frame_want want = { EA_FRAME_REQUEST, EA_REQUEST_MAX };
	struct reader r = reader_over(bytes, len), payload;
	size_t request_len = reader_be16(&r), used;
	const uint8_t *request = reader_take(&r, request_len);
	struct recipe recipe = { .session.hash = DIGEST_SHA256,
				 .request = { request, request_len } };
	struct authenticator a;
	struct ea_request parsed;
	struct err e;

	if (!identities[SIGNING].key)
		set_up();
	if (ea_frame_take(bytes, len, &want, &payload, &used, &e) == 0 && used > len)
		__builtin_trap();
	if (!request)
		return 0;
	/* A yes would need a signature over zeros; memory is checked all the same. */
	if (authenticator_verify(&recipe.session, request, request_len, r.pos, reader_left(&r), &a,
				 &e) == 0)
		__builtin_trap();
	if (ea_request_parse(request, request_len, &parsed, &e) < 0)
		return 0;
	if (parsed.scheme_count > EA_SCHEMES_MAX)
		__builtin_trap();
	check_writing(&recipe, &parsed, &r);
	check_recipe(&recipe, &parsed, r);
	return 0;
}
