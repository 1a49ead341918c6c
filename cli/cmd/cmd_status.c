/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_status.c — where the computation in a CVM stands, by its agent's own word. */
#include "cli/base/json_out.h"
#include "cli/base/private_key.h"
#include "cli/base/progress.h"
#include "cli/base/text.h"
#include "cli/client/agent_client.h"
#include "cli/client/attested.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"

#include <string.h>

static void json_asset(struct json_out *out, const char *key, const Agent__StatusAsset *a)
{
	json_out_object(out, key);
	json_out_hex(out, "hash", a->hash.data, a->hash.len);
	if (*a->filename)
		json_out_text(out, "filename", a->filename);
	json_out_bool(out, "received", a->received);
	json_out_number(out, "bytes_kept", a->bytes_kept);
	if (a->kept)
		json_out_bool(out, "kept", true);
	json_out_end(out);
}

static int print_json(struct cli *cli, const Agent__StatusResponse *s, struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_text(&out, "computation_id", s->computation_id);
	json_out_text(&out, "name", s->name);
	json_out_text(&out, "state", s->state);
	if (*s->failure)
		json_out_text(&out, "failure", s->failure);
	if (*s->last_lines)
		json_out_text(&out, "last_lines", s->last_lines);
	if (s->result_size)
		json_out_number(&out, "result_size", s->result_size);
	json_out_hex(&out, "manifest_digest", s->manifest_digest.data, s->manifest_digest.len);
	if (s->algorithm)
		json_asset(&out, "algorithm", s->algorithm);
	json_out_list(&out, "datasets");
	for (size_t i = 0; i < s->n_datasets; i++)
		json_asset(&out, NULL, s->datasets[i]);
	json_out_end(&out);
	json_out_list(&out, "consumers");
	for (size_t i = 0; i < s->n_consumers; i++) {
		json_out_object(&out, NULL);
		json_out_hex(&out, "key_digest", s->consumers[i]->key_digest.data,
			     s->consumers[i]->key_digest.len);
		json_out_bool(&out, "fetched", s->consumers[i]->fetched);
		json_out_end(&out);
	}
	json_out_end(&out);
	json_out_bool(&out, "development", s->development);
	json_out_text(&out, "version", s->version);
	json_out_end(&out);
	return json_out_print(&out, cli->out, e);
}

static void print_asset(FILE *out, const char *what, const Agent__StatusAsset *a)
{
	char hex[2 * SHA3_256_LEN + 1] = "?", kept[48] = "", size[32];

	if (a->hash.len == SHA3_256_LEN)
		hex_encode(a->hash.data, a->hash.len, hex);
	if (!a->received && a->bytes_kept) {
		progress_size(a->bytes_kept, size, sizeof(size));
		snprintf(kept, sizeof(kept), ", %s of it kept", size);
	}
	fprintf(out, "%-12s%s%s%s%s\n            %s\n", what,
		*a->filename ? log_quote(a->filename).text : "", *a->filename ? ": " : "",
		!a->received ? "awaited"
		: a->kept    ? "kept since a run that failed"
			     : "received",
		kept, hex);
}

/* What the algorithm wrote last, each line by itself. */
static void print_lines(FILE *out, char *lines)
{
	char *rest = lines, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		text_make_plain(line);
		if (*line)
			fprintf(out, "            | %s\n", line);
	}
}

static void print_text(FILE *out, const Agent__StatusResponse *s)
{
	char hex[2 * SHA3_256_LEN + 1] = "none yet", size[32];

	if (s->manifest_digest.len == SHA3_256_LEN)
		hex_encode(s->manifest_digest.data, s->manifest_digest.len, hex);
	if (*s->computation_id)
		fprintf(out, "computation %s, %s\n", log_quote(s->computation_id).text,
			log_quote(s->name).text);
	fprintf(out, "state       %s\n", log_quote(s->state).text);
	if (*s->failure)
		fprintf(out, "failure     %s\n", log_quote(s->failure).text);
	print_lines(out, s->last_lines);
	fprintf(out, "manifest    %s\n", hex);
	if (s->result_size) {
		progress_size(s->result_size, size, sizeof(size));
		fprintf(out, "results     %s\n", size);
	}
	if (s->algorithm)
		print_asset(out, "algorithm", s->algorithm);
	for (size_t i = 0; i < s->n_datasets; i++)
		print_asset(out, "dataset", s->datasets[i]);
	for (size_t i = 0; i < s->n_consumers; i++) {
		if (s->consumers[i]->key_digest.len == SHA3_256_LEN)
			hex_encode(s->consumers[i]->key_digest.data, SHA3_256_LEN, hex);
		fprintf(out, "consumer    %s\n            key %s\n",
			s->consumers[i]->fetched ? "has the results" : "has not fetched", hex);
	}
	fprintf(out, "agent       %s\n", log_quote(s->version).text);
	if (s->development)
		fputs("            runs outside an image, for development: nothing about it is "
		      "measured\n",
		      out);
}

/* Of a computation that failed, the key's owner may see more. */
static int ask_again(struct cli *cli, struct client *client, Agent__StatusResponse **status,
		     struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	Agent__StatusRequest request = AGENT__STATUS_REQUEST__INIT;
	ProtobufCMessage *response;

	if (private_key_load(cli, cli->operands[0], &key, e) < 0 ||
	    agent_client_ask(client, &agent_status, key, &request.base, &response, e) < 0)
		return err_code(e);
	agent_status_free(*status);
	*status = (Agent__StatusResponse *)response;
	return 0;
}

static enum cli_exit run_status(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	CLEANUP(agent_status_free) Agent__StatusResponse *status = NULL;

	if (attested_open(&client, cli, e) < 0)
		return CLI_USAGE;
	if (agent_client_status(&client, &status, e) < 0)
		return CLI_FAILED;
	if (cli->operand_count && ask_again(cli, &client, &status, e) < 0)
		return CLI_FAILED;
	if (cli_flag(cli, "json"))
		return print_json(cli, status, e) < 0 ? CLI_FAILED : CLI_OK;
	print_text(cli->out, status);
	return CLI_OK;
}

const struct command cmd_status = {
	.name = "status",
	.args = "[PRIVATE_KEY]",
	.help = "ask the agent where its computation stands",
	.operands_max = 1,
	.options = (const struct cli_option[]){ CLI_JSON_OPTION,
						CLIENT_AGENT_OPTIONS,
						{ .name = NULL } },
	.run = run_status,
	.more = "With the key of somebody to whom the manifest shows what the algorithm writes, why a\n"
		"computation failed, too. Nothing here is proven: 'cocos-cli attestation' checks whom\n"
		"you talk to.",
};
