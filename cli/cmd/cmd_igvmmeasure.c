/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_igvmmeasure.c — the launch measurement of an IGVM file. */
#include "attestation/measure/igvm_measure.h"
#include "cli/base/output.h"
#include "cli/base/step.h"
#include "cli/cmd/commands.h"
#include "common/base/file.h"

#include <stdio.h>

static const char *const platforms[] = { "sev-snp", "sev-es", "sev", NULL };

static enum cli_exit run_igvm(struct cli *cli, struct err *e)
{
	struct igvm_measure how = {
		.platform = IGVM_SEV_SNP,
		.native_zero = cli_flag(cli, "native-zero"),
		.check_kvm = cli_flag(cli, "check-kvm"),
		.as_loaded = cli_flag(cli, "as-loaded"),
		.trace = cli_flag(cli, "trace") ? step_print : NULL,
		.data = cli,
	};
	CLEANUP(free) uint8_t *bytes = NULL;
	uint8_t out[SNP_DIGEST_LEN];
	enum igvm_id_block id_block;
	struct span file = { 0 };
	struct igvm igvm;
	size_t len;

	if (cli_value(cli, "platform"))
		igvm_platform_of(cli_value(cli, "platform"), &how.platform);
	if (file_read(cli->operands[0], IGVM_FILE_MAX, &bytes, &file.len, e) < 0)
		return CLI_USAGE;
	file.bytes = bytes;
	if (igvm_open(file, &igvm, e) < 0 ||
	    igvm_measure(&igvm, &how, out, &len, &id_block, e) < 0) {
		err_wrap(e, "'%s'", cli->operands[0]);
		return CLI_FAILED;
	}
	if (output_digest(cli, out, len, false, e) < 0)
		return CLI_FAILED;
	if (id_block == IGVM_ID_BLOCK_MISMATCH && !cli_flag(cli, "ignore-idblock")) {
		err_set(e, ERR_DENIED,
			"the ID block in the file names another digest: no firmware "
			"would start it");
		return CLI_FAILED;
	}
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "platform", .value = "P", .words = platforms,
	  .help = "sev-snp (the default), sev-es or sev" },
	{ .name = "native-zero",
	  .help = "pages without data are zero pages, not normal ones full of zeros" },
	{ .name = "check-kvm",
	  .help = "refuse a file that QEMU with KVM would load differently" },
	{ .name = "as-loaded",
	  .help = "the digest that a loader produces, where igvmmeasure's differs" },
	{ .name = "ignore-idblock", .help = "don't compare the file's own ID block" },
	STEP_TRACE_OPTION,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_igvmmeasure = {
	.name = "igvmmeasure",
	.args = "FILE",
	.help = "compute the launch measurement of an IGVM file",
	.operands_min = 1,
	.operands_max = 1,
	.options = options,
	.run = run_igvm,
	.more = "igvmmeasure of coconut-svsm counts one page for a parameter area of any size, and "
		"the VMSAs of every platform in the file; --as-loaded does not.",
};
