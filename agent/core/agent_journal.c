/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/agent_journal.h"

#include "agent/evidence/evidence.h"
#include "agent/journal/journal.h"
#include "agent/upload/retained.h"
#include "attestation/journal/journal_check.h"
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "common/crypto/key.h"

#include <stdlib.h>
#include <string.h>

static void add(struct agent *agent, const struct journal_note *note)
{
	struct err e;

	if (journal_add(agent->journal, note, &e) < 0)
		log_error("journal: an entry '%s' is missing: %s", note->type, e.text);
}

/* What is not UTF-8 becomes '?', as on its way to the service. Malloc'ed. */
static char *plain(const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (!utf8_valid(copy, len))
		for (size_t i = 0; i < len; i++)
			if ((unsigned char)copy[i] >= 0x80)
				copy[i] = '?';
	return copy;
}

static void put(struct journal_note *note, const char *name, const char *text)
{
	journal_put_text(note, name, text, strlen(text));
}

int agent_journal_begin(struct agent *agent, struct span statement, struct err *e)
{
	const struct computation *c = agent->incoming;

	return journal_begin(agent->journal, c->manifest->id, c->digests.sha3_256, statement, e);
}

static void no_evidence(struct agent *agent, const char *why)
{
	struct journal_note note = { .type = "no-evidence" };

	put(&note, "reason", why);
	add(agent, &note);
}

static void on_token(void *data, const uint8_t *token, size_t len, const struct err *e)
{
	struct journal_note note = { .type = "evidence" };
	struct agent *agent = data;

	if (e || len > JOURNAL_VALUE_MAX) {
		no_evidence(agent, e ? e->text : "it is larger than an entry may be");
		return;
	}
	journal_put_bytes(&note, "token", token, len);
	add(agent, &note);
}

void agent_journal_evidence(struct agent *agent, struct span statement)
{
	enum evidence_kind kind = keeper_facts(agent->keeper)->platform;
	uint8_t tee[SHA512_LEN];
	struct err e;

	if (kind == EVIDENCE_NONE) {
		no_evidence(agent, "this machine has no TEE and no TPM (development)");
		return;
	}
	const struct binding_nonce nonce = { .type = (uint8_t)evidence_kind_rows[kind].type,
					     .tee = tee,
					     .tee_len = sizeof(tee) };
	if (journal_evidence_nonce(statement.bytes, statement.len, tee, &e) < 0 ||
	    !evidence_nonce(agent->evidence, NULL, &nonce, on_token, agent, &e))
		no_evidence(agent, e.text);
}

void agent_journal_log(struct agent *agent, const char *level, const char *text)
{
	struct journal_note note = { .type = "log" };
	CLEANUP(free) char *copy = plain(text, strlen(text));

	put(&note, "text", copy ? copy : "?");
	put(&note, "level", level);
	add(agent, &note);
}

void agent_journal_event(struct agent *agent, const char *type, const char *status,
			 const char *details)
{
	struct journal_note note = { .type = "event" };

	put(&note, "type", type);
	put(&note, "status", status);
	if (details)
		put(&note, "details", details);
	add(agent, &note);
}

void agent_journal_output(struct agent *agent, int stream, const char *text, size_t len)
{
	struct journal_note note = { .type = "output" };
	CLEANUP(free) char *copy = plain(text, len);

	journal_put_text(&note, "text", copy ? copy : "?", copy ? len : 1);
	journal_put_number(&note, "stream", (uint64_t)stream);
	add(agent, &note);
}

/* `requirements`: the digest of what came in their place, with an algorithm; NULL: nothing did. */
static int add_upload(struct agent *agent, struct asset *asset, const char *name,
		      const uint8_t *requirements, uint64_t size, struct err *e)
{
	struct journal_note note = { .type = name ? "dataset" : "algorithm" };
	uint8_t key[KEY_FINGERPRINT_LEN];

	asset->noted = true;
	if (key_fingerprint(asset->key->data, asset->key->len, key, e) < 0)
		return err_code(e);
	if (asset->hash->len != SHA3_256_LEN)
		return err_set(e, ERR_INTERNAL, "an asset without a digest");
	journal_put_digest(&note, "key", key);
	if (name)
		put(&note, "name", name);
	journal_put_number(&note, "size", size);
	journal_put_digest(&note, "digest", asset->hash->data);
	if (requirements)
		journal_put_digest(&note, "requirements", requirements);
	return journal_add(agent->journal, &note, e);
}

