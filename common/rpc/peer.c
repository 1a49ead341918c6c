/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/peer.h"

#include "common/base/encode.h"
#include "common/crypto/digest.h"
#include "common/rpc/tls_groups.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <openssl/x509.h>

union peer_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage room;
};

/* Whoever has an IPv6 address has the 64 bits behind its network's to choose from. */
enum { PEER_V6_PREFIX = 8 };

static void name_v4(struct peer *peer, const struct in_addr *address, in_port_t port)
{
	char host[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, address, host, sizeof(host));
	snprintf(peer->name, PEER_NAME_MAX, "%s:%u", host, ntohs(port));
	peer->key.bytes[0] = '4';
	memcpy(peer->key.bytes + 1, address, sizeof(*address));
}

static void name_v6(struct peer *peer, const struct sockaddr_in6 *a)
{
	char host[INET6_ADDRSTRLEN];

	if (IN6_IS_ADDR_V4MAPPED(&a->sin6_addr)) {
		const struct in_addr *v4 = (const void *)(a->sin6_addr.s6_addr + 12);

		name_v4(peer, v4, a->sin6_port);
		return;
	}
	inet_ntop(AF_INET6, &a->sin6_addr, host, sizeof(host));
	snprintf(peer->name, PEER_NAME_MAX, "[%s]:%u", host, ntohs(a->sin6_port));
	peer->key.bytes[0] = '6';
	memcpy(peer->key.bytes + 1, &a->sin6_addr, PEER_V6_PREFIX);
}

static void name_unix(struct peer *peer, int fd)
{
	struct ucred user = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(user);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &len) < 0)
		snprintf(peer->name, PEER_NAME_MAX, "unix");
	else
		snprintf(peer->name, PEER_NAME_MAX, "unix:uid=%u", (unsigned)user.uid);
	peer->has_uid = user.uid != (uid_t)-1;
	peer->uid = user.uid;
	peer->gid = user.gid;
	peer->is_unix = true;
	peer->key.bytes[0] = 'u';
	memcpy(peer->key.bytes + 1, &user.uid, sizeof(user.uid));
}

static void name_of(struct peer *peer, int fd)
{
	union peer_address a = { 0 };
	socklen_t len = sizeof(a);

	if (getpeername(fd, &a.any, &len) < 0)
		snprintf(peer->name, PEER_NAME_MAX, "unknown");
	else if (a.any.sa_family == AF_INET)
		name_v4(peer, &a.v4.sin_addr, a.v4.sin_port);
	else if (a.any.sa_family == AF_INET6)
		name_v6(peer, &a.v6);
	else
		name_unix(peer, fd);
}

struct peer *peer_new(int fd, struct err *e)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer) {
		err_nomem(e);
		return NULL;
	}
	peer->refs = 1;
	name_of(peer, fd);
	return peer;
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
	struct peer peer = { .refs = 1 };

	name_of(&peer, fd);
	return peer_source(&peer);
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
