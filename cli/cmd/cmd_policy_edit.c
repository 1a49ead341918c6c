/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy_edit.c — puts reference values into a policy: measurement, host data, a manifest. */
#include "attestation/policy/policy_show.h"
#include "attestation/snp/snp_report.h"
#include "cli/base/json_edit.h"
#include "cli/base/manifest_file.h"
#include "cli/base/output.h"
#include "cli/base/text.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A policy file, its tree, and which spelling of keys it has. */
struct policy_text {
	uint8_t *bytes;
	size_t len;
	struct json *root;
	bool own;          /* our form */
	bool for_tdx_only; /* of TEEs */
};

static void policy_text_done(struct policy_text *p)
{
	free(p->bytes);
	json_free(p->root);
}
#define CLEANUP_POLICY_TEXT __attribute__((cleanup(policy_text_done)))

static int read_policy(const char *path, struct policy_text *p, struct err *e)
{
	struct policy understood;

	if (file_read(path, POLICY_FILE_MAX, &p->bytes, &p->len, e) < 0)
		return err_code(e);
	const struct policy_file file = { path, p->bytes, p->len };
	if (policy_parse(&file, 1, &understood, e) < 0 ||
	    json_parse(p->bytes, p->len, &p->root, e) < 0)
		return err_code(e);
	p->for_tdx_only = understood.has_tdx && !understood.has_snp;
	policy_done(&understood);
	p->own = json_get(p->root, "cocos") != NULL;
	return 0;
}

/* The file that the name leads to, with the rights that it has: over a link, the policy that others read would stay as it was. */
static int replace_policy(struct cli *cli, const char *path, const struct writer *w, struct err *e)
{
	CLEANUP(free) char *file = realpath(path, NULL);
	struct stat about;

	if (stat(path, &about) < 0)
		return err_errno(e, "'%s'", path);
	if (!S_ISREG(about.st_mode) || !file) {
		cli_hint(cli,
			 "-o FILE says where the changed policy goes, -o - to standard output");
		return err_set(e, ERR_INVALID, "'%s' is no file that could be changed", path);
	}
	if (file_write(file, w->bytes, w->len, about.st_mode & 0777, e) < 0)
		return err_code(e);
	/* Root may change others' files. */
	if (about.st_uid != geteuid() && geteuid() == 0 &&
	    chown(file, about.st_uid, about.st_gid) < 0)
		return err_errno(e, "give '%s' back to its owner", file);
	return 0;
}

/* The reader has to understand the changed policy too, before it replaces anything. */
static int write_policy(struct cli *cli, const char *path, const struct policy_text *p,
			const struct json_edit *edits, size_t count, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4 * POLICY_FILE_MAX);
	const char *out = cli_value(cli, "output");
	struct policy understood;

	if (json_edit_write(p->root, edits, count, &w, e) < 0)
		return err_code(e);
	const struct policy_file file = { out ? out : path, w.bytes, w.len };
	if (policy_parse(&file, 1, &understood, e) < 0)
		return err_wrap(e, "the changed policy");
	if (policy_leaves_open(&understood))
		fprintf(stderr, "note: %s\n", policy_leaves_open(&understood));
	policy_done(&understood);
	return out ? output_write(cli, out, w.bytes, w.len, e) : replace_policy(cli, path, &w, e);
}

/* clang-format off */
static const struct cli_option output_option[] = {
	{ .letter = 'o', .name = "output", .value = "FILE", .writes = true,
	  .help = "write there instead of into POLICY.json; - for standard output" },
	OUTPUT_FORCE_OPTION,
	{ .name = NULL },
};
/* clang-format on */

/* The key of the older form in the spelling that the file uses. */
static const char *spelled(const struct json *object, const char *snake, const char *camel)
{
	return json_get(object, camel) ? camel : snake;
}

/* In hexadecimal, as sevsnpmeasure prints it, or in base64, as policies of the older form have it: of
 * so many bytes no text is both. */
static int read_value(const char *text, size_t len, uint8_t **bytes, struct err *e)
{
	size_t got, typed = strlen(text);

	if (typed == 2 * len) {
		*bytes = malloc(len);
		return *bytes ? hex_decode(text, *bytes, len, e) : err_nomem(e);
	}
	if (base64_decode(text, typed, bytes, &got, e) < 0)
		return err_wrap(e, "neither %zu bytes in hexadecimal nor in base64", len);
	if (got != len)
		return err_set(e, ERR_INVALID, "%s has %zu bytes; wanted %zu", log_quote(text).text,
			       got, len);
	return 0;
}

/* Both of a TEE: a value for SEV-SNP in a policy for TDX would leave what it asks of TDX as it was, and let in SEV-SNP. */
static int check_is_for_snp(const struct policy_text *p, const char *command, struct err *e)
{
	if (!p->for_tdx_only)
		return 0;
	return err_set(
		e, ERR_PRECONDITION,
		"the policy is for TDX, and '%s' is for SEV-SNP: what it asks of TDX has to be "
		"changed in it, or an snp section added",
		command);
}

