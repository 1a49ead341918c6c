/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_sevsnpmeasure.c — the launch measurement of an SEV guest, from what it is launched with. */
#include "attestation/measure/snp_measure.h"
#include "cli/base/number.h"
#include "cli/base/output.h"
#include "cli/base/step.h"
#include "cli/cmd/commands.h"
#include "cli/cmd/cpu_type.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/file_view.h"

#include <stdio.h>
#include <string.h>

enum { FEATURES_DEFAULT = 1 /* SEV-SNP is on, nothing else */ };

static const char *const modes[] = { "snp", "sev", "seves", "snp:svsm", "snp:ovmf-hash", NULL };
static const char *const vmms[] = { "QEMU", "ec2", "gce", NULL };
static const char *const formats[] = { "hex", "base64", NULL };

struct files {
	struct file_view ovmf, svsm;
	uint8_t ovmf_hash[SNP_DIGEST_LEN];
};

static void files_done(struct files *files)
{
	file_view_done(&files->ovmf);
	file_view_done(&files->svsm);
}

static int read_image(const struct cli *cli, const char *option, struct file_view *file,
		      struct span *image, struct err *e)
{
	const char *path = cli_value(cli, option);

	if (!path)
		return err_set(e, ERR_INVALID, "--%s is missing", option);
	if (file_view_open(path, OVMF_IMAGE_MAX, file, e) < 0)
		return err_wrap(e, "--%s", option);
	*image = (struct span){ file->bytes, file->len };
	return 0;
}

/* Family, model and stepping, or the signature itself, or a type of QEMU's; several if they
 * agree. */
static int read_signature(struct cli *cli, struct snp_measure *m, struct err *e)
{
	uint64_t family = 0, model = 0, stepping = 0, signature = 0;
	const char *type = cli_value(cli, "vcpu-type");
	bool by_sig = cli_value(cli, "vcpu-sig"), by_family = cli_value(cli, "vcpu-family");
	uint32_t by_type = 0, found = 0;

	if (by_family != !!cli_value(cli, "vcpu-model") ||
	    by_family != !!cli_value(cli, "vcpu-stepping"))
		return err_set(e, ERR_INVALID,
			       "--vcpu-family, --vcpu-model and --vcpu-stepping "
			       "belong together");
	if (!by_sig && !by_family && !type && m->vmm == VMSA_QEMU)
		return err_set(e, ERR_INVALID,
			       "--vcpu-type, --vcpu-sig or --vcpu-family with "
			       "-model and -stepping is missing");
	if (number_option(cli, "vcpu-family", 0xff + 0xf, &family, e) < 0 ||
	    number_option(cli, "vcpu-model", 0xff, &model, e) < 0 ||
	    number_option(cli, "vcpu-stepping", 0xf, &stepping, e) < 0 ||
	    number_option(cli, "vcpu-sig", UINT32_MAX, &signature, e) < 0)
		return err_code(e);
	if (type && cpu_type_option(cli, "vcpu-type", &by_type, e) < 0)
		return err_code(e);
	found = vmsa_cpu_signature((unsigned)family, (unsigned)model, (unsigned)stepping);
	m->vcpu_signature = by_sig ? (uint32_t)signature : by_family ? found : by_type;
	if ((by_family && found != m->vcpu_signature) || (type && by_type != m->vcpu_signature))
		return err_set(e, ERR_INVALID,
			       "--vcpu-type, --vcpu-sig and --vcpu-family contradict each other");
	return 0;
}

static int read_processors(struct cli *cli, struct snp_measure *m, struct err *e)
{
	uint64_t vcpus = 0;

	if (!cli_value(cli, "vcpus"))
		return err_set(e, ERR_INVALID, "--vcpus is missing");
	if (number_option(cli, "vcpus", SNP_MEASURE_VCPUS_MAX, &vcpus, e) < 0)
		return err_code(e);
	m->vcpus = (unsigned)vcpus;
	return read_signature(cli, m, e);
}

static int read_kernel(const struct cli *cli, struct snp_measure *m, struct err *e)
{
	const char *kernel = cli_value(cli, "kernel"), *initrd = cli_value(cli, "initrd");
	const char *append = cli_value(cli, "append");

	m->has_kernel = kernel != NULL;
	/* An empty command line counts as none. */
	if (!kernel && (initrd || (append && *append)))
		return err_set(e, ERR_INVALID, "--initrd and --append need --kernel");
	if (!kernel)
		return 0;
	if (digest_file(DIGEST_SHA256, kernel, m->kernel, e) < 0)
		return err_wrap(e, "--kernel");
	if (initrd ? digest_file(DIGEST_SHA256, initrd, m->initrd, e) < 0
		   : digest(DIGEST_SHA256, NULL, 0, m->initrd, e) < 0)
		return err_wrap(e, "--initrd");
	return snp_measure_cmdline(append ? append : "", m->cmdline, e);
}

