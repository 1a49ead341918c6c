/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_ima_measurements.c — what the kernel of a CVM measured before it was used: its integrity log,
 * entry by entry, and the value of PCR10 that its replay has to give.
 */
#include "attestation/logs/ima_log.h"
#include "cli/base/json_out.h"
#include "cli/base/output.h"
#include "cli/base/text.h"
#include "cli/client/agent_evidence.h"
#include "cli/client/attested.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"

#include <string.h>

#define IMA_FILE "ima_measurements"

/* The log, a value of PCR10, and who vouches for that value. */
struct judged {
	struct ima_log log;
	uint8_t pcr10[SHA256_LEN];
	bool quoted;      /* a TPM's, verified over this connection */
	size_t accounted; /* entries that the value covers */
};

/* An entry of another register may be anywhere; PCR10 says nothing about it. */
static bool is_covered(const struct judged *j, size_t i)
{
	return i < j->accounted && j->log.entries[i].pcr == IMA_PCR;
}

static const char *remark(const struct judged *j, size_t i)
{
	const struct ima_entry *entry = &j->log.entries[i];

	if (entry->pcr != IMA_PCR)
		return "  (not in PCR10)";
	if (!is_covered(j, i))
		return "  (after the value of PCR10)";
	return entry->violation ? "  (violation: changed while it was measured)" : "";
}

static const char *path_text(const struct ima_entry *entry, char *buffer, size_t size)
{
	size_t len = entry->path.len < size - 1 ? entry->path.len : size - 1;

	memcpy(buffer, entry->path.bytes, len);
	buffer[len] = 0;
	return buffer;
}

static void print_text(FILE *out, const struct judged *j)
{
	char hex[2 * DIGEST_MAX + 1], path[IMA_PATH_MAX + 1];
	size_t covered = 0;

	for (size_t i = 0; i < j->log.count; i++) {
		const struct ima_entry *entry = &j->log.entries[i];

		covered += is_covered(j, i);
		hex_encode(entry->digest.bytes, entry->digest.len, hex);
		fprintf(out, "%2u %-7s %s:%s %s%s\n", entry->pcr, entry->template_name,
			entry->algorithm, hex,
			text_plain(path_text(entry, path, sizeof(path))).text, remark(j, i));
	}
	hex_encode(j->pcr10, sizeof(j->pcr10), hex);
	fprintf(out, "PCR10 %s\n", hex);
	fprintf(out, "%zu of %zu entries lead to it\n", covered, j->log.count);
}

static int print_json(struct cli *cli, const struct judged *j, struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;
	char path[IMA_PATH_MAX + 1];

	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_hex(&out, "pcr10", j->pcr10, sizeof(j->pcr10));
	json_out_bool(&out, "quoted", j->quoted);
	json_out_number(&out, "accounted", j->accounted);
	json_out_list(&out, "entries");
	for (size_t i = 0; i < j->log.count; i++) {
		const struct ima_entry *entry = &j->log.entries[i];

		json_out_object(&out, NULL);
		json_out_number(&out, "pcr", entry->pcr);
		json_out_text(&out, "template", entry->template_name);
		json_out_text(&out, "algorithm", entry->algorithm);
		json_out_hex(&out, "digest", entry->digest.bytes, entry->digest.len);
		json_out_text(&out, "path", text_plain(path_text(entry, path, sizeof(path))).text);
		json_out_bool(&out, "violation", entry->violation);
		json_out_bool(&out, "covered", is_covered(j, i));
		json_out_end(&out);
	}
	json_out_end(&out);
	json_out_end(&out);
	return json_out_print(&out, cli->out, e);
}

/* The quoted value if one was verified; else the agent's word, and the output says so. */
static int choose_value(struct client *client, const struct writer *told, struct judged *j,
			struct err *e)
{
	if (client->appraise) {
		if (appraise_pcr(client->appraise, IMA_PCR, j->pcr10, e) < 0)
			return err_code(e);
		j->quoted = true;
		return 0;
	}
	if (told->len != SHA256_LEN)
		return err_set(e, ERR_INVALID, "the agent's PCR10 has %zu bytes, not %d", told->len,
			       SHA256_LEN);
	memcpy(j->pcr10, told->bytes, SHA256_LEN);
	return 0;
}

static int judge(struct client *client, const struct writer *file, const struct writer *told,
		 struct judged *j, struct err *e)
{
	if (ima_log_parse(file->bytes, file->len, &j->log, e) < 0 ||
	    choose_value(client, told, j, e) < 0)
		return err_code(e);
	return ima_log_replay(&j->log, DIGEST_SHA256, IMA_PCR, j->pcr10, &j->accounted, e);
}

static int fetch(struct client *client, struct writer *file, struct writer *pcr10, struct err *e)
{
	int failed = attested_ready(client, e);

	if (!failed)
		failed = agent_evidence_ima(client, file, pcr10, e);
	if (failed)
		client_hint(client, e);
	return failed;
}

static enum cli_exit run_ima(struct cli *cli, struct err *e)
{
	const char *path = cli->operand_count ? cli->operands[0] : IMA_FILE;
	CLEANUP_WRITER struct writer file = writer_up_to(IMA_LOG_MAX);
	CLEANUP_WRITER struct writer pcr10 = writer_up_to(DIGEST_MAX);
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct judged j = { .accounted = 0 };
	int failed;

	if (attested_open(&client, cli, e) < 0)
		return CLI_USAGE;
	if (output_check(cli, path, e) < 0 || fetch(&client, &file, &pcr10, e) < 0 ||
	    output_file(cli, path, file.bytes, file.len, 0644, e) < 0)
		return CLI_FAILED;
	fprintf(stderr, "saved as %s\n", path);
	failed = judge(&client, &file, &pcr10, &j, e);
	if (!failed && cli_flag(cli, "json"))
		failed = print_json(cli, &j, e);
	else if (!failed)
		print_text(cli->out, &j);
	if (!failed && !j.quoted)
		fprintf(stderr, "note: PCR10 is the agent's word, and nothing is proven: with "
				"--attested-tls and a vTPM's evidence it is the quoted value\n");
	ima_log_done(&j.log);
	return failed ? CLI_FAILED : CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	CLI_JSON_OPTION,
	OUTPUT_FORCE_OPTION,
	CLIENT_AGENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_ima_measurements = {
	.name = "ima-measurements",
	.args = "[FILE]",
	.help = "fetch the log of what the CVM's kernel measured, and replay it",
	.operands_max = 1,
	.options = options,
	.run = run_ima,
	.more = "Saves the log as FILE (" IMA_FILE
		"), replays it to PCR10 and lists each entry. Over\n"
		"attested TLS with a vTPM's evidence PCR10 is the value that was quoted and verified on\n"
		"this connection, and a log that does not lead to it is refused (exit 1).",
};
