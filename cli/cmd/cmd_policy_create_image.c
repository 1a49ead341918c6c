/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy_create_image.c — the policy for an image's CVMs, computed from its files alone. */
#include "attestation/measure/reference.h"
#include "attestation/measure/snp_measure.h"
#include "cli/base/manifest_file.h"
#include "cli/base/number.h"
#include "cli/base/output.h"
#include "cli/cmd/commands.h"
#include "cli/cmd/cpu_type.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/base/settings.h"
#include "common/base/writer.h"
#include "common/crypto/kex_group.h"

static const char *const tees[] = { "vtpm", "snp", "tdx", NULL };

/* What a policy is computed from, and what has to be freed afterwards. */
struct policy_image {
	enum reference_tee tee;
	struct reference reference;
	struct image *image;
	char *cmdline;
	uint8_t rtmr0[REFERENCE_RTMR0_MAX][SHA384_LEN];
	struct launch_tables tables;
	struct manifest_digests manifest;
};

static void policy_image_done(struct policy_image *p)
{
	image_free(p->image);
	free(p->cmdline);
}
#define CLEANUP_POLICY_IMAGE __attribute__((cleanup(policy_image_done)))

/* Which options speak of which TEE; one that would change nothing is a mistake. */
/* clang-format off */
static const struct {
	const char *option;
	unsigned tees; /* set of 1 << enum reference_tee */
} belongs[] = {
	{ "cpus", 1 << REFERENCE_SNP },
	{ "cpu-type", 1 << REFERENCE_SNP },
	{ "smt", 1 << REFERENCE_SNP },
	{ "igvm", 1 << REFERENCE_SNP },
	{ "rtmr0", 1 << REFERENCE_TDX },
	{ "memory", 1 << REFERENCE_TDX },
	{ "tables", 1 << REFERENCE_TDX },
	{ "firmware", 1 << REFERENCE_SNP | 1 << REFERENCE_TDX },
};
/* clang-format on */

/* What an IGVM file says itself. */
static const char *const in_igvm[] = { "firmware", "cpus", "cpu-type" };

static int check_options(const struct cli *cli, const struct policy_image *p, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(belongs); i++) {
		const char *name = belongs[i].option;

		if (cli_flag(cli, name) && !(belongs[i].tees & 1u << p->tee))
			return err_set(e, ERR_INVALID, "--%s says nothing about %s", name,
				       tees[p->tee]);
	}
	if (cli_flag(cli, "memory") != cli_flag(cli, "tables"))
		return err_set(e, ERR_INVALID,
			       "--memory and --tables go together: RTMR0 comes of both");
	if (cli_flag(cli, "rtmr0") && cli_flag(cli, "tables"))
		return err_set(
			e, ERR_INVALID,
			"--rtmr0 and --tables exclude each other: one names it, the other computes it");
	for (size_t i = 0; cli_value(cli, "igvm") && i < ARRAY_LEN(in_igvm); i++)
		if (cli_flag(cli, in_igvm[i]))
			return err_set(e, ERR_INVALID,
				       "--igvm and --%s exclude each other: the file has its own",
				       in_igvm[i]);
	return 0;
}

static int read_image(const struct cli *cli, struct policy_image *p, struct err *e)
{
	if (image_open(cli_value(cli, "image"), &p->image, e) < 0 ||
	    image_cmdline(p->image, cli_value(cli, "word"), &p->cmdline, e) < 0)
		return err_code(e);
	p->reference.image = p->image;
	p->reference.cmdline = p->cmdline;
	return 0;
}

/* RTMR0: given, computed from both memory and tables, or left out. */
static int read_rtmr0(struct cli *cli, struct policy_image *p, struct err *e)
{
	const char *memory = cli_value(cli, "memory"), *tables = cli_value(cli, "tables"), *hex;
	struct reference *x = &p->reference;

	if (memory && size_parse(memory, &x->memory, e) < 0)
		return err_wrap(e, "--memory");
	if (tables && launch_tables_read(tables, &p->tables, e) < 0) {
		cli_hint(cli,
			 "scripts/host-tables saves such a folder: docs/policy.md, 'Saving the "
			 "tables'");
		return err_wrap(e, "--tables");
	}
	x->tables = tables ? &p->tables : NULL;
	x->rtmr0 = p->rtmr0;
	while ((hex = cli_value_at(cli, "rtmr0", x->rtmr0_count))) {
		if (x->rtmr0_count == REFERENCE_RTMR0_MAX)
			return err_set(e, ERR_EXHAUSTED, "--rtmr0: more than %d digests",
				       REFERENCE_RTMR0_MAX);
		if (hex_decode(hex, p->rtmr0[x->rtmr0_count++], SHA384_LEN, e) < 0)
			return err_wrap(e, "--rtmr0");
	}
	return 0;
}

static int read_launch(struct cli *cli, struct policy_image *p, struct err *e)
{
	static const char *const firmware[] = {
		[REFERENCE_SNP] = REFERENCE_SNP_FIRMWARE,
		[REFERENCE_TDX] = REFERENCE_TDX_FIRMWARE,
	};
	struct reference *x = &p->reference;
	const char *type = cli_value(cli, "cpu-type"), *igvm = cli_value(cli, "igvm");
	uint64_t cpus = 1;
	uint32_t ignored;

	if (number_option(cli, "cpus", SNP_MEASURE_VCPUS_MAX, &cpus, e) < 0)
		return err_code(e);
	if (!cpus)
		return err_set(e, ERR_INVALID, "--cpus: at least 1");
	if (type && cpu_type_option(cli, "cpu-type", &ignored, e) < 0)
		return err_code(e);
	x->cpus = (unsigned)cpus;
	x->cpu_type = type ? type : REFERENCE_SNP_CPU_TYPE;
	x->smt = p->tee == REFERENCE_SNP && cli_flag(cli, "smt");
	x->igvm = igvm != NULL;
	x->firmware = igvm ? igvm : cli_value(cli, "firmware");
	if (!x->firmware && p->tee != REFERENCE_TPM)
		x->firmware = firmware[p->tee];
	return read_rtmr0(cli, p, e);
}

