/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_table.h — the providers of identities that users may sign in with, and who of theirs becomes a user at once
 * (COMPUTATIONS_OIDC).
 *
 *   page https://computations.example:9466
 *   provider clinic issuer=https://login.clinic.example/realms/staff client=cocos secret=/etc/cocos/clinic.secret scopes=profile,groups name=preferred_username acr=phr
 *   provider lab issuer=https://id.lab.example client=cocos-7 secret=/etc/cocos/lab.secret amr=mfa
 *   map clinic groups=researchers default member
 *
 * One of these in a line; white space parts the words. Lines that begin with '#' and empty ones are left out.
 * Everything else is refused: what it says decides who may sign in.
 */
#pragma once

#include "computations/oidc/id_token.h"
#include "computations/people/identity.h"
#include "computations/people/membership.h"

enum {
	PROVIDER_TABLE_FILE_MAX = 64 << 10,
	PROVIDER_TABLE_LINE_MAX = 2048,
	PROVIDERS_MAX = 8,
	PROVIDER_RULES_MAX = 128,
	PROVIDER_CLIENT_MAX = 255,
	PROVIDER_SECRET_MAX = 255,
	PROVIDER_PATH_MAX = 255,
	PROVIDER_SCOPES_MAX = 255,
	PROVIDER_CLAIM_MAX = 63,
	PROVIDER_VALUE_MAX = 255,
	PROVIDER_PAGE_MAX = 127,
};

struct provider {
	char name[IDENTITY_PROVIDER_MAX + 1];
	char issuer[IDENTITY_ISSUER_MAX + 1];
	char client[PROVIDER_CLIENT_MAX + 1];
	char secret_path[PROVIDER_PATH_MAX +
			 1]; /* "": a client without one, which PKCE alone protects */
	char ca_path[PROVIDER_PATH_MAX + 1];  /* "": the system's */
	char scopes[PROVIDER_SCOPES_MAX + 1]; /* "openid profile" */
	char name_claim[PROVIDER_CLAIM_MAX +
			1]; /* what a new user is called by; "": none is made */
	/* What the token has to say for a second factor of ours not to be asked for; "": nothing is enough. */
	char acr[PROVIDER_VALUE_MAX + 1], amr[PROVIDER_VALUE_MAX + 1];
	char secret[PROVIDER_SECRET_MAX + 1];
};

/* Whose claim has that value is made a user, and that in that workspace. */
struct provider_rule {
	size_t provider; /* of the table's rows */
	char claim[PROVIDER_CLAIM_MAX + 1], value[PROVIDER_VALUE_MAX + 1];
	char workspace[PEOPLE_NAME_MAX + 1];
	enum membership role;
};

struct provider_table {
	char page[PROVIDER_PAGE_MAX +
		  1]; /* "https://name:port"; "": a page of this machine alone */
	size_t count, rule_count;
	struct provider rows[PROVIDERS_MAX];
	struct provider_rule rules[PROVIDER_RULES_MAX];
};

/* `where` begins what is refused: "WHERE:LINE: ". One provider there must be. Secrets are not read. */
int provider_table_parse(const char *text, size_t len, const char *where,
			 struct provider_table *table, struct err *e) MUST_CHECK;
/* The file, which nobody but root and this user may write, and the secrets that it names, which others may not read
 * either. */
int provider_table_read(const char *path, struct provider_table *table, struct err *e) MUST_CHECK;
/* NULL: there is none of that name. */
const struct provider *provider_table_find(const struct provider_table *table, const char *name);

/* Whether a rule is of that row, which is the table's: it makes users. */
bool provider_table_makes(const struct provider_table *table, const struct provider *row);
/* Whether a rule is of that workspace: who has the name has the users that it makes. */
bool provider_table_maps(const struct provider_table *table, const char *workspace);

/* Which rules of that provider a token meets: a bit for each of the table's. Nothing that is unknown meets one. */
struct provider_matches {
	uint64_t bits[PROVIDER_RULES_MAX / 64];
	bool any;
};
void provider_table_match(const struct provider_table *table, const struct provider *row,
			  const struct id_token *token, struct provider_matches *matches);
/* Whether it says what is wanted of a second factor; with nothing wanted, no. */
bool provider_is_strong(const struct provider *row, const struct id_token *token);
