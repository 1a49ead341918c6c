/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_tdxmeasure.c — the MRTD that a TDX guest will have, from its firmware. */
#include "attestation/measure/tdx_measure.h"
#include "cli/base/output.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"
#include "common/base/file_view.h"

#include <inttypes.h>
#include <stdio.h>

static void print_step(void *data, const struct tdx_measure_step *step)
{
	struct cli *cli = data;
	char contents[2 * SHA384_LEN + 1];

	hex_encode(step->contents, SHA384_LEN, contents);
	fprintf(cli->out, "%s\t0x%" PRIx64 "\t0x%" PRIx64 "\t%" PRIu64 "\t%" PRIu64 "\t%s\n",
		tdvf_type_name(step->section->type), step->section->gpa, step->section->len,
		step->pages_added, step->chunks_extended, step->chunks_extended ? contents : "-");
}

static enum cli_exit run_tdxmeasure(struct cli *cli, struct err *e)
{
	CLEANUP_FILE_VIEW struct file_view firmware = { 0 };
	const char *path = cli_value(cli, "firmware");
	struct tdx_measure m = { .data = cli };
	uint8_t mrtd[SHA384_LEN];

	if (!path)
		return cli_usage(e, "--firmware is missing");
	if (file_view_open(path, OVMF_IMAGE_MAX, &firmware, e) < 0) {
		err_wrap(e, "--firmware");
		return CLI_USAGE;
	}
	m.firmware = (struct span){ firmware.bytes, firmware.len };
	m.order = cli_flag(cli, "two-passes") ? TDX_TWO_PASSES : TDX_PAGE_BY_PAGE;
	if (cli_flag(cli, "trace"))
		m.trace = print_step;
	if (tdx_measure(&m, mrtd, e) < 0)
		return CLI_FAILED;
	return output_digest(cli, mrtd, sizeof(mrtd), false, e) < 0 ? CLI_FAILED : CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "firmware", .value = "FILE", .help = "the firmware, with TDX metadata" },
	{ .name = "two-passes",
	  .help = "the host's kernel adds all pages of a section before it measures them (vendors' kernels before Linux 6.16)" },
	{ .name = "trace",
	  .help = "print each section: type, address, bytes, pages added, chunks measured, SHA-384 of the contents" },
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_tdxmeasure = {
	.name = "tdxmeasure",
	.args = "",
	.help = "compute the MRTD of a TDX guest",
	.options = options,
	.run = run_tdxmeasure,
	.more = "The contents of the TD HOB, in which the monitor describes the memory, never count "
		"here; the firmware measures them into RTMR0.",
};
