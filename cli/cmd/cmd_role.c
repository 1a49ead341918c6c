/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_role.c — who may do what with a computation. */
#include "cli/base/text.h"
#include "cli/client/people_client.h"
#include "cli/client/user_keys.h"
#include "cli/cmd/commands.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"

#include <string.h>

static const struct table_column columns[] = {
	{ "ROLE", "role_name", false },  { "ACTIONS", "actions", false },
	{ "MEMBERS", "members", false }, { "KEYS", "keys", true },
	{ NULL, NULL, false },
};

static void words_to_json(struct json_out *out, const char *key, char *const *words, size_t count)
{
	json_out_list(out, key);
	for (size_t i = 0; i < count; i++)
		json_out_text(out, NULL, words[i]);
	json_out_end(out);
}

/* The next member, from `*at` on, of whom the manifest names a key; NULL: no more. */
static const People__KeyOwner *next_key(const People__Role *role, const People__KeyOwners *owners,
					size_t *at)
{
	while (owners && *at < owners->n_owners) {
		const People__KeyOwner *o = owners->owners[(*at)++];

		for (size_t i = 0; i < role->n_members; i++)
			if (o->fingerprint.len == KEY_FINGERPRINT_LEN &&
			    strcmp(role->members[i], o->user) == 0)
				return o;
	}
	return NULL;
}

/* "anna=FINGERPRINT,bert=FINGERPRINT" */
static void put_keys(struct table *t, const People__Role *role, const People__KeyOwners *owners)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	const People__KeyOwner *o;
	size_t at = 0;

	while ((o = next_key(role, owners, &at)) != NULL) {
		writer_printf(&w, "%s%s=", w.len ? "," : "", o->user);
		writer_hex(&w, o->fingerprint.data, o->fingerprint.len);
	}
	writer_u8(&w, 0);
	table_text(t, w.bad ? "" : (const char *)w.bytes);
}

/* Where there are some: a list, since a member may have several. */
static void keys_to_json(struct json_out *out, const People__Role *role,
			 const People__KeyOwners *owners)
{
	const People__KeyOwner *o;
	size_t at = 0, count = 0;

	while ((o = next_key(role, owners, &at)) != NULL) {
		if (!count++)
			json_out_list(out, "keys");
		json_out_object(out, NULL);
		json_out_text(out, "user", o->user);
		json_out_hex(out, "fingerprint", o->fingerprint.data, o->fingerprint.len);
		json_out_end(out);
	}
	if (count)
		json_out_end(out);
}

/* For programs as computations are exported: role_name, actions, members; and the members' keys in the manifest. */
static void add_row(struct table *t, const People__Role *role, const People__KeyOwners *owners)
{
	CLEANUP(free) char *actions = people_words_join(role->actions, role->n_actions);
	CLEANUP(free) char *members = people_words_join(role->members, role->n_members);
	struct json_out object CLEANUP_JSON_OUT;

	table_text(t, role->role_name);
	table_text(t, actions ? actions : "");
	table_text(t, members ? members : "");
	put_keys(t, role, owners);
	json_out_init(&object);
	json_out_object(&object, NULL);
	json_out_text(&object, "role_name", role->role_name);
	words_to_json(&object, "actions", role->actions, role->n_actions);
	words_to_json(&object, "members", role->members, role->n_members);
	keys_to_json(&object, role, owners);
	json_out_end(&object);
	table_object(t, &object);
}

/* One call; prints the roles as they are then. A list has the keys of those who have them, too; who gave away the own
 * role is not told any more. */
