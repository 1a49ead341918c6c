/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd/result_receipt.h"

#include "attestation/receipt/receipt_judge.h"
#include "cli/base/text.h"
#include "cli/client/agent_client.h"
#include "cli/evidence/appraise.h"
#include "cli/evidence/receipt_check.h"
#include "common/base/file.h"

#include <string.h>
#include <time.h>

void result_receipt_done(struct result_receipt *r)
{
	free(r->bytes);
	free(r->name);
	r->bytes = NULL;
	r->name = NULL;
}

/* ---- asked for ---- */

static int keep_answer(struct result_receipt *r, const Agent__ReceiptResponse *answer,
		       struct err *e)
{
	r->bytes = malloc(answer->receipt.len + 1);
	if (!r->bytes)
		return err_nomem(e);
	if (answer->receipt.len)
		memcpy(r->bytes, answer->receipt.data, answer->receipt.len);
	r->len = answer->receipt.len;
	return 0;
}

static int ask(struct result_receipt *r, struct client *client, const struct agent_call *call,
	       const Agent__StatusResponse *status, struct err *e)
{
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;
	Agent__ReceiptRequest request = AGENT__RECEIPT_REQUEST__INIT;
	struct rpc_metadata metadata = { .count = 0 };
	ProtobufCMessage *answer = NULL;
	int failed = agent_client_open(client, call, status, &metadata, &sync, e);

	rpc_metadata_done(&metadata);
	if (failed || rpc_sync_send(sync, &request.base, e) < 0 ||
	    rpc_sync_receive(sync, &answer, e) < 0)
		return err_code(e);
	if (!answer)
		return err_set(e, ERR_INVALID, "Receipt: an answer without a receipt");
	failed = keep_answer(r, (const Agent__ReceiptResponse *)answer, e);
	protobuf_c_message_free_unpacked(answer, NULL);
	return failed;
}

/* ---- judged ---- */

/* The agent's own word for what it runs, which the caller's signature covers. */
static void judge_manifest(const struct result_receipt *r, const struct receipt *receipt,
			   struct verdict *v)
{
	if (!r->has_manifest)
		return;
	verdict_require(v, CHECK_RECEIPT_OF_MANIFEST);
	verdict_bytes(v, CHECK_RECEIPT_OF_MANIFEST, receipt->manifest, r->manifest, SHA3_256_LEN);
}

/* A consumer's says of which results it is: before they come, since they come once. */
static void judge_opening(const struct receipt *receipt, struct verdict *v)
{
	if (!receipt->is_open)
		verdict_check(v, CHECK_RECEIPT_RESULTS, false, "a copy that says of no results",
			      "a consumer's, with the salt");
}

/* A stock agent's evidence is over whatever it is asked: under a policy that takes one, nobody says who
 * signed a receipt. */
bool result_receipt_says_who(const struct client *client)
{
	return client->appraise && !appraise_takes_stock(client->appraise);
}

/* Whether it fits together; who signed it, nobody says. */
static int judge_alone(const struct result_receipt *r, struct receipt *receipt, struct verdict *v,
		       struct err *e)
{
	const struct verify_input in = { .at = (int64_t)time(NULL), .skew = SNP_SKEW_MAX };
	struct err why;

	verdict_init(v, VERDICT_SCOPE_GENUINE_ONLY);
	memset(receipt, 0, sizeof(*receipt));
	if (receipt_parse(r->bytes, r->len, receipt, &why) < 0) {
		verdict_err(v, CHECK_RECEIPT_FORM, &why);
		return 0; /* a no: verdict_ok() says it */
	}
	return receipt_judge(receipt, NULL, &in, v, e); /* the caller asks verdict_ok() */
}

static int judge(const struct result_receipt *r, struct client *client, struct err *e)
{
	CLEANUP(free) struct verdict *v = calloc(1, sizeof(*v));
	const struct receipt_check check = { .bytes = { r->bytes, r->len } };
	struct receipt receipt = { .computation = NULL };
	int failed;

	if (!v)
		return err_nomem(e);
	if (result_receipt_says_who(client))
		failed = appraise_receipt(client->appraise, &check, &receipt, v, e);
	else
		failed = judge_alone(r, &receipt, v, e);
	if (!failed && receipt.computation) {
		judge_manifest(r, &receipt, v);
		if (!r->is_closed)
			judge_opening(&receipt, v);
	}
	receipt_done(&receipt);
	if (failed)
		return failed;
	if (!verdict_ok(v)) {
		cli_hint(client->cli, "nothing was %s: the agent's receipt does not hold",
			 r->is_closed ? "kept" : "fetched");
		return err_set(e, ERR_DENIED, "%s", verdict_reason(v).text);
	}
	return 0;
}

