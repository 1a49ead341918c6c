/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/agent_receipt.h"

#include "agent/core/agent.h"
#include "agent/journal/journal.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

bool agent_receipt_is_due(const struct agent *agent)
{
	return agent->proof.bytes != NULL;
}

/* ---- what it says ---- */

static int owner_of(const ProtobufCBinaryData *key, uint8_t owner[SHA3_256_LEN], struct err *e)
{
	return key_fingerprint(key->data, key->len, owner, e);
}

/* Datasets of the manifest, each of which was received by the time that it runs. */
static int fill_datasets(const struct computation *c, struct receipt_dataset *datasets,
			 struct err *e)
{
	for (size_t i = 0; i < c->dataset_count; i++) {
		const struct asset *a = &c->datasets[i];

		datasets[i].name = a->name;
		memcpy(datasets[i].digest, a->hash->data, SHA3_256_LEN);
		if (owner_of(a->key, datasets[i].owner, e) < 0)
			return err_code(e);
		if (!a->kept_from.is)
			continue;
		datasets[i].leave = manifest_keep_word(a->kept_from.keep);
		memcpy(datasets[i].kept_of, a->kept_from.manifest, SHA3_256_LEN);
	}
	return 0;
}

static void fill_wheels(const struct requirement_wheels *from, struct receipt_wheel *wheels)
{
	for (size_t i = 0; i < from->count; i++) {
		wheels[i].name = from->items[i].name;
		memcpy(wheels[i].sha256, from->items[i].sha256, SHA256_LEN);
	}
}
_Static_assert((int)REQUIREMENT_BUNDLE_WHEELS_MAX <= (int)RECEIPT_WHEELS_MAX,
	       "all of a bundle's have room");

static struct receipt_limits limits_of(const struct jail_limits *l)
{
	return (struct receipt_limits){ .memory = l->memory,
					.processes = l->pids,
					.results = l->results,
					.scratch = l->scratch,
					.time_ms = l->time,
					.processor = l->processor };
}

static void fill_run(const struct agent *agent, struct receipt *r)
{
	const struct computation *c = agent->computation;

	r->journal = journal_head_of(agent->journal);
	r->has_journal = r->journal.count > 0;
	r->limits = limits_of(&c->limits);
	r->exit = c->exit_code;
	r->started = c->started;
	r->ended = (uint64_t)time(NULL);
	r->platform = agent->proof.platform;
	memcpy(r->image, agent->proof.image, agent->proof.image_len);
	r->image_len = agent->proof.image_len;
	memcpy(r->proof_digest, agent->proof.digest, SHA256_LEN);
}

/* `results`, a commitment, may be NULL: then all but these are there. */
static int write_payload(const struct agent *agent, const uint8_t *results, struct writer *payload,
			 struct err *e)
{
	CLEANUP(free)
	struct receipt_dataset *datasets = calloc(RECEIPT_DATASETS_MAX, sizeof(*datasets));
	CLEANUP(free) struct receipt_wheel *wheels = calloc(RECEIPT_WHEELS_MAX, sizeof(*wheels));
	const struct computation *c = agent->computation;
	struct receipt r = { .computation = c->manifest->id,
			     .algorithm_type = runner_kind_name(c->kind),
			     .has_requirements = c->requirements,
			     .wheels = wheels,
			     .wheel_count = c->wheels.count,
			     .datasets = datasets,
			     .dataset_count = c->dataset_count,
			     .args = (const char **)c->args };

	if (!datasets || !wheels)
		return err_nomem(e);
	if (c->dataset_count > RECEIPT_DATASETS_MAX)
		return err_set(e, ERR_EXHAUSTED, "receipt: %zu datasets", c->dataset_count);
	while (r.args && r.args[r.arg_count])
		r.arg_count++;
	memcpy(r.manifest, c->digests.sha3_256, SHA3_256_LEN);
	memcpy(r.algorithm, c->algorithm.hash->data, SHA3_256_LEN);
	memcpy(r.requirements, c->requirements_digest, SHA3_256_LEN);
	fill_wheels(&c->wheels, wheels);
	fill_run(agent, &r);
	if (results) {
		memcpy(r.results, results, SHA3_256_LEN);
	} else { /* the longest there can be */
		r.journal.count = UINT64_MAX;
		r.has_journal = true;
	}
	if (fill_datasets(c, datasets, e) < 0 ||
	    owner_of(c->algorithm.key, r.algorithm_owner, e) < 0)
		return err_code(e);
	return receipt_payload_write(&r, payload, e);
}

