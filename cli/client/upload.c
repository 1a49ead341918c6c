/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/upload.h"

#include "cli/base/interrupt.h"
#include "cli/base/progress.h"
#include "cli/client/agent_waiting.h"
#include "cli/client/attested.h"
#include "cli/client/retry.h"
#include "common/base/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- what is there already ---- */

int upload_is_there(const struct upload *u, const Agent__StatusResponse *status, struct err *e)
{
	const struct log_quoted name = log_quote(u->asset->name);
	enum agent_rank rank;

	if (agent_rank_of(status->state, &rank, e) < 0)
		return err_code(e);
	if (rank == AGENT_RANK_FAILED)
		return err_set(e, ERR_PRECONDITION,
			       "%s had come, and the computation has failed since: nothing more "
			       "is taken",
			       name.text);
	if (rank > AGENT_RANK_RUNNING)
		return err_set(e, ERR_PRECONDITION,
			       "%s had come, and is wiped: the algorithm has ended (state %s)",
			       name.text, status->state);
	return err_set(e, ERR_EXISTS, "the agent has %s already", name.text);
}

/* The asset of that content which is for the key, and has come; else one that has not; NULL: there is none. */
static const Agent__StatusAsset *find_yours(const Agent__StatusResponse *s, const struct upload *u)
{
	const bool algorithm = u->method == &agent_algo;
	const Agent__StatusAsset *found = NULL;

	for (size_t i = 0; i < (algorithm ? 1 : s->n_datasets); i++) {
		const Agent__StatusAsset *a = algorithm ? s->algorithm : s->datasets[i];

		if (a && a->yours && a->hash.len == SHA3_256_LEN &&
		    memcmp(a->hash.data, u->asset->digest, SHA3_256_LEN) == 0 &&
		    (!found || a->received))
			found = a;
	}
	return found;
}

/* Two owners may have the same content, under names of their own. */
static int refuse_anothers(struct client *client, const struct upload *u,
			   const Agent__StatusAsset *yours, struct err *e)
{
	const struct log_quoted name = log_quote(u->asset->name);

	if (!yours) {
		err_set(e, ERR_DENIED,
			"%s is there, and it is another's: your key is one of the manifest's, for other "
			"content",
			name.text);
		agent_client_hint(client, e);
		return err_code(e);
	}
	cli_hint(client->cli, "send a copy that has %s name",
		 *yours->filename ? "that" : "another");
	return err_set(
		e, ERR_DENIED,
		"%s is there, and it is another's: yours, of the same content, has not come; "
		"the manifest calls it %s",
		name.text, *yours->filename ? log_quote(yours->filename).text : "nothing");
}

/* Agents from before that question refuse its role. Of any other refusal nothing follows about whose it is: of the key, or
 * of the evidence of who is asked. */
static bool is_older(const struct err *e)
{
	return e->code == ERR_DENIED && strstr(e->text, PROOF_REFUSED_ROLE);
}