/* What the agent answers is kept for the end: the call for the results says what is wrong. Not that there are
 * none yet: when they are called for there may be, and they would come, once, without their receipt. */
static bool is_answer(const struct err *e)
{
	static const enum err_code answers[] = { ERR_UNIMPLEMENTED, ERR_NOT_FOUND, ERR_DENIED,
						 ERR_UNAUTHENTICATED };

	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		if (e->code == answers[i])
			return true;
	return false;
}

/* Each proof is for a challenge of its own, which a status brings. */
static int ask_as(struct result_receipt *r, struct client *client, const struct agent_call *call,
		  struct err *e)
{
	CLEANUP(agent_status_free) Agent__StatusResponse *status = NULL;

	if (!call->role_signature && agent_client_status(client, &status, e) < 0)
		return err_code(e);
	r->has_manifest = status && status->manifest_digest.len == SHA3_256_LEN;
	if (r->has_manifest)
		memcpy(r->manifest, status->manifest_digest.data, SHA3_256_LEN);
	return ask(r, client, call, status, e);
}

int result_receipt_get(struct result_receipt *r, struct client *client, EVP_PKEY *key,
		       struct err *e)
{
	static const char *const roles[] = { PROOF_ROLE_CONSUMER, PROOF_ROLE_ALGORITHM,
					     PROOF_ROLE_DATA };
	size_t i = 0;
	int failed;

	do {
		const struct agent_call call = { .method = &agent_receipt,
						 .role = roles[i],
						 .key = key };

		r->is_closed = i > 0;
		failed = ask_as(r, client, &call, e);
	} while (err_is(failed, ERR_DENIED) && ++i < ARRAY_LEN(roles));
	return failed ? failed : judge(r, client, e);
}

int result_receipt_fetch(struct result_receipt *r, struct client *client, EVP_PKEY *key,
			 bool role_signature, struct err *e)
{
	const struct agent_call call = {
		.method = &agent_receipt,
		.role = PROOF_ROLE_CONSUMER,
		.key = key,
		.role_signature = role_signature,
	};

	if (r->asked)
		return 0;
	if (ask_as(r, client, &call, e) < 0 && !is_answer(e))
		return err_code(e);
	r->asked = true;
	if (!r->bytes) {
		r->why = *e;
		return 0;
	}
	return judge(r, client, e);
}

/* ---- kept ---- */

int result_receipt_is_of(const struct result_receipt *r, int results, struct err *e)
{
	struct receipt_results found;
	struct receipt receipt;

	if (!r->bytes)
		return 0;
	if (receipt_results_of(results, &found, e) < 0 ||
	    receipt_parse(r->bytes, r->len, &receipt, e) < 0)
		return err_code(e);
	const struct receipt_results *said = &receipt.opening.results;
	bool same = receipt.is_open && found.size == said->size &&
		    bytes_equal(found.sha256, said->sha256, SHA256_LEN) &&
		    bytes_equal(found.sha3_256, said->sha3_256, SHA3_256_LEN);
	receipt_done(&receipt);
	return same ? 0
		    : err_set(e, ERR_DENIED,
			      "receipt.results: what came is not what the agent's receipt is of");
}

int result_receipt_keep(struct result_receipt *r, const char *results, struct err *e)
{
	CLEANUP(free) char *name = NULL;

	if (!r->bytes)
		return 0;
	if (receipt_check_name(results, &name, e) < 0 ||
	    file_write_new(name, r->bytes, r->len, 0600, e) < 0)
		return err_wrap(e, "keep the receipt");
	r->name = TAKE_PTR(name);
	return 0;
}

void result_receipt_left(const struct result_receipt *r)
{
	if (r->name)
		fprintf(stderr, "and their receipt is in %s\n", r->name);
}

void result_receipt_tell(const struct result_receipt *r, const struct client *client,
			 const char *results)
{
	FILE *out = client->cli->out;

	if (!r->name && r->why.code == ERR_UNIMPLEMENTED)
		fprintf(out, "no receipt: this agent makes none (stock agents don't)\n");
	else if (!r->name)
		fprintf(out, "no receipt: %s\n", text_plain(r->why.text).text);
	if (!r->name)
		return;
	fprintf(out, "receipt saved as %s\n", r->name);
	if (!result_receipt_says_who(client))
		fprintf(out,
			"its form alone was judged%s, and not who signed it: 'cocos-cli receipt "
			"verify %s --policy FILE' does%s\n",
			client->appraise ? ", since the policy takes stock agents" : "", results,
			client->appraise ? ", under a policy that takes none" : "");
}
