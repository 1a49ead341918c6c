/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_journal_witness.c — the service's log of journals' heads: is it still the one that it was? */
#include "cli/base/number.h"
#include "cli/base/output.h"
#include "cli/client/witness_client.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"
#include "common/base/timestamp.h"

#include <inttypes.h>
#include <string.h>

static int print(struct cli *cli, const struct witness_seen *seen, struct err *e)
{
	const ProtobufCBinaryData *key = &seen->response->key;
	char when[TIMESTAMP_TEXT_MAX], hex[2 * SHA256_LEN + 1];
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];

	if (key_fingerprint(key->data, key->len, fingerprint, e) < 0)
		return err_code(e);
	timestamp_format((int64_t)(seen->head.time_ms / 1000), when);
	fprintf(cli->out, "log: %" PRIu64 " heads of journals, signed at %s\n", seen->head.size,
		when);
	hex_encode(seen->head.root, SHA256_LEN, hex);
	fprintf(cli->out, "root: %s\n", hex);
	hex_encode(fingerprint, KEY_FINGERPRINT_LEN, hex);
	fprintf(cli->out, "key: %s\n", hex);
	if (seen->kept.bytes)
		fprintf(cli->out, "consistent: it begins with the %" PRIu64 " that it had\n",
			seen->kept.head.size);
	else
		fprintf(cli->out, "consistent: it is seen for the first time, its key as well\n");
	if (seen->has_proof)
		fprintf(cli->out,
			"witnessed: %" PRIu64 " entries of run %" PRIu64 ", leaf %" PRIu64 "\n",
			seen->proof.leaf.head.count, seen->proof.leaf.run, seen->proof.index);
	return 0;
}

static int write_files(struct cli *cli, const struct witness_seen *seen, struct err *e)
{
	const char *proof = cli_value(cli, "output"), *key = cli_value(cli, "key-output");
	CLEANUP(free) char *pem = NULL;

	if (proof &&
	    output_write(cli, proof, seen->response->proof.data, seen->response->proof.len, e) < 0)
		return err_code(e);
	if (!key)
		return 0;
	if (key_to_public_pem(seen->key, &pem, e) < 0)
		return err_code(e);
	return output_write(cli, key, pem, strlen(pem), e);
}

static enum cli_exit run(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	CLEANUP(free) struct witness_seen *seen = calloc(1, sizeof(*seen));
	const char *id = cli->operand_count ? cli->operands[0] : NULL,
		   *text = cli_value(cli, "run");
	uint64_t number = 0;

	if (!seen) {
		err_nomem(e);
		return CLI_FAILED;
	}
	if (text && (!number_decimal(text, &number) || !number))
		return cli_usage(e, "--run: give a number from 1 on");
	if (!id && (text || cli_value(cli, "output")))
		return cli_usage(e, "--%s: of which computation? Give its ID",
				 text ? "run" : "output");
	if (client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	enum cli_exit status = witness_ask(&client, id, number, seen, e);
	if (status == CLI_OK)
		status = witness_keep(&client, seen, e);
	if (status == CLI_OK && (print(cli, seen, e) < 0 || write_files(cli, seen, e) < 0))
		status = CLI_FAILED;
	witness_seen_done(seen);
	return status;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .letter = 'o', .name = "output", .value = "FILE", .writes = true, .help = "write the proof there, for 'journal verify --witness'" },
	{ .name = "key-output", .value = "FILE", .writes = true, .help = "write the log's public key there (PEM)" },
	OUTPUT_FORCE_OPTION,
	{ .name = "run", .value = "NUMBER",
	  .help = "of a computation that was run again: which run, from 1 (the newest)" },
	WITNESS_KEY_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_journal_witness = {
	.name = "journal witness",
	.args = "[ID]",
	.help = "check the service's log of journals' heads against what was seen of it",
	.operands_max = 1,
	.options = options,
	.run = run,
	.more = "Each time it has to prove that its log begins with the one that this account saw before, under\n"
		"the same key; what was seen is kept for each address in $XDG_STATE_HOME/cocos/witness (by default\n"
		"~/.local/state). With an ID: that the newest head of that computation's journal is in the log.\n"
		"Exit 3: the log was forked or shrunk, its key is another, or a proof does not hold; 1: there is\n"
		"no such head, or no such service; 2: a wrong call, or what was kept can't be read.",
};