void agent_journal_uploads(struct agent *agent, uint64_t size)
{
	struct computation *c = agent->computation;
	const uint8_t *requirements = c->requirements ? c->requirements_digest : NULL;
	int failed = 0;
	struct err e;

	if (c->algorithm.received && !c->algorithm.noted)
		failed = add_upload(agent, &c->algorithm, NULL, requirements, size, &e);
	for (size_t i = 0; i < c->dataset_count && !failed; i++)
		if (c->datasets[i].received && !c->datasets[i].noted)
			failed = add_upload(agent, &c->datasets[i], c->datasets[i].name, NULL, size,
					    &e);
	if (failed)
		log_error("journal: an upload is missing: %s", e.text);
}

static void add_restored(struct agent *agent, struct asset *asset)
{
	struct journal_note note = { .type = "kept" };
	uint8_t key[KEY_FINGERPRINT_LEN];
	struct err e;

	asset->noted = true;
	if (key_fingerprint(asset->key->data, asset->key->len, key, &e) < 0) {
		log_error("journal: a kept dataset is missing: %s", e.text);
		return;
	}
	journal_put_digest(&note, "key", key);
	put(&note, "name", asset->name);
	journal_put_number(&note, "size", asset->kept_from.size);
	journal_put_digest(&note, "digest", asset->hash->data);
	put(&note, "consent", manifest_keep_word(asset->kept_from.keep));
	journal_put_digest(&note, "manifest", asset->kept_from.manifest);
	add(agent, &note);
}

void agent_journal_restored(struct agent *agent)
{
	struct computation *c = agent->computation;

	for (size_t i = 0; i < c->dataset_count; i++)
		if (c->datasets[i].kept_from.is)
			add_restored(agent, &c->datasets[i]);
}

void agent_journal_forgotten(struct agent *agent, const struct retained_item *item)
{
	struct journal_note note = { .type = "forgotten" };

	journal_put_digest(&note, "key", item->key);
	put(&note, "name", item->is_named ? item->filename : "");
	journal_put_digest(&note, "digest", item->digest);
	add(agent, &note);
}

void agent_journal_limits(struct agent *agent, const struct jail_limits *limits)
{
	struct journal_note note = { .type = "limits" };

	journal_put_number(&note, "time", limits->time);
	journal_put_number(&note, "memory", limits->memory);
	journal_put_number(&note, "results", limits->results);
	journal_put_number(&note, "scratch", limits->scratch);
	journal_put_number(&note, "processes", limits->pids);
	journal_put_number(&note, "processor", limits->processor);
	add(agent, &note);
}

void agent_journal_exit(struct agent *agent, const struct jail_exit *exit)
{
	struct journal_note note = { .type = "exit" };
	bool shown = manifest_logs(agent->computation->manifest) == MANIFEST_LOGS_ALL;
	/* It may hold words that the algorithm chose. */
	const char *words = shown ? exit->cause : exit->ok ? "" : "the manifest does not show it";
	CLEANUP(free) char *cause = plain(words, strlen(words));

	journal_put_flag(&note, "ok", exit->ok);
	put(&note, "cause", cause ? cause : "?");
	add(agent, &note);
}

void agent_journal_results(struct agent *agent, uint64_t size, const uint8_t digest[SHA3_256_LEN])
{
	struct journal_note note = { .type = "results" };

	if (manifest_logs(agent->computation->manifest) != MANIFEST_LOGS_ALL)
		return;
	journal_put_number(&note, "size", size);
	journal_put_digest(&note, "digest", digest);
	add(agent, &note);
}

void agent_journal_delivery(struct agent *agent, const struct consumer *consumer)
{
	struct journal_note note = { .type = "delivery" };

	journal_put_digest(&note, "key", consumer->key_digest);
	add(agent, &note);
}