static enum cli_exit set_bytes(struct cli *cli, size_t len, const char *snake, const char *camel,
			       const char *own, struct err *e)
{
	CLEANUP_POLICY_TEXT struct policy_text p = { .bytes = NULL };
	CLEANUP(free) uint8_t *bytes = NULL;
	CLEANUP(free) char *base64 = NULL;
	char path[64], text[512], hex[256];

	if (read_value(cli->operands[0], len, &bytes, e) < 0 ||
	    read_policy(cli->operands[1], &p, e) < 0 ||
	    check_is_for_snp(&p, cli->command->name, e) < 0)
		return CLI_USAGE;
	if (p.own) {
		hex_encode(bytes, len, hex);
		snprintf(path, sizeof(path), "snp/%s", own);
		snprintf(text, sizeof(text), "[\"%s\"]", hex);
	} else {
		snprintf(path, sizeof(path), "policy/%s",
			 spelled(json_get(p.root, "policy"), snake, camel));
		base64 = base64_encode(bytes, len);
		if (!base64) {
			err_nomem(e);
			return CLI_FAILED;
		}
		snprintf(text, sizeof(text), "\"%s\"", base64);
	}
	const struct json_edit edit = { path, text };
	return write_policy(cli, cli->operands[1], &p, &edit, 1, e) < 0 ? CLI_FAILED : CLI_OK;
}

static enum cli_exit run_measurement(struct cli *cli, struct err *e)
{
	return set_bytes(cli, SNP_DIGEST_LEN, "measurement", "measurement", "measurements", e);
}

static enum cli_exit run_hostdata(struct cli *cli, struct err *e)
{
	return set_bytes(cli, SNP_HOST_DATA_LEN, "host_data", "hostData", "host_data", e);
}

/* What all commands here have in common: something goes into a policy. */
#define EDIT_COMMAND(name_, what, help_, run_)                                        \
	.name = name_, .args = what " POLICY.json", .help = help_, .operands_min = 2, \
	.operands_max = 2, .options = output_option, .run = run_

const struct command cmd_policy_measurement = {
	EDIT_COMMAND("policy measurement", "VALUE", "put the launch measurement into a policy",
		     run_measurement),
	.more = "VALUE is in hexadecimal, as 'sevsnpmeasure' prints it, or in base64.",
};

const struct command cmd_backend_measurement = {
	EDIT_COMMAND("backend measurement", "VALUE", "older name of 'policy measurement'",
		     run_measurement),
};

const struct command cmd_policy_hostdata = {
	EDIT_COMMAND("policy hostdata", "VALUE", "put the host data into a policy", run_hostdata),
	.more = "VALUE is in hexadecimal or in base64.",
};

/* ---- extend ---- */

/* In our form: the manifest's digest, which the run statement names, and PCR16 after that manifest
 * if the policy has rules for a TPM. With such rules a policy for a TEE alone would refuse its
 * tokens. */
static enum cli_exit run_extend(struct cli *cli, struct err *e)
{
	CLEANUP_POLICY_TEXT struct policy_text p = { .bytes = NULL };
	struct manifest_digests d;
	struct err unfit;
	bool fit;
	char hex[3][2 * SHA384_LEN + 1];
	char text[3][3 * (2 * SHA384_LEN + 1) + 8];

	if (manifest_file_any(cli->operands[0], &d, &fit, &unfit, e) < 0 ||
	    read_policy(cli->operands[1], &p, e) < 0)
		return CLI_USAGE;
	/* A stock agent may accept what ours does not; ours will never have such evidence. */
	if (!fit)
		fprintf(stderr, "note: no agent of ours accepts this manifest: %s\n",
			text_plain(unfit.text).text);
	hex_encode(d.pcr16_sha256, SHA256_LEN, hex[0]);
	hex_encode(d.pcr16_sha384, SHA384_LEN, hex[1]);
	hex_encode(d.sha3_256, SHA3_256_LEN, hex[2]);
	for (size_t i = 0; i < 3; i++)
		snprintf(text[i], sizeof(text[i]), p.own && i == 2 ? "[\"%s\"]" : "\"%s\"", hex[i]);
	const struct json_edit own[] = { { "run/manifests", text[2] },
					 { "tpm/pcrs/sha256/16", text[0] },
					 { "tpm/pcrs/sha384/16", text[1] } };
	const struct json *tpm = json_get(p.root, "tpm");
	size_t count = tpm && tpm->type == JSON_OBJECT ? ARRAY_LEN(own) : 1;
	const char *top = json_get(p.root, "pcrValues") ? "pcrValues" : "pcr_values";
	char one[64], two[64];
	snprintf(one, sizeof(one), "%s/sha256/16", top);
	snprintf(two, sizeof(two), "%s/sha384/16", top);
	const struct json_edit older[] = { { one, text[0] }, { two, text[1] } };
	int failed = p.own ? write_policy(cli, cli->operands[1], &p, own, count, e)
			   : write_policy(cli, cli->operands[1], &p, older, 2, e);
	return failed ? CLI_FAILED : CLI_OK;
}

const struct command cmd_policy_extend = {
	EDIT_COMMAND("policy extend", "MANIFEST.json", "make a policy that asks for one manifest",
		     run_extend),
	.more = "The manifest's digest replaces those in run.manifests. If the policy has rules for a TPM, PCR16 after\n"
		"that manifest goes into tpm.pcrs. A policy of the older form only has PCR16 (pcr_values).",
};
