/* SPDX-License-Identifier: Apache-2.0 */
/*
 * id_token.h — what a provider says of who signed in there (OpenID Connect Core 1.0, 2 and 3.1.3.7).
 *
 * Nothing of a token counts unless all of it does: signed by the one key of its kid, by this issuer, for this client
 * alone or with `azp` naming it, for this browser's nonce, and made just now.
 */
#pragma once

#include "common/base/json.h"
#include "computations/oidc/jws.h"

enum {
	ID_TOKEN_SUBJECT_MAX = 255, /* OpenID Connect Core 1.0, 2 */
	ID_TOKEN_AUDIENCES_MAX = 16,
	ID_TOKEN_VALUES_MAX = 1024, /* of one claim */
	ID_TOKEN_SKEW_S = 60,       /* that clocks may differ by */
	ID_TOKEN_AGE_S = 600,       /* since it was made */
};

/* What it has to say. */
struct id_token_want {
	const char *issuer, *client, *nonce;
	int64_t now; /* s since 1970 */
};

struct id_token {
	struct json *claims;
	const char *subject; /* of the claims */
};

/* ERR_NOT_FOUND: `keys` has none of its kid, and nothing else is said of it; ERR_DENIED or ERR_INVALID: it is not to be
 * believed. id_token_done() it. */
int id_token_read(const char *text, const struct jwks *keys, const struct id_token_want *want,
		  struct id_token *token, struct err *e) MUST_CHECK;
void id_token_done(struct id_token *token);

/* Whether that claim is this text, or an array in which it is. `email` counts only with `email_verified`. */
bool id_token_has(const struct id_token *token, const char *claim, const char *value);
/* A claim that is a text; NULL: it is none, or is not there. */
const char *id_token_text(const struct id_token *token, const char *claim);
