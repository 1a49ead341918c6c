/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy_create.c — a policy in our form from options: one for each of its keys. */
#include "attestation/policy/policy.h"
#include "cli/base/json_edit.h"
#include "cli/base/json_out.h"
#include "cli/base/manifest_file.h"
#include "cli/base/number.h"
#include "cli/base/output.h"
#include "cli/cmd/commands.h"
#include "common/base/log.h"
#include "common/base/settings.h"

#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

/* How an option's value is written into the policy. The policy's reader judges what is in it. */
enum form {
	LIST,     /* each value is one text of an array; commas separate values too */
	TEXT,     /* text */
	NUMBER,   /* a number, decimal or hexadecimal on the command line */
	SECONDS,  /* a number, or a duration with its units on the command line */
	FLAG,     /* true */
	TRIPLE,   /* "1.55.21" as [1, 55, 21] */
	COUNTS,   /* "snp=24,tee=0" as {"snp": 24, "tee": 0} */
	MANIFEST, /* files; an array of their digests */
};

struct row {
	const char *option, *key;
	enum form form;
};

/* One object of the policy. */
struct object {
	const char *key;
	const struct row *rows;
};

static const struct row snp_rows[] = {
	{ "measurement", "measurements", LIST },
	{ "host-data", "host_data", LIST },
	{ "id-key-digest", "id_key_digests", LIST },
	{ "author-key-digest", "author_key_digests", LIST },
	{ "require-author-key", "require_author_key", FLAG },
	{ "family-id", "family_ids", LIST },
	{ "image-id", "image_ids", LIST },
	{ "report-id", "report_ids", LIST },
	{ "report-id-ma", "report_id_mas", LIST },
	{ "chip-id", "chip_ids", LIST },
	{ "require-chip-allow-list", "require_chip_allow_list", FLAG },
	{ "min-version", "min_version", NUMBER },
	{ "min-guest-svn", "min_guest_svn", NUMBER },
	{ "vmpl", "vmpl", NUMBER },
	{ "allow", "allow", LIST },
	{ "demand", "demand", LIST },
	{ "min-abi", "min_abi", TEXT },
	{ "platform", "platform", LIST },
	{ "allow-tio", "allow_tio", FLAG },
	{ "allow-unchecked-alias", "allow_unchecked_alias", FLAG },
	{ "allow-vlek", "allow_vlek", FLAG },
	{ "csp-id", "csp_id", TEXT },
	{ "product", "product", TEXT },
	{ "min-tcb", "min_tcb", COUNTS },
	{ "min-launch-tcb", "min_launch_tcb", COUNTS },
	{ "allow-provisional", "allow_provisional", FLAG },
	{ "min-build", "min_build", NUMBER },
	{ "min-api", "min_api", TEXT },
	{ "min-firmware", "min_firmware", TRIPLE },
	{ "launch-mit-vector", "launch_mit_vector", NUMBER },
	{ "current-mit-vector", "current_mit_vector", NUMBER },
	{ .option = NULL },
};

static const struct row tdx_rows[] = {
	{ "mrtd", "mrtd", LIST },
	{ "rtmr0", "rtmr0", LIST },
	{ "rtmr1", "rtmr1", LIST },
	{ "rtmr2", "rtmr2", LIST },
	{ "rtmr3", "rtmr3", LIST },
	{ "mr-seam", "mrseam", LIST },
	{ "mrconfigid", "mrconfigid", LIST },
	{ "mrowner", "mrowner", LIST },
	{ "mrownerconfig", "mrownerconfig", LIST },
	{ "mrservicetd", "mrservicetd", LIST },
	{ "fmspc", "fmspcs", LIST },
	{ "instance", "instances", LIST },
	{ "allow-attribute", "allow_attributes", LIST },
	{ "allow-sept-ve", "allow_sept_ve", FLAG },
	{ "attributes", "attributes", TEXT },
	{ "xfam", "xfam", TEXT },
	{ "status", "statuses", LIST },
	{ "min-evaluation", "min_evaluation", NUMBER },
	{ "min-tee-tcb-svn", "min_tee_tcb_svn", TEXT },
	{ "min-qe-svn", "min_qe_svn", NUMBER },
	{ "min-pce-svn", "min_pce_svn", NUMBER },
	{ .option = NULL },
};

