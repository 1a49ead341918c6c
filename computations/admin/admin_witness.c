/* SPDX-License-Identifier: Apache-2.0 */
/* admin_witness.c — the log of journals' heads, for those who keep and compare what they saw of it. */
#include "computations/admin/admin.h"
#include "computations/store/store_witness.h"

static int run_witness(struct store *store, struct request *r, struct err *e)
{
	if (*r->id && !r->caller.rights.operates &&
	    admin_access_check(store, &r->caller, DEED_SEE, r->id, e) < 0)
		return err_code(e);
	r->witness = calloc(1, sizeof(*r->witness));
	if (!r->witness)
		return err_nomem(e);
	return store_witness_answer(store, r->id, r->run_number, r->size, r->witness, e);
}

static void reply_witness(struct request *r)
{
	Computations__WitnessResponse out = COMPUTATIONS__WITNESS_RESPONSE__INIT;
	struct witness_answer *a = r->witness;
	ProtobufCBinaryData hashes[MERKLE_PATH_MAX];

	for (size_t i = 0; i < a->consistency.count; i++)
		hashes[i] = (ProtobufCBinaryData){ SHA256_LEN, a->consistency.hashes[i] };
	out.key = (ProtobufCBinaryData){ a->key_len, a->key };
	out.signed_head = (ProtobufCBinaryData){ a->head_len, a->head };
	out.proof = (ProtobufCBinaryData){ a->proof_len, a->proof };
	out.consistency = hashes;
	out.n_consistency = a->consistency.count;
	rpc_call_reply(r->call, &out.base);
}

void admin_witness(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Computations__WitnessRequest *request = (const Computations__WitnessRequest *)message;
	struct request *r;
	struct err e;

	if (request->run > INT64_MAX) {
		err_set(&e, ERR_INVALID, "no computation has so many runs");
		rpc_call_finish(call, &e);
		return;
	}
	r = request_new(call, request->id);
	if (!r)
		return;
	r->run_number = (int64_t)request->run;
	r->size = request->size;
	r->run = run_witness;
	r->reply = reply_witness;
	request_start(r);
}

/* ---- pages of its leaves ---- */

void admin_witness_free(struct witness_leaves *leaves)
{
	if (leaves)
		witness_leaves_done(leaves);
	free(leaves);
}

static int run_leaves(struct store *store, struct request *r, struct err *e)
{
	r->leaves = calloc(1, sizeof(*r->leaves));
	if (!r->leaves)
		return err_nomem(e);
	return store_witness_leaves(store, r->size, r->limit, r->leaves, e);
}

static void reply_leaves(struct request *r)
{
	Computations__WitnessLeavesResponse out = COMPUTATIONS__WITNESS_LEAVES_RESPONSE__INIT;
	const struct witness_leaves *page = r->leaves;
	ProtobufCBinaryData leaves[WITNESS_PAGE_MAX];
	size_t start = 0;

	for (size_t i = 0; i < page->count; start = page->ends[i++])
		leaves[i] = (ProtobufCBinaryData){ page->ends[i] - start, page->bytes + start };
	out.leaves = leaves;
	out.n_leaves = page->count;
	rpc_call_reply(r->call, &out.base);
}

void admin_witness_leaves(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Computations__WitnessLeavesRequest *request =
		(const Computations__WitnessLeavesRequest *)message;
	struct request *r = request_new(call, "");

	if (!r)
		return;
	r->size = request->first;
	r->limit = request->count;
	r->run = run_leaves;
	r->reply = reply_leaves;
	request_start(r);
}
