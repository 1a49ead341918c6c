/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/channel/authenticator.h"
#include "common/base/span.h"
#include "tests/self_signed.h"
#include "tests/vectors.h"

static void text_to_bytes(const struct json *input, const char *key, uint8_t *out, size_t len)
{
	const char *text;
	struct err e;

	assert_ok(json_get_string(input, key, &text, &e), e);
	assert_ok(hex_decode(text, out, len, &e), e);
}

static void read_session(const struct vector_case *c, struct authenticator_session *s)
{
	size_t len;
	CLEANUP(free) uint8_t *text = vector_file(c, "input.json", &len);
	CLEANUP(json_free) struct json *input = NULL;
	const char *suite;
	struct err e;

	assert_ok(json_parse(text, len, &input, &e), e);
	assert_ok(json_get_string(input, "cipher_suite", &suite, &e), e);
	s->hash = strstr(suite, "SHA384") ? DIGEST_SHA384 : DIGEST_SHA256;
	text_to_bytes(input, "handshake_context", s->handshake_context, digest_len(s->hash));
	text_to_bytes(input, "finished_key", s->finished_key, digest_len(s->hash));
	text_to_bytes(input, "attestation_exporter", s->exporter, BINDING_EXPORTER_LEN);
}

static void same_hex(const struct vector_case *c, const char *key, const uint8_t *found, size_t len)
{
	uint8_t wanted[256];

	assert_int_equal(vector_hex(c, key, wanted, sizeof(wanted)), len);
	assert_memory_equal(found, wanted, len);
}

/* What only the evidence shows is judged with the token, not here. */
static bool fault_is_in_the_evidence(const char *name)
{
	return strcmp(name, "evidence-other-session") == 0 ||
	       strcmp(name, "eat-nonce-other-session") == 0;
}

static unsigned verified;

static void run_session(const struct vector_case *c)
{
	struct authenticator_session s;
	size_t request_len, len;
	struct authenticator a;
	struct err e = { 0 };

	if (!vector_has(c, "authenticator.bin"))
		return;
	CLEANUP(free) uint8_t *request = vector_file(c, "request.bin", &request_len);
	CLEANUP(free) uint8_t *bytes = vector_file(c, "authenticator.bin", &len);
	read_session(c, &s);
	bool yes = authenticator_verify(&s, request, request_len, bytes, len, &a, &e) == 0;
	if (yes != (vector_accepts(c) || fault_is_in_the_evidence(c->name)))
		fail_msg("%s: %s", c->name, yes ? "accepted" : e.text);
	if (!yes)
		return;
	if (vector_accepts(c)) {
		same_hex(c, "fields.report_data", a.binding.report_data, BINDING_REPORT_DATA_LEN);
		same_hex(c, "fields.tpm_nonce", a.binding.tpm_nonce, BINDING_TPM_NONCE_LEN);
		size_t evidence_len;
		CLEANUP(free) uint8_t *evidence = vector_file(c, "evidence.cbor", &evidence_len);
		assert_int_equal(a.evidence_len, evidence_len);
		assert_memory_equal(a.evidence, evidence, evidence_len);
		verified++;
	}
	authenticator_done(&a);
}

static void run_request(const struct vector_case *c)
{
	size_t len;
	CLEANUP(free) uint8_t *bytes = vector_file(c, "request.bin", &len);
	struct ea_request request;
	struct err e = { 0 };

	bool yes = ea_request_parse(bytes, len, &request, &e) == 0;
	if (yes != vector_accepts(c))
		fail_msg("%s: %s", c->name, yes ? "accepted" : e.text);
	if (yes)
		same_hex(c, "fields.context", request.context, EA_CONTEXT_LEN);
}

