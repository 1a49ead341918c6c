/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy_create_corim.c — reference values as a CoRIM, for verifiers that judge by one. */
#include "attestation/corim/corim.h"
#include "attestation/corim/corim_write.h"
#include "cli/base/number.h"
#include "cli/base/output.h"
#include "cli/base/private_key.h"
#include "cli/base/product.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"
#include "common/base/writer.h"

#include <string.h>

static int read_svn(const struct cli *cli, const char *option, uint64_t max, struct corim_svn *svn,
		    struct err *e)
{
	svn->given = cli_value(cli, option) != NULL;
	svn->at_least = true;
	return number_option(cli, option, max, &svn->number, e);
}

static int read_snp(const struct cli *cli, struct corim_entry *entry, struct err *e)
{
	const char *product = cli_value(cli, "product");
	bool measured;

	if (hex_option(cli, "measurement", entry->measurement, SNP_DIGEST_LEN, &measured, e) < 0 ||
	    hex_option(cli, "host-data", entry->host_data, SNP_HOST_DATA_LEN, &entry->has_host_data,
		       e) < 0 ||
	    number_option(cli, "policy", UINT64_MAX, &entry->policy, e) < 0 ||
	    read_svn(cli, "svn", UINT32_MAX, &entry->svn, e) < 0 ||
	    read_svn(cli, "launch-tcb", UINT64_MAX, &entry->launch_tcb, e) < 0)
		return err_code(e);
	entry->has_policy = cli_value(cli, "policy") != NULL;
	if (!measured || !product)
		return err_set(e, ERR_INVALID, "--%s is missing",
			       measured ? "product" : "measurement");
	if (product_parse(product, &entry->product, e) < 0)
		return err_code(e);
	if (entry->has_policy && (!(entry->policy & SNP_POLICY_RESERVED_ONE) ||
				  (entry->policy & (SNP_POLICY_RESERVED_ZERO | SNP_POLICY_DEBUG))))
		return err_set(e, ERR_INVALID,
			       "--policy: bit 17 has to be one, 19 (debug) and 26 to 63 zero");
	return 0;
}

/* Four values, separated by commas; an empty one is left out. */
static int read_rtmrs(const struct cli *cli, struct corim_entry *entry, struct err *e)
{
	const char *given = cli_value(cli, "rtmrs");
	CLEANUP(free) char *copy = given ? strdup(given) : NULL;
	char *rest = copy, *piece;
	size_t i = 0;

	if (given && !copy)
		return err_nomem(e);
	for (; copy && (piece = strsep(&rest, ",")); i++) {
		if (i == TDX_RTMR_COUNT)
			return err_set(e, ERR_INVALID, "--rtmrs: more than %d registers",
				       TDX_RTMR_COUNT);
		if (*piece && hex_decode(piece, entry->mr[2 + i], TDX_MR_LEN, e) < 0)
			return err_wrap(e, "--rtmrs: value %zu", i + 1);
		entry->has_mr[2 + i] = *piece != '\0';
	}
	if (given && i != TDX_RTMR_COUNT)
		return err_set(e, ERR_INVALID,
			       "--rtmrs: %zu values; give four, separated by commas", i);
	return 0;
}

static int read_tdx(const struct cli *cli, struct corim_entry *entry, struct err *e)
{
	entry->tdx = true;
	if (hex_option(cli, "measurement", entry->mr[0], TDX_MR_LEN, &entry->has_mr[0], e) < 0 ||
	    hex_option(cli, "mr-seam", entry->mr[1], TDX_MR_LEN, &entry->has_mr[1], e) < 0 ||
	    read_rtmrs(cli, entry, e) < 0 || read_svn(cli, "svn", UINT8_MAX, &entry->svn, e) < 0)
		return err_code(e);
	return entry->has_mr[0] ? 0 : err_set(e, ERR_INVALID, "--measurement is missing");
}

static enum cli_exit
create(struct cli *cli,
       int (*read)(const struct cli *cli, struct corim_entry *entry, struct err *e), struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(CORIM_MAX);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	const char *path = cli_value(cli, "output"), *pem = cli_value(cli, "signing-key");
	struct corim_entry entry = { .tdx = false };

	if (!path)
		return cli_usage(e, "--output is missing");
	if (read(cli, &entry, e) < 0)
		return CLI_USAGE;
	if (pem && private_key_load(cli, pem, &key, e) < 0) {
		err_wrap(e, "--signing-key");
		return CLI_USAGE;
	}
	if (corim_write(&entry, key, &w, e) < 0 ||
	    output_file(cli, path, w.bytes, w.len, 0644, e) < 0)
		return CLI_FAILED;
	return CLI_OK;
}

static enum cli_exit run_snp(struct cli *cli, struct err *e)
{
	return create(cli, read_snp, e);
}

static enum cli_exit run_tdx(struct cli *cli, struct err *e)
{
	return create(cli, read_tdx, e);
}

/* clang-format off */
#define OUTPUT_OPTIONS \
	{ .letter = 'o', .name = "output", .value = "FILE", .writes = true, .help = "write there" }, \
	OUTPUT_FORCE_OPTION, \
	{ .name = "signing-key", .value = "PEM", \
	  .help = "sign it (COSE_Sign1) with this private key" }
/* clang-format on */

/* clang-format off */
static const struct cli_option policy_create_corim_snp_options[] = {
	{ .name = "measurement", .value = "HEX", .help = "launch measurement, 48 bytes" },
	{ .name = "product", .value = "NAME", .help = "Milan, Genoa or Turin" },
	{ .name = "policy", .value = "N", .help = "the guest policy, exactly" },
	{ .name = "svn", .value = "N", .help = "GUEST_SVN, at least" },
	{ .name = "host-data", .value = "HEX", .help = "HOST_DATA, 32 bytes" },
	{ .name = "launch-tcb", .value = "N",
	  .help = "LAUNCH_TCB as a number, each part at least" },
	OUTPUT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_policy_create_corim_snp = {
	.name = "policy create-corim snp",
	.args = "",
	.help = "write reference values for SEV-SNP as a CoRIM",
	.options = policy_create_corim_snp_options,
	.run = run_snp,
};

/* clang-format off */
static const struct cli_option policy_create_corim_tdx_options[] = {
	{ .name = "measurement", .value = "HEX", .help = "MRTD, 48 bytes" },
	{ .name = "mr-seam", .value = "HEX", .help = "the TDX module, 48 bytes" },
	{ .name = "rtmrs", .value = "H,H,H,H", .help = "RTMR0 to 3; an empty one may be anything" },
	{ .name = "svn", .value = "N", .help = "the TDX module's minor SVN, at least" },
	OUTPUT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_policy_create_corim_tdx = {
	.name = "policy create-corim tdx",
	.args = "",
	.help = "write reference values for TDX as a CoRIM",
	.options = policy_create_corim_tdx_options,
	.run = run_tdx,
};