int agent_receipt_fits(const struct agent *agent, struct err *e)
{
	CLEANUP_WRITER struct writer payload = writer_up_to(RECEIPT_PAYLOAD_MAX);

	if (!agent_receipt_is_due(agent) || write_payload(agent, NULL, &payload, e) == 0)
		return 0;
	return err_wrap(e,
			"what was sent leaves no room in the receipt (%d bytes): give fewer or "
			"shorter arguments, wheels, or names of datasets",
			RECEIPT_PAYLOAD_MAX);
}

/* ---- made ---- */

struct agent_receipt_making {
	struct agent *agent;
	struct computation *computation;
	agent_receipt_done_fn *done;
	void *data;
	uint8_t opening[RECEIPT_OPENING_MAX]; /* for consumers */
	size_t opening_len;
};

static int put_copy(struct agent_receipt_making *m, struct span message, struct span opening,
		    uint8_t **copy, size_t *len, struct err *e)
{
	const struct agent_proof *proof = &m->agent->proof;
	CLEANUP_WRITER struct writer w = writer_up_to(RECEIPT_MAX);

	if (receipt_put(message, (struct span){ proof->bytes, proof->len }, opening, &w, e) < 0)
		return err_code(e);
	*copy = writer_take(&w, len);
	return *copy ? 0 : err_nomem(e);
}

static int put_together(struct agent_receipt_making *m, const struct span *parts, size_t count,
			struct err *e)
{
	const struct span closed = { .len = 0 }, open = { m->opening, m->opening_len };
	struct computation *c = m->computation;

	if (count != 1)
		return err_set(e, ERR_INTERNAL, "the keeper signed no receipt");
	if (put_copy(m, parts[0], open, &c->opened, &c->opened_len, e) < 0)
		return err_code(e);
	return put_copy(m, parts[0], closed, &c->receipt, &c->receipt_len, e);
}

/* Tells who waits, once. */
static void finish(struct agent *agent, const struct err *why)
{
	struct agent_receipt_making *m = TAKE_PTR(agent->receipt_making);

	m->done(m->data, why);
	computation_unref(m->computation);
	free(m);
}

static void on_signed(void *data, const struct span *parts, size_t count, const struct err *why)
{
	struct agent *agent = data;
	struct agent_receipt_making *m = agent->receipt_making;
	struct err e;
	int failed = 0;

	if (why)
		failed = err_set(&e, why->code, "%s", why->text);
	else if (!m->computation->over) /* a stop has taken the proof away */
		failed = put_together(m, parts, count, &e);
	if (failed)
		err_wrap(&e, "the receipt");
	finish(agent, failed ? &e : NULL);
}

void agent_receipt_abandon(struct agent *agent)
{
	struct err e;

	if (!agent->receipt_making)
		return;
	err_set(&e, ERR_ABORTED, "the agent ends");
	finish(agent, &e);
}

/* What the receipt says of the results; who opens it, are the consumers. */
static int commit(struct agent_receipt_making *m, const struct receipt_results *results,
		  uint8_t commitment[SHA3_256_LEN], struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(sizeof(m->opening));
	struct receipt_opening opening = { .results = *results };

	if (random_bytes(opening.salt, sizeof(opening.salt), e) < 0 ||
	    receipt_opening_write(&opening, &w, e) < 0)
		return err_code(e);
	memcpy(m->opening, w.bytes, w.len);
	m->opening_len = w.len;
	return receipt_commit((struct span){ w.bytes, w.len }, commitment, e);
}

int agent_receipt_make(const struct agent_receipt_call *call, struct err *e)
{
	CLEANUP_WRITER struct writer payload = writer_up_to(RECEIPT_PAYLOAD_MAX);
	CLEANUP(free) struct agent_receipt_making *m = calloc(1, sizeof(*m));
	struct agent *agent = call->agent;
	uint8_t commitment[SHA3_256_LEN];

	if (!m)
		return err_nomem(e);
	if (agent->receipt_making)
		return err_set(e, ERR_INTERNAL, "the receipt is on its way already");
	*m = (struct agent_receipt_making){ .agent = agent,
					    .computation = agent->computation,
					    .done = call->done,
					    .data = call->data };
	if (commit(m, call->results, commitment, e) < 0 ||
	    write_payload(agent, commitment, &payload, e) < 0 ||
	    keeper_receipt(agent->keeper, payload.bytes, payload.len, on_signed, agent, e) < 0)
		return err_wrap(e, "the receipt");
	computation_ref(m->computation);
	agent->receipt_making = TAKE_PTR(m);
	return 0;
}
