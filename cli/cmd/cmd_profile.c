/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_profile.c — profiles: how an agent is reached and what it has to prove, under a name. */
#include "attestation/tpm/tpm_public.h"
#include "cli/base/json_out.h"
#include "cli/base/product.h"
#include "cli/base/profile_alone.h"
#include "cli/base/table.h"
#include "cli/base/text.h"
#include "cli/client/attested.h"
#include "cli/client/token_file.h"
#include "cli/cmd/commands.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/crypto/key.h"
#include "common/preflight/preflight_tls.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { AK_FILE_MAX = 65536 };

static const char *operand(const struct cli *cli)
{
	return cli->operands[0];
}

static bool is_there(const char *name)
{
	CLEANUP(free) char *path = NULL;
	struct err ignored;

	return profile_path(name, &path, &ignored) == 0 && access(path, F_OK) == 0;
}

static int must_be_there(struct cli *cli, const char *name, struct err *e)
{
	if (profile_name_check(name, e) < 0)
		return err_code(e);
	if (is_there(name))
		return 0;
	cli_hint(cli, "'cocos-cli profile list' shows which there are");
	return err_set(e, ERR_NOT_FOUND, "there is no profile '%s'", name);
}

/* ---- add ---- */

/* KEY=VALUE, whose copy is kept in `*text`. */
static int read_set(struct cli *cli, const char *given, char **text, struct keyfile_entry *entry,
		    struct err *e)
{
	char *equals;

	*text = strdup(given);
	if (!*text)
		return err_nomem(e);
	equals = strchr(*text, '=');
	if (equals)
		*equals = 0;
	if (!equals || !profile_row(*text)) {
		cli_hint(cli,
			 "--set AGENT_GRPC_TIMEOUT=10s; KEY is a variable that 'man cocos-cli' has "
			 "under ENVIRONMENT, or EK_ROOT, AK, TRUSTED_ROOT, CHECK_CRL");
		return err_set(e, ERR_INVALID, "--set %s: %s", log_quote(given).text,
			       equals ? "no setting of profiles" : "write KEY=VALUE");
	}
	*entry = (struct keyfile_entry){ .key = *text, .value = equals + 1 };
	return 0;
}

struct given {
	struct keyfile_entry entries[KEYFILE_LINES_MAX];
	char *texts[KEYFILE_LINES_MAX];
	size_t count, text_count;
};

static void given_done(struct given *g)
{
	for (size_t i = 0; i < g->text_count; i++)
		free(g->texts[i]);
}
#define CLEANUP_GIVEN __attribute__((cleanup(given_done)))

static int collect(struct cli *cli, struct given *g, struct err *e)
{
	static const char token_key[] = "COMPUTATIONS_GRPC_TOKEN_FILE";
	const char *set;

	for (const struct profile_row *row = profile_rows; row->key; row++)
		if (row->add && cli_flag(cli, row->add))
			g->entries[g->count++] = (struct keyfile_entry){
				.key = (char *)(uintptr_t)row->key,
				.value = row->is_flag ? (char *)(uintptr_t)"true"
						      : (char *)(uintptr_t)cli_value(cli, row->add),
			};
	for (size_t i = 0; i < g->count; i++)
		if (!*g->entries[i].value && strcmp(g->entries[i].key, token_key) != 0)
			return err_set(e, ERR_INVALID, "--%s is empty",
				       profile_row(g->entries[i].key)->add);
	for (size_t i = 0; (set = cli_value_at(cli, "set", i)) != NULL; i++) {
		if (g->count == KEYFILE_LINES_MAX)
			return err_set(e, ERR_INVALID, "more than %d settings", KEYFILE_LINES_MAX);
		if (read_set(cli, set, &g->texts[g->text_count++], &g->entries[g->count], e) < 0)
			return err_code(e);
		g->count++;
	}
	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->entries[i].key, token_key) == 0 &&
		    token_file_check_name(token_key, g->entries[i].value, e) < 0)
			return err_code(e);
	return 0;
}

/* ---- could a command be run with it? ---- */

/* The last one of a key counts, and none that is empty. */
static const char *value_of(const struct given *g, const char *key)
{
	for (size_t i = g->count; i-- > 0;)
		if (strcmp(g->entries[i].key, key) == 0)
			return *g->entries[i].value ? g->entries[i].value : NULL;
	return NULL;
}

