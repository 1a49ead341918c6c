/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_ca_bundle.c — fetches AMD's certificates of one product, for work without a network. */
#include "attestation/endorse/endorse_snp.h"
#include "cli/base/json_out.h"
#include "cli/base/moment.h"
#include "cli/base/product.h"
#include "cli/cmd/commands.h"
#include "cli/evidence/endorse.h"
#include "common/base/file.h"

/* Of chips (VCEK) and of clouds (VLEK): file names as the cache has them. */
static const struct kind {
	enum snp_signing_key key;
	const char *chain, *crl;
} kinds[] = {
	{ SNP_KEY_VCEK, "ask_ark.pem", "vcek_crl.der" },
	{ SNP_KEY_VLEK, "asvk_ark.pem", "vlek_crl.der" },
};

struct request {
	enum snp_product product;
	int64_t at;
	uint8_t *root;
	size_t root_len;
};

static int read_request(const struct cli *cli, struct request *r, struct err *e)
{
	const char *root = cli_value(cli, "trusted_root");

	if (product_parse(cli->operands[0], &r->product, e) < 0 || moment_at(cli, &r->at, e) < 0)
		return err_code(e);
	if (root && file_read(root, X509_PEM_MAX, &r->root, &r->root_len, e) < 0)
		return err_wrap(e, "--trusted_root");
	if (root && !r->root_len)
		return err_set(e, ERR_INVALID, "--trusted_root: '%s' is empty", root);
	return 0;
}

static int fetch(struct cli *cli, const struct request *r, struct endorsements *n,
		 struct json_out *json, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct span root = { r->root, r->root_len };
		struct endorse_snp_bundle b;
		char path[4096];

		if (endorse_snp_bundle(n, r->product, kinds[i].key, root, r->at, &b, e) < 0)
			return err_code(e);
		for (size_t k = 0; k < 2; k++) {
			snprintf(path, sizeof(path), "%s/%s", b.folder,
				 k ? kinds[i].crl : kinds[i].chain);
			if (json)
				json_out_text(json, NULL, path);
			else
				fprintf(cli->out, "%s\n", path);
		}
	}
	return 0;
}

static enum cli_exit run(struct cli *cli, struct err *e)
{
	CLEANUP(endorsements_free) struct endorsements *n = NULL;
	struct request r = { .root = NULL };
	CLEANUP_JSON_OUT struct json_out json;
	bool as_json = cli_flag(cli, "json");

	json_out_init(&json);
	if (read_request(cli, &r, e) < 0 || endorse_open(cli, false, &n, e) < 0) {
		free(r.root);
		return CLI_USAGE;
	}
	json_out_list(&json, NULL);
	int failed = fetch(cli, &r, n, as_json ? &json : NULL, e);
	json_out_end(&json);
	if (!failed && as_json)
		failed = json_out_print(&json, cli->out, e);
	free(r.root);
	return failed ? CLI_FAILED : CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	ENDORSE_OPTIONS,
	{ .name = "trusted_root", .value = "FILE",
	  .help = "a root to trust in place of the vendor's" },
	MOMENT_AT_OPTION,
	CLI_JSON_OPTION,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_ca_bundle = {
	.name = "ca-bundle",
	.args = "PRODUCT",
	.help = "fetch AMD's certificates and revocation lists into the cache",
	.operands_min = 1,
	.operands_max = 1,
	.options = options,
	.run = run,
	.more = "PRODUCT is Milan, Genoa (also for Bergamo and Siena) or Turin. Each document is kept only\n"
		"if it verifies under AMD's root. Prints the files: the ASK with the ARK, for --CA_bundles_paths;\n"
		"the ASVK with the ARK; and the ARK's revocation lists, for --crl.",
};
