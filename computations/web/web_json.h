/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_json.h — the service's records as members of a JSON object. For this folder only.
 */
#pragma once

#include "common/base/writer.h"
#include "computations/core/admin_access.h"
#include "computations/mail/mail.h"
#include "computations/people/asset.h"
#include "computations/people/invitation.h"
#include "computations/people/role.h"
#include "computations/store/store.h"
#include "computations/store/store_confirm.h"
#include "computations/store/store_usage.h"

/* A member; a moment that has not come (0) is null. */
void web_json_text(struct writer *w, const char *key, const char *text);
void web_json_time(struct writer *w, const char *key, int64_t ms);
void web_json_computation(struct writer *w, const struct computation *c, bool is_connected);
/* What is too long for lists. */
void web_json_more(struct writer *w, const struct computation *c);
/* Who takes part with which key, in what; no private key, no certificate. */
void web_json_manifest(struct writer *w, const Cvms__ComputationRunReq *manifest);
/* The last member of a list: behind what its next page is; NULL: there is none. */
void web_json_next(struct writer *w, const char *next);
/* Whole objects. */
void web_json_cvm(struct writer *w, const struct cvm *c, bool is_connected);
void web_json_machine(struct writer *w, const struct machine *m, bool is_connected);
/* The first members of what was used, and a row of it. */
void web_json_usage_head(struct writer *w, const char *month, int64_t until, bool is_summed);
/* `says_where`: of which workspace. */
void web_json_usage(struct writer *w, const char *kind, const struct usage_row *row,
		    bool says_where);
void web_json_confirmations(struct writer *w, const struct store_confirmations *list);
struct identity;
void web_json_identity(struct writer *w, const struct identity *one);
void web_json_user(struct writer *w, const struct user *u);
void web_json_role(struct writer *w, const struct role_list *list, const char *name,
		   unsigned actions, bool is_own);
void web_json_workspace(struct writer *w, const struct workspace *s, enum membership role);
void web_json_member(struct writer *w, const struct workspace_member *m);
void web_json_invitation(struct writer *w, const struct invitation *i, const struct mail_row *mail);
void web_json_token(struct writer *w, const struct token *t);
void web_json_login(struct writer *w, const struct login *l);
struct user_key;
/* The next of a list. */
void web_json_key(struct writer *w, const struct user_key *k);
/* The first members of one. */
void web_json_asset(struct writer *w, const struct asset_row *a);
void web_json_me(struct writer *w, const struct admin_caller *caller);
void web_json_record(struct writer *w, const struct record *record);
