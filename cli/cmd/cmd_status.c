/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_status.c — where the computation in a CVM stands, by its agent's own word. */
#include "cli/base/json_out.h"
#include "cli/base/private_key.h"
#include "cli/base/progress.h"
#include "cli/base/text.h"
#include "cli/client/agent_client.h"
#include "cli/client/agent_waiting.h"
#include "cli/client/attested.h"
#include "cli/client/going.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"

#include <string.h>

static void json_asset(struct json_out *out, const char *key, const Agent__StatusAsset *a,
		       const Cvms__UploadProgress *u)
{
	json_out_object(out, key);
	json_out_hex(out, "hash", a->hash.data, a->hash.len);
	if (*a->filename)
		json_out_text(out, "filename", a->filename);
	json_out_bool(out, "received", a->received);
	json_out_number(out, "bytes_kept", a->bytes_kept);
	if (a->kept)
		json_out_bool(out, "kept", true);
	if (u)
		going_json_upload(out, u);
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
		json_asset(&out, "algorithm", s->algorithm, going_upload(s->progress, 0));
	json_out_list(&out, "datasets");
	for (size_t i = 0; i < s->n_datasets; i++)
		json_asset(&out, NULL, s->datasets[i], going_upload(s->progress, i + 1));
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
	going_json_run(&out, s->progress);
	json_out_bool(&out, "development", s->development);
	json_out_text(&out, "version", s->version);
	json_out_end(&out);
	return json_out_print(&out, cli->out, e);
}

