/* SPDX-License-Identifier: Apache-2.0 */
/*
 * people_client.h — the computation service's methods about people.
 */
#pragma once

#include "cli/client/computation_client.h"
#include "people.pb-c.h"

extern const struct rpc_method people_add_user, people_list_users, people_suspend_user,
	people_set_auditor, people_remove_user, people_add_token, people_list_tokens,
	people_revoke_token, people_list_roles, people_define_role, people_give_role,
	people_take_role, people_whoami, people_set_password, people_add_link, people_list_sessions,
	people_end_session, people_challenge_key, people_register_key, people_list_keys,
	people_retire_key, people_find_key, people_list_key_owners, people_end_token,
	people_ask_login, people_poll_login, people_take_login, people_add_workspace,
	people_list_workspaces, people_show_workspace, people_rename_workspace,
	people_remove_workspace, people_transfer_workspace, people_leave_workspace,
	people_list_members, people_add_member, people_set_member, people_suspend_member,
	people_remove_member, people_confirm, people_list_confirmations, people_register_asset,
	people_list_assets, people_show_asset, people_update_asset, people_remove_asset,
	people_link_asset, people_remove_factor, people_remove_passkeys, people_list_identities,
	people_remove_identity, people_invite, people_list_invitations, people_revoke_invitation,
	people_take_invitation;

/* "view,run" as the list that requests have; frees: people_words_free(). NULL or "" is none. */
enum { PEOPLE_WORDS_MAX = 16 };
struct people_words {
	char *text, *words[PEOPLE_WORDS_MAX];
	size_t count;
};
int people_words_read(const char *text, struct people_words *words, struct err *e) MUST_CHECK;
void people_words_done(struct people_words *words);
#define CLEANUP_WORDS __attribute__((cleanup(people_words_done)))

/* The other way; the caller frees it. NULL if memory runs out. */
char *people_words_join(char *const *words, size_t count);

/* --days; 0: it was not given. */
int people_days_read(const struct cli *cli, uint32_t *days, struct err *e) MUST_CHECK;

int64_t people_ms(const Google__Protobuf__Timestamp *time);
