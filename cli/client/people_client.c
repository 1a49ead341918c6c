/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/people_client.h"

#include "cli/base/number.h"
#include "common/base/log.h"
#include "google/protobuf/empty.pb-c.h"
#include "people_paths.h"

#include <string.h>

#define ONE(variable, path_, request_, response_)             \
	const struct rpc_method variable = {                  \
		.path = path_,                                \
		.kind = RPC_UNARY,                            \
		.request = &people__##request_##__descriptor, \
		.response = &response_##__descriptor,         \
	}

/* clang-format off */
ONE(people_add_user, PROTO_PEOPLE_ADD_USER, add_user_request, people__user);
ONE(people_list_users, PROTO_PEOPLE_LIST_USERS, list_users_request, people__list_users_response);
ONE(people_suspend_user, PROTO_PEOPLE_SUSPEND_USER, suspend_user_request, people__user);
ONE(people_set_auditor, PROTO_PEOPLE_SET_AUDITOR, set_auditor_request, people__user);
ONE(people_remove_user, PROTO_PEOPLE_REMOVE_USER, user_request, google__protobuf__empty);
ONE(people_add_token, PROTO_PEOPLE_ADD_TOKEN, add_token_request, people__new_token);
ONE(people_list_tokens, PROTO_PEOPLE_LIST_TOKENS, user_request, people__list_tokens_response);
ONE(people_revoke_token, PROTO_PEOPLE_REVOKE_TOKEN, token_request, google__protobuf__empty);
ONE(people_list_roles, PROTO_PEOPLE_LIST_ROLES, roles_request, people__roles);
ONE(people_define_role, PROTO_PEOPLE_DEFINE_ROLE, define_role_request, people__roles);
ONE(people_give_role, PROTO_PEOPLE_GIVE_ROLE, member_request, people__roles);
ONE(people_take_role, PROTO_PEOPLE_TAKE_ROLE, member_request, people__roles);
ONE(people_set_password, PROTO_PEOPLE_SET_PASSWORD, set_password_request, google__protobuf__empty);
ONE(people_add_link, PROTO_PEOPLE_ADD_LINK, user_request, people__link);
ONE(people_remove_factor, PROTO_PEOPLE_REMOVE_FACTOR, user_request, google__protobuf__empty);
ONE(people_list_identities, PROTO_PEOPLE_LIST_IDENTITIES, user_request, people__list_identities_response);
ONE(people_remove_identity, PROTO_PEOPLE_REMOVE_IDENTITY, identity_request, google__protobuf__empty);
ONE(people_remove_passkeys, PROTO_PEOPLE_REMOVE_PASSKEYS, user_request, google__protobuf__empty);
ONE(people_list_sessions, PROTO_PEOPLE_LIST_SESSIONS, user_request, people__list_sessions_response);
ONE(people_end_session, PROTO_PEOPLE_END_SESSION, session_request, google__protobuf__empty);
ONE(people_challenge_key, PROTO_PEOPLE_CHALLENGE_KEY, challenge_key_request, people__key_challenge);
ONE(people_register_key, PROTO_PEOPLE_REGISTER_KEY, register_key_request, people__user_key);
ONE(people_list_keys, PROTO_PEOPLE_LIST_KEYS, list_keys_request, people__list_keys_response);
ONE(people_retire_key, PROTO_PEOPLE_RETIRE_KEY, retire_key_request, google__protobuf__empty);
ONE(people_find_key, PROTO_PEOPLE_FIND_KEY, find_key_request, people__user_key);
ONE(people_list_key_owners, PROTO_PEOPLE_LIST_KEY_OWNERS, roles_request, people__key_owners);
ONE(people_register_asset, PROTO_PEOPLE_REGISTER_ASSET, register_asset_request, people__asset);
ONE(people_list_assets, PROTO_PEOPLE_LIST_ASSETS, list_assets_request, people__list_assets_response);
ONE(people_show_asset, PROTO_PEOPLE_SHOW_ASSET, asset_request, people__asset);
ONE(people_update_asset, PROTO_PEOPLE_UPDATE_ASSET, update_asset_request, people__asset);
ONE(people_remove_asset, PROTO_PEOPLE_REMOVE_ASSET, asset_request, google__protobuf__empty);
ONE(people_link_asset, PROTO_PEOPLE_LINK_ASSET, link_asset_request, people__asset);
ONE(people_confirm, PROTO_PEOPLE_CONFIRM, confirm_request, people__confirmation);
ONE(people_list_confirmations, PROTO_PEOPLE_LIST_CONFIRMATIONS, roles_request, people__confirmations);
ONE(people_end_token, PROTO_PEOPLE_END_TOKEN, end_token_request, google__protobuf__empty);
ONE(people_ask_login, PROTO_PEOPLE_ASK_LOGIN, ask_login_request, people__login_asked);
ONE(people_poll_login, PROTO_PEOPLE_POLL_LOGIN, login_request, people__login_state);
ONE(people_take_login, PROTO_PEOPLE_TAKE_LOGIN, login_request, people__login_token);
ONE(people_add_workspace, PROTO_PEOPLE_ADD_WORKSPACE, workspace_request, people__workspace);
ONE(people_list_workspaces, PROTO_PEOPLE_LIST_WORKSPACES, list_workspaces_request, people__list_workspaces_response);
ONE(people_show_workspace, PROTO_PEOPLE_SHOW_WORKSPACE, workspace_request, people__workspace);
ONE(people_rename_workspace, PROTO_PEOPLE_RENAME_WORKSPACE, rename_workspace_request, people__workspace);
ONE(people_remove_workspace, PROTO_PEOPLE_REMOVE_WORKSPACE, workspace_request, google__protobuf__empty);
ONE(people_transfer_workspace, PROTO_PEOPLE_TRANSFER_WORKSPACE, workspace_member_request, people__workspace_member);
ONE(people_leave_workspace, PROTO_PEOPLE_LEAVE_WORKSPACE, workspace_request, google__protobuf__empty);
ONE(people_list_members, PROTO_PEOPLE_LIST_MEMBERS, list_members_request, people__list_members_response);
ONE(people_add_member, PROTO_PEOPLE_ADD_MEMBER, workspace_member_request, people__workspace_member);
ONE(people_set_member, PROTO_PEOPLE_SET_MEMBER, workspace_member_request, people__workspace_member);
ONE(people_suspend_member, PROTO_PEOPLE_SUSPEND_MEMBER, workspace_member_request, people__workspace_member);
ONE(people_remove_member, PROTO_PEOPLE_REMOVE_MEMBER, workspace_member_request, google__protobuf__empty);
ONE(people_invite, PROTO_PEOPLE_INVITE, invite_request, people__new_invitation);
ONE(people_list_invitations, PROTO_PEOPLE_LIST_INVITATIONS, invitations_request, people__list_invitations_response);
ONE(people_revoke_invitation, PROTO_PEOPLE_REVOKE_INVITATION, invitation_request, google__protobuf__empty);
ONE(people_take_invitation, PROTO_PEOPLE_TAKE_INVITATION, take_invitation_request, people__joined);
ONE(people_whoami, PROTO_PEOPLE_WHOAMI, whoami_request, people__caller);
/* clang-format on */