static const struct row token_rows[] = { { "max-age", "max_age", SECONDS }, { .option = NULL } };

static const struct row run_rows[] = {
	{ "agent", "agent", TEXT },
	{ "fixed-boot", "fixed_boot", FLAG },
	{ "kernel", "kernel", TEXT },
	{ "azure-paravisor", "azure_paravisor", FLAG },
	{ "manifest", "manifests", MANIFEST },
	{ "boot-key", "boot_keys", LIST },
	{ "weak-word", "weak_words", LIST },
	{ "allow-external-identity", "allow_external_identity", FLAG },
	{ .option = NULL },
};

static const struct row crl_rows[] = {
	{ "require-crl", "required", FLAG },
	{ "crl-max-age", "max_age", SECONDS },
	{ .option = NULL },
};

static const struct row tls_rows[] = { { "tls-groups", "groups", LIST }, { .option = NULL } };

/* clang-format off */
static const struct object snp_objects[] = {
	{ "snp", snp_rows },
	{ "token", token_rows },
	{ "run", run_rows },
	{ "crl", crl_rows },
	{ "tls", tls_rows },
	{ NULL, NULL },
};

static const struct object tdx_objects[] = {
	{ "tdx", tdx_rows },
	{ "token", token_rows },
	{ "run", run_rows },
	{ "crl", crl_rows },
	{ "tls", tls_rows },
	{ NULL, NULL },
};
/* clang-format on */

/* ---- values ---- */

/* Each piece between commas of each value given. */
static int each_piece(const struct cli *cli, const struct row *row, struct json_out *out,
		      int (*put)(const struct row *row, char *piece, struct json_out *out,
				 struct err *e),
		      struct err *e)
{
	const char *value;

	for (size_t i = 0; (value = cli_value_at(cli, row->option, i)); i++) {
		CLEANUP(free) char *copy = strdup(value);
		char *rest = copy, *piece;

		if (!copy)
			return err_nomem(e);
		while ((piece = strsep(&rest, ",")))
			if (put(row, piece, out, e) < 0)
				return err_code(e);
	}
	return 0;
}

static int put_text(const struct row *row, char *piece, struct json_out *out, struct err *e)
{
	if (!*piece)
		return err_set(e, ERR_INVALID, "--%s: an empty value", row->option);
	json_out_text(out, NULL, piece);
	return 0;
}

static int put_count(const struct row *row, char *piece, struct json_out *out, struct err *e)
{
	char *number = strchr(piece, '=');
	uint64_t count;

	if (!number || number == piece)
		return err_set(e, ERR_INVALID, "--%s: %s is not NAME=NUMBER", row->option,
			       log_quote(piece).text);
	*number++ = '\0';
	if (number_text(number, UINT8_MAX, &count, e) < 0)
		return err_wrap(e, "--%s", row->option);
	json_out_number(out, piece, count);
	return 0;
}

static int put_triple(const struct cli *cli, const struct row *row, struct json_out *out,
		      struct err *e)
{
	CLEANUP(free) char *copy = strdup(cli_value(cli, row->option));
	char *rest = copy, *piece;
	uint64_t number;

	if (!copy)
		return err_nomem(e);
	json_out_list(out, row->key);
	while ((piece = strsep(&rest, "."))) {
		if (number_text(piece, UINT8_MAX, &number, e) < 0)
			return err_wrap(e, "--%s", row->option);
		json_out_number(out, NULL, number);
	}
	json_out_end(out);
	return 0;
}

static int put_manifests(const struct cli *cli, const struct row *row, struct json_out *out,
			 struct err *e)
{
	const char *path;

	json_out_list(out, row->key);
	for (size_t i = 0; (path = cli_value_at(cli, row->option, i)); i++) {
		struct manifest_digests digests;

		if (manifest_file_digests(path, &digests, e) < 0)
			return err_wrap(e, "--%s", row->option);
		json_out_hex(out, NULL, digests.sha3_256, SHA3_256_LEN);
	}
	json_out_end(out);
	return 0;
}