/* Whoever sent it: is it this key's? */
static int ask_whose(struct client *client, const struct upload *u, struct err *e)
{
	Agent__StatusRequest request = AGENT__STATUS_REQUEST__INIT;
	const Agent__StatusAsset *yours;
	const struct err there = *e;
	ProtobufCMessage *response;
	int failed;

	client->cli->hint[0] = '\0';
	if (agent_client_ask_as(client, u->role, &agent_status, u->key, &request.base, &response,
				e) < 0) {
		if (!is_older(e))
			return err_wrap(e, "%s is there, and not known to be yours",
					log_quote(u->asset->name).text);
		client->cli->hint[0] = '\0';
		*e = there;
		return err_code(e);
	}
	yours = find_yours((const Agent__StatusResponse *)response, u);
	*e = there;
	failed = yours && yours->received ? err_code(e) : refuse_anothers(client, u, yours, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return failed;
}

/* ---- sending ---- */

struct attempt {
	struct client *client;
	const struct upload *upload;
	struct progress progress;
	uint64_t sent; /* of the asset, from its beginning */
};

static int read_at(const struct asset *asset, uint64_t at, uint8_t **bytes, size_t *len,
		   struct err *e)
{
	uint64_t left = asset->size - at;
	size_t want = left < UPLOAD_CHUNK ? (size_t)left : UPLOAD_CHUNK;
	uint8_t *piece = malloc(want ? want : 1);
	size_t have = 0;

	if (!piece)
		return err_nomem(e);
	while (have < want) {
		ssize_t got = pread(asset->fd, piece + have, want - have, (off_t)(at + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			if (got < 0)
				err_errno(e, "read %s", asset->name);
			else
				err_set(e, ERR_ABORTED, "%s became shorter while it was sent",
					asset->name);
			free(piece);
			return err_code(e);
		}
		have += (size_t)got;
	}
	*bytes = piece;
	*len = want;
	return 0;
}

static int send_asset(struct attempt *a, struct rpc_sync *sync, const struct asset *asset,
		      bool requirements, struct err *e)
{
	uint64_t at = requirements ? 0 : a->sent;
	uint8_t *bytes = NULL;
	size_t len = 0;

	/* An empty asset is one empty message: the agent must hear its name. */
	do {
		if (attested_if_due(a->client, e) < 0 || read_at(asset, at, &bytes, &len, e) < 0 ||
		    a->upload->send(a->upload, sync, requirements, bytes, len, e) < 0)
			return err_code(e);
		at += len;
		if (!requirements) {
			a->sent = at;
			progress_update(&a->progress, at);
		}
	} while (at < asset->size);
	return 0;
}

/* What Ctrl-C leaves behind. */
static void say_kept(const struct upload *u)
{
	const struct log_quoted quoted = log_quote(u->asset->name);
	const char *name = quoted.text;

	if (u->role_signature)
		interrupt_say("stopped sending %.200s: a stock agent keeps nothing of it; the same "
			      "command sends all again",
			      name);
	else if (u->requirements)
		interrupt_say(
			"stopped sending %.200s: with requirements the same command sends all again",
			name);
	else
		interrupt_say(
			"stopped sending %.200s: the agent keeps what has come ('cocos-cli status' "
			"says how much), and the same command goes on there",
			name);
}

static int send_all(struct attempt *a, struct rpc_sync *sync, struct err *e)
{
	const struct upload *u = a->upload;
	ProtobufCMessage *response = NULL;

	if (u->requirements && send_asset(a, sync, u->requirements, true, e) < 0)
		return err_code(e);
	/* Once more before the end: the agent has to be the one that the call began with. */
	if (send_asset(a, sync, u->asset, false, e) < 0 || attested_again(a->client, e) < 0)
		return err_code(e);
	interrupt_say("all of it was sent: 'cocos-cli status' says whether the agent took it");
	if (rpc_sync_finish(sync, &response, e) < 0)
		return err_code(e);
	protobuf_c_message_free_unpacked(response, NULL);
	return 0;
}

static int open_call(struct attempt *a, const Agent__StatusResponse *status, struct rpc_sync **sync,
		     struct err *e)
{
	const struct upload *u = a->upload;
	struct rpc_metadata metadata = { .count = 0 };
	struct writer parameters CLEANUP_WRITER = writer_up_to(PROOF_PARAMETERS_MAX);
	const struct agent_call call = {
		.method = u->method,
		.role = u->role,
		.key = u->key,
		.asset = u->asset->digest,
		.parameters = &parameters,
		.offset = a->sent,
		.size = u->asset->size,
		.role_signature = u->role_signature,
	};
	int failed = u->describe(u, status, &metadata, &parameters, e);

	if (!failed)
		failed = writer_check(&parameters, "parameters", e);
	if (!failed)
		failed = agent_client_open(a->client, &call, status, &metadata, sync, e);
	rpc_metadata_done(&metadata);
	return failed;
}

static int try_once(void *data, struct err *e)
{
	struct attempt *a = data;
	CLEANUP(agent_status_free) Agent__StatusResponse *status = NULL;
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;
	int failed;

	a->sent = 0;
	if (!a->upload->role_signature && (agent_client_status(a->client, &status, e) < 0 ||
					   a->upload->check(a->upload, status, &a->sent, e) < 0))
		return err_code(e);
	if (open_call(a, status, &sync, e) < 0)
		return err_code(e);
	progress_start(&a->progress, a->upload->label, a->upload->asset->size, a->sent);
	say_kept(a->upload);
	failed = send_all(a, sync, e);
	if (failed)
		say_kept(a->upload); /* also between this attempt and the next */
	progress_end(&a->progress);
	if (!failed && a->client->cli->verbose)
		progress_tell(&a->progress, a->sent);
	return failed;
}

/* What an upload that was just cut off had on its way may come between the question where to go on and the
 * answer to it. */
static int try_settled(void *data, struct err *e)
{
	for (unsigned tries = 1;; tries++) {
		if (try_once(data, e) == 0)
			return 0;
		if (tries == UPLOAD_SETTLE_MAX || e->code != ERR_PRECONDITION ||
		    !strstr(e->text, PROOF_REFUSED_OFFSET))
			return err_code(e);
		fprintf(stderr, "the agent still took in what was sent before; asking it again "
				"where to go on\n");
		sleep(1);
	}
}

int upload_run(struct client *client, const struct upload *upload, struct err *e)
{
	struct attempt a = { .client = client, .upload = upload };
	const struct retry retry = { try_settled, &a, &a.sent, "trying to go on" };
	int failed = retry_run(client, &retry, e);

	interrupt_clear();
	return err_is(failed, ERR_EXISTS) && !upload->role_signature ? ask_whose(client, upload, e)
								     : failed;
}
