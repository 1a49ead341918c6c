/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upload.h — an asset to the agent in chunks; resumed where it stopped if the connection breaks.
 */
#pragma once

#include "cli/client/agent_client.h"
#include "cli/client/asset.h"

enum {
	UPLOAD_CHUNK = 1 << 20,
	UPLOAD_SETTLE_MAX = 5, /* questions where to go on, until the answer holds */
};

struct upload {
	const struct rpc_method *method;
	const char *role, *label;
	EVP_PKEY *key;
	struct asset *asset;
	struct asset *requirements; /* sent before the asset; NULL: none */
	bool role_signature;

	/* Fills in what else the call says: metadata and the same again for the signature. */
	int (*describe)(const struct upload *upload, const Agent__StatusResponse *status,
			struct rpc_metadata *metadata, struct writer *parameters, struct err *e);
	/* One message around `bytes` (malloc'ed, taken over in every case). */
	int (*send)(const struct upload *upload, struct rpc_sync *sync, bool requirements,
		    uint8_t *bytes, size_t len, struct err *e);
	/* What the agent's status says about the asset: refuses early what would be refused after
	 * the last byte; tells how many bytes are there already. */
	int (*check)(const struct upload *upload, const Agent__StatusResponse *status,
		     uint64_t *kept, struct err *e);
	void *data;
};

/* For `check`, of what the agent has received: ERR_EXISTS, or where it is not there any more, why sending it again
 * is no success. */
int upload_is_there(const struct upload *upload, const Agent__StatusResponse *status,
		    struct err *e) MUST_CHECK;

/* ERR_EXISTS: it is there already, and it is the sender's, by the agent's word (older agents don't say it). */
int upload_run(struct client *client, const struct upload *upload, struct err *e) MUST_CHECK;