static void run_frame(const struct vector_case *c)
{
	size_t len, payload = 0;
	CLEANUP(free) uint8_t *bytes = vector_file(c, "frame.bin", &len);
	struct err e = { 0 };

	bool yes = len >= EA_FRAME_HEAD &&
		   ea_frame_parse_head(bytes, EA_FRAME_REQUEST, &payload, &e) == 0 &&
		   payload <= len - EA_FRAME_HEAD;
	if (yes != vector_accepts(c))
		fail_msg("%s: %s", c->name, yes ? "accepted" : e.text);
}

static void the_shared_sessions_are_judged_right(void **state)
{
	VECTORS_OR_SKIP();
	assert_int_equal(vectors_walk("ea", "", run_session), 48);
	assert_int_equal(verified, 5);
	vectors_walk("ea", "request-", run_request);
	vectors_walk("ea", "frame-", run_frame);
}

/* A self-signed leaf, as an agent makes it; with a keyUsage, if that isn't NULL. */
static uint8_t *make_leaf(EVP_PKEY *key, const char *usage, size_t *len)
{
	const struct self_signed_extension key_usage = { NID_key_usage, usage };
	CLEANUP(X509_free) X509 *cert = self_signed(key, "agent", &key_usage, usage != NULL);
	uint8_t *der = NULL, *copy;

	assert_non_null(cert);
	*len = (size_t)i2d_X509(cert, &der);
	copy = malloc(*len);
	memcpy(copy, der, *len);
	OPENSSL_free(der);
	return copy;
}

struct fixture {
	struct authenticator_session session;
	EVP_PKEY *key;
	uint8_t *leaf, *spki;
	size_t leaf_len, spki_len;
	struct writer request;
};

static void fixture_init(struct fixture *f)
{
	uint8_t context[EA_CONTEXT_LEN];
	struct err e;

	*f = (struct fixture){ .session.hash = DIGEST_SHA384, .request = writer_up_to(4096) };
	assert_ok(key_generate(KEY_ECDSA, &f->key, &e), e);
	f->leaf = make_leaf(f->key, NULL, &f->leaf_len);
	assert_ok(key_to_spki(f->key, &f->spki, &f->spki_len, &e), e);
	assert_ok(random_bytes(f->session.handshake_context, 48, &e), e);
	assert_ok(random_bytes(f->session.finished_key, 48, &e), e);
	assert_ok(random_bytes(f->session.exporter, BINDING_EXPORTER_LEN, &e), e);
	assert_ok(random_bytes(context, sizeof(context), &e), e);
	ea_request_write(context, &f->request);
}

static void fixture_done(struct fixture *f)
{
	EVP_PKEY_free(f->key);
	free(f->leaf);
	free(f->spki);
	writer_done(&f->request);
}

static int write_answer(struct fixture *f, const void *evidence, size_t len, struct writer *w,
			struct err *e)
{
	const struct authenticator_input in = { .request = f->request.bytes,
						.request_len = f->request.len,
						.leaf_der = f->leaf,
						.leaf_len = f->leaf_len,
						.key = f->key,
						.spki = f->spki,
						.spki_len = f->spki_len,
						.evidence = evidence,
						.evidence_len = len };

	return authenticator_write(&f->session, &in, w, e);
}

static int check(struct fixture *f, const uint8_t *bytes, size_t len)
{
	struct authenticator a;
	struct err e;
	int failed = authenticator_verify(&f->session, f->request.bytes, f->request.len, bytes, len,
					  &a, &e);

	if (!failed)
		authenticator_done(&a);
	return failed;
}

static void what_we_write_verifies_and_no_bit_can_change(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	struct fixture f;
	struct err e;

	fixture_init(&f);
	assert_ok(write_answer(&f, "evidence", 8, &w, &e), e);
	assert_int_equal(check(&f, w.bytes, w.len), 0);
	for (size_t bit = 0; bit < 8 * w.len; bit++) {
		w.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (check(&f, w.bytes, w.len) == 0)
			fail_msg("bit %zu is not covered", bit);
		w.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 0; len < w.len; len++)
		assert_true(check(&f, w.bytes, len) < 0);
	fixture_done(&f);
}

