/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/channel/authenticator.h"

#include "attestation/channel/authenticator_extension.h"
#include "attestation/formats/x509.h"
#include "common/base/encode.h"

#include <string.h>

enum { /* RFC 8446, section 4 */
       MESSAGE_CERTIFICATE = 11,
       MESSAGE_CERTIFICATE_VERIFY = 15,
       MESSAGE_FINISHED = 20,
       EXTENSION_ATTESTATION = 0xFF00,
};

/* RFC 9261, section 5.2.2: what CertificateVerify signs. */
enum { SIGNED_PADDING = 64 };
static const char signed_label[] = "Exported Authenticator";

/* Hash(Handshake Context ‖ request ‖ messages so far). */
static int transcript(const struct authenticator_session *s, const struct digest_part *request,
		      const uint8_t *messages, size_t len, uint8_t out[DIGEST_MAX], struct err *e)
{
	const struct digest_part parts[] = { { s->handshake_context, digest_len(s->hash) },
					     *request,
					     { messages, len } };

	return digest_parts(s->hash, parts, ARRAY_LEN(parts), out, e);
}

static size_t signed_content(const struct authenticator_session *s, const uint8_t *hash,
			     uint8_t out[SIGNED_PADDING + sizeof(signed_label) + DIGEST_MAX])
{
	memset(out, 0x20, SIGNED_PADDING);
	memcpy(out + SIGNED_PADDING, signed_label, sizeof(signed_label)); /* with its zero */
	memcpy(out + SIGNED_PADDING + sizeof(signed_label), hash, digest_len(s->hash));
	return SIGNED_PADDING + sizeof(signed_label) + digest_len(s->hash);
}

/* ---- writing ---- */

static int write_certificate(const struct authenticator_session *s,
			     const struct ea_request *request, const struct authenticator_input *in,
			     struct writer *w, struct err *e)
{
	struct binding_binder binder;
	struct binding unused;

	if (binding_channel(s->hash, in->spki, in->spki_len, s->exporter, &binder, &unused, e) < 0)
		return err_code(e);
	writer_u8(w, MESSAGE_CERTIFICATE);
	size_t message = writer_reserve(w, 3);
	writer_u8(w, EA_CONTEXT_LEN);
	writer_bytes(w, request->context, EA_CONTEXT_LEN);
	size_t list = writer_reserve(w, 3);
	size_t certificate = writer_reserve(w, 3);
	writer_bytes(w, in->leaf_der, in->leaf_len);
	writer_patch(w, certificate, 3);
	size_t extensions = writer_reserve(w, 2);
	writer_be16(w, EXTENSION_ATTESTATION);
	size_t extension = writer_reserve(w, 2);
	size_t json = writer_reserve(w, 2);
	if (authenticator_extension_write(&binder, in->evidence, in->evidence_len, w, e) < 0)
		return err_code(e);
	writer_patch(w, json, 2);
	writer_patch(w, extension, 2);
	writer_patch(w, extensions, 2);
	writer_patch(w, list, 3);
	writer_patch(w, message, 3);
	if (w->bad)
		return err_set(e, ERR_EXHAUSTED,
			       "authenticator: %zu bytes of evidence do not fit the extension",
			       in->evidence_len);
	return 0;
}

static int write_verify(const struct authenticator_session *s, const struct digest_part *request,
			EVP_PKEY *key, size_t from, struct writer *w, struct err *e)
{
	uint8_t hash[DIGEST_MAX], content[SIGNED_PADDING + sizeof(signed_label) + DIGEST_MAX];
	uint8_t sig[SIGNATURE_MAX];
	size_t sig_len;

	if (transcript(s, request, w->bytes + from, w->len - from, hash, e) < 0)
		return err_code(e);
	size_t len = signed_content(s, hash, content);
	if (key_sign(key, false, content, len, sig, &sig_len, e) < 0)
		return err_code(e);
	writer_u8(w, MESSAGE_CERTIFICATE_VERIFY);
	size_t message = writer_reserve(w, 3);
	writer_be16(w, EA_ECDSA_P256_SHA256);
	size_t body = writer_reserve(w, 2);
	writer_bytes(w, sig, sig_len);
	writer_patch(w, body, 2);
	writer_patch(w, message, 3);
	return 0;
}

static int finished_mac(const struct authenticator_session *s, const struct digest_part *request,
			const uint8_t *messages, size_t len, uint8_t mac[DIGEST_MAX], struct err *e)
{
	uint8_t hash[DIGEST_MAX];
	size_t n = digest_len(s->hash);

	if (transcript(s, request, messages, len, hash, e) < 0)
		return err_code(e);
	return hmac(s->hash, s->finished_key, n, hash, n, mac, e);
}

