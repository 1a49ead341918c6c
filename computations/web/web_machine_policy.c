/* SPDX-License-Identifier: Apache-2.0 */
/* web_machine_policy.c — the policy of a workspace's CVM, as its manager publishes it: a file for whoever may see the CVM. */
#include "computations/machines/machine_policy.h"
#include "computations/store/store_machine.h"
#include "computations/web/web_machine.h"
#include "computations/web/web_work.h"

#include <stdlib.h>
#include <string.h>

static const char *const dispositions[] = {
	[MACHINE_POLICY_JSON] = "attachment; filename=\"policy.json\"",
	[MACHINE_POLICY_CORIM] = "attachment; filename=\"policy.corim\"",
};

static int run(struct store *store, struct web_work *work, struct err *e)
{
	return web_machine_find(store, work, DEED_LOOK, e);
}

/* Whichever it is, a browser keeps it, and shows nothing of it. */
static void answer(struct http_request *r, const struct machine_policy *policy)
{
	struct http_answer answer = { .status = 200, .type = "application/octet-stream" };
	struct err e;

	answer.len = policy->bytes.len;
	answer.body = malloc(answer.len);
	if (!answer.body) {
		http_request_fail(r, (err_nomem(&e), &e));
		return;
	}
	memcpy(answer.body, policy->bytes.bytes, answer.len);
	answer.more[0] =
		(struct rpc_web_field){ "content-disposition", dispositions[policy->kind] };
	http_request_answer(r, &answer);
}

static void answered(void *data, const struct machine_policy *policy, const struct err *e)
{
	struct http_request *r = data;

	if (e)
		http_request_fail(r, e);
	else
		answer(r, policy);
	http_request_unref(r);
}

static void reply(struct web_work *work)
{
	struct http_request *r = http_request_ref(work->r);
	struct err e;

	if (machine_policy_ask(work->web->service->machines, work->more, answered, r, &e) == 0)
		return;
	http_request_fail(r, &e);
	http_request_unref(r);
}

void web_machine_policy(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply);
}