/* RFC 8446, 4.4.2.2: a keyUsage has to allow signatures. */
static void the_leaf_is_for_signatures(void **state)
{
	static const struct {
		const char *usage;
		bool good;
	} rows[] = {
		{ "critical,digitalSignature", true },
		{ "digitalSignature,keyAgreement", true },
		{ "critical,keyAgreement", false },
		{ "keyEncipherment", false },
		{ "critical,keyCertSign,cRLSign", false },
	};
	struct fixture f;
	struct err e;

	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);

		free(f.leaf);
		f.leaf = make_leaf(f.key, rows[i].usage, &f.leaf_len);
		assert_ok(write_answer(&f, "evidence", 8, &w, &e), e);
		if ((check(&f, w.bytes, w.len) == 0) != rows[i].good)
			fail_msg("%s", rows[i].usage);
	}
	fixture_done(&f);
}

/* The scheme says so of every signature by it, whatever else the key could sign with. */
static void the_leafs_key_is_p256(void **state)
{
	static const char *const curves[] = { "P-384", "P-521", NULL }; /* NULL: RSA */
	struct authenticator a;
	struct fixture f;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);

		fixture_init(&f);
		EVP_PKEY_free(f.key);
		free(f.leaf);
		free(f.spki);
		f.key = curves[i] ? EVP_EC_gen(curves[i]) : EVP_RSA_gen(3072);
		f.leaf = make_leaf(f.key, NULL, &f.leaf_len);
		assert_ok(key_to_spki(f.key, &f.spki, &f.spki_len, &e), e);
		assert_ok(write_answer(&f, "evidence", 8, &w, &e), e);
		assert_refused(authenticator_verify(&f.session, f.request.bytes, f.request.len,
						    w.bytes, w.len, &a, &e),
			       e, ERR_DENIED, "the leaf's key is not P-256");
		fixture_done(&f);
	}
}

/* ---- Certificate messages that nobody of ours writes, well signed ---- */

enum { HEAD = 4, CONTEXT = 1 + EA_CONTEXT_LEN, LENGTH = 3 };

/* Our own leaf's entry with more extensions and certificates behind, and that scheme; or a byte more
 * somewhere, within its lengths; or another text for the extension. */
struct by_hand {
	struct span extensions, certificates;
	uint16_t scheme;
	const char *text, *by; /* in the extension, and what takes its place */
	size_t in_context, in_extension, in_certificate, in_verify, in_finished;
};

static int transcript(const struct fixture *f, const struct writer *w, uint8_t out[DIGEST_MAX],
		      struct err *e)
{
	const struct digest_part parts[] = {
		{ f->session.handshake_context, digest_len(f->session.hash) },
		{ f->request.bytes, f->request.len },
		{ w->bytes, w->len },
	};

	return digest_parts(f->session.hash, parts, ARRAY_LEN(parts), out, e);
}

/* CertificateVerify and Finished, behind what is in `w` (RFC 9261, 5.2.2 and 5.2.3). */
static void sign(const struct fixture *f, const struct by_hand *b, struct writer *w)
{
	static const char label[] = "Exported Authenticator";
	const size_t n = digest_len(f->session.hash);
	uint8_t content[64 + sizeof(label) + DIGEST_MAX], sig[SIGNATURE_MAX], hash[DIGEST_MAX];
	size_t sig_len;
	struct err e;

	memset(content, ' ', 64);
	memcpy(content + 64, label, sizeof(label));
	assert_ok(transcript(f, w, content + 64 + sizeof(label), &e), e);
	assert_ok(key_sign(f->key, false, content, 64 + sizeof(label) + n, sig, &sig_len, &e), e);
	writer_u8(w, 15);
	writer_be24(w, (uint32_t)(sig_len + 4 + b->in_verify));
	writer_be16(w, b->scheme);
	writer_be16(w, (uint16_t)sig_len);
	writer_bytes(w, sig, sig_len);
	writer_zeros(w, b->in_verify);
	assert_ok(transcript(f, w, hash, &e), e);
	assert_ok(hmac(f->session.hash, f->session.finished_key, n, hash, n, hash, &e), e);
	writer_u8(w, 20);
	writer_be24(w, (uint32_t)(n + b->in_finished));
	writer_bytes(w, hash, n);
	writer_zeros(w, b->in_finished);
}

