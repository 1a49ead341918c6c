/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_receipt_get.c — fetches a receipt without the results that it is of. */
#include "cli/base/output.h"
#include "cli/base/private_key.h"
#include "cli/base/text.h"
#include "cli/client/agent_client.h"
#include "cli/client/attested.h"
#include "cli/cmd/commands.h"
#include "cli/cmd/result_receipt.h"

static enum cli_exit run_get(struct cli *cli, struct err *e)
{
	const char *named = cli_value(cli, "filename");
	const char *path = named ? named : "receipt.cbor";
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct result_receipt receipt CLEANUP_RESULT_RECEIPT = { .bytes = NULL };

	if (private_key_load(cli, cli->operands[0], &key, e) < 0 ||
	    attested_open(&client, cli, e) < 0)
		return CLI_USAGE;
	if (output_check(cli, path, e) < 0)
		return CLI_FAILED;
	if (attested_ready(&client, e) < 0 || attested_again(&client, e) < 0 ||
	    result_receipt_get(&receipt, &client, key, e) < 0) {
		agent_client_hint(&client, e);
		return CLI_FAILED;
	}
	if (output_file(cli, path, receipt.bytes, receipt.len, 0600, e) < 0)
		return CLI_FAILED;
	fprintf(cli->out, "receipt saved as %s%s\n", text_plain(path).text,
		receipt.is_closed ? ", a provider's copy, which says of no results" : "");
	if (!result_receipt_says_who(&client))
		fprintf(cli->out,
			"its form alone was judged, and not who signed it: 'cocos-cli receipt "
			"verify --receipt FILE --policy FILE' does\n");
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .letter = 'f', .name = "filename", .value = "FILE", .writes = true, .help = "save as (receipt.cbor)" },
	OUTPUT_FORCE_OPTION,
	CLIENT_AGENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_receipt_get = {
	.name = "receipt get",
	.args = "PRIVATE_KEY",
	.help = "fetch the receipt alone, as anybody who has a part in the computation",
	.operands_min = 1,
	.operands_max = 1,
	.options = options,
	.run = run_get,
	.more = "A consumer's copy says of which results it is; those of algorithm and data providers don't. It is\n"
		"there once results are, as long as the agent has them, and may be fetched as often as you like.\n"
		"Over attested TLS it is judged by the connection's policy before it is written.",
};