static int put_pieces(const struct cli *cli, const struct row *row, struct json_out *out,
		      struct err *e)
{
	bool list = row->form == LIST;

	if (list)
		json_out_list(out, row->key);
	else
		json_out_object(out, row->key);
	if (each_piece(cli, row, out, list ? put_text : put_count, e) < 0)
		return err_code(e);
	json_out_end(out);
	return 0;
}

/* "168h" as durations are written in other options, or "604800". */
static int seconds_option(const struct cli *cli, const char *name, uint64_t *seconds, struct err *e)
{
	const char *text = cli_value(cli, name);
	uint64_t milliseconds;
	struct err ignored;

	if (number_text(text, UINT64_MAX, seconds, &ignored) == 0)
		return 0;
	if (duration_parse(text, &milliseconds, &ignored) < 0 || milliseconds % 1000)
		return err_set(e, ERR_INVALID,
			       "--%s: %s is neither a duration of whole seconds nor their number; "
			       "write 90s, 5m or 168h",
			       name, log_quote(text).text);
	*seconds = milliseconds / 1000;
	return 0;
}

static int put_row(const struct cli *cli, const struct row *row, struct json_out *out,
		   struct err *e)
{
	uint64_t number;

	switch (row->form) {
	case LIST:
	case COUNTS:
		return put_pieces(cli, row, out, e);
	case TEXT:
		json_out_text(out, row->key, cli_value(cli, row->option));
		return 0;
	case NUMBER:
		if (number_option(cli, row->option, UINT64_MAX, &number, e) < 0)
			return err_code(e);
		json_out_number(out, row->key, number);
		return 0;
	case SECONDS:
		if (seconds_option(cli, row->option, &number, e) < 0)
			return err_code(e);
		json_out_number(out, row->key, number);
		return 0;
	case FLAG:
		json_out_bool(out, row->key, true);
		return 0;
	case TRIPLE:
		return put_triple(cli, row, out, e);
	case MANIFEST:
		return put_manifests(cli, row, out, e);
	}
	return 0;
}

/* ---- the whole ---- */

/* An object without an option is left out: its default is the strict one. */
static int put_object(const struct cli *cli, const struct object *o, struct json_out *out,
		      struct err *e)
{
	bool open = false;

	for (const struct row *row = o->rows; row->option; row++) {
		if (!cli_flag(cli, row->option))
			continue;
		if (!open)
			json_out_object(out, o->key);
		open = true;
		if (put_row(cli, row, out, e) < 0)
			return err_code(e);
	}
	if (open)
		json_out_end(out);
	return 0;
}

static int put_policy(const struct cli *cli, const struct object *objects, struct json_out *out,
		      struct err *e)
{
	json_out_object(out, NULL);
	json_out_number(out, "cocos", 1);
	for (; objects->key; objects++)
		if (put_object(cli, objects, out, e) < 0)
			return err_code(e);
	json_out_end(out);
	return writer_check(&out->w, "the policy", e);
}

/* Writes it indented, after the reader that verdicts use has understood it. */
static int write_policy(struct cli *cli, const struct json_out *made, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(POLICY_FILE_MAX);
	CLEANUP(json_free) struct json *root = NULL;
	struct policy understood;

	const struct policy_file file = { "these options", made->w.bytes, made->w.len };
	if (policy_parse(&file, 1, &understood, e) < 0)
		return err_code(e);
	policy_done(&understood);
	if (json_parse(made->w.bytes, made->w.len, &root, e) < 0 ||
	    json_edit_write(root, NULL, 0, &w, e) < 0)
		return err_code(e);
	return output_write(cli, cli_value(cli, "output"), w.bytes, w.len, e);
}

static enum cli_exit create(struct cli *cli, const struct object *objects, const char *needed,
			    struct err *e)
{
	CLEANUP_JSON_OUT struct json_out out;