int authenticator_write(const struct authenticator_session *session,
			const struct authenticator_input *input, struct writer *w, struct err *e)
{
	const struct digest_part request = { input->request, input->request_len };
	struct ea_request parsed;
	uint8_t mac[DIGEST_MAX];
	size_t from = w->len;

	if (ea_request_parse(input->request, input->request_len, &parsed, e) < 0)
		return err_code(e);
	if (!ea_request_offers(&parsed, EA_ECDSA_P256_SHA256))
		return err_set(e, ERR_INVALID, "request: ecdsa_secp256r1_sha256 is not offered");
	if (write_certificate(session, &parsed, input, w, e) < 0 ||
	    write_verify(session, &request, input->key, from, w, e) < 0 ||
	    finished_mac(session, &request, w->bytes + from, w->len - from, mac, e) < 0)
		return err_code(e);
	writer_u8(w, MESSAGE_FINISHED);
	writer_be24(w, (uint32_t)digest_len(session->hash));
	writer_bytes(w, mac, digest_len(session->hash));
	return writer_check(w, "authenticator", e);
}

/* ---- verifying ---- */

struct parsed {
	struct x509 *certs[AUTHENTICATOR_CERTIFICATES_MAX];
	size_t count;
	struct reader attestation; /* body of 0xFF00 on the leaf */
	bool has_attestation;
};

static void parsed_done(struct parsed *p)
{
	for (size_t i = 0; i < p->count; i++)
		x509_free(p->certs[i]);
}

static int malformed(struct err *e, const char *what)
{
	return err_set(e, ERR_INVALID, "authenticator: %s", what);
}

/* The next handshake message, which must be of that type. */
static int take_message(struct reader *r, uint8_t type, struct reader *body, struct err *e)
{
	uint8_t found = reader_u8(r);
	uint32_t len = reader_be24(r);

	*body = reader_sub(r, len);
	if (!reader_ok(r))
		return malformed(e, "a message is cut short, or missing");
	if (found != type)
		return err_set(e, ERR_INVALID, "authenticator: message %u where %u is due", found,
			       type);
	return 0;
}

/* Only what was offered may be answered (RFC 9261, 5.2.1), each once: 0xFF00 on the leaf, and what
 * else the request had, which is stepped over. */
static int parse_entry_extensions(struct reader *r, const struct ea_request *request,
				  struct parsed *p, bool leaf, struct err *e)
{
	uint16_t seen[EA_EXTENSIONS_MAX];
	size_t count = 0;

	while (reader_ok(r) && reader_left(r)) {
		uint16_t type = reader_be16(r);
		struct reader body = reader_sub(r, reader_be16(r));

		if (!reader_ok(r))
			break;
		if (!ea_request_allows(request, type))
			return err_set(e, ERR_INVALID,
				       "authenticator: extension 0x%04x was not offered", type);
		for (size_t i = 0; i < count; i++)
			if (seen[i] == type)
				return err_set(e, ERR_INVALID,
					       "authenticator: extension 0x%04x twice", type);
		seen[count++] = type; /* no more than the request's own */
		if (type != EXTENSION_ATTESTATION)
			continue;
		if (!leaf)
			return malformed(e, "extension 0xff00 is not on the leaf alone");
		p->attestation = body;
		p->has_attestation = true;
	}
	return reader_done(r) ? 0 : malformed(e, "extensions of a certificate");
}

static int parse_entry(struct reader *list, const struct ea_request *request, struct parsed *p,
		       struct err *e)
{
	uint32_t len = reader_be24(list);
	const uint8_t *der = reader_take(list, len);
	struct reader extensions = reader_sub(list, reader_be16(list));

	if (!reader_ok(list))
		return malformed(e, "the certificate list");
	if (p->count == AUTHENTICATOR_CERTIFICATES_MAX)
		return malformed(e, "too many certificates");
	if (x509_from_der(der, len, &p->certs[p->count], e) < 0)
		return err_wrap(e, "authenticator: certificate %zu", p->count + 1);
	p->count++;
	return parse_entry_extensions(&extensions, request, p, p->count == 1, e);
}

static int parse_certificate(struct reader *body, const struct ea_request *request,
			     struct parsed *p, struct err *e)
{
	uint8_t context_len = reader_u8(body);
	const uint8_t *context = reader_take(body, context_len);
	struct reader list = reader_sub(body, reader_be24(body));

	if (!reader_done(body))
		return malformed(e, "the Certificate message");
	if (context_len != EA_CONTEXT_LEN ||
	    !bytes_equal(context, request->context, EA_CONTEXT_LEN))
		return malformed(e, "its context is not the request's");
	while (reader_ok(&list) && reader_left(&list))
		if (parse_entry(&list, request, p, e) < 0)
			return err_code(e);
	if (!reader_done(&list) || !p->count)
		return malformed(e, "no certificate");
	if (!p->has_attestation)
		return malformed(e, "no attestation (extension 0xff00)");
	/* RFC 8446, 4.4.2.2, which holds here too. */
	if (p->certs[0]->has_usage && !(p->certs[0]->usage & X509_USE_DIGITAL_SIGNATURE))
		return malformed(e, "the leaf's keyUsage is not digitalSignature");
	for (size_t i = 0; i + 1 < p->count; i++)
		if (x509_verify(p->certs[i], p->certs[i + 1],
				X509_P256_SHA256 | X509_P384_SHA384 | X509_RSA_SHA256 |
					X509_RSA_SHA384 | X509_RSA_SHA512,
				(unsigned)i, e) < 0)
			return err_wrap(e, "authenticator: certificate %zu", i + 1);
	return 0;
}

