/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.h — who is at the other end of a server's connection. For this folder only.
 *
 * Counted, because calls that jobs still hold outlive their connection.
 */
#pragma once

#include "common/base/err.h"
#include "common/crypto/key.h"
#include "common/rpc/identity.h"
#include "common/rpc/origin.h"
#include "common/rpc/places.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <openssl/ssl.h>

struct rpc_source;

enum { PEER_NAME_MAX = RPC_ORIGIN_NAME_MAX };

struct peer {
	unsigned refs;
	unsigned calls; /* alive: open, or held by jobs */
	bool is_tls;
	uint32_t group; /* of its key exchange, as tls_groups_agreed() has it */
	bool is_unix;   /* the right to open the socket's file was proof enough */
	struct places_key key;
	char name[PEER_NAME_MAX];
	bool has_uid;
	uid_t uid; /* if is_unix and has_uid */
	gid_t gid;
	/* Of the certificate (identity.h); the fingerprint is empty without one. */
	char *subject, *issuer, *spiffe;
	char fingerprint[2 * KEY_FINGERPRINT_LEN + 1];
	struct places_key holder; /* of the certificate's key, where there is one */
	uint8_t *spki;
	size_t spki_len;
};

/* NULL on failure, here and below. */
struct peer *peer_new(int fd, struct err *e);
struct peer *peer_of(const struct rpc_origin *origin, struct err *e);
int peer_set_tls(struct peer *peer, SSL *tls, struct err *e) MUST_CHECK;
/* The same of what is known from elsewhere. */
struct peer *peer_named(const char *name, const struct rpc_source *source,
			const struct rpc_identity *identity, struct err *e);
struct rpc_source peer_source(const struct peer *peer);
struct rpc_source peer_source_of(int fd); /* of a socket that has no peer yet */
/* By its certificate, or as somebody who may open our socket's file. */
bool peer_is_known(const struct peer *peer);
void peer_unref(struct peer *peer);