static enum cli_exit ask_and_print(struct cli *cli, const struct rpc_method *method,
				   const ProtobufCMessage *request, struct err *e)
{
	People__KeyOwners *owners = NULL;
	struct table t CLEANUP_TABLE;
	const People__Roles *roles;
	ProtobufCMessage *response;
	enum cli_exit status;

	table_init(&t, columns);
	if (table_check(cli, e) < 0)
		return CLI_USAGE;
	status = computation_call(cli, method, request, &response, e);
	if (status != CLI_OK)
		return status;
	roles = (const People__Roles *)response;
	if (method == &people_list_roles && user_keys_owners(cli, cli->operands[0], &owners, e) < 0)
		status = CLI_FAILED;
	for (size_t i = 0; status == CLI_OK && i < roles->n_roles; i++)
		add_row(&t, roles->roles[i], owners);
	if (status == CLI_OK && table_print(&t, cli, "none", e) < 0)
		status = CLI_FAILED;
	protobuf_c_message_free_unpacked(response, NULL);
	if (owners)
		people__key_owners__free_unpacked(owners, NULL);
	return status;
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	People__RolesRequest request = PEOPLE__ROLES_REQUEST__INIT;

	request.computation_id = (char *)(uintptr_t)cli->operands[0];
	return ask_and_print(cli, &people_list_roles, &request.base, e);
}

const struct command cmd_role_list = {
	.name = "role list",
	.args = "COMPUTATION",
	.help = "list the roles of a computation: what they allow, who has them, and (-o wide) their keys",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_list,
};

static enum cli_exit change_member(struct cli *cli, const struct rpc_method *method, struct err *e)
{
	People__MemberRequest request = PEOPLE__MEMBER_REQUEST__INIT;

	request.computation_id = (char *)(uintptr_t)cli->operands[0];
	request.role = (char *)(uintptr_t)cli->operands[1];
	request.user = (char *)(uintptr_t)cli->operands[2];
	return ask_and_print(cli, method, &request.base, e);
}

static enum cli_exit run_give(struct cli *cli, struct err *e)
{
	return change_member(cli, &people_give_role, e);
}

const struct command cmd_role_give = {
	.name = "role give",
	.args = "COMPUTATION ROLE USER",
	.help = "give a user a role in a computation",
	.operands_min = 3,
	.operands_max = 3,
	.options = (const struct cli_option[]){ TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_give,
	.more = "Roles are owner, administrator, editor, runner, viewer, algo_provider, dataset_provider,\n"
		"result_consumer, and those that 'role define' makes. After the first run nobody gets or loses\n"
		"a role of those whom the manifest names: it is frozen.",
};

static enum cli_exit run_take(struct cli *cli, struct err *e)
{
	return change_member(cli, &people_take_role, e);
}

const struct command cmd_role_take = {
	.name = "role take",
	.args = "COMPUTATION ROLE USER",
	.help = "take a role in a computation from a user",
	.operands_min = 3,
	.operands_max = 3,
	.options = (const struct cli_option[]){ TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_take,
	.more = "The last owner stays: make somebody else an owner first. Who owns alone what another user "
		"created is free to go: the workspace's administrator owns it then.",
};

static enum cli_exit run_define(struct cli *cli, struct err *e)
{
	People__DefineRoleRequest request = PEOPLE__DEFINE_ROLE_REQUEST__INIT;
	struct people_words words CLEANUP_WORDS = { .count = 0 };

	if (cli_flag(cli, "remove") == (cli->operand_count == 3))
		return cli_usage(e, "give the role's actions, or --remove");
	if (people_words_read(cli->operand_count == 3 ? cli->operands[2] : NULL, &words, e) < 0)
		return CLI_USAGE;
	request.computation_id = (char *)(uintptr_t)cli->operands[0];
	request.role = (char *)(uintptr_t)cli->operands[1];
	request.actions = words.words;
	request.n_actions = words.count;
	return ask_and_print(cli, &people_define_role, &request.base, e);
}

/* clang-format off */
static const struct cli_option define_options[] = {
	{ .name = "remove", .help = "remove it, with what its members had by it" },
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_role_define = {
	.name = "role define",
	.args = "COMPUTATION ROLE [ACTION[,ACTION]]",
	.help = "make or change a role that a computation has of its own",
	.operands_min = 2,
	.operands_max = 3,
	.options = define_options,
	.run = run_define,
	.more = "Actions are view, which each role has, edit, run, administrator, dataset_provider, algo_provider\n"
		"and result_consumer.",
};
