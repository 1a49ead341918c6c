/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_idblock.c — makes an ID block for one launch and signs it. */
#include "attestation/snp/idblock.h"
#include "cli/base/json_out.h"
#include "cli/base/number.h"
#include "cli/base/output.h"
#include "cli/base/private_key.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"
#include "common/crypto/digest.h"

#include <stdio.h>
#include <string.h>

struct made {
	uint8_t block[IDBLOCK_LEN], auth[IDAUTH_LEN];
	uint8_t id_key_digest[SNP_DIGEST_LEN], author_key_digest[SNP_DIGEST_LEN];
	bool author;
};

static int read_fields(const struct cli *cli, struct idblock *block, struct err *e)
{
	uint64_t svn = 0;
	bool measured, ignored;

	block->policy = SNP_POLICY_RESERVED_ONE;
	if (hex_option(cli, "measurement", block->measurement, SNP_DIGEST_LEN, &measured, e) < 0 ||
	    hex_option(cli, "family-id", block->family_id, SNP_ID_LEN, &ignored, e) < 0 ||
	    hex_option(cli, "image-id", block->image_id, SNP_ID_LEN, &ignored, e) < 0 ||
	    number_option(cli, "guest-svn", UINT32_MAX, &svn, e) < 0 ||
	    number_option(cli, "policy", UINT64_MAX, &block->policy, e) < 0)
		return err_code(e);
	block->guest_svn = (uint32_t)svn;
	if (!measured)
		return err_set(e, ERR_INVALID, "--measurement is missing");
	if (!(block->policy & SNP_POLICY_RESERVED_ONE) ||
	    (block->policy & SNP_POLICY_RESERVED_ZERO))
		return err_set(e, ERR_INVALID, "--policy: bit 17 has to be one, 26 to 63 zero");
	return 0;
}

static int sign(struct cli *cli, const struct idblock *fields, struct made *made, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *id_key = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *author_key = NULL;
	const char *author = cli_value(cli, "author-key");

	if (private_key_load(cli, cli_value(cli, "id-key"), &id_key, e) < 0)
		return err_wrap(e, "--id-key");
	if (author && private_key_load(cli, author, &author_key, e) < 0)
		return err_wrap(e, "--author-key");
	idblock_write(fields, made->block);
	if (idblock_sign(made->block, id_key, author_key, made->auth, e) < 0 ||
	    idblock_key_digest(id_key, made->id_key_digest, e) < 0)
		return err_code(e);
	made->author = author_key != NULL;
	return author_key ? idblock_key_digest(author_key, made->author_key_digest, e) : 0;
}

static int write_files(struct cli *cli, const struct made *made, struct err *e)
{
	const char *block = cli_value(cli, "id-block"), *auth = cli_value(cli, "id-auth");

	if (block && output_file(cli, block, made->block, IDBLOCK_LEN, 0644, e) < 0)
		return err_code(e);
	if (auth && output_file(cli, auth, made->auth, IDAUTH_LEN, 0644, e) < 0)
		return err_code(e);
	return 0;
}

static int print(struct cli *cli, const struct made *made, struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;
	CLEANUP(free) char *block = base64_encode(made->block, IDBLOCK_LEN);
	CLEANUP(free) char *auth = base64_encode(made->auth, IDAUTH_LEN);

	if (!block || !auth)
		return err_nomem(e);
	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_text(&out, "id_block", block);
	json_out_text(&out, "id_auth", auth);
	json_out_hex(&out, "id_key_digest", made->id_key_digest, SNP_DIGEST_LEN);
	if (made->author)
		json_out_hex(&out, "author_key_digest", made->author_key_digest, SNP_DIGEST_LEN);
	json_out_end(&out);
	return json_out_print(&out, cli->out, e);
}

static enum cli_exit run_idblock(struct cli *cli, struct err *e)
{
	struct idblock fields = { 0 };
	struct made made = { 0 };

	if (!cli_value(cli, "id-key"))
		return cli_usage(e, "--id-key is missing");
	if (read_fields(cli, &fields, e) < 0 || sign(cli, &fields, &made, e) < 0)
		return CLI_USAGE;
	if (write_files(cli, &made, e) < 0 || print(cli, &made, e) < 0)
		return CLI_FAILED;
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "measurement", .value = "HEX",
	  .help = "the launch measurement (sevsnpmeasure, igvmmeasure)" },
	{ .name = "id-key", .value = "PEM", .help = "private ID key, ECDSA P-384" },
	{ .name = "author-key", .value = "PEM",
	  .help = "private author key, which signs the ID key" },
	{ .name = "family-id", .value = "HEX", .help = "16 bytes (default zero)" },
	{ .name = "image-id", .value = "HEX", .help = "16 bytes (default zero)" },
	{ .name = "guest-svn", .value = "N", .help = "version of the guest (default 0)" },
	{ .name = "policy", .value = "N", .help = "guest policy (default 0x20000)" },
	{ .name = "id-block", .value = "FILE", .writes = true, .help = "write the block, 96 bytes" },
	{ .name = "id-auth", .value = "FILE", .writes = true, .help = "write the authentication, 4096 bytes" },
	OUTPUT_FORCE_OPTION,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_idblock_create = {
	.name = "idblock create",
	.args = "",
	.help = "make and sign the ID block and ID authentication of an SEV-SNP launch",
	.options = options,
	.run = run_idblock,
	.more = "Prints JSON: both in base64, as libvirt's idBlock and idAuth want them, and the "
		"digests of the keys, as a report will have them.",
};
