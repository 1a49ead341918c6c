/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/agent_waiting.h"

#include "cli/base/text.h"
#include "common/base/log.h"

#include <string.h>

static const char *const rank_names[] = {
	[AGENT_RANK_IDLE] = "Idle",
	[AGENT_RANK_MANIFEST] = "ReceivingManifest",
	[AGENT_RANK_ALGORITHM] = "ReceivingAlgorithm",
	[AGENT_RANK_DATA] = "ReceivingData",
	[AGENT_RANK_RUNNING] = "Running",
	[AGENT_RANK_RESULTS] = "ConsumingResults",
	[AGENT_RANK_COMPLETE] = "Complete",
	[AGENT_RANK_FAILED] = "Failed",
};

/* What is missing while an agent is there. */
static const char *const missing[] = {
	[AGENT_RANK_IDLE] = "it has just started",
	[AGENT_RANK_MANIFEST] = "it has no manifest",
	[AGENT_RANK_ALGORITHM] = "the algorithm has not come",
	[AGENT_RANK_DATA] = "not all datasets have come",
	[AGENT_RANK_RUNNING] = "the algorithm runs",
};

static const struct {
	enum agent_rank rank;
	const char *until, *kept;
	bool failed_too; /* a computation that failed has what is asked for */
	bool shown;      /* only to those whom the manifest shows what the algorithm writes */
} wants[] = {
	[AGENT_WANTED_ALGORITHM] = { AGENT_RANK_ALGORITHM, "the agent wants the algorithm",
				     "nothing was sent", false, false },
	[AGENT_WANTED_DATA] = { AGENT_RANK_DATA, "the agent wants datasets", "nothing was sent",
				false, false },
	[AGENT_WANTED_RESULTS] = { AGENT_RANK_RESULTS, "there are results",
				   "the agent keeps them until they are fetched", false, false },
	[AGENT_WANTED_END] = { AGENT_RANK_RESULTS, "the algorithm has ended",
			       "the agent keeps what it writes", true, true },
};

int agent_rank_of(const char *state, enum agent_rank *rank, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(rank_names); i++)
		if (strcmp(rank_names[i], state) == 0) {
			*rank = (enum agent_rank)i;
			return 0;
		}
	return err_set(e, ERR_INVALID, "the agent's state is %s, which is none",
		       log_quote(state).text);
}

struct looking {
	const struct agent_waiting *waiting;
	bool is_named;
};

/* Never with this key; or nobody answered. */
static bool says_no(const struct agent_waiting *w, const struct err *e)
{
	if (e->code == ERR_DENIED)
		return wants[w->wanted].shown || strstr(e->text, PROOF_REFUSED_UNKNOWN);
	return e->code == ERR_UNAVAILABLE || e->code == ERR_DEADLINE || e->code == ERR_EXHAUSTED;
}

/* The agent answers it once: a signed question is refused to a key that the manifest does not name, and
 * what it says is of no matter. */
static int check_key(struct looking *l, struct err *e)
{
	const struct agent_waiting *w = l->waiting;
	Agent__StatusRequest request = AGENT__STATUS_REQUEST__INIT;
	ProtobufCMessage *response = NULL;
	int failed;

	if (l->is_named)
		return 0;
	failed = agent_client_ask(w->client, &agent_status, w->key, &request.base, &response, e);
	if (!failed)
		protobuf_c_message_free_unpacked(response, NULL);
	if (failed && says_no(w, e))
		return err_code(e);
	w->client->cli->hint[0] = 0; /* any other refusal is the command's to get and to tell */
	l->is_named = true;
	return 0;
}

/* Only the agent knows whether the key is for something else. */
static int refuse_consumer(struct looking *l, struct err *e)
{
	static const char who[] = "no consumer of this computation has your key";

	if (check_key(l, e) == 0)
		return err_set(e, ERR_DENIED, "%s: " PROOF_REFUSED_OTHER " something else", who);
	return e->code == ERR_DENIED ? err_wrap(e, "%s", who) : err_code(e);
}