/* The extension of `ours`, which holds nothing else. */
static void put_extension(const struct by_hand *b, struct reader *ours, struct writer *w)
{
	uint16_t type = reader_be16(ours);
	struct reader body = reader_sub(ours, reader_be16(ours));
	size_t len = reader_be16(&body);
	const char *json = (const char *)reader_take(&body, len);
	const char *at = b->text ? memmem(json, len, b->text, strlen(b->text)) : json;
	const size_t out = b->text ? strlen(b->text) : 0;

	assert_true(reader_done(ours) && reader_done(&body));
	assert_non_null(at);
	writer_be16(w, type);
	size_t extension = writer_reserve(w, 2);
	size_t text = writer_reserve(w, 2);
	writer_bytes(w, json, (size_t)(at - json));
	writer_text(w, b->by ? b->by : "");
	writer_bytes(w, at + out, len - (size_t)(at - json) - out);
	writer_patch(w, text, 2);
	writer_zeros(w, b->in_extension);
	writer_patch(w, extension, 2);
}

static int check_by_hand(struct fixture *f, const struct by_hand *b, struct err *e)
{
	CLEANUP_WRITER struct writer ours = writer_up_to(1 << 20), w = writer_up_to(1 << 20);
	struct authenticator a;

	assert_ok(write_answer(f, "evidence", 8, &ours, e), *e);
	const size_t before = HEAD + CONTEXT + LENGTH; /* the list's end */
	const size_t leaf = LENGTH + f->leaf_len;
	struct reader r = reader_over(ours.bytes + before + leaf, ours.len - before - leaf);
	struct reader extension = reader_sub(&r, reader_be16(&r));

	writer_u8(&w, 11);
	size_t message = writer_reserve(&w, 3);
	writer_u8(&w, (uint8_t)(EA_CONTEXT_LEN + b->in_context));
	writer_bytes(&w, ours.bytes + HEAD + 1, EA_CONTEXT_LEN);
	writer_zeros(&w, b->in_context);
	size_t list = writer_reserve(&w, 3);
	writer_bytes(&w, ours.bytes + before, leaf);
	size_t extensions = writer_reserve(&w, 2);
	put_extension(b, &extension, &w);
	writer_bytes(&w, b->extensions.bytes, b->extensions.len);
	writer_patch(&w, extensions, 2);
	writer_bytes(&w, b->certificates.bytes, b->certificates.len);
	writer_patch(&w, list, 3);
	writer_zeros(&w, b->in_certificate);
	writer_patch(&w, message, 3);
	sign(f, b, &w);
	int failed = authenticator_verify(&f->session, f->request.bytes, f->request.len, w.bytes,
					  w.len, &a, e);
	if (!failed)
		authenticator_done(&a);
	return failed;
}

/* A CA of the leaf's name; with one empty extension of that type, if it is none of 0. */
static void put_ca(EVP_PKEY *key, uint16_t extension, struct writer *w)
{
	static const struct self_signed_extension ca = { NID_basic_constraints,
							 "critical,CA:TRUE" };
	CLEANUP(X509_free) X509 *cert = self_signed(key, "agent", &ca, 1);
	uint8_t *der = NULL;
	int len = i2d_X509(cert, &der);

	writer_be24(w, (uint32_t)len);
	writer_bytes(w, der, (size_t)len);
	writer_be16(w, extension ? 4 : 0);
	if (extension) {
		writer_be16(w, extension);
		writer_be16(w, 0);
	}
	OPENSSL_free(der);
}

