/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <openssl/x509.h>

static void name_of(int fd, char *name)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage room;
	} a = { 0 };
	socklen_t len = sizeof(a);
	char host[INET6_ADDRSTRLEN];

	if (getpeername(fd, &a.any, &len) < 0) {
		snprintf(name, PEER_NAME_MAX, "unknown");
	} else if (a.any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a.v4.sin_addr, host, sizeof(host));
		snprintf(name, PEER_NAME_MAX, "%s:%u", host, ntohs(a.v4.sin_port));
	} else if (a.any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a.v6.sin6_addr, host, sizeof(host));
		snprintf(name, PEER_NAME_MAX, "[%s]:%u", host, ntohs(a.v6.sin6_port));
	} else {
		snprintf(name, PEER_NAME_MAX, "unix");
	}
}

struct peer *peer_new(int fd, struct err *e)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer) {
		err_nomem(e);
		return NULL;
	}
	peer->refs = 1;
	name_of(fd, peer->name);
	return peer;
}

int peer_set_tls(struct peer *peer, SSL *tls, struct err *e)
{
	X509 *cert = SSL_get0_peer_certificate(tls);
	int len;

	peer->is_tls = true;
	if (!cert || SSL_get_verify_result(tls) != X509_V_OK)
		return 0;
	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &peer->spki);
	if (len <= 0)
		return err_set(e, ERR_UNAUTHENTICATED, "TLS: the client's certificate has no key");
	peer->spki_len = (size_t)len;
	return 0;
}

void peer_unref(struct peer *peer)
{
	if (!peer || --peer->refs > 0)
		return;
	OPENSSL_free(peer->spki);
	free(peer);
}
