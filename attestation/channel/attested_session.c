/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/channel/attested_session.h"

#include <string.h>

/* RFC 9261, section 5.1: no context value. */
static const char handshake_label[] = "EXPORTER-server authenticator handshake context";
static const char finished_label[] = "EXPORTER-server authenticator finished key";

static int suite_hash(SSL *tls, enum digest_kind *hash, struct err *e)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(tls);
	const EVP_MD *md = cipher ? SSL_CIPHER_get_handshake_digest(cipher) : NULL;

	switch (md ? EVP_MD_get_type(md) : NID_undef) {
	case NID_sha256:
		*hash = DIGEST_SHA256;
		return 0;
	case NID_sha384:
		*hash = DIGEST_SHA384;
		return 0;
	default:
		return err_set(e, ERR_DENIED, "attested TLS: cipher suite %s",
			       SSL_get_cipher_name(tls));
	}
}

int attested_session_check(SSL *tls, struct err *e)
{
	const unsigned char *alpn = NULL;
	enum digest_kind unused;
	unsigned len = 0;

	if (SSL_version(tls) != TLS1_3_VERSION)
		return err_set(e, ERR_DENIED, "attested TLS: %s; only TLSv1.3 will do",
			       SSL_get_version(tls));
	if (SSL_session_reused(tls) || SSL_get_early_data_status(tls) == SSL_EARLY_DATA_ACCEPTED)
		return err_set(e, ERR_DENIED, "attested TLS: a resumed session");
	SSL_get0_alpn_selected(tls, &alpn, &len);
	if (len != 2 || memcmp(alpn, "h2", 2) != 0)
		return err_set(e, ERR_DENIED, "attested TLS: no ALPN 'h2'");
	return suite_hash(tls, &unused, e);
}

static int export(SSL *tls, const char *label, const uint8_t *context, uint8_t *out, size_t len,
		  struct err *e)
{
	if (SSL_export_keying_material(tls, out, len, label, strlen(label), context,
				       context ? EA_CONTEXT_LEN : 0, context != NULL) != 1)
		return err_openssl(e, ERR_INTERNAL, "TLS exporter '%s'", label);
	return 0;
}

int attested_session_read(SSL *tls, const uint8_t context[EA_CONTEXT_LEN],
			  struct authenticator_session *session, struct err *e)
{
	struct authenticator_session s = { .hash = DIGEST_SHA256 };

	if (suite_hash(tls, &s.hash, e) < 0 ||
	    export(tls, handshake_label, NULL, s.handshake_context, digest_len(s.hash), e) < 0 ||
	    export(tls, finished_label, NULL, s.finished_key, digest_len(s.hash), e) < 0 ||
	    export(tls, BINDING_EXPORTER_LABEL, context, s.exporter, sizeof(s.exporter), e) < 0)
		return err_code(e);
	*session = s;
	return 0;
}

int attested_session_peer_spki(SSL *tls, uint8_t **spki, size_t *len, struct err *e)
{
	X509 *leaf = SSL_get0_peer_certificate(tls);
	uint8_t *made, *end;
	int size;

	if (!leaf)
		return err_set(e, ERR_DENIED, "attested TLS: the peer showed no certificate");
	/* As it stands in the certificate; through EVP_PKEY it takes as long as the handshake's
	 * signature. */
	size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), NULL);
	if (size <= 0)
		return err_openssl(e, ERR_DENIED, "attested TLS: the peer's certificate");
	made = end = malloc((size_t)size);
	if (!made)
		return err_nomem(e);
	(void)i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &end);
	*spki = made;
	*len = (size_t)size;
	return 0;
}
