/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h — a connection to an agent, a manager or the computation service, from options, the
 * environment (AGENT_GRPC_URL and its companions) and the profile, in this order.
 *
 * TLS is spoken when an authority or a client certificate is given, or the URL begins with
 * https://; otherwise plaintext. With a proof as well, the authority is asked for in addition, but
 * not one from the environment alone where the proof demands a key that no authority can know.
 */
#pragma once

#include "cli/base/command.h"
#include "cli/base/profile.h"
#include "common/crypto/digest.h"
#include "common/rpc/sync.h"

#include <stdint.h>

struct appraise;
struct attested_client;
struct client;
struct revocation;
struct rpc_prologue;

enum client_peer { CLIENT_AGENT, CLIENT_MANAGER, CLIENT_COMPUTATIONS };

/* The options of a command that connects. */
/* clang-format off */
#define CLIENT_OPTIONS \
	{ .name = "grpc-url", .value = "ADDRESS", \
	  .help = "where to connect: HOST:PORT or unix:/PATH (…_GRPC_URL; see ENVIRONMENT in the manual)" }, \
	{ .name = "grpc-timeout", .value = "DURATION", \
	  .help = "for connecting and for short answers (…_GRPC_TIMEOUT; 60s)", .rare = true }, \
	{ .name = "grpc-server-ca-certs", .value = "PEM", \
	  .help = "authorities that the server's certificate must come from (…_GRPC_SERVER_CA_CERTS)" }, \
	{ .name = "grpc-server-crl", .value = "FILE", \
	  .help = "revocation lists of those authorities, PEM or DER (…_GRPC_SERVER_CRL)", .rare = true }, \
	{ .name = "grpc-client-cert", .value = "PEM", \
	  .help = "certificate to show (…_GRPC_CLIENT_CERT)" }, \
	{ .name = "grpc-client-key", .value = "PEM", \
	  .help = "its private key (…_GRPC_CLIENT_KEY)" }, \
	{ .name = "grpc-tls-groups", .value = "NAME[,NAME]", \
	  .help = "key exchanges that TLS may use, X25519MLKEM768 say: none else is offered (…_GRPC_TLS_GROUPS)", .rare = true }, \
	PROFILE_OPTION

/* Those of a command that asks the computation service who it is to. */
#define SERVICE_OPTIONS \
	{ .name = "token", .value = "FILE", \
	  .help = "file with the token of who you are there, never the token itself (COMPUTATIONS_GRPC_TOKEN_FILE)" }, \
	CLIENT_OPTIONS
/* clang-format on */

struct client {
	struct cli *cli;
	enum client_peer peer;
	uv_loop_t *loop; /* malloc'ed; NULL: not open */
	struct rpc_channel *channel;
	struct revocation *revocation; /* NULL: no lists are asked */
	const char *address;           /* without http:// or https:// */
	const char *socket;            /* the path of a unix socket; NULL: it is none */
	struct rpc_metadata shown;     /* with each call: who calls, by a token */
	bool tls;
	bool is_nobody;      /* shows no token */
	bool has_ca;         /* the server's certificate has to come from named authorities */
	bool is_another;     /* a daemon of ours, and not this peer: client_hint() found out */
	bool role_signature; /* the last signed call was signed as stock clients do */
	unsigned timeout_ms;
	uint64_t
		until_ms; /* no call goes on beyond it, by uv_hrtime(); 0: timeout_ms alone counts */

	/* The digest of what the command is about, once it is bound to it (agent_client.h). */
	uint8_t manifest[SHA3_256_LEN];
	bool has_manifest;

	/* An agent that has to prove what it is (attested.h); NULL: it doesn't have to. */
	const struct client_proof *proof;
	struct appraise *appraise;
	struct attested_client *attested;
	uint32_t policy_groups;   /* key exchanges that its policy takes (kex_group.h); 0: any */
	bool certified_by_nobody; /* it has to have made its key itself: no authority knows it */
	uint64_t reattest_ms, proven; /* how often; when it last did, by uv_hrtime() */
	bool told;
};

/* How a peer proves what it is; attested.h has the one that there is. */
struct client_proof {
	/* Fills in the client's `appraise` and `attested`, where a proof is asked for. */
	int (*open)(struct client *client, struct err *e);
	void (*close)(struct client *client);
	const struct rpc_prologue *prologue; /* of its connections; `attested` is its data */
};

/* Reads settings and files; the connection itself is made by the first call. For an agent:
 * attested_open(). `proof` may be NULL. */
int client_open(struct client *client, enum client_peer peer, const struct client_proof *proof,
		struct cli *cli, struct err *e) MUST_CHECK;
/* The same for what needs nobody to be known: no token is shown. */
int client_open_as_nobody(struct client *client, enum client_peer peer, struct cli *cli,
			  struct err *e) MUST_CHECK;
void client_close(struct client *client);
#define CLEANUP_CLIENT __attribute__((cleanup(client_close)))

/* The option (may be NULL), or else the environment: AGENT_GRPC_<suffix> and the like, or else the
 * profile. Empty is absent: NULL. */
const char *client_setting(const struct client *client, const char *option, const char *suffix);

/* How long a short answer may take now. */
unsigned client_timeout(const struct client *client);
/* One unary call with the client's timeout. The caller frees the response. */
int client_call(struct client *client, const struct rpc_method *method,
		const ProtobufCMessage *request, ProtobufCMessage **response,
		struct err *e) MUST_CHECK;

/* The size that the answer's headers announce ("file-size"), or CLIENT_SIZE_UNKNOWN. ERR_INVALID
 * where it is not a number. */
#define CLIENT_SIZE_UNKNOWN UINT64_MAX
int client_announced_size(struct rpc_sync *sync, uint64_t *size, struct err *e) MUST_CHECK;

/* What to do where the server at that address is another than was meant, or wants to be spoken to otherwise.
 * False: it is not known (first_contact.h). */
bool client_hint_contact(struct client *client, const struct err *e);

/* What to do about a failed call, by its code, unless a better hint is there already. */
void client_hint(struct client *client, const struct err *e);
