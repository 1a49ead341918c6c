/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/profile.h"

#include "cli/base/profile_alone.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
#define PEER(prefix, add_) \
	{ .key = prefix "_GRPC_URL", .add = add_ }, \
	{ .key = prefix "_GRPC_TIMEOUT" }, \
	{ .key = prefix "_GRPC_SERVER_CA_CERTS", .is_file = true }, \
	{ .key = prefix "_GRPC_SERVER_CRL", .is_file = true }, \
	{ .key = prefix "_GRPC_CLIENT_CERT", .is_file = true }, \
	{ .key = prefix "_GRPC_CLIENT_KEY", .is_file = true }, \
	{ .key = prefix "_GRPC_TLS_GROUPS", .is_groups = true }

const struct profile_row profile_rows[] = {
	PEER("AGENT", "agent"),
	{ .key = "AGENT_GRPC_ATTESTED_TLS", .add = "attested-tls", .is_flag = true },
	{ .key = "AGENT_GRPC_ATTESTATION_POLICY", .add = "policy", .is_file = true },
	{ .key = "AGENT_GRPC_PRODUCT_NAME", .add = "product" },
	{ .key = "EK_ROOT", .option = "ek_root", .add = "ek-root", .is_file = true },
	{ .key = "AK", .option = "ak", .add = "ak", .is_file = true },
	{ .key = "TRUSTED_ROOT", .option = "trusted_root", .add = "trusted-root", .is_file = true },
	{ .key = "CHECK_CRL", .option = "check_crl", .add = "check-crl", .is_flag = true },
	PEER("MANAGER", "manager"),
	PEER("COMPUTATIONS", "computations"),
	{ .key = "COMPUTATIONS_GRPC_TOKEN_FILE", .add = "token", .is_file = true },
	{ .key = "COCOS_CACHE", .is_path = true },
	{ .key = "COCOS_KDS_URL", .add = "kds" },
	{ .key = "COCOS_PCS_URL", .add = "pcs" },
	{ .key = "COCOS_ENDORSEMENTS_CA", .is_file = true },
	{ .key = NULL },
};
/* clang-format on */

struct profile {
	char *name;
	struct keyfile file;
	uint64_t told;    /* by the rows' places */
	struct err fault; /* why it can't be used; ERR_OK: it can */
	bool is_named;    /* by --profile */
	bool is_alone;    /* profile_alone() */
};
_Static_assert(ARRAY_LEN(profile_rows) <= 64, "a bit for each");

const struct profile_row *profile_row(const char *key)
{
	for (const struct profile_row *row = profile_rows; row->key; row++)
		if (strcmp(row->key, key) == 0)
			return row;
	return NULL;
}

/* ---- where a setting comes from ---- */

static void tell(const struct cli *cli, const char *variable, const char *value, const char *from)
{
	const struct profile_row *row = profile_row(variable);
	uint64_t bit = row ? UINT64_C(1) << (row - profile_rows) : 0;

	if (!cli->profile || (cli->profile->told & bit))
		return;
	cli->profile->told |= bit;
	if (value)
		log_info("%s is %s, from %s", variable, log_quote(value).text, from);
	else
		log_info("%s has its default", variable);
}

static const char *choose(const struct cli *cli, const char *option, const char *variable,
			  const char **from)
{
	const char *value = option ? cli_value(cli, option) : NULL;
	const char *kept = cli->profile ? keyfile_get(&cli->profile->file, variable) : NULL;
	const char *set = secure_getenv(variable);

	*from = "the option";
	if (value)
		return value;
	*from = "the profile";
	if (cli->profile && cli->profile->is_alone)
		return kept;
	if (kept && cli->profile->is_named) {
		*from = set && *set && strcmp(set, kept) != 0
				? "the profile that --profile names; the environment has another"
				: "the profile that --profile names";
		return kept;
	}
	*from = "the environment";
	if (set && *set)
		return set;
	*from = "the profile";
	return kept;
}

const char *profile_setting(const struct cli *cli, const char *option, const char *variable)
{
	const char *from, *value = choose(cli, option, variable, &from);

	if (value && !*value)
		value = NULL;
	tell(cli, variable, value, from);
	return value;
}

