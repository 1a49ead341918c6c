/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_config.h — how a manifest wants the agent's listener: none, TLS or mTLS.
 *
 * Certificate fields carry PEM text or, shorter than 1000 characters and without a newline, a path
 * in the guest (wire.md). What lies behind a path the caller knows: no file is opened for a name
 * that came over the network.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "cvms.pb-c.h"

#include <stdbool.h>
#include <stdint.h>
#include <openssl/types.h>

enum {
	AGENT_CONFIG_PATH_MAX = 999,
	AGENT_CONFIG_PORT_DEFAULT = 7002,
};

struct agent_config {
	uint16_t port;
	char *cert, *key, *client_ca, *server_ca; /* PEM text, NULL where the field is empty */
	char *port_text, *log_level;              /* as they came; NULL where empty */
	bool attested_tls;
};

/* The PEM text behind a path, lent; NULL for one that a manifest must not name. */
struct agent_config_files {
	const char *(*text)(const void *data, const char *path);
	const void *data;
};

/* `message` may be NULL: everything default. Refuses a path that `files` does not know (NULL: any), a
 * bad port or log level, PEM that holds no certificate or no usable key, a certificate without key and
 * the other way round, a key that is not the certificate's, a certificate (also of server_ca_file) that
 * has expired or is not valid yet, a client_ca_file in which all are so, a chain in another order than TLS has it, or longer than clients are shown, a
 * key that attested TLS can't use, a private key among certificates, a client CA without a certificate or attested TLS. */
int agent_config_load(const Cvms__AgentConfig *message, const struct agent_config_files *files,
		      struct agent_config *config, struct err *e) MUST_CHECK;

/* The field of a certificate or key names a file in the guest, and does not hold the text. */
bool agent_config_is_path(const char *field);

/* ERR_INVALID unless attested TLS can use the key: P-256, the one kind that clients offer. */
int agent_config_curve(const EVP_PKEY *key, struct err *e) MUST_CHECK;

/* ERR_INVALID: a field for certificates, which all see who see the manifest, has a private key. For whoever keeps one and
 * looks at nothing else of it. */
int agent_config_check_public(const Cvms__AgentConfig *message, struct err *e) MUST_CHECK;

/* The same as agent_config_load() for whoever makes a manifest. Of a field that names a file in the guest nothing is known
 * here: only the agent reads that. */
int agent_config_check(const Cvms__AgentConfig *message, struct err *e) MUST_CHECK;

/* Beyond that, for whoever makes one: what clients are going to be shown. The certificate bears a name
 * (unless attested TLS speaks for it), and is for `host`, where they connect (NULL: not known);
 * server_ca_file goes on where cert_file ends, in order. */
int agent_config_check_shown(const Cvms__AgentConfig *message, const char *host,
			     struct err *e) MUST_CHECK;

void agent_config_done(struct agent_config *config); /* wipes the key */

/* What is measured: compact JSON {"port","cert","client_ca","server_ca","log_level",
 * "attested_tls","key"}, empty ones left out ("attested_tls" when false). "cert", "client_ca" and
 * "server_ca" are the SHA3-256 of the certificates' DER, one after the other where there are
 * several, "key" that of the private key's SubjectPublicKeyInfo, in lower-case hexadecimal.
 * Malloc'ed, followed by a zero byte. */
int agent_config_canonical(const struct agent_config *config, char **text, size_t *len,
			   struct err *e) MUST_CHECK;
