/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_attestation_check.c — one layer of evidence by itself. */
#include "cli/base/batch.h"
#include "cli/base/judged.h"
#include "cli/base/moment.h"
#include "cli/base/number.h"
#include "cli/check/check.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <string.h>

/* Room for the whole of a file in hexadecimal, and for what is added to it. */
enum { SHOW_MAX = 2 * CHECK_FILE_MAX + (1 << 20), SKEW_DEFAULT = 300, SKEW_MAX = 86400 };

/* clang-format off */
static const struct check_kind *const kinds[] = {
	&check_quote,
	&check_log,
	&check_hcl,
	&check_ak_cert,
	&check_cose,
	&check_token,
	&check_authenticator,
	&check_request,
	&check_frame,
	&check_idblock,
	&check_corim,
};
/* clang-format on */

/* ---- for the kinds ---- */

/* Options whose empty file is a value like any other: they are looked up by name, not by length. */
static bool may_be_empty(const char *name)
{
	static const char *const names[] = { "aad", "sig", "ak", "pcrs" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

int check_option_file(const struct check_input *in, const char *name, uint8_t **bytes, size_t *len,
		      struct err *e)
{
	const char *path = cli_value(in->cli, name);

	*bytes = NULL;
	*len = 0;
	if (!path)
		return 0;
	if (file_read(path, CHECK_FILE_MAX, bytes, len, e) < 0)
		return err_wrap(e, "--%s", name);
	if (!*len && !may_be_empty(name)) { /* empty would mean 'not given' */
		free(*bytes);
		*bytes = NULL;
		return err_set(e, ERR_INVALID, "--%s: '%s' is empty", name, path);
	}
	return 0;
}

int check_option_key(const struct check_input *in, const char *name, enum check_id id,
		     struct verdict *v, EVP_PKEY **key, struct err *e)
{
	CLEANUP(free) uint8_t *pem = NULL;
	struct err why;
	size_t len;

	*key = NULL;
	if (check_option_file(in, name, &pem, &len, e) < 0)
		return err_code(e);
	if (!len)
		return err_set(e, ERR_INVALID, "--%s is missing: whose signature is it?", name);
	if (key_from_public_pem((const char *)pem, len, key, &why) < 0)
		verdict_err(v, id, &why);
	return 0;
}

int check_option_hex(const struct check_input *in, const char *name, uint8_t *bytes, size_t max,
		     size_t *len, struct err *e)
{
	const char *text = cli_value(in->cli, name);

	*len = 0;
	if (text && hex_decode_up_to(text, bytes, max, len, e) < 0)
		return err_wrap(e, "--%s", name);
	return 0;
}

/* ---- the command ---- */

static const struct check_kind *find_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

static bool takes(const struct check_kind *kind, const char *name)
{
	for (const char *const *word = kind->takes; *word; word++)
		if (strcmp(*word, name) == 0)
			return true;
	return strcmp(name, "at") == 0 || strcmp(name, "skew") == 0;
}

static int check_options(const struct cli *cli, const struct check_kind *kind, struct err *e)
{
	for (size_t i = 0; i < cli->given_count; i++) {
		const struct cli_option *option = cli->given[i].option;

		if (option->value && !takes(kind, option->name))
			return err_set(e, ERR_INVALID, "--%s says nothing about the kind %s",
				       option->name, kind->name);
	}
	return 0;
}

static int read_input(struct cli *cli, const struct check_kind *kind, struct check_input *in,
		      struct err *e)
{
	/* A moment that is named is meant to the second. */
	uint64_t skew = cli_value(cli, "at") ? 0 : SKEW_DEFAULT;
	size_t count = (size_t)cli->operand_count - 1;

	in->cli = cli;
	if (moment_at(cli, &in->at, e) < 0 || number_option(cli, "skew", SKEW_MAX, &skew, e) < 0)
		return err_code(e);
	in->skew = (uint32_t)skew;
	if (count < kind->files_min || count > kind->files_max)
		return err_set(e, ERR_INVALID, "%s takes %zu to %zu files: %s", kind->name,
			       kind->files_min, kind->files_max, kind->help);
	for (size_t i = 0; i < count; i++) {
		uint8_t *bytes;
		size_t len;

		if (file_read(cli->operands[i + 1], CHECK_FILE_MAX, &bytes, &len, e) < 0)
			return err_code(e);
		in->files[in->count++] = (struct span){ bytes, len };
	}
	return 0;
}

static void print(struct cli *cli, const struct check_kind *kind, const struct verdict *v,
		  const struct writer *show, bool json)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	const struct verdict_reason reason = verdict_reason(v);
	bool holds = verdict_ok(v);

	if (!json) {
		fprintf(cli->out, holds ? "holds: %s\n" : "refused: %s\n",
			holds ? kind->name : reason.text);
		return;
	}
	json_quote_shown(&w, reason.text, strlen(reason.text));
	fprintf(cli->out,
		"{\"verdict\":\"%s\",\"kind\":\"%s\",\"reason\":%.*s,\"fault\":\"%s\"%s%.*s}\n",
		holds ? "holds" : "refused", kind->name, (int)w.len, (const char *)w.bytes,
		check_fault_word(verdict_fault(v)), show->len ? "," : "", (int)show->len,
		show->bytes ? (const char *)show->bytes : "");
}

static enum cli_exit judge(struct cli *cli, bool json, struct err *e)
{
	const struct check_kind *kind = find_kind(cli->operands[0]);
	CLEANUP(free) struct verdict *v = malloc(sizeof(*v));
	CLEANUP_WRITER struct writer show = writer_up_to(SHOW_MAX);
	struct check_input in = { .count = 0 };

	if (!kind)
		return cli_usage(e, "kind %s is unknown; see --help",
				 log_quote(cli->operands[0]).text);
	if (check_options(cli, kind, e) < 0)
		return CLI_USAGE;
	if (!v) {
		err_nomem(e);
		return CLI_USAGE;
	}
	verdict_init(v, VERDICT_SCOPE_FULL);
	int failed = read_input(cli, kind, &in, e);
	if (!failed)
		failed = kind->run(&in, v, &show, e);
	for (size_t i = 0; i < in.count; i++)
		free((void *)(uintptr_t)in.files[i].bytes);
	/* Half of it would not be JSON. */
	if (failed || writer_check(&show, "what is said of it", e) < 0)
		return CLI_USAGE;
	print(cli, kind, v, &show, json);
	return judged_exit(v);
}

static enum cli_exit judge_row(struct cli *cli, struct err *e)
{
	return judge(cli, true, e);
}

static enum cli_exit run(struct cli *cli, struct err *e)
{
	const char *batch = cli_value(cli, "batch");

	if (batch)
		return batch_run(cli, batch, judge_row, e);
	if (cli->operand_count < 2)
		return cli_usage(e, "which kind, and which file?");
	return judge(cli, cli_flag(cli, "json"), e);
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "sig", .value = "FILE", .help = "quote: TPMT_SIGNATURE" },
	{ .name = "pcrs", .value = "FILE", .help = "quote, log: bank -> index -> value (JSON)" },
	{ .name = "ak", .value = "FILE", .help = "quote: TPMT_PUBLIC, or PEM where there is none" },
	{ .name = "nonce", .value = "HEX", .help = "quote, token: the nonce" },
	{ .name = "key", .value = "PEM", .help = "cose, token, authenticator, corim: the signer" },
	{ .name = "aad", .value = "FILE", .help = "cose: external data" },
	{ .name = "request", .value = "FILE", .help = "authenticator: the request" },
	{ .name = "session", .value = "FILE", .help = "authenticator: what TLS exported (JSON)" },
	{ .name = "trusted_root", .value = "FILE",
	  .help = "ak-cert, quote: the root that you name" },
	{ .name = "hcl_report", .value = "FILE",
	  .help = "quote: Azure's report, whose data name the AK" },
	{ .name = "runtime_data", .value = "FILE", .help = "hcl, quote: in place of those inside" },
	{ .name = "cc", .help = "log: a CC event log (TDX)" },
	{ .name = "aael", .help = "log: an attestation agent's event log (text)" },
	{ .name = "separators_optional", .help = "log: PCR 0 to 7 may lack their separators" },
	{ .name = "allow_sha1_bank", .help = "quote: accept SHA-1 registers alone" },
	{ .name = "reset_count", .value = "N", .help = "quote: the TPM's resets so far" },
	{ .name = "policy", .value = "FILE",
	  .help = "quote: what its registers have to be (JSON)" },
	MOMENT_AT_OPTION,
	{ .name = "skew", .value = "SECONDS",
	  .help = "by how much clocks may differ, up to 86400 (300; where there is --at: 0)" },
	BATCH_OPTION,
	CLI_JSON_OPTION,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_attestation_check = {
	.name = "attestation check",
	.args = "KIND FILE...",
	.help = "judge one layer of evidence by itself",
	.operands_max = CHECK_OPERANDS_MAX + 1,
	.options = options,
	.run = run,
	.more = "KIND: quote, log, hcl, ak-cert, cose, token, authenticator, request, frame, idblock,\n"
		"corim. Prints 'holds: …' (exit 0) or 'refused: …' (exit 4: malformed, 3: not genuine, 1: not\n"
		"what you ask for), never 'verified': a layer that holds says nothing about the whole.",
};