	json_out_init(&out);
	if (!cli_flag(cli, needed))
		return cli_usage(e, "--%s is missing: a policy says first of all what has to run",
				 needed);
	if (put_policy(cli, objects, &out, e) < 0)
		return CLI_USAGE;
	if (write_policy(cli, &out, e) < 0)
		return e->code == ERR_INVALID ? CLI_USAGE : CLI_FAILED;
	return CLI_OK;
}

static enum cli_exit run_snp(struct cli *cli, struct err *e)
{
	return create(cli, snp_objects, "measurement", e);
}

static enum cli_exit run_tdx(struct cli *cli, struct err *e)
{
	return create(cli, tdx_objects, "mrtd", e);
}

#define MANY .times = CLI_MANY
/* clang-format off */
#define COMMON_OPTIONS \
	{ .name = "max-age", .value = "DURATION", .help = "how old a token may be: 5m, or 300 seconds" }, \
	{ .name = "agent", .value = "cocos|stock", \
	  .help = "stock: accept one that can be relayed" }, \
	{ .name = "fixed-boot", .help = "the boot configuration was fixed at launch" }, \
	{ .name = "kernel", .value = "own|stock", \
	  .help = "whose the measured image has; verdicts repeat it" }, \
	{ .name = "azure-paravisor", .help = "what is measured is Azure's paravisor" }, \
	{ .name = "manifest", .value = "FILE", MANY, \
	  .help = "accept this manifest (JSON)" }, \
	{ .name = "boot-key", .value = "KEY[,KEY]", MANY, .help = "what a host may configure" }, \
	{ .name = "weak-word", .value = "WORD[,WORD]", MANY, \
	  .help = "accept this weakening word on the command line" }, \
	{ .name = "allow-external-identity", .help = "accept an identity key from outside" }, \
	{ .name = "tls-groups", .value = "NAME[,NAME]", MANY, \
	  .help = "key exchanges that a connection may have: X25519MLKEM768" }, \
	{ .name = "require-crl", .help = "refuse if there is no revocation list" }, \
	{ .name = "crl-max-age", .value = "DURATION", \
	  .help = "refuse if there is none, or an older one: 168h, or 604800 seconds" }, \
	OUTPUT_OPTION
/* clang-format on */

static const char more[] =
	"Each option is a key of the policy (docs/policy.md); a key that is not given keeps its strict default.\n"
	"An option that names acceptable values may come often, or with several values separated by commas.";