/* Of each value given; one that stands there twice is a mistake. */
static int read_tls_groups(const struct cli *cli, uint32_t *groups, struct err *e)
{
	const char *text;

	for (size_t i = 0; (text = cli_value_at(cli, "tls-groups", i)); i++) {
		uint32_t some;

		if (kex_groups_parse(text, &some, e) < 0)
			return err_wrap(e, "--tls-groups %s", log_quote(text).text);
		if (*groups & some)
			return err_set(e, ERR_INVALID, "--tls-groups: %s stands there twice",
				       kex_groups_show(*groups & some).text);
		*groups |= some;
	}
	return 0;
}

static int read_options(struct cli *cli, struct policy_image *p, struct err *e)
{
	const char *manifest = cli_value(cli, "manifest"), *tee = cli_value(cli, "tee");

	if (!cli_value(cli, "image") || !tee)
		return err_set(e, ERR_INVALID, "--%s is missing", tee ? "image" : "tee");
	reference_tee_of(tee, &p->tee);
	if (check_options(cli, p, e) < 0 || read_image(cli, p, e) < 0 || read_launch(cli, p, e) < 0)
		return err_code(e);
	if (manifest && manifest_file_digests(manifest, &p->manifest, e) < 0)
		return err_code(e);
	p->reference.manifest = manifest ? &p->manifest : NULL;
	return read_tls_groups(cli, &p->reference.tls_groups, e);
}

static enum cli_exit run_create(struct cli *cli, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(REFERENCE_POLICY_MAX);
	CLEANUP_POLICY_IMAGE struct policy_image p = { .image = NULL };

	if (read_options(cli, &p, e) < 0)
		return CLI_USAGE;
	if (reference_policy(p.tee, &p.reference, &w, e) < 0) {
		if (e->code == ERR_NOT_FOUND && !p.reference.igvm && !cli_value(cli, "firmware"))
			cli_hint(cli,
				 "--firmware FILE names what the operator launches; docs/owners.md "
				 "says where it comes from");
		return CLI_FAILED;
	}
	if (p.reference.tables)
		fprintf(stderr,
			"note: RTMR0 is that of %s of memory with the tables of %s; another version "
			"of QEMU makes other tables\n",
			cli_value(cli, "memory"), p.tables.qemu);
	else if (p.tee == REFERENCE_TDX && !p.reference.rtmr0_count)
		fprintf(stderr,
			"RTMR0 depends on the machine's memory and tables, not on the image: "
			"until --memory and --tables, or --rtmr0, name it, this policy refuses\n");
	if (!p.image->own_kernel)
		fprintf(stderr,
			"note: the image's kernel is Debian's, which runs ACPI code of the host's: "
			"for production, build the image with --kernel own\n");
	if (output_write(cli, cli_value(cli, "output"), w.bytes, w.len, e) < 0)
		return CLI_FAILED;
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "image", .value = "DIR", .help = "the image, as build-image makes it" },
	{ .name = "tee", .value = "TEE", .words = tees,
	  .help = "what vouches for the CVM: snp, tdx, or vtpm (a TPM of the host's)" },
	{ .name = "cpus", .value = "N", .help = "snp: virtual processors (default 1)" },
	{ .name = "cpu-type", .value = "TYPE",
	  .help = "snp: QEMU's name of their type (default " REFERENCE_SNP_CPU_TYPE ")" },
	{ .name = "smt", .help = "snp: accept hosts with simultaneous multithreading" },
	{ .name = "firmware", .value = "FILE",
	  .help = "snp, tdx: what is launched (default " REFERENCE_SNP_FIRMWARE ", " REFERENCE_TDX_FIRMWARE ")" },
	{ .name = "igvm", .value = "FILE", .help = "snp: in place of firmware and processors; has to hold this image" },
	{ .name = "rtmr0", .value = "HEX", .times = CLI_MANY,
	  .help = "tdx: an acceptable RTMR0, where it is not computed" },
	{ .name = "memory", .value = "SIZE", .help = "tdx: of the CVM, for RTMR0; 2G, 4096M" },
	{ .name = "tables", .value = "DIR",
	  .help = "tdx: folder of what QEMU gives its firmware, for RTMR0" },
	{ .name = "word", .value = "WORD", .help = "for the command line, beside the image's own" },
	{ .name = "manifest", .value = "FILE", .help = "only this manifest may run" },
	{ .name = "tls-groups", .value = "NAME[,NAME]", .times = CLI_MANY,
	  .help = "key exchanges that a connection may have: X25519MLKEM768" },
	OUTPUT_OPTION,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_policy_create = {
	.name = "policy create",
	.common = true,
	.args = "",
	.help = "compute from an image's files what evidence of its CVMs has to say",
	.options = options,
	.run = run_create,
	.more = "The image's files are compared with image.json. Nothing that the host chooses is in the\n"
		"policy: the run statement tells the boot configuration, and for snp and tdx the policy\n"
		"asks that it was fixed at launch. The manager's AttestationPolicy answers the same\n"
		"bytes. For vtpm the CVM has to boot through OVMF; see docs/policy.md.",
};
