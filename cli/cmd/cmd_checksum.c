/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_checksum.c — the digests that manifests name assets by, and the digest of a manifest. */
#include "cli/base/json_out.h"
#include "cli/base/output.h"
#include "cli/client/asset.h"
#include "cli/cmd/commands.h"
#include "cli/python/wheels.h"
#include "common/base/file.h"
#include "common/manifest/manifest.h"

static int print_manifest_json(struct cli *cli, const char *canonical,
			       const struct manifest_digests *d, struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_text(&out, "canonical", canonical);
	json_out_hex(&out, "sha3_256", d->sha3_256, sizeof(d->sha3_256));
	json_out_hex(&out, "sha3_384", d->sha3_384, sizeof(d->sha3_384));
	json_out_hex(&out, "pcr16_sha256", d->pcr16_sha256, sizeof(d->pcr16_sha256));
	json_out_hex(&out, "pcr16_sha384", d->pcr16_sha384, sizeof(d->pcr16_sha384));
	json_out_end(&out);
	return json_out_print(&out, cli->out, e);
}

static int print_digest(struct cli *cli, const uint8_t digest[SHA3_256_LEN], struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	if (!cli_flag(cli, "json"))
		return output_digest(cli, digest, SHA3_256_LEN, cli_flag(cli, "base64"), e);
	json_out_object(&out, NULL);
	json_out_text(&out, "file", cli->operands[0]);
	json_out_hex(&out, "sha3_256", digest, SHA3_256_LEN);
	json_out_end(&out);
	return json_out_print(&out, cli->out, e);
}

static enum cli_exit run_manifest(struct cli *cli, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *manifest = NULL;
	CLEANUP(free) char *canonical = NULL;
	CLEANUP(free) uint8_t *text = NULL;
	struct manifest_digests digests;
	size_t len, canonical_len;

	if (file_read(cli->operands[0], MANIFEST_MAX, &text, &len, e) < 0)
		return CLI_USAGE;
	if (manifest_from_json(text, len, &manifest, e) < 0) {
		cli_hint(cli, "cocos-cli(1) describes the form of a manifest");
		err_wrap(e, "'%s'", cli->operands[0]);
		return CLI_USAGE;
	}
	if (manifest_canonical(manifest, &canonical, &canonical_len, e) < 0 ||
	    manifest_digest(manifest, &digests, e) < 0)
		return CLI_FAILED;
	if (cli_flag(cli, "json"))
		return print_manifest_json(cli, canonical, &digests, e) < 0 ? CLI_FAILED : CLI_OK;
	return print_digest(cli, digests.sha3_256, e) < 0 ? CLI_FAILED : CLI_OK;
}

static enum cli_exit run_checksum(struct cli *cli, struct err *e)
{
	const char *wheels = cli_value(cli, "wheels");
	uint8_t digest[SHA3_256_LEN];

	if (cli_flag(cli, "base64") && cli_flag(cli, "json"))
		return cli_usage(e, "--base64 and --json exclude each other");
	if (cli_flag(cli, "manifest") && wheels)
		return cli_usage(e, "--manifest and --wheels exclude each other");
	if (cli_flag(cli, "manifest"))
		return run_manifest(cli, e);
	if (wheels ? wheels_digest(cli, cli->operands[0], wheels, digest, e) < 0
		   : asset_digest(cli->operands[0], digest, e) < 0) {
		asset_hint(cli, e);
		return CLI_USAGE;
	}
	return print_digest(cli, digest, e) < 0 ? CLI_FAILED : CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .letter = 'b', .name = "base64", .help = "base64 instead of hexadecimal" },
	{ .letter = 'm', .name = "manifest",
	  .help = "FILE is a manifest: the digest of its canonical form" },
	{ .name = "wheels", .value = "DIR",
	  .help = "FILE is what Python needs: the digest of it with these wheels, for --requirements-hash" },
	{ .name = "json", .help = "print JSON; of a manifest with its canonical form and PCR16" },
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_checksum = {
	.name = "checksum",
	.common = true,
	.args = "FILE|DIR",
	.help = "print the SHA3-256 that a manifest names an asset by",
	.operands_min = 1,
	.operands_max = 1,
	.options = options,
	.run = run_checksum,
	.more = "A directory counts as the zip that 'cocos-cli data' would send of it: names, contents and\n"
		"modes (rwx) of the files in it, whatever their times and owners are. It is the digest\n"
		"that the stock CLI prints where its time zone is UTC.\n"
		"With --wheels it is that of the bundle which 'cocos-cli algo -r FILE --wheels DIR' will send, and\n"
		"no agent is asked: whether the wheels fit the image's Python is seen when they are sent.",
};