/* clang-format off */
static const struct cli_option policy_create_snp_options[] = {
	{ .name = "measurement", .value = "HEX", MANY, .help = "launch measurement, 48 bytes" },
	{ .name = "host-data", .value = "HEX", MANY, .help = "HOST_DATA, 32 bytes (zero)" },
	{ .name = "id-key-digest", .value = "HEX", MANY, .help = "of the ID key, 48 bytes (none)" },
	{ .name = "author-key-digest", .value = "HEX", MANY, .help = "of the author key (none)" },
	{ .name = "require-author-key", .help = "there has to be an author key" },
	{ .name = "family-id", .value = "HEX", MANY, .help = "16 bytes (zero)" },
	{ .name = "image-id", .value = "HEX", MANY, .help = "16 bytes (zero)" },
	{ .name = "report-id", .value = "HEX", MANY, .help = "only this guest, 32 bytes" },
	{ .name = "report-id-ma", .value = "HEX", MANY, .help = "its migration agent (none)" },
	{ .name = "chip-id", .value = "HEX", MANY, .help = "only these chips, 64 bytes" },
	{ .name = "require-chip-allow-list", .help = "refuse Milan without --chip-id" },
	{ .name = "min-version", .value = "N", .help = "of the report's format (2)" },
	{ .name = "min-guest-svn", .value = "N", .help = "of the guest (0)" },
	{ .name = "vmpl", .value = "N", .help = "exactly this (0)" },
	{ .name = "allow", .value = "WORD[,WORD]", MANY, .help = "smt, migrate_ma, cxl" },
	{ .name = "demand", .value = "WORD[,WORD]", MANY,
	  .help = "single_socket, mem_aes_256_xts, rapl_dis, ciphertext_hiding, page_swap_disable" },
	{ .name = "min-abi", .value = "MAJOR.MINOR", .help = "of the guest policy" },
	{ .name = "platform", .value = "WORD[,WORD]", MANY,
	  .help = "tsme, ecc, rapl_dis, ciphertext_hiding have to be on" },
	{ .name = "allow-tio", .help = "trusted I/O may be on" },
	{ .name = "allow-unchecked-alias", .help = "accept firmware before the alias check" },
	{ .name = "allow-vlek", .help = "accept a cloud's key" },
	{ .name = "csp-id", .value = "TEXT", .help = "only of this cloud" },
	{ .name = "product", .value = "NAME", .help = "Milan, Genoa or Turin" },
	{ .name = "min-tcb", .value = "NAME=N[,…]", MANY,
	  .help = "bootloader, tee, snp, microcode, fmc" },
	{ .name = "min-launch-tcb", .value = "NAME=N[,…]", MANY, .help = "likewise, at launch" },
	{ .name = "allow-provisional", .help = "accept firmware above the committed one" },
	{ .name = "min-build", .value = "N", .help = "of the current firmware" },
	{ .name = "min-api", .value = "MAJOR.MINOR", .help = "of the current firmware" },
	{ .name = "min-firmware", .value = "MAJOR.MINOR.BUILD", .help = "of the current firmware" },
	{ .name = "launch-mit-vector", .value = "N", .help = "bits that were set at launch" },
	{ .name = "current-mit-vector", .value = "N", .help = "bits that are set" },
	COMMON_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_policy_create_snp = {
	.name = "policy create snp",
	.args = "",
	.help = "write a policy for SEV-SNP from reference values",
	.options = policy_create_snp_options,
	.run = run_snp,
	.more = more,
};

/* clang-format off */
static const struct cli_option policy_create_tdx_options[] = {
	{ .name = "mrtd", .value = "HEX", MANY, .help = "measurement of the firmware, 48 bytes" },
	{ .name = "rtmr0", .value = "HEX", MANY,
	  .help = "48 bytes; without it, a log has to explain it" },
	{ .name = "rtmr1", .value = "HEX", MANY, .help = "likewise" },
	{ .name = "rtmr2", .value = "HEX", MANY, .help = "likewise" },
	{ .name = "rtmr3", .value = "HEX", MANY, .help = "likewise (zero)" },
	{ .name = "mr-seam", .value = "HEX", MANY, .help = "the TDX module, 48 bytes" },
	{ .name = "mrconfigid", .value = "HEX", MANY, .help = "48 bytes (zero)" },
	{ .name = "mrowner", .value = "HEX", MANY, .help = "48 bytes (zero)" },
	{ .name = "mrownerconfig", .value = "HEX", MANY, .help = "48 bytes (zero)" },
	{ .name = "mrservicetd", .value = "HEX", MANY, .help = "48 bytes (zero)" },
	{ .name = "fmspc", .value = "HEX", MANY, .help = "only these types of platform, 6 bytes" },
	{ .name = "instance", .value = "HEX", MANY, .help = "only these platforms, 16 bytes" },
	{ .name = "allow-attribute", .value = "WORD[,WORD]", MANY,
	  .help = "icssd, lass, migratable, kl, tpa" },
	{ .name = "allow-sept-ve", .help = "SEPT_VE_DISABLE may be clear" },
	{ .name = "attributes", .value = "HEX", .help = "exactly these, 8 bytes" },
	{ .name = "xfam", .value = "HEX", .help = "exactly this, 8 bytes" },
	{ .name = "status", .value = "NAME[,NAME]", MANY, .help = "of the TCB (UpToDate)" },
	{ .name = "min-evaluation", .value = "N", .help = "tcbEvaluationDataNumber" },
	{ .name = "min-tee-tcb-svn", .value = "HEX", .help = "16 bytes" },
	{ .name = "min-qe-svn", .value = "N", .help = "of the quoting enclave" },
	{ .name = "min-pce-svn", .value = "N", .help = "of the certification enclave" },
	COMMON_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_policy_create_tdx = {
	.name = "policy create tdx",
	.args = "",
	.help = "write a policy for TDX from reference values",
	.options = policy_create_tdx_options,
	.run = run_tdx,
	.more = more,
};