static int check_verify(const struct authenticator_session *s, const struct digest_part *request,
			struct digest_part before, struct reader *body, EVP_PKEY *key,
			struct err *e)
{
	uint8_t hash[DIGEST_MAX], content[SIGNED_PADDING + sizeof(signed_label) + DIGEST_MAX];
	char curve[32] = "";

	uint16_t scheme = reader_be16(body);
	uint16_t len = reader_be16(body);
	const uint8_t *sig = reader_take(body, len);
	if (!reader_done(body))
		return malformed(e, "the CertificateVerify message");
	if (scheme != EA_ECDSA_P256_SHA256)
		return err_set(e, ERR_DENIED, "authenticator: signature scheme 0x%04x", scheme);
	if (key_kind_of(key) != KEY_ECDSA ||
	    EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) != 1 ||
	    strcmp(curve, "prime256v1") != 0)
		return err_set(e, ERR_DENIED, "authenticator: the leaf's key is not P-256");
	if (transcript(s, request, before.bytes, before.len, hash, e) < 0)
		return err_code(e);
	size_t content_len = signed_content(s, hash, content);
	if (key_verify(key, content, content_len, sig, len, e) < 0)
		return err_wrap(e, "authenticator: CertificateVerify");
	return 0;
}

static int check_finished(const struct authenticator_session *s, const struct digest_part *request,
			  struct digest_part before, struct reader *body, struct err *e)
{
	uint8_t mac[DIGEST_MAX];
	size_t n = digest_len(s->hash);
	const uint8_t *found = reader_take(body, n);

	if (!reader_done(body))
		return malformed(e, "the Finished message");
	if (finished_mac(s, request, before.bytes, before.len, mac, e) < 0)
		return err_code(e);
	if (!bytes_equal(found, mac, n))
		return err_set(e, ERR_DENIED, "authenticator: Finished is not of this session");
	return 0;
}

/* The evidence, once the binder is what this session and this leaf make it. */
static int check_binder(const struct authenticator_session *s, struct parsed *p,
			struct authenticator *out, struct err *e)
{
	const struct x509 *leaf = p->certs[0];
	struct binding_binder binder;

	if (binding_channel(s->hash, leaf->spki.bytes, leaf->spki.len, s->exporter, &binder,
			    &out->binding, e) < 0 ||
	    authenticator_extension_parse(&p->attestation, &binder, &out->evidence,
					  &out->evidence_len, e) < 0)
		return err_code(e);
	out->spki = malloc(leaf->spki.len);
	if (!out->spki)
		return err_nomem(e);
	memcpy(out->spki, leaf->spki.bytes, leaf->spki.len);
	out->spki_len = leaf->spki.len;
	return 0;
}

static int verify(const struct authenticator_session *s, const struct digest_part *request,
		  const struct digest_part *whole, struct parsed *p, struct err *e)
{
	struct reader r = reader_over(whole->bytes, whole->len), body;
	struct ea_request asked;
	EVP_PKEY *key; /* the certificate's */

	if (ea_request_parse(request->bytes, request->len, &asked, e) < 0 ||
	    take_message(&r, MESSAGE_CERTIFICATE, &body, e) < 0 ||
	    parse_certificate(&body, &asked, p, e) < 0)
		return err_code(e);
	struct digest_part before = { whole->bytes, whole->len - reader_left(&r) };
	if (take_message(&r, MESSAGE_CERTIFICATE_VERIFY, &body, e) < 0)
		return err_code(e);
	if (!ea_request_offers(&asked, EA_ECDSA_P256_SHA256))
		return malformed(e, "the request offers no scheme that we take");
	if (x509_key(p->certs[0], &key, e) < 0 ||
	    check_verify(s, request, before, &body, key, e) < 0)
		return err_code(e);
	before.len = whole->len - reader_left(&r);
	if (take_message(&r, MESSAGE_FINISHED, &body, e) < 0 ||
	    check_finished(s, request, before, &body, e) < 0)
		return err_code(e);
	return reader_done(&r) ? 0 : malformed(e, "bytes after Finished");
}

int authenticator_verify(const struct authenticator_session *session, const uint8_t *request,
			 size_t request_len, const uint8_t *bytes, size_t len,
			 struct authenticator *out, struct err *e)
{
	const struct digest_part request_part = { request, request_len }, whole = { bytes, len };
	struct authenticator made = { 0 };
	struct parsed p = { .count = 0 };

	int failed = len > AUTHENTICATOR_MAX ? malformed(e, "too long")
					     : verify(session, &request_part, &whole, &p, e);
	if (!failed)
		failed = check_binder(session, &p, &made, e);
	parsed_done(&p);
	if (failed) {
		authenticator_done(&made);
		return failed;
	}
	*out = made;
	return 0;
}

void authenticator_done(struct authenticator *a)
{
	free(a->evidence);
	free(a->spki);
	*a = (struct authenticator){ 0 };
}