static void the_scheme_is_that_of_the_request(void **state)
{
	struct fixture f;
	struct err e;

	fixture_init(&f);
	assert_ok(check_by_hand(&f, &(struct by_hand){ .scheme = EA_ECDSA_P256_SHA256 }, &e), e);
	assert_refused(check_by_hand(&f, &(struct by_hand){ .scheme = 0x0804 }, &e), e, ERR_DENIED,
		       "signature scheme 0x0804");
	fixture_done(&f);
}

/* Whoever offers none that we take gets none, and takes none. */
static void a_scheme_that_was_not_offered_is_not_taken(void **state)
{
	enum { SCHEME = 4 + 1 + EA_CONTEXT_LEN + 2 + 2 + 2 + 2 }; /* where the request has it */
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	struct authenticator a;
	struct fixture f;
	struct err e;

	fixture_init(&f);
	assert_memory_equal(f.request.bytes + SCHEME, "\x04\x03", 2);
	assert_ok(write_answer(&f, "evidence", 8, &w, &e), e);
	memcpy(f.request.bytes + SCHEME, "\x08\x04", 2);
	/* The Certificate message stays. */
	w.len = HEAD + ((size_t)w.bytes[1] << 16 | (size_t)w.bytes[2] << 8 | w.bytes[3]);
	sign(&f, &(struct by_hand){ .scheme = EA_ECDSA_P256_SHA256 }, &w);
	assert_refused(authenticator_verify(&f.session, f.request.bytes, f.request.len, w.bytes,
					    w.len, &a, &e),
		       e, ERR_INVALID, "no scheme that we take");
	w.len = 0;
	assert_refused(write_answer(&f, "evidence", 8, &w, &e), e, ERR_INVALID, "not offered");
	fixture_done(&f);
}

/* A byte that nothing speaks of is in no message, wherever it is, and however well it is signed. */
static void each_message_ends_where_it_says(void **state)
{
	static const struct {
		struct by_hand by_hand;
		const char *why;
	} rows[] = {
		{ { .in_context = 1 }, "its context is not the request's" },
		{ { .in_extension = 1 }, "lengths of extension 0xff00" },
		{ { .in_certificate = 1 }, "the Certificate message" },
		{ { .in_verify = 1 }, "the CertificateVerify message" },
		{ { .in_finished = 1 }, "the Finished message" },
	};
	CLEANUP(free) uint8_t *large = calloc(1, AUTHENTICATOR_MAX + 1);
	struct authenticator a;
	struct fixture f;
	struct err e;

	assert_non_null(large);
	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct by_hand b = rows[i].by_hand;

		b.scheme = EA_ECDSA_P256_SHA256;
		assert_refused(check_by_hand(&f, &b, &e), e, ERR_INVALID, rows[i].why);
	}
	assert_refused(authenticator_verify(&f.session, f.request.bytes, f.request.len, large,
					    AUTHENTICATOR_MAX + 1, &a, &e),
		       e, ERR_INVALID, "too long");
	assert_refused(authenticator_verify(&f.session, f.request.bytes, f.request.len, large,
					    AUTHENTICATOR_MAX, &a, &e),
		       e, ERR_INVALID, "message 0 where 11 is due");
	fixture_done(&f);
}