static bool has_any(const struct given *g, const char *prefix)
{
	for (size_t i = 0; i < g->count; i++)
		if (strncmp(g->entries[i].key, prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

/* The policy may come with the command; what it is for can't be judged before. */
static bool is_half(const struct given *g)
{
	const char *attested = value_of(g, "AGENT_GRPC_ATTESTED_TLS");

	return attested && strcmp(attested, "true") == 0 &&
	       !value_of(g, "AGENT_GRPC_ATTESTATION_POLICY");
}

static size_t choose(const struct given *g, bool half, struct keyfile_entry *chosen)
{
	size_t count = 0;

	for (size_t i = 0; i < g->count; i++)
		if (value_of(g, g->entries[i].key) == g->entries[i].value &&
		    !(half && strcmp(g->entries[i].key, "AGENT_GRPC_TLS_GROUPS") == 0))
			chosen[count++] = g->entries[i];
	return count;
}

static int open_as(struct cli *probe, enum client_peer peer, bool half, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	CLEANUP(endorsements_free) struct endorsements *endorsements = NULL;

	if (peer != CLIENT_AGENT || half)
		return client_open(&client, peer, NULL, probe, e);
	if (attested_open(&client, probe, e) < 0)
		return err_code(e);
	return endorse_open(probe, true, &endorsements, e);
}

/* As that command reads its settings before it connects. */
static int try_peer(const struct given *g, enum client_peer peer, const struct command *command,
		    struct err *e)
{
	struct keyfile_entry chosen[KEYFILE_LINES_MAX];
	bool half = peer == CLIENT_AGENT && is_half(g);
	size_t count = choose(g, half, chosen);
	struct cli probe;
	int failed;

	cli_init(&probe, command);
	failed = profile_alone(&probe, chosen, count, e);
	if (!failed)
		failed = open_as(&probe, peer, half, e);
	profile_alone_done(&probe);
	cli_done(&probe);
	return failed;
}

/* What is looked into when there is evidence. Dates are of the day: 'doctor' tells them. */
static int try_roots(const struct given *g, struct err *e)
{
	static const char *const keys[] = { "EK_ROOT", "TRUSTED_ROOT", "COCOS_ENDORSEMENTS_CA" };
	char found[PREFLIGHT_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *path = value_of(g, keys[i]);

		if (path && preflight_certificates(path, found, e) < 0 &&
		    e->code != ERR_PRECONDITION)
			return err_wrap(e, "%s", keys[i]);
	}
	return 0;
}

static int try_ak(const struct given *g, struct err *e)
{
	const char *path = value_of(g, "AK");
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	struct tpm_public area;
	size_t len;

	if (!path)
		return 0;
	if (file_read(path, AK_FILE_MAX, &bytes, &len, e) < 0)
		return err_wrap(e, "AK");
	if (tpm_public_parse((struct span){ bytes, len }, &area, e) == 0 ||
	    key_from_public_pem((const char *)bytes, len, &key, e) == 0 ||
	    key_from_spki(bytes, len, &key, e) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "AK: '%s' is neither a TPMT_PUBLIC nor a public key", path);
}

static int try_all(const struct given *g, struct err *e)
{
	const char *product = value_of(g, "AGENT_GRPC_PRODUCT_NAME");
	enum snp_product ignored;

	if ((product && product_parse(product, &ignored, e) < 0) ||
	    try_peer(g, CLIENT_AGENT, &cmd_status, e) < 0 || try_roots(g, e) < 0 ||
	    try_ak(g, e) < 0 ||
	    (has_any(g, "MANAGER_") && try_peer(g, CLIENT_MANAGER, &cmd_vm_list, e) < 0) ||
	    (has_any(g, "COMPUTATIONS_") &&
	     try_peer(g, CLIENT_COMPUTATIONS, &cmd_computation_list, e) < 0))
		return err_wrap(e, "not kept, since no command runs with it");
	return 0;
}

static enum cli_exit run_add(struct cli *cli, struct err *e)
{
	struct given given CLEANUP_GIVEN = { .count = 0 };

	if (profile_name_check(operand(cli), e) < 0 || collect(cli, &given, e) < 0)
		return CLI_USAGE;
	if (!given.count)
		return cli_usage(e, "nothing to keep: give --agent, --policy and the like");
	if (is_there(operand(cli)) && !cli_flag(cli, "force")) {
		cli_hint(cli, "--force replaces it, with all that it has");
		err_set(e, ERR_EXISTS, "there is a profile '%s' already", operand(cli));
		return CLI_FAILED;
	}
	if (profile_check(given.entries, given.count, e) < 0 || try_all(&given, e) < 0)
		return CLI_USAGE;
	if (profile_write(operand(cli), given.entries, given.count, e) < 0)
		return CLI_FAILED;
	fprintf(cli->out, "profile %s kept; 'cocos-cli profile use %s' has it used from now on\n",
		operand(cli), operand(cli));
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option add_options[] = {
	{ .name = "agent", .value = "ADDRESS", .help = "the agent: HOST:PORT (AGENT_GRPC_URL)" },
	{ .name = "attested-tls", .help = "send nothing before it has proven what it is (AGENT_GRPC_ATTESTED_TLS)" },
	{ .name = "policy", .value = "FILE", .help = "what it has to prove (AGENT_GRPC_ATTESTATION_POLICY)" },
	{ .name = "product", .value = "NAME", .help = "AMD's product (AGENT_GRPC_PRODUCT_NAME)" },
	{ .name = "ek-root", .value = "FILE", .help = "as --ek_root (EK_ROOT)" },
	{ .name = "ak", .value = "FILE", .help = "as --ak (AK)" },
	{ .name = "trusted-root", .value = "FILE", .help = "as --trusted_root (TRUSTED_ROOT)" },
	{ .name = "check-crl", .help = "as --check_crl (CHECK_CRL)" },
	{ .name = "manager", .value = "ADDRESS", .help = "the manager (MANAGER_GRPC_URL)" },
	{ .name = "computations", .value = "ADDRESS", .help = "the computation service (COMPUTATIONS_GRPC_URL)" },
	{ .name = "token", .value = "FILE", .help = "as --token there (COMPUTATIONS_GRPC_TOKEN_FILE)" },
	{ .name = "kds", .value = "URL", .help = "AMD's service or a mirror (COCOS_KDS_URL)" },
	{ .name = "pcs", .value = "URL", .help = "Intel's service or a mirror (COCOS_PCS_URL)" },
	{ .name = "set", .value = "KEY=VALUE", .times = CLI_MANY, .help = "any other setting of profiles" },
	{ .name = "force", .help = "replace a profile of this name" },
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_profile_add = {
	.name = "profile add",
	.common = true,
	.args = "NAME",
	.help = "keep under a name how an agent is reached and what it has to prove",
	.operands_min = 1,
	.operands_max = 1,
	.options = add_options,
	.run = run_add,
	.more = "An option wins over a profile, --profile over the environment, and that over the profile of\n"
		"'profile use'; -v says where each setting comes from. Files have to be there, now and whenever\n"
		"it is used, and are kept as paths from / on. What no command could read is refused now.",
};

/* ---- use, remove ---- */

static enum cli_exit run_use(struct cli *cli, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	struct keyfile file = { 0 };
	bool none = cli_flag(cli, "none");

	if (none == (cli->operand_count == 1))
		return cli_usage(e, "give the name of a profile, or --none");
	if (!none && must_be_there(cli, operand(cli), e) < 0)
		return CLI_FAILED;
	if (!none && profile_read(operand(cli), &file, e) < 0)
		return CLI_FAILED;
	keyfile_done(&file);
	if (profile_use(none ? NULL : operand(cli), &path, e) < 0)
		return CLI_FAILED;
	if (none)
		fprintf(cli->out, "no profile is used any more ('%s' is gone)\n", path);
	else
		fprintf(cli->out, "profile %s is used from now on ('%s' says so)\n", operand(cli),
			path);
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option use_options[] = {
	{ .name = "none", .help = "use none any more" },
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_profile_use = {
	.name = "profile use",
	.common = true,
	.args = "[NAME]",
	.help = "have every command that connects use this profile",
	.operands_max = 1,
	.options = use_options,
	.run = run_use,
	.operands_are_profiles = true,
};

static enum cli_exit run_remove(struct cli *cli, struct err *e)
{
	CLEANUP(free) char *path = NULL, *used = NULL, *mark = NULL;

	if (must_be_there(cli, operand(cli), e) < 0 || profile_used(&used, e) < 0 ||
	    profile_path(operand(cli), &path, e) < 0)
		return CLI_FAILED;
	/* The mark first: a profile in use that is not there refuses every command. */
	if (used && strcmp(used, operand(cli)) == 0 && profile_use(NULL, &mark, e) < 0)
		return CLI_FAILED;
	if (unlink(path) < 0) {
		err_errno(e, "remove '%s'", path);
		return CLI_FAILED;
	}
	if (mark)
		fprintf(stderr,
			"note: it was in use: commands go by the environment and defaults now\n");
	return CLI_OK;
}

const struct command cmd_profile_remove = {
	.name = "profile remove",
	.args = "NAME",
	.help = "forget a profile",
	.operands_min = 1,
	.operands_max = 1,
	.run = run_remove,
	.operands_are_profiles = true,
};

/* ---- list, show ---- */

/* The star is for people alone: a name that begins with one is none. */
static void fill(struct table *t, const struct profile_names *names, const char *used)
{
	for (size_t i = 0; i < names->count; i++) {
		bool is_used = used && strcmp(used, names->list[i]) == 0;
		struct json_out object CLEANUP_JSON_OUT;

		table_text(t, is_used ? "*" : "");
		table_text(t, names->list[i]);
		json_out_init(&object);
		json_out_object(&object, NULL);
		json_out_text(&object, "name", names->list[i]);
		json_out_bool(&object, "used", is_used);
		json_out_end(&object);
		table_object(t, &object);
	}
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	static const struct table_column columns[] = {
		{ "USED", "used", false },
		{ "NAME", "name", false },
		{ NULL, NULL, false },
	};
	struct profile_names names = { .count = 0 };
	CLEANUP(free) char *used = NULL;
	struct table t CLEANUP_TABLE;
	int failed;

	table_init(&t, columns);
	if (table_check(cli, e) < 0)
		return CLI_USAGE;
	if (profile_used(&used, e) < 0 || profile_names(&names, e) < 0)
		return CLI_FAILED;
	fill(&t, &names, used);
	failed = table_print(&t, cli, "none: 'cocos-cli profile add NAME' makes one", e);
	profile_names_done(&names);
	return failed ? CLI_FAILED : CLI_OK;
}

const struct command cmd_profile_list = {
	.name = "profile list",
	.args = "",
	.help = "list profiles, with a star beside the one in use",
	.options = (const struct cli_option[]){ TABLE_OPTIONS, { .name = NULL } },
	.run = run_list,
};

/* What is broken stands below it. */
static int print_profile(struct cli *cli, const struct keyfile *file, size_t *broken, struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;
	struct err problem;

	json_out_init(&out);
	json_out_object(&out, NULL);
	for (size_t i = 0; i < file->count; i++) {
		bool good = profile_entry_check(&file->entries[i], &problem) == 0;

		json_out_text(&out, file->entries[i].key, file->entries[i].value);
		*broken += !good;
		if (cli_flag(cli, "json"))
			continue;
		fprintf(cli->out, "%s=%s\n", text_plain(file->entries[i].key).text,
			text_plain(file->entries[i].value).text);
		if (!good)
			fprintf(cli->out, "# %s\n", text_plain(problem.text).text);
	}
	json_out_end(&out);
	return cli_flag(cli, "json") ? json_out_print(&out, cli->out, e) : 0;
}

static enum cli_exit run_show(struct cli *cli, struct err *e)
{
	CLEANUP(free) char *used = NULL;
	struct keyfile file = { 0 };
	size_t broken = 0;
	int failed = 0;

	if (!cli->operand_count && profile_used(&used, e) < 0)
		return CLI_FAILED;
	if (!cli->operand_count && !used)
		return cli_usage(e, "no profile is in use: give the name of one");
	const char *name = used ? used : operand(cli);

	if (must_be_there(cli, name, e) < 0 || profile_look(name, &file, e) < 0)
		return CLI_FAILED;
	failed = print_profile(cli, &file, &broken, e);
	keyfile_done(&file);
	if (!failed)
		failed = profile_guard(name, e);
	if (!failed && broken) {
		cli_hint(cli,
			 "mend what they name, or keep it anew: 'cocos-cli profile add %s "
			 "--force ...'",
			 name);
		failed = err_set(e, ERR_PRECONDITION,
				 "profile '%s' is refused: %zu of its settings %s", name, broken,
				 broken == 1 ? "is broken" : "are broken");
	}
	return failed ? CLI_FAILED : CLI_OK;
}

const struct command cmd_profile_show = {
	.name = "profile show",
	.args = "[NAME]",
	.help = "print the settings of a profile, or of the one in use",
	.operands_max = 1,
	.options = (const struct cli_option[]){ CLI_JSON_OPTION, { .name = NULL } },
	.run = run_show,
	.operands_are_profiles = true,
};