/* Reads what the mode needs and ignores the rest. */
static int read_options(struct cli *cli, struct snp_measure *m, struct files *files, struct err *e)
{
	const char *mode = cli_value(cli, "mode"), *vmm = cli_value(cli, "vmm-type");
	bool has_hash;

	if (!mode)
		return err_set(e, ERR_INVALID, "--mode is missing");
	snp_measure_mode_of(mode, &m->mode);
	if (vmm)
		vmsa_vmm_of(vmm, &m->vmm);
	m->guest_features = FEATURES_DEFAULT;
	if (read_image(cli, "ovmf", &files->ovmf, &m->ovmf, e) < 0)
		return err_code(e);
	if (cli_flag(cli, "dump-vmsa") &&
	    (m->mode == SNP_MEASURE_SEV || m->mode == SNP_MEASURE_OVMF_HASH))
		return err_set(e, ERR_INVALID, "--dump-vmsa: mode %s has no VMSA", mode);
	if (m->mode == SNP_MEASURE_OVMF_HASH)
		return 0;
	if (m->mode == SNP_MEASURE_SVSM && !cli_value(cli, "vars-size"))
		return err_set(e, ERR_INVALID, "--vars-size is missing: where the SVSM ends");
	if (m->mode == SNP_MEASURE_SVSM &&
	    (read_image(cli, "svsm", &files->svsm, &m->svsm, e) < 0 ||
	     number_option(cli, "vars-size", OVMF_IMAGE_MAX, &m->vars_size, e) < 0))
		return err_code(e);
	if (m->mode != SNP_MEASURE_SVSM && read_kernel(cli, m, e) < 0)
		return err_code(e);
	if (number_option(cli, "guest-features", UINT64_MAX, &m->guest_features, e) < 0 ||
	    hex_option(cli, "ovmf-hash", files->ovmf_hash, SNP_DIGEST_LEN, &has_hash, e) < 0)
		return err_code(e);
	if (has_hash && m->mode != SNP_MEASURE_SNP)
		return err_set(e, ERR_INVALID, "--ovmf-hash belongs to --mode snp");
	m->ovmf_hash = has_hash ? files->ovmf_hash : NULL;
	return m->mode == SNP_MEASURE_SEV ? 0 : read_processors(cli, m, e);
}

static int write_vmsa(void *data, unsigned vcpu, const uint8_t page[SNP_PAGE_LEN], struct err *e)
{
	char name[32];

	snprintf(name, sizeof(name), "vmsa%u.bin", vcpu);
	return output_file(data, name, page, SNP_PAGE_LEN, 0644, e);
}

static enum cli_exit run_measure(struct cli *cli, struct err *e)
{
	__attribute__((cleanup(files_done))) struct files files = { 0 };
	struct snp_measure m = { .data = cli };
	const char *format = cli_value(cli, "output-format");
	bool base64 = format && strcmp(format, "base64") == 0;
	uint8_t out[SNP_MEASURE_LEN_MAX];
	size_t len;

	if (read_options(cli, &m, &files, e) < 0)
		return CLI_USAGE;
	if (cli_flag(cli, "trace"))
		m.trace = step_print;
	if (cli_flag(cli, "dump-vmsa"))
		m.vmsa = write_vmsa;
	if (snp_measure(&m, out, &len, e) < 0 || output_digest(cli, out, len, base64, e) < 0)
		return CLI_FAILED;
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "mode", .value = "MODE", .words = modes,
	  .help = "snp, sev, seves, snp:svsm, or snp:ovmf-hash (of the firmware alone)" },
	{ .name = "vcpus", .value = "N", .help = "virtual processors" },
	{ .name = "vcpu-type", .value = "TYPE",
	  .help = "QEMU's name of their type: EPYC-v4, EPYC-Milan, …" },
	{ .name = "vcpu-sig", .value = "N", .help = "or their CPUID signature" },
	{ .name = "vcpu-family", .value = "N", .help = "or family, model, stepping" },
	{ .name = "vcpu-model", .value = "N", .help = "with --vcpu-family" },
	{ .name = "vcpu-stepping", .value = "N", .help = "with --vcpu-family" },
	{ .name = "vmm-type", .value = "VMM", .words = vmms,
	  .help = "who launches: QEMU (the default), ec2, gce" },
	{ .name = "ovmf", .value = "FILE", .help = "the firmware" },
	{ .name = "kernel", .value = "FILE", .help = "the kernel, booted directly" },
	{ .name = "initrd", .value = "FILE", .help = "its initial RAM disk" },
	{ .name = "append", .value = "TEXT", .help = "its command line" },
	{ .name = "guest-features", .value = "N",
	  .help = "SEV_FEATURES of each processor (default 0x1)" },
	{ .name = "ovmf-hash", .value = "HEX",
	  .help = "what snp:ovmf-hash gave; FILE is then read for its metadata only" },
	{ .name = "svsm", .value = "FILE", .help = "the SVSM's image" },
	{ .name = "vars-size", .value = "N",
	  .help = "bytes of variables between SVSM and firmware" },
	{ .name = "dump-vmsa", .help = "write vmsa0.bin, vmsa1.bin, … to this folder" },
	OUTPUT_FORCE_OPTION,
	{ .name = "output-format", .value = "FORMAT", .words = formats,
	  .help = "hex (the default) or base64" },
	STEP_TRACE_OPTION,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_sevsnpmeasure = {
	.name = "sevsnpmeasure",
	.args = "",
	.help = "compute the launch measurement of an SEV, SEV-ES or SEV-SNP guest",
	.options = options,
	.run = run_measure,
	.more = "The command line counts with the zero byte that ends it; an empty one counts as none. "
		"Kernel, features and processors are ignored in a mode that does not measure them.",
};