/* Of each member, and nothing beside them; what says whose key it is as well as what binds it. */
static void the_extension_says_what_it_has_to(void **state)
{
	static const struct {
		const char *text, *by;
		enum err_code code;
		const char *why;
	} rows[] = {
		{ "{\"version\":1,", "{\"version\":1,\"more\":1,", ERR_INVALID, "more" },
		{ "\"binder\":{", "\"binder\":{\"more\":1,", ERR_INVALID, "more" },
		{ "\"aik_pub_hash\":\"", "\"aik_pub_hash\":\"AAAA", ERR_DENIED, "'aik_pub_hash'" },
		{ "\"binding\":\"", "\"binding\":\"AAAA", ERR_DENIED, "'binding'" },
		{ "\"version\":1", "\"version\":2", ERR_INVALID, "version 2" },
		{ "eat+cwt", "eat+jwt", ERR_INVALID, "'media_type'" },
		{ ":\"Attestation\"", ":\"attestation\"", ERR_INVALID, "'exporter_label'" },
		{ "\"evidence\":\"ZXZpZGVuY2U=\"", "\"evidence\":\"\"", ERR_INVALID,
		  "'evidence' is empty" },
	};
	struct fixture f;
	struct err e;

	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct by_hand b = { .text = rows[i].text,
					   .by = rows[i].by,
					   .scheme = EA_ECDSA_P256_SHA256 };

		assert_refused(check_by_hand(&f, &b, &e), e, rows[i].code, rows[i].why);
	}
	fixture_done(&f);
}

static void extensions_are_those_that_were_offered(void **state)
{
	static const uint8_t stranger[] = { 0, 5, 0, 0 }, offer[] = { 0xff, 0, 0, 0 };
	static const struct {
		struct span extensions;
		const char *why;
	} rows[] = { { { stranger, sizeof(stranger) }, "extension 0x0005 was not offered" },
		     { { offer, sizeof(offer) }, "extension 0xff00 twice" },
		     { { offer, 3 }, "extensions of a certificate" } };
	struct fixture f;
	struct err e;

	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct by_hand b = { .extensions = rows[i].extensions,
					   .scheme = EA_ECDSA_P256_SHA256 };

		assert_refused(check_by_hand(&f, &b, &e), e, ERR_INVALID, rows[i].why);
	}
	fixture_done(&f);
}

/* Each by the next, whatever their number; and evidence on the leaf alone. */
static void each_certificate_is_signed_by_the_next(void **state)
{
	enum { NOBODY = -1 };
	static const struct {
		size_t count;
		int other; /* which of them is another's of the same name */
		const char *why;
	} rows[] = {
		{ 1, NOBODY, NULL },
		{ 2, NOBODY, NULL },
		{ AUTHENTICATOR_CERTIFICATES_MAX - 1, NOBODY, NULL },
		{ AUTHENTICATOR_CERTIFICATES_MAX, NOBODY, "too many certificates" },
		{ 1, 0, "certificate 1" },
		{ 2, 1, "certificate 2" },
		{ AUTHENTICATOR_CERTIFICATES_MAX - 1, AUTHENTICATOR_CERTIFICATES_MAX - 2, "" },
	};
	struct fixture f, other;
	struct err e;

	fixture_init(&f);
	fixture_init(&other);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);

		for (size_t k = 0; k < rows[i].count; k++)
			put_ca((int)k == rows[i].other ? other.key : f.key, 0, &w);
		const struct by_hand b = { .certificates = { w.bytes, w.len },
					   .scheme = EA_ECDSA_P256_SHA256 };
		int failed = check_by_hand(&f, &b, &e);

		if (!rows[i].why)
			assert_ok(failed, e);
		else if (!failed || !strstr(e.text, rows[i].why))
			fail_msg("row %zu: %s", i, failed ? e.text : "accepted");
	}
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	put_ca(f.key, 0xff00, &w);
	const struct by_hand b = { .certificates = { w.bytes, w.len },
				   .scheme = EA_ECDSA_P256_SHA256 };
	assert_refused(check_by_hand(&f, &b, &e), e, ERR_INVALID, "not on the leaf alone");
	fixture_done(&f);
	fixture_done(&other);
}

