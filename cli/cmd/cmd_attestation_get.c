/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_attestation_get.c — fetches evidence over a nonce from an agent into a file; no verdict. */
#include "attestation/token/eat.h"
#include "attestation/tpm/tpm_appraise.h"
#include "cli/base/output.h"
#include "cli/client/agent_evidence.h"
#include "cli/client/attested.h"
#include "cli/cmd/commands.h"
#include "cli/show/show.h"
#include "common/base/encode.h"

#include <string.h>

enum { AZURE_NONCE_MAX = 32, SHOW_MAX = 16 << 20 };

#define AZURE_TOKEN   "azure-token"
#define EVIDENCE_FILE "attestation.bin"
#define AZURE_FILE    "azure_attest_token.jwt"
#define READABLE_FILE "attestation.json"

/* What can be asked for: what hardware makes, and Azure's token. NULL: nothing of that name. */
static const struct evidence_kind_row *kind_of(const char *name, struct err *e)
{
	for (size_t i = 0; i < EVIDENCE_KINDS; i++) {
		const struct evidence_kind_row *row = &evidence_kind_rows[i];

		if ((i < EVIDENCE_HARDWARE_COUNT || i == EVIDENCE_AZURE) && row->type >= 0 &&
		    strcmp(row->name, name) == 0)
			return row;
	}
	err_set(e, ERR_INVALID, "'%s': say %s", name, evidence_kind_asked_or(AZURE_TOKEN).text);
	return NULL;
}

/* One nonce: the option's, or random where this kind has one. */
struct nonce {
	const char *option;
	size_t max, len;
	uint8_t bytes[BINDING_TEE_NONCE_MAX];
};

static int nonce_read(const struct cli *cli, struct nonce *n, bool wanted, struct err *e)
{
	const char *text = cli_value(cli, n->option);

	n->len = 0;
	if (text && !wanted)
		return err_set(e, ERR_INVALID, "--%s is not for %s", n->option, cli->operands[0]);
	if (!wanted)
		return 0;
	if (!text) {
		n->len = n->max;
		return random_bytes(n->bytes, n->len, e);
	}
	if (hex_decode_up_to(text, n->bytes, n->max, &n->len, e) < 0)
		return err_wrap(e, "--%s", n->option);
	if (n->len < TPM_NONCE_MIN)
		return err_set(e, ERR_INVALID, "--%s: %zu bytes; a verdict needs %d or more",
			       n->option, n->len, TPM_NONCE_MIN);
	return 0;
}

struct call {
	const struct evidence_kind_row *kind;
	struct nonce tee, vtpm, token;
};

static bool is_token(const struct call *c)
{
	return c->kind == &evidence_kind_rows[EVIDENCE_AZURE];
}

static void print_hex(FILE *out, const char *what, const void *bytes, size_t len)
{
	char hex[2 * BINDING_REPORT_DATA_LEN + 1];

	hex_encode(bytes, len, hex);
	fprintf(out, "%-12s%s\n", what, hex);
}

/* Prints what the evidence has to be bound to, which follows from the nonces and the token's own
 * key. A stock agent's token names no key: there the nonces themselves count. */
static int print_binding(struct cli *cli, const struct call *c, const struct writer *file,
			 struct err *e)
{
	const struct binding_nonce nonce = { (uint8_t)c->kind->type, c->tee.bytes, c->vtpm.bytes,
					     c->tee.len, c->vtpm.len };
	struct binding bound;
	struct eat token;
	int failed = 0;

	if (c->tee.len)
		print_hex(cli->out, "tee", c->tee.bytes, c->tee.len);
	if (c->vtpm.len)
		print_hex(cli->out, "vtpm", c->vtpm.bytes, c->vtpm.len);
	if (eat_parse(file->bytes, file->len, &token, e) < 0)
		return err_wrap(e, "what the agent sent");
	if (token.spki) {
		failed = binding_nonce(&nonce, token.spki, token.spki_len, &bound, e);
		if (!failed && c->kind->tee != TEE_NONE)
			print_hex(cli->out, "report data", bound.report_data,
				  sizeof(bound.report_data));
		if (!failed && c->kind->tpm)
			print_hex(cli->out, "TPM nonce", bound.tpm_nonce, sizeof(bound.tpm_nonce));
	} else {
		fprintf(stderr, "note: a stock agent's token: it signs the nonces as they are\n");
	}
	eat_done(&token);
	return failed;
}

static int render(const struct writer *file, struct writer *out, struct err *e)
{
	CLEANUP_WRITER struct writer members = writer_up_to(SHOW_MAX);

	if (show_token((struct span){ file->bytes, file->len }, &members, e) < 0 ||
	    writer_check(&members, "output", e) < 0)
		return err_code(e);
	writer_printf(out, "{%.*s}\n", (int)members.len, (const char *)members.bytes);
	return writer_check(out, "output", e);
}

static int fetch_token(struct client *client, const struct call *c, struct writer *file,
		       struct err *e)
{
	Agent__AttestationTokenRequest request = AGENT__ATTESTATION_TOKEN_REQUEST__INIT;
	ProtobufCMessage *response;

