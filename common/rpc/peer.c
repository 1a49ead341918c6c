/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/peer.h"

#include "common/base/encode.h"
#include "common/crypto/digest.h"
#include "common/rpc/tls_groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/x509.h>

struct peer *peer_of(const struct rpc_origin *origin, struct err *e)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer) {
		err_nomem(e);
		return NULL;
	}
	peer->refs = 1;
	snprintf(peer->name, sizeof(peer->name), "%s", origin->name);
	memcpy(peer->key.bytes, origin->source.bytes, sizeof(peer->key.bytes));
	peer->is_unix = origin->is_unix;
	peer->has_uid = origin->has_uid;
	peer->uid = origin->uid;
	peer->gid = origin->gid;
	return peer;
}

struct peer *peer_new(int fd, struct err *e)
{
	struct rpc_origin origin;

	rpc_origin_of_socket(fd, &origin);
	return peer_of(&origin, e);
}

/* False if memory runs out. */
static bool copy(char **to, const char *text)
{
	return !text || (*to = strdup(text));
}

struct peer *peer_named(const char *name, const struct rpc_source *source,
			const struct rpc_identity *identity, struct err *e)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	err_nomem(e);
	if (!peer)
		return NULL;
	peer->refs = 1;
	snprintf(peer->name, PEER_NAME_MAX, "%s", name);
	memcpy(peer->key.bytes, source->bytes, sizeof(source->bytes));
	peer->is_unix = peer->has_uid = identity->has_uid;
	peer->uid = identity->uid;
	peer->gid = identity->gid;
	if (identity->key)
		snprintf(peer->fingerprint, sizeof(peer->fingerprint), "%s", identity->key);
	if (copy(&peer->subject, identity->subject) && copy(&peer->issuer, identity->issuer) &&
	    copy(&peer->spiffe, identity->spiffe))
		return peer;
	peer_unref(peer);
	return NULL;
}

struct rpc_source peer_source(const struct peer *peer)
{
	struct rpc_source source;

	memcpy(source.bytes, peer->key.bytes, sizeof(source.bytes));
	return source;
}

struct rpc_source peer_source_of(int fd)
{
	struct rpc_origin origin;

	rpc_origin_of_socket(fd, &origin);
	return origin.source;
}

int peer_set_tls(struct peer *peer, SSL *tls, struct err *e)
{
	X509 *cert = SSL_get0_peer_certificate(tls);
	uint8_t key[SHA256_LEN], fingerprint[KEY_FINGERPRINT_LEN];
	int len;

	peer->is_tls = true;
	peer->group = tls_groups_agreed(tls);
	if (!cert || SSL_get_verify_result(tls) != X509_V_OK)
		return 0;
	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &peer->spki);
	if (len <= 0)
		return err_set(e, ERR_UNAUTHENTICATED, "TLS: the client's certificate has no key");
	peer->spki_len = (size_t)len;
	if (digest(DIGEST_SHA256, peer->spki, peer->spki_len, key, e) < 0 ||
	    key_fingerprint(peer->spki, peer->spki_len, fingerprint, e) < 0)
		return err_code(e);
	hex_encode(fingerprint, sizeof(fingerprint), peer->fingerprint);
	peer->holder.bytes[0] = 'c';
	memcpy(peer->holder.bytes + 1, key, PLACES_KEY_LEN - 1);
	peer->subject = identity_subject(cert);
	peer->issuer = identity_issuer(cert);
	peer->spiffe = identity_spiffe(cert);
	return 0;
}

bool peer_is_known(const struct peer *peer)
{
	return peer->is_unix || peer->spki;
}

void peer_unref(struct peer *peer)
{
	if (!peer || --peer->refs > 0)
		return;
	OPENSSL_free(peer->spki);
	free(peer->subject);
	free(peer->issuer);
	free(peer->spiffe);
	free(peer);
}