int people_words_read(const char *text, struct people_words *words, struct err *e)
{
	struct people_words got = { .text = strdup(text ? text : "") };
	char *rest = got.text;

	if (!got.text)
		return err_nomem(e);
	while (*got.text && rest) {
		if (got.count == PEOPLE_WORDS_MAX) {
			people_words_done(&got);
			return err_set(e, ERR_INVALID, "more than %d actions", PEOPLE_WORDS_MAX);
		}
		got.words[got.count++] = strsep(&rest, ",");
	}
	*words = got;
	return 0;
}

void people_words_done(struct people_words *words)
{
	free(words->text);
	*words = (struct people_words){ .count = 0 };
}

char *people_words_join(char *const *words, size_t count)
{
	size_t len = 1;
	char *text, *end;

	for (size_t i = 0; i < count; i++)
		len += strlen(words[i]) + 1;
	text = end = malloc(len);
	if (!text)
		return NULL;
	*end = 0;
	for (size_t i = 0; i < count; i++) {
		if (i)
			end = stpcpy(end, ",");
		end = stpcpy(end, words[i]);
	}
	return text;
}

int people_days_read(const struct cli *cli, uint32_t *days, struct err *e)
{
	const char *text = cli_value(cli, "days");
	uint64_t number = 0;

	if (text && (!number_decimal(text, &number) || !number || number > UINT32_MAX))
		return err_set(e, ERR_INVALID, "--days %s: give a number of days",
			       log_quote(text).text);
	*days = (uint32_t)number;
	return 0;
}

int64_t people_ms(const Google__Protobuf__Timestamp *time)
{
	return computation_ms(time);
}
