/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_place.h — where the agent's certificate comes from, for what token, and whose name it bears: AGENT_CVM_CA_URL and
 * AGENT_CERTS_TOKEN, read strictly.
 *
 *   AGENT_CVM_CA_URL=https://HOST[:PORT]    the administrators' port of a computation service with an authority; 443
 *   AGENT_CERTS_TOKEN=[NAME:]TOKEN          NAME is what the certificate has to say; without it AGENT_CVM_ID
 */
#pragma once

#include "common/base/err.h"

enum {
	CA_TARGET_MAX = 280,      /* HOST:PORT */
	CA_PLACE_NAME_MAX = 63,   /* as the authority gives them out */
	CA_PLACE_TOKEN_MAX = 256, /* ours have 64 */
};

struct ca_place {
	char target[CA_TARGET_MAX + 1]; /* as rpc_channel_new() wants it */
	char name[CA_PLACE_NAME_MAX + 1];
	char token[CA_PLACE_TOKEN_MAX + 1];
};

/* `cvm_id` may be NULL. ERR_INVALID, with the setting's name in front; the token is in no text. */
int ca_place_read(const char *url, const char *token, const char *cvm_id, struct ca_place *place,
		  struct err *e) MUST_CHECK;
void ca_place_wipe(struct ca_place *place);
