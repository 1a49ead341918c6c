/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_key_fingerprint.c — what people compare before they believe that a key is somebody's. */
#include "cli/base/json_out.h"
#include "cli/base/key_file.h"
#include "cli/base/output.h"
#include "cli/cmd/commands.h"

static enum cli_exit run_fingerprint(struct cli *cli, struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;
	CLEANUP(free) uint8_t *spki = NULL;
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	size_t len;

	json_out_init(&out);
	if (key_file_spki(cli, cli->operands[0], &spki, &len, e) < 0)
		return CLI_USAGE;
	if (key_fingerprint(spki, len, fingerprint, e) < 0)
		return CLI_FAILED;
	if (!cli_flag(cli, "json"))
		return output_digest(cli, fingerprint, sizeof(fingerprint), false, e) < 0
			       ? CLI_FAILED
			       : CLI_OK;
	json_out_object(&out, NULL);
	json_out_text(&out, "file", cli->operands[0]);
	json_out_hex(&out, "fingerprint", fingerprint, sizeof(fingerprint));
	json_out_end(&out);
	return json_out_print(&out, cli->out, e) < 0 ? CLI_FAILED : CLI_OK;
}

const struct command cmd_key_fingerprint = {
	.name = "key fingerprint",
	.common = true,
	.args = "FILE",
	.help = "print the fingerprint that tells a key from others, public or private",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ CLI_JSON_OPTION, { .name = NULL } },
	.run = run_fingerprint,
	.more = "It is the SHA3-256 of the public half (DER SubjectPublicKeyInfo) in hexadecimal, as status,\n"
		"journal, receipts and refusals name keys.",
};