static void another_session_is_refused(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	struct fixture f, other;
	struct err e;

	fixture_init(&f);
	fixture_init(&other);
	assert_ok(write_answer(&f, "evidence", 8, &w, &e), e);
	/* Each value that the session brings is needed by itself. */
	struct authenticator_session good = f.session;
	f.session.handshake_context[0] ^= 1;
	assert_true(check(&f, w.bytes, w.len) < 0);
	f.session = good;
	f.session.finished_key[0] ^= 1;
	assert_true(check(&f, w.bytes, w.len) < 0);
	f.session = good;
	f.session.exporter[0] ^= 1;
	assert_true(check(&f, w.bytes, w.len) < 0);
	f.session = good;
	f.request.bytes[6] ^= 1; /* within the context */
	assert_true(check(&f, w.bytes, w.len) < 0);
	f.request.bytes[6] ^= 1;
	assert_int_equal(check(&f, w.bytes, w.len), 0);
	fixture_done(&f);
	fixture_done(&other);
}

static void evidence_that_does_not_fit_is_an_error(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	CLEANUP(free) uint8_t *evidence = calloc(1, 60000);
	struct fixture f;
	struct err e;
	size_t most = 0;

	fixture_init(&f);
	for (size_t len = 48000; len < 50000 && !most; len += 3) {
		w.len = 0;
		w.bad = false;
		if (write_answer(&f, evidence, len, &w, &e) < 0) {
			assert_int_equal(e.code, ERR_EXHAUSTED);
			most = len - 3;
		}
	}
	assert_true(most > 48000);
	w.len = 0;
	w.bad = false;
	assert_ok(write_answer(&f, evidence, most, &w, &e), e);
	assert_int_equal(check(&f, w.bytes, w.len), 0);
	fixture_done(&f);
}

static void every_truncated_request_is_refused(void **state)
{
	struct ea_request request;
	struct fixture f;
	struct err e;

	fixture_init(&f);
	assert_ok(ea_request_parse(f.request.bytes, f.request.len, &request, &e), e);
	for (size_t len = 0; len < f.request.len; len++)
		assert_int_equal(ea_request_parse(f.request.bytes, len, &request, &e),
				 -ERR_INVALID);
	fixture_done(&f);
}

/* A request of these parts; each a byte more or less than it has to be, or more of them than there may be. */
struct asked {
	uint8_t type;                            /* of the message; 0: 17 */
	size_t schemes, strangers;               /* 0 schemes: one */
	size_t behind_schemes, offer, behind_it; /* bytes */
	bool twice, no_offer, longer;
};

static int ask(const struct asked *a, size_t len, struct ea_request *request, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(2 * EA_REQUEST_MAX);

	writer_u8(&w, a->type ? a->type : 17);
	size_t message = writer_reserve(&w, 3);
	writer_u8(&w, EA_CONTEXT_LEN);
	writer_zeros(&w, EA_CONTEXT_LEN);
	size_t extensions = writer_reserve(&w, 2);
	writer_be16(&w, 13); /* signature_algorithms */
	size_t body = writer_reserve(&w, 2);
	size_t list = writer_reserve(&w, 2);
	for (size_t i = 0; i < (a->schemes ? a->schemes : 1); i++)
		writer_be16(&w, EA_ECDSA_P256_SHA256);
	writer_patch(&w, list, 2);
	writer_zeros(&w, a->behind_schemes);
	writer_patch(&w, body, 2);
	for (size_t i = 0; i < a->strangers; i++) {
		writer_be16(&w, (uint16_t)(a->twice ? 77 : 77 + i));
		writer_be16(&w, (uint16_t)(i == 0 ? len : 0));
		writer_zeros(&w, i == 0 ? len : 0);
	}
	if (!a->no_offer) {
		writer_be16(&w, 0xff00);
		writer_be16(&w, (uint16_t)a->offer);
		writer_zeros(&w, a->offer);
	}
	writer_patch(&w, extensions, 2);
	writer_zeros(&w, a->behind_it);
	writer_patch(&w, message, 3);
	writer_zeros(&w, a->longer);
	assert_false(w.bad);
	return ea_request_parse(w.bytes, w.len, request, e);
}