static int check_consumer(struct looking *l, const Agent__StatusResponse *s, struct err *e)
{
	CLEANUP(free) uint8_t *spki = NULL;
	uint8_t own[SHA3_256_LEN];
	size_t len;

	if (key_to_spki(l->waiting->key, &spki, &len, e) < 0 ||
	    digest(DIGEST_SHA3_256, spki, len, own, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < s->n_consumers; i++)
		if (s->consumers[i]->key_digest.len == SHA3_256_LEN &&
		    memcmp(s->consumers[i]->key_digest.data, own, SHA3_256_LEN) == 0)
			return s->consumers[i]->fetched
				       ? err_set(e, ERR_PRECONDITION,
						 "this consumer has fetched the results already")
				       : 0;
	return refuse_consumer(l, e);
}

/* What will not be taken then is refused now. */
static int check(struct looking *l, const Agent__StatusResponse *s, struct err *e)
{
	const struct agent_waiting *w = l->waiting;
	uint64_t kept;

	if (w->wanted == AGENT_WANTED_RESULTS && check_consumer(l, s, e) < 0)
		return err_code(e);
	if (w->upload && w->upload->check(w->upload, s, &kept, e) < 0)
		return err_code(e);
	return check_key(l, e);
}

static int failure_of(const Agent__StatusResponse *s, struct err *e)
{
	return err_set(e, ERR_PRECONDITION, "the computation failed: %.400s",
		       *s->failure ? text_plain(s->failure).text : "the agent does not say why");
}

static int look(void *data, char why[WAITING_WHY_MAX], struct err *e)
{
	struct looking *l = data;
	const struct agent_waiting *w = l->waiting;
	CLEANUP(agent_status_free) Agent__StatusResponse *s = NULL;
	enum agent_rank rank;

	if (agent_client_status(w->client, &s, e) < 0 || agent_rank_of(s->state, &rank, e) < 0)
		return err_code(e);
	agent_client_bind(w->client, s);
	if (rank == AGENT_RANK_FAILED && !wants[w->wanted].failed_too)
		return failure_of(s, e);
	/* Without a manifest it is for the first state of all, else for the command to refuse. */
	if (w->client->has_manifest && check(l, s, e) < 0)
		return e->code == ERR_EXISTS ? 1 : err_code(e);
	if (rank >= wants[w->wanted].rank)
		return 1;
	snprintf(why, WAITING_WHY_MAX, "%s", missing[rank]);
	return 0;
}

int agent_waiting_check(const struct cli *cli, struct err *e)
{
	uint64_t limit_ms, grace_ms;

	if (cli_flag(cli, "wait") && cli_option_of(cli->command, "role-signature") &&
	    cli_flag(cli, "role-signature"))
		return err_set(e, ERR_INVALID,
			       "--wait and --role-signature: a stock agent does not say where its "
			       "computation stands");
	if (cli_value(cli, "grace") && !cli_flag(cli, "wait") &&
	    !(cli_option_of(cli->command, "watch") && cli_flag(cli, "watch")))
		return err_set(e, ERR_INVALID, "--grace is for what waits: give --wait with it");
	if (waiting_limit(cli, &limit_ms, e) < 0)
		return err_code(e);
	return waiting_grace(cli, &grace_ms, e);
}

int agent_waiting_run(const struct agent_waiting *waiting, struct err *e)
{
	struct looking looking = { .waiting = waiting };
	struct waiting w = {
		.client = waiting->client,
		.until = wants[waiting->wanted].until,
		.kept = wants[waiting->wanted].kept,
		.look = look,
		.data = &looking,
		.gone = AGENT_GONE,
	};

	if (waiting_run(&w, e) == 0)
		return 0;
	agent_client_hint(waiting->client, e);
	return err_code(e);
}