static void print_asset(FILE *out, const char *what, const Agent__StatusAsset *a,
			const Cvms__UploadProgress *u)
{
	char hex[2 * SHA3_256_LEN + 1] = "?", kept[GOING_TEXT_MAX + 2] = "", size[32];
	char here[GOING_TEXT_MAX];

	if (a->hash.len == SHA3_256_LEN)
		hex_encode(a->hash.data, a->hash.len, hex);
	if (!a->received && a->bytes_kept) {
		progress_size(a->bytes_kept, size, sizeof(size));
		snprintf(kept, sizeof(kept), ", %s of it kept", size);
	} else if (!a->received && u) {
		going_text(u, here);
		snprintf(kept, sizeof(kept), ", %s", here);
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

static void print_field(FILE *out, const char *label, const char *text)
{
	fprintf(out, "%-12s", label);
	text_print_quoted(out, text);
	fputc('\n', out);
}

static void print_head(FILE *out, const Agent__StatusResponse *s)
{
	if (*s->computation_id)
		fprintf(out, "computation %s, %s\n", log_quote(s->computation_id).text,
			log_quote(s->name).text);
	print_field(out, "state", s->state);
	if (*s->failure)
		print_field(out, "failure", s->failure);
	print_lines(out, s->last_lines);
}

static void print_text(FILE *out, const Agent__StatusResponse *s)
{
	char hex[2 * SHA3_256_LEN + 1] = "none yet", size[32];

	if (s->manifest_digest.len == SHA3_256_LEN)
		hex_encode(s->manifest_digest.data, s->manifest_digest.len, hex);
	print_head(out, s);
	fprintf(out, "manifest    %s\n", hex);
	if (s->result_size) {
		progress_size(s->result_size, size, sizeof(size));
		fprintf(out, "results     %s\n", size);
	}
	if (s->algorithm)
		print_asset(out, "algorithm", s->algorithm, going_upload(s->progress, 0));
	for (size_t i = 0; i < s->n_datasets; i++)
		print_asset(out, "dataset", s->datasets[i], going_upload(s->progress, i + 1));
	going_print_run(out, 12, s->progress, false);
	for (size_t i = 0; i < s->n_consumers; i++) {
		if (s->consumers[i]->key_digest.len == SHA3_256_LEN)
			hex_encode(s->consumers[i]->key_digest.data, SHA3_256_LEN, hex);
		fprintf(out, "consumer    %s\n            key %s\n",
			s->consumers[i]->fetched ? "has the results" : "has not fetched", hex);
	}
	fprintf(out, "agent       %s\n", log_quote(s->version).text);
	if (s->development)
		fputs("            runs outside an image, for development: nothing vouches for "
		      "its code\n",
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

static int ask(struct cli *cli, struct client *client, Agent__StatusResponse **status,
	       struct err *e)
{
	if (agent_client_status(client, status, e) < 0)
		return err_code(e);
	return cli->operand_count ? ask_again(cli, client, status, e) : 0;
}

/* --watch */

struct watching {
	struct client *client;
	char *last; /* what was printed */
	bool failed;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The lines of a text, which is cut into them. */
static int lines_of(char *text, char ***lines, size_t *count, struct err *e)
{
	size_t room = 1;
	char *line;

	for (const char *c = text; *c; c++)
		room += *c == '\n';
	*lines = reallocarray(NULL, room, sizeof(**lines));
	*count = 0;
	if (!*lines)
		return err_nomem(e);
	while ((line = strsep(&text, "\n")) != NULL)
		(*lines)[(*count)++] = line;
	return 0;
}

/* Of what stands there now, the lines that did not stand there before. Both are cut into lines. */
static int print_new_lines(FILE *out, char *before, char *now, struct err *e)
{
	CLEANUP(free) char **old = NULL, **new = NULL;
	size_t old_count, new_count;

	if (lines_of(before, &old, &old_count, e) < 0 || lines_of(now, &new, &new_count, e) < 0)
		return err_code(e);
	qsort(old, old_count, sizeof(*old), by_text);
	for (size_t i = 0; i < new_count; i++)
		if (*new[i] && !bsearch(&new[i], old, old_count, sizeof(*old), by_text))
			fprintf(out, "%s\n", new[i]);
	return 0;
}

/* Where it is, if anything of it is here. */
static void print_brief_asset(FILE *out, const char *label, const Agent__StatusAsset *a,
			      const Cvms__UploadProgress *u)
{
	char here[GOING_TEXT_MAX] = "received";

	if (!a->received)
		going_tenths(u, here);
	if (*here)
		fprintf(out, "%s%s%s%s\n", label, *a->filename ? log_quote(a->filename).text : "",
			*a->filename ? ": " : "", here);
}

/* Who ends there has to know that they are still to be fetched. Their size is told of few manifests. */
static void print_waiting_results(FILE *out, const Agent__StatusResponse *s)
{
	char size[32] = "there";
	size_t awaited = 0;

	for (size_t i = 0; i < s->n_consumers; i++)
		awaited += !s->consumers[i]->fetched;
	if (!awaited || strcmp(s->state, "ConsumingResults") != 0)
		return;
	if (s->result_size)
		progress_size(s->result_size, size, sizeof(size));
	fprintf(out, "results     %s, which %zu of %zu consumers %s not fetched\n", size, awaited,
		s->n_consumers, awaited == 1 ? "has" : "have");
}

/* One line for each thing that may change. */
static void print_brief(FILE *out, const Agent__StatusResponse *s)
{
	char hex[2 * SHA3_256_LEN + 1];

	print_head(out, s);
	if (s->algorithm)
		print_brief_asset(out, "algorithm   ", s->algorithm, going_upload(s->progress, 0));
	for (size_t i = 0; i < s->n_datasets; i++) {
		char label[40];

		snprintf(label, sizeof(label), "dataset     %zu%s", i + 1,
			 *s->datasets[i]->filename ? " " : ": ");
		print_brief_asset(out, label, s->datasets[i], going_upload(s->progress, i + 1));
	}
	going_print_run(out, 12, s->progress, true);
	for (size_t i = 0; i < s->n_consumers; i++)
		if (s->consumers[i]->fetched && s->consumers[i]->key_digest.len == SHA3_256_LEN) {
			hex_encode(s->consumers[i]->key_digest.data, SHA3_256_LEN, hex);
			fprintf(out, "consumer    has the results: key %s\n", hex);
		}
	print_waiting_results(out, s);
}

static int brief_of(struct cli *cli, const Agent__StatusResponse *s, char **text, struct err *e)
{
	size_t len;
	FILE *out = open_memstream(text, &len);

	if (!out)
		return err_nomem(e);
	if (cli_flag(cli, "json")) {
		FILE *kept = cli->out;
		int failed;

		cli->out = out;
		failed = print_json(cli, s, e);
		cli->out = kept;
		if (failed) {
			fclose(out);
			free(TAKE_PTR(*text));
			return failed;
		}
	} else {
		print_brief(out, s);
	}
	if (fclose(out) == 0)
		return 0;
	free(TAKE_PTR(*text));
	return err_nomem(e);
}

static int show_change(struct watching *w, const Agent__StatusResponse *s, struct err *e)
{
	struct cli *cli = w->client->cli;
	CLEANUP(free) char *text = NULL, *shown = NULL, *before = NULL;

	if (brief_of(cli, s, &text, e) < 0)
		return err_code(e);
	if (w->last && strcmp(w->last, text) == 0)
		return 0;
	shown = strdup(text);
	before = strdup(w->last ? w->last : "");
	if (!shown || !before)
		return err_nomem(e);
	if (cli_flag(cli, "json"))
		fputs(text, cli->out);
	else if (print_new_lines(cli->out, before, shown, e) < 0)
		return err_code(e);
	free(w->last);
	w->last = TAKE_PTR(text);
	return fflush(cli->out) == 0 ? 0 : err_errno(e, "standard output");
}

static int look(void *data, char why[WAITING_WHY_MAX], struct err *e)
{
	struct watching *w = data;
	CLEANUP(agent_status_free) Agent__StatusResponse *s = NULL;
	enum agent_rank rank;

	if (ask(w->client->cli, w->client, &s, e) < 0 || agent_rank_of(s->state, &rank, e) < 0 ||
	    show_change(w, s, e) < 0)
		return err_code(e);
	agent_client_bind(w->client, s); /* the next one of that agent is not what is watched */
	w->failed = rank == AGENT_RANK_FAILED;
	/* Whether anybody fetches the results is no part of it. */
	return rank >= AGENT_RANK_RESULTS;
}

/* Until the end. Its lines tell of a failure already. */
static enum cli_exit watch(struct client *client, struct err *e)
{
	struct watching watching = { .client = client };
	struct waiting w = {
		.client = client,
		.until = "the computation has ended",
		.kept = "it goes on without you",
		.look = look,
		.data = &watching,
		.always = true,
		.gone = AGENT_GONE,
	};
	int failed = waiting_run(&w, e);

	free(watching.last);
	if (failed)
		agent_client_hint(client, e);
	else
		e->text[0] = '\0'; /* of what was tried on the way */
	return failed || watching.failed ? CLI_FAILED : CLI_OK;
}

static int look_once(void *data, char why[WAITING_WHY_MAX], struct err *e)
{
	CLEANUP(agent_status_free) Agent__StatusResponse *s = NULL;

	return agent_client_status(data, &s, e) < 0 ? err_code(e) : 1;
}

/* Until it answers. */
static int reach(struct client *client, struct err *e)
{
	struct waiting w = {
		.client = client,
		.until = "the agent answers",
		.kept = "nothing was sent",
		.look = look_once,
		.data = client,
	};

	return waiting_run(&w, e);
}

static enum cli_exit run_status(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	CLEANUP(agent_status_free) Agent__StatusResponse *status = NULL;

	if (agent_waiting_check(cli, e) < 0 || attested_open(&client, cli, e) < 0)
		return CLI_USAGE;
	if (cli_flag(cli, "watch"))
		return watch(&client, e);
	if (reach(&client, e) < 0 || ask(cli, &client, &status, e) < 0)
		return CLI_FAILED;
	if (cli_flag(cli, "json"))
		return print_json(cli, status, e) < 0 ? CLI_FAILED : CLI_OK;
	print_text(cli->out, status);
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .letter = 'w', .name = "watch",
	  .help = "print what changes until there are results; fails if it failed" },
	WAIT_OPTION,
	GRACE_OPTION,
	CLI_JSON_OPTION,
	CLIENT_AGENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_status = {
	.name = "status",
	.common = true,
	.args = "[PRIVATE_KEY]",
	.help = "ask the agent where its computation stands",
	.operands_max = 1,
	.options = options,
	.run = run_status,
	.more = "With the key of somebody to whom the manifest shows what the algorithm writes, why a\n"
		"computation failed, too. Nothing here is proven: 'cocos-cli attestation' checks whom\n"
		"you talk to.",
};