static void a_request_has_one_form(void **state)
{
	static const struct {
		struct asked asked;
		size_t len; /* of the first stranger */
		const char *why;
	} rows[] = {
		{ { 0 }, 0, NULL },
		{ { .schemes = EA_SCHEMES_MAX }, 0, NULL },
		{ { .schemes = EA_SCHEMES_MAX + 1 }, 0, "more than 32 signature schemes" },
		{ { .strangers = EA_EXTENSIONS_MAX - 2 }, 0, NULL },
		{ { .strangers = EA_EXTENSIONS_MAX - 1 }, 0, "more than 16 extensions" },
		{ { .strangers = 2, .twice = true }, 0, "extension 0x004d twice" },
		{ { .behind_schemes = 1 }, 0, "signature_algorithms is malformed" },
		{ { .offer = 1 }, 0, "the offer of attestation is not empty" },
		{ { .no_offer = true }, 0, "without an offer of attestation" },
		{ { .behind_it = 1 }, 0, "lengths do not agree" },
		{ { .longer = true }, 0, "are not one request message" },
		{ { .type = 13 }, 0, "are not one request message" },
		{ { .strangers = 1 }, EA_REQUEST_MAX - 55, NULL },
		{ { .strangers = 1 }, EA_REQUEST_MAX - 54, "are not one request message" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ea_request request;
		struct err e;
		int failed = ask(&rows[i].asked, rows[i].len, &request, &e);

		if (rows[i].why) {
			assert_refused(failed, e, ERR_INVALID, rows[i].why);
			continue;
		}
		assert_ok(failed, e);
		assert_true(ea_request_allows(&request, 0xff00));
		assert_int_equal(ea_request_allows(&request, 77), rows[i].asked.strangers != 0);
		/* It is the request's alone. */
		assert_false(ea_request_allows(&request, 13));
	}
}

static void frames_have_their_limit(void **state)
{
	uint8_t head[EA_FRAME_HEAD];
	size_t len;
	struct err e;

	ea_frame_head(EA_FRAME_REQUEST, EA_FRAME_MAX, head);
	assert_ok(ea_frame_parse_head(head, EA_FRAME_REQUEST, &len, &e), e);
	assert_int_equal(len, EA_FRAME_MAX);
	assert_int_equal(ea_frame_parse_head(head, EA_FRAME_AUTHENTICATOR, &len, &e), -ERR_INVALID);
	ea_frame_head(EA_FRAME_REQUEST, 0, head);
	assert_ok(ea_frame_parse_head(head, EA_FRAME_REQUEST, &len, &e), e);
	assert_int_equal(len, 0);
	assert_refused(ea_frame_take(head, sizeof(head),
				     &(struct ea_frame_want){ EA_FRAME_REQUEST, 10 },
				     &(struct reader){ 0 }, &len, &e),
		       e, ERR_INVALID, "0 bytes announced; 1 to 10");
	ea_frame_head(EA_FRAME_REQUEST, EA_FRAME_MAX + 1, head);
	assert_int_equal(ea_frame_parse_head(head, EA_FRAME_REQUEST, &len, &e), -ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shared_sessions_are_judged_right),
		cmocka_unit_test(what_we_write_verifies_and_no_bit_can_change),
		cmocka_unit_test(the_leaf_is_for_signatures),
		cmocka_unit_test(the_leafs_key_is_p256),
		cmocka_unit_test(the_scheme_is_that_of_the_request),
		cmocka_unit_test(a_scheme_that_was_not_offered_is_not_taken),
		cmocka_unit_test(each_message_ends_where_it_says),
		cmocka_unit_test(the_extension_says_what_it_has_to),
		cmocka_unit_test(extensions_are_those_that_were_offered),
		cmocka_unit_test(each_certificate_is_signed_by_the_next),
		cmocka_unit_test(another_session_is_refused),
		cmocka_unit_test(evidence_that_does_not_fit_is_an_error),
		cmocka_unit_test(every_truncated_request_is_refused),
		cmocka_unit_test(a_request_has_one_form),
		cmocka_unit_test(frames_have_their_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
