/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/computation_waiting.h"

#include "cli/client/listing.h"
#include "cli/client/waiting.h"
#include "common/base/log.h"

#include <string.h>

struct looking {
	struct client *client;
	const Computations__RunRequest *request;
	ProtobufCMessage *response;
};

/* Was it never given to a CVM? If it was, or is not there, that is a better reason than `e`. */
static bool is_new(const struct looking *l, struct err *e)
{
	Computations__ComputationRequest request = COMPUTATIONS__COMPUTATION_REQUEST__INIT;
	const Computations__Computation *c;
	ProtobufCMessage *response;
	struct err why;
	bool is;

	request.id = l->request->id;
	if (client_call(l->client, &computation_show, &request.base, &response, &why) < 0) {
		*e = why;
		return false;
	}
	c = (const Computations__Computation *)response;
	is = strcmp(c->state, "Created") == 0 && !*c->cvm_id;
	if (!is)
		err_set(e, ERR_PRECONDITION, "computation %s %s (%s): %s", log_quote(c->id).text,
			c->sent ? "was run before" : "has ended", log_quote(c->state).text,
			strcmp(c->state, "Failed") == 0 || strcmp(c->state, "Cancelled") == 0
				? "'computation retry' runs it again"
				: "create another one");
	protobuf_c_message_free_unpacked(response, NULL);
	return is;
}

/* Agents have these states before they have a manifest. */
static bool is_free(const Computations__Cvm *cvm)
{
	static const char *const states[] = { "", "Idle", "ReceivingManifest" };

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (strcmp(cvm->agent_state, states[i]) == 0)
			return !*cvm->computation_id;
	return false;
}

struct found {
	bool free, judged;
};

static void look_at(const struct looking *l, const Computations__Cvm *cvm, struct found *found)
{
	const char *wanted = l->request->cvm_id;

	if ((*wanted && strcmp(wanted, cvm->id) != 0) || !cvm->connected || !is_free(cvm))
		return;
	found->free = true;
	found->judged = found->judged || l->request->unverified || cvm->verified ||
			(cvm->judged && cvm->judged->seconds > 0);
}

static int find_cvms(const struct looking *l, struct found *found, struct err *e)
{
	char after[256] = "";

	for (int pages = 0; pages < LISTING_PAGES_MAX; pages++) {
		Computations__ListRequest request = COMPUTATIONS__LIST_REQUEST__INIT;
		const Computations__ListCvmsResponse *page;
		ProtobufCMessage *response;

		request.after = after;
		if (client_call(l->client, &computation_list_cvms, &request.base, &response, e) < 0)
			return err_code(e);
		page = (const Computations__ListCvmsResponse *)response;
		for (size_t i = 0; i < page->n_cvms; i++)
			look_at(l, page->cvms[i], found);
		snprintf(after, sizeof(after), "%s", page->next);
		protobuf_c_message_free_unpacked(response, NULL);
		if (!after[0])
			return 0;
	}
	return listing_refuse(e);
}

/* The service refuses by itself; here it is only asked whether that may change. */
static int look(void *data, char why[WAITING_WHY_MAX], struct err *e)
{
	struct looking *l = data;
	const char *cvm = l->request->cvm_id;
	struct found found = { false, false };
	struct err hidden;
	bool stands, may_be_others;

	l->client->until_ms = 0; /* it changes something: its answer is waited for */
	if (client_call(l->client, &computation_run, &l->request->base, &l->response, e) == 0)
		return 1;
	stands = rpc_channel_is_ready(l->client->channel);
	if (!stands || (e->code != ERR_PRECONDITION && e->code != ERR_UNAVAILABLE) || !is_new(l, e))
		return err_code(e);
	if (find_cvms(l, &found, &hidden) < 0) {
		/* CVMs are shown to who administers the service; a runner has its refusal alone. */
		if (hidden.code != ERR_DENIED)
			return err_code(e);
		snprintf(why, WAITING_WHY_MAX, "%.200s", e->text);
		return 0;
	}
	/* Of those that are free, each may be one that is being made: that is known soon. */
	may_be_others = !*cvm && e->code == ERR_UNAVAILABLE;
	if (found.free && found.judged && !may_be_others)
		return err_code(e);
	if (may_be_others)
		snprintf(why, WAITING_WHY_MAX, "%.200s", e->text);
	else if (found.free)
		snprintf(why, WAITING_WHY_MAX, "the evidence of a CVM that is free is not judged");
	else if (*cvm)
		snprintf(why, WAITING_WHY_MAX, "CVM %.100s is not connected, or not free",
			 log_quote(cvm).text);
	else
		snprintf(why, WAITING_WHY_MAX, "no CVM is connected and free");
	return 0;
}

int computation_run_waiting(struct client *client, const Computations__RunRequest *request,
			    ProtobufCMessage **response, struct err *e)
{
	struct looking l = { .client = client, .request = request };
	struct waiting w = {
		.client = client,
		.until = "a CVM can take the computation",
		.kept = "it was given to none",
		.look = look,
		.data = &l,
	};

	if (!cli_flag(client->cli, "wait"))
		return client_call(client, &computation_run, &request->base, response, e);
	if (waiting_run(&w, e) < 0)
		return err_code(e);
	*response = l.response;
	return 0;
}