	request.type = c->kind->type;
	request.tokennonce =
		(ProtobufCBinaryData){ c->token.len, (uint8_t *)(uintptr_t)c->token.bytes };
	if (client_call(client, &agent_azure_token, &request.base, &response, e) < 0)
		return err_code(e);
	writer_bytes(file, ((Agent__AttestationTokenResponse *)response)->file.data,
		     ((Agent__AttestationTokenResponse *)response)->file.len);
	protobuf_c_message_free_unpacked(response, NULL);
	return writer_check(file, "the token", e);
}

static int fetch(struct client *client, const struct call *c, struct writer *file, struct err *e)
{
	const struct agent_evidence wanted = { .type = (uint8_t)c->kind->type,
					       .tee = { c->tee.bytes, c->tee.len },
					       .vtpm = { c->vtpm.bytes, c->vtpm.len } };
	int failed = attested_ready(client, e);

	if (!failed)
		failed = is_token(c) ? fetch_token(client, c, file, e)
				     : agent_evidence_fetch(client, &wanted, file, e);
	if (!failed && !file->len)
		return err_set(e, ERR_DATA_LOSS, "the agent sent nothing");
	if (failed)
		client_hint(client, e);
	return failed;
}

static const char *path_of(const struct cli *cli, const struct call *c)
{
	const char *path = cli_value(cli, "output");

	if (path)
		return path;
	return cli_flag(cli, "readable") ? READABLE_FILE : is_token(c) ? AZURE_FILE : EVIDENCE_FILE;
}

static int save(struct cli *cli, const struct call *c, const struct writer *file, struct err *e)
{
	bool readable = cli_flag(cli, "readable");
	const char *path = path_of(cli, c);
	CLEANUP_WRITER struct writer text = writer_up_to(SHOW_MAX + 16);

	if (!is_token(c) && print_binding(cli, c, file, e) < 0)
		return err_code(e);
	if (readable && render(file, &text, e) < 0)
		return err_code(e);
	if (output_file(cli, path, readable ? text.bytes : file->bytes,
			readable ? text.len : file->len, 0644, e) < 0)
		return err_code(e);
	fprintf(cli->out, "saved as %s\n", path);
	return 0;
}

static enum cli_exit run_get(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	CLEANUP_WRITER struct writer file = writer_up_to(EAT_MAX);
	struct call c = { .kind = kind_of(cli->operands[0], e),
			  .tee = { "tee", BINDING_TEE_NONCE_MAX, 0, { 0 } },
			  .vtpm = { "vtpm", BINDING_VTPM_NONCE_MAX, 0, { 0 } },
			  .token = { "token", AZURE_NONCE_MAX, 0, { 0 } } };

	if (!c.kind)
		return CLI_USAGE;
	if (cli_flag(cli, "readable") && is_token(&c))
		return cli_usage(e, "-r is for evidence: Azure's token is text already");
	if (nonce_read(cli, &c.tee, c.kind->tee != TEE_NONE, e) < 0 ||
	    nonce_read(cli, &c.vtpm, c.kind->tpm, e) < 0 ||
	    nonce_read(cli, &c.token, is_token(&c), e) < 0 || attested_open(&client, cli, e) < 0)
		return CLI_USAGE;
	if (output_check(cli, path_of(cli, &c), e) < 0 || fetch(&client, &c, &file, e) < 0 ||
	    save(cli, &c, &file, e) < 0)
		return CLI_FAILED;
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "tee", .value = "HEX", .help = "nonce for the TEE, 16 to 64 bytes (random)" },
	{ .name = "vtpm", .value = "HEX", .help = "nonce for the TPM, 16 to 32 bytes (random)" },
	{ .name = "token", .value = "HEX",
	  .help = "nonce for Azure's token, 16 to 32 bytes (random)" },
	{ .letter = 'r', .name = "readable",
	  .help = "save it decoded, as JSON (" READABLE_FILE ")" },
	{ .letter = 'o', .name = "output", .value = "FILE", .writes = true,
	  .help = "save as (" EVIDENCE_FILE "; " AZURE_FILE ")" },
	OUTPUT_FORCE_OPTION,
	CLIENT_AGENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

#define ARG(id, name, ...)  name "|"
#define WORD(id, name, ...) name,

static const char *const kinds[] = { EVIDENCE_ASKED(WORD) AZURE_TOKEN, NULL };

const struct command cmd_attestation_get = {
	.name = "attestation get",
	.args = EVIDENCE_ASKED(ARG) AZURE_TOKEN,
	.help = "fetch evidence over a nonce from an agent",
	.operands_min = 1,
	.operands_max = 1,
	.operand_words = kinds,
	.options = options,
	.run = run_get,
	.more = "Prints the nonces, and the report data and TPM nonce that follow from them and from the\n"
		"agent's key. 'attestation validate --mode eat --tee HEX --vtpm HEX FILE' gives a verdict;\n"
		"without one the file proves nothing.",
};