/* ---- of a command ---- */

/* What has no variable is an option that the line does not have. Only commands that prove an agent take it:
 * elsewhere the same option is about other evidence. */
static int give_options(struct cli *cli, struct err *e)
{
	if (!cli_option_of(cli->command, "attested-tls"))
		return 0;
	for (const struct profile_row *row = profile_rows; row->key; row++) {
		const char *value = row->option ? keyfile_get(&cli->profile->file, row->key) : NULL;

		if (!value || cli_flag(cli, row->option) ||
		    (row->is_flag && strcmp(value, "true") != 0))
			continue;
		if (cli_give(cli, row->option, row->is_flag ? NULL : value, e) < 0)
			return err_wrap(e, "profile '%s'", cli->profile->name);
		log_info("--%s is %s, from the profile", row->option, log_quote(value).text);
	}
	return 0;
}

static int load(struct cli *cli, struct err *e)
{
	const char *named = cli_value(cli, "profile");
	struct profile *p = calloc(1, sizeof(*p));

	cli->profile = p;
	if (!p)
		return err_nomem(e);
	p->is_named = named != NULL;
	if (named)
		p->name = strdup(named);
	else if (profile_used(&p->name, e) < 0)
		return err_code(e);
	if (!p->name)
		return named ? err_nomem(e) : 0;
	if (profile_read(p->name, &p->file, e) < 0) {
		if (e->code == ERR_NOT_FOUND)
			cli_hint(cli,
				 "'cocos-cli profile list' shows which there are; 'profile use "
				 "--none' has none in use");
		return err_code(e);
	}
	log_info("profile %s%s", p->name, named ? "" : ", which is in use");
	return give_options(cli, e);
}

static void done(struct cli *cli)
{
	if (!cli->profile)
		return;
	keyfile_done(&cli->profile->file);
	free(cli->profile->name);
	free(cli->profile);
	cli->profile = NULL;
}

enum cli_exit profile_run(struct cli *cli, struct err *e)
{
	enum cli_exit status = CLI_USAGE;
	int failed = cli_option_of(cli->command, "profile") ? load(cli, e) : 0;

	if (failed && cli->command->any_profile && cli->profile) {
		cli->profile->fault = *e;
		*e = (struct err){ .code = ERR_OK };
		cli->hint[0] = '\0';
		failed = 0;
	}
	if (!failed)
		status = cli->command->run(cli, e);
	done(cli);
	return status;
}

const char *profile_name(const struct cli *cli)
{
	return cli->profile ? cli->profile->name : NULL;
}

const struct err *profile_fault(const struct cli *cli)
{
	return cli->profile && cli->profile->fault.code != ERR_OK ? &cli->profile->fault : NULL;
}

int profile_lend(const struct cli *from, struct cli *to, struct err *e)
{
	to->profile = from->profile;
	return to->profile && to->profile->name ? give_options(to, e) : 0;
}

void profile_give_back(struct cli *to)
{
	to->profile = NULL;
}

/* ---- of one that is not kept yet ---- */

static int copy_entry(const struct keyfile_entry *entry, struct keyfile *file, struct err *e)
{
	struct keyfile_entry *copy = &file->entries[file->count];

	*copy = (struct keyfile_entry){ strdup(entry->key), strdup(entry->value) };
	file->count++;
	return copy->key && copy->value ? 0 : err_nomem(e);
}

int profile_alone(struct cli *cli, const struct keyfile_entry *entries, size_t count, struct err *e)
{
	struct profile *p = cli->profile = calloc(1, sizeof(*p));

	if (!p)
		return err_nomem(e);
	p->is_alone = true;
	p->file.entries = calloc(count + 1, sizeof(*entries));
	p->name = strdup("");
	if (!p->file.entries || !p->name)
		return err_nomem(e);
	for (size_t i = 0; i < count; i++)
		if (copy_entry(&entries[i], &p->file, e) < 0)
			return err_code(e);
	return give_options(cli, e);
}

void profile_alone_done(struct cli *cli)
{
	done(cli);
}
