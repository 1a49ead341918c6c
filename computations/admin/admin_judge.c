/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/admin/admin_judge.h"

#include "computations/core/judge_line.h"
#include "computations/core/judged_keys.h"

#include <stdlib.h>

/* A caller has room for the largest message. */
_Static_assert((size_t)RPC_MESSAGE_MAX + JUDGE_LINE_EACH <= JUDGE_LINE_CALLER, "it fits");

struct judging {
	struct judge_way way;
	struct judge_place *place;
	struct err why; /* ERR_OK: what was judged goes on */
	struct judged_keys keys;
};

int judge_manifest(struct request *r, const Cvms__ComputationRunReq *manifest, struct err *e)
{
	return judged_keys_step(&r->judging->keys, manifest, e);
}

static bool take_step(void *data)
{
	struct request *r = data;
	int more = r->judging->way.step(r, &r->judging->why);

	if (more == 0)
		r->judging->why.code = ERR_OK;
	return more > 0;
}

static void judged(void *data, const struct err *e)
{
	struct request *r = data;

	rpc_call_set_user(r->call, NULL);
	if (!e && r->judging->why.code != ERR_OK)
		e = &r->judging->why;
	if (e) {
		request_refuse(r, e);
		return;
	}
	r->only_asks = false;
	r->run = r->judging->way.run;
	r->reply = r->judging->way.reply;
	r->next = r->judging->way.next;
	request_start(r);
}

/* He may. */
static void stand_in_line(struct request *r)
{
	const struct judge_job job = {
		.caller = { .person = r->caller.who.person, .source = rpc_call_source(r->call) },
		.bytes = r->judging->way.bytes,
		.step = take_step,
		.done = judged,
		.data = r,
	};
	struct err e;

	r->next = NULL;
	if (!rpc_call_is_open(r->call)) {
		err_set(&e, ERR_CANCELLED, "the caller has left");
		request_refuse(r, &e);
		return;
	}
	rpc_call_set_user(r->call, r);
	if (judge_line_add(r->service->judges, &job, &r->judging->place, &e) < 0) {
		rpc_call_set_user(r->call, NULL);
		request_refuse(r, &e);
	}
}

static int run_may(struct store *store, struct request *r, struct err *e)
{
	return 0;
}

void request_judge(struct request *r, const struct judge_way *way)
{
	struct err e;

	r->judging = calloc(1, sizeof(*r->judging));
	if (!r->judging) {
		err_nomem(&e);
		request_refuse(r, &e);
		return;
	}
	r->judging->way = *way;
	r->only_asks = true;
	r->run = run_may; /* request_run() has asked */
	r->next = stand_in_line;
	request_start(r);
}

void judge_closed(struct rpc_call *call)
{
	struct request *r = rpc_call_user(call);

	if (r)
		judge_line_cancel(r->judging->place);
}

void judge_free(struct judging *j)
{
	if (!j)
		return;
	judge_line_leave(j->place);
	judged_keys_done(&j->keys);
	free(j);
}
