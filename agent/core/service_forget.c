/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forget: an owner takes back the leave to use his datasets once more (retained.h). What the agent keeps of
 * that owner's is wiped, and nothing else; a run that has one in its place already goes on with it.
 */
#include "agent.pb-c.h"
#include "agent/computation/refusal.h"
#include "agent/core/agent.h"
#include "agent/core/agent_journal.h"
#include "agent/core/service.h"
#include "agent/upload/retained.h"
#include "common/base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Items that nobody finds any more, on their way out. */
struct forget {
	struct retained_item *items[MANIFEST_DATASETS_MAX];
	size_t count, failed;
};

static void work(void *data)
{
	struct forget *f = data;

	for (size_t i = 0; i < f->count; i++)
		if (unlink(f->items[i]->path) < 0 && errno != ENOENT) {
			log_error("a kept dataset is not removed (errno %d)", errno);
			f->failed++;
		}
}

static void forget_free(struct forget *f)
{
	while (f->count > 0)
		retained_item_free(f->items[--f->count]);
	free(f);
}

static void done(struct rpc_call *call, void *data)
{
	Agent__ForgetResponse r = AGENT__FORGET_RESPONSE__INIT;
	struct forget *f = data;
	struct err e;

	r.forgotten = (uint32_t)f->count;
	if (rpc_call_is_open(call) && f->failed) {
		err_set(&e, ERR_INTERNAL,
			"Forget: %zu of %zu datasets will not be used again, and can't be removed "
			"before the agent ends",
			f->failed, f->count);
		rpc_call_finish(call, &e);
	} else if (rpc_call_is_open(call)) {
		rpc_call_reply(call, &r.base);
	}
	forget_free(f);
}

/* An owner whom the manifest names, by a proof: whoever saw a signature over the role could show it again. */
static int check_owner(struct agent *agent, struct rpc_call *call, uint8_t key[KEY_FINGERPRINT_LEN],
		       struct err *e)
{
	const struct computation *c = agent->computation;
	struct access access = { 0 };
	bool named = false;

	if (!c)
		return err_set(e, ERR_PRECONDITION, "there is no computation in state %s",
			       state_name(agent->state));
	int failed = access_read(call, PROOF_ROLE_DATA, false, &agent->challenges, &access, e);
	for (size_t i = 0; !failed && i < c->dataset_count; i++)
		named = named || access_names(&access, c->datasets[i].key);
	if (!failed && (!named || access_verify(&access, &access.signer, c->digests.sha3_256, NULL,
						NULL, e) < 0))
		failed = refusal_not_signed(&access, c, "an owner that the manifest names", NULL,
					    NULL, e);
	if (!failed)
		failed = key_fingerprint(access.signer.data, access.signer.len, key, e);
	access_done(&access);
	return failed;
}

/* What this run has in its place is its own from now on. */
static void take_back(struct computation *c, const struct retained_item *item)
{
	for (size_t i = 0; i < c->dataset_count; i++) {
		struct asset *a = &c->datasets[i];
		uint8_t key[KEY_FINGERPRINT_LEN];
		struct err ignored;

		if (a->kept_from.is && memcmp(a->hash->data, item->digest, SHA3_256_LEN) == 0 &&
		    key_fingerprint(a->key->data, a->key->len, key, &ignored) == 0 &&
		    memcmp(key, item->key, KEY_FINGERPRINT_LEN) == 0)
			a->kept_from.taken_back = true;
	}
}

static int begin(struct agent *agent, struct rpc_call *call, struct err *e)
{
	struct retained *retained = &agent->uploads.retained;
	uint8_t key[KEY_FINGERPRINT_LEN];

	if (check_owner(agent, call, key, e) < 0)
		return err_code(e);
	rpc_call_prove(call);
	struct forget *f = calloc(1, sizeof(*f));
	if (!f)
		return err_nomem(e);
	f->count = retained_take(retained, key, f->items);
	if (!f->count) {
		forget_free(f);
		return err_set(e, ERR_NOT_FOUND, "the agent keeps no dataset of yours");
	}
	for (size_t i = 0; i < f->count; i++) {
		take_back(agent->computation, f->items[i]);
		agent_journal_forgotten(agent, f->items[i]);
	}
	agent_say(agent, "INFO", "%zu kept dataset%s forgotten: an owner took back the leave",
		  f->count, f->count == 1 ? " is" : "s are");
	if (rpc_call_job(call, work, done, f, e) == 0)
		return 0;
	/* Forgotten is forgotten: here and now, in the loop. */
	work(f);
	forget_free(f);
	return err_code(e);
}

void service_forget_message(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct err e;

	(void)message;
	if (begin(rpc_call_service(call), call, &e) < 0) {
		err_wrap(&e, "Forget");
		rpc_call_finish(call, &e);
	}
}
