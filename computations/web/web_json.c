/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_json.h"

#include "common/base/json.h"
#include "common/base/timestamp.h"
#include "computations/people/identity.h"
#include "computations/people/user_key.h"

#include <inttypes.h>
#include <string.h>

void web_json_text(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote(w, text, strlen(text));
}

static void put_flag(struct writer *w, const char *key, bool flag)
{
	json_put_key(w, key);
	writer_text(w, flag ? "true" : "false");
}

static void put_number(struct writer *w, const char *key, int64_t number)
{
	json_put_key(w, key);
	writer_printf(w, "%" PRId64, number);
}

void web_json_time(struct writer *w, const char *key, int64_t ms)
{
	char text[TIMESTAMP_TEXT_MAX];

	json_put_key(w, key);
	if (!ms) {
		writer_text(w, "null");
		return;
	}
	timestamp_format(ms / 1000, text);
	json_quote(w, text, strlen(text));
}

static void put_key(struct writer *w, const char *name, const ProtobufCBinaryData *spki)
{
	uint8_t print[KEY_FINGERPRINT_LEN];
	struct err ignored;

	if (key_fingerprint(spki->data, spki->len, print, &ignored) < 0)
		w->bad = true;
	else
		json_put_hex(w, name, print, sizeof(print));
}

void web_json_computation(struct writer *w, const struct computation *c, bool is_connected)
{
	web_json_text(w, "id", c->id);
	web_json_text(w, "name", c->name);
	web_json_text(w, "workspace", c->workspace);
	web_json_text(w, "state", state_words(c->state));
	web_json_text(w, "agent_state", c->agent_state);
	web_json_text(w, "cvm_id", c->cvm_id);
	put_flag(w, "cvm_connected", is_connected);
	web_json_text(w, "cvm_verdict", c->cvm_verdict);
	put_flag(w, "stopping", c->stopping);
	put_flag(w, "finished", c->finished);
	web_json_time(w, "created", c->created);
	web_json_time(w, "changed", c->changed);
	web_json_time(w, "sent", c->sent);
	web_json_time(w, "ended", c->ended);
	json_put_hex(w, "manifest_digest", c->digest, sizeof(c->digest));
	put_number(w, "records", c->records);
	put_number(w, "records_dropped", c->dropped);
	put_number(w, "datasets_count", c->datasets);
	put_number(w, "consumers_count", c->consumers);
}

void web_json_more(struct writer *w, const struct computation *c)
{
	web_json_text(w, "description", c->description);
	web_json_text(w, "failure", c->failure);
	web_json_text(w, "notice", c->notice);
	web_json_text(w, "new_cvm", c->new_cvm);
}

static void put_datasets(struct writer *w, const Cvms__ComputationRunReq *m)
{
	json_put_key(w, "datasets");
	writer_text(w, "[");
	for (size_t i = 0; i < m->n_datasets; i++) {
		const Cvms__Dataset *d = m->datasets[i];

		writer_text(w, i ? ",{" : "{");
		web_json_text(w, "filename", d->filename);
		json_put_hex(w, "digest", d->hash.data, d->hash.len);
		put_key(w, "provider_key", &d->userkey);
		put_flag(w, "decompress", d->decompress);
		writer_text(w, "}");
	}
	writer_text(w, "]");
}

void web_json_manifest(struct writer *w, const Cvms__ComputationRunReq *m)
{
	if (m->algorithm) {
		json_put_key(w, "algorithm");
		writer_text(w, "{");
		web_json_text(w, "type", m->algorithm->algo_type);
		json_put_hex(w, "digest", m->algorithm->hash.data, m->algorithm->hash.len);
		put_key(w, "provider_key", &m->algorithm->userkey);
		writer_text(w, "}");
	}
	put_datasets(w, m);
	json_put_key(w, "result_consumers");
	writer_text(w, "[");
	for (size_t i = 0; i < m->n_result_consumers; i++) {
		writer_text(w, i ? ",{" : "{");
		put_key(w, "key", &m->result_consumers[i]->userkey);
		writer_text(w, "}");
	}
	writer_text(w, "]");
}

void web_json_record(struct writer *w, const struct record *r)
{
	writer_text(w, "{");
	put_number(w, "number", r->number);
	web_json_time(w, "received", r->received);
	web_json_text(w, "kind", r->event ? "event" : "log");
	web_json_text(w, "level", r->level);
	web_json_text(w, "type", r->type);
	web_json_text(w, "status", r->status);
	web_json_text(w, "originator", r->originator);
	web_json_text(w, "text", r->text);
	writer_text(w, "}");
}

void web_json_cvm(struct writer *w, const struct cvm *c, bool is_connected)
{
	writer_text(w, "{");
	web_json_text(w, "id", c->id);
	put_flag(w, "connected", is_connected);
	web_json_text(w, "agent_state", c->agent_state);
	web_json_text(w, "computation_id", c->computation_id);
	web_json_text(w, "peer", c->peer);
	web_json_text(w, "client_key", c->key);
	put_flag(w, "verified", c->verified);
	web_json_text(w, "verdict", c->verdict);
	web_json_time(w, "judged", c->judged);
	web_json_time(w, "first_seen", c->first_seen);
	web_json_time(w, "last_seen", c->last_seen);
	writer_text(w, "}");
}

static void put_confirmation(struct writer *w, const struct store_confirmation *c)
{
	writer_text(w, "{");
	web_json_text(w, "user", c->user);
	json_put_hex(w, "key", c->key, sizeof(c->key));
	json_put_hex(w, "manifest_digest", c->digest, sizeof(c->digest));
	put_number(w, "revision", c->revision);
	json_put_hex(w, "signature", c->signature, c->signature_len);
	web_json_time(w, "confirmed", c->made);
	put_flag(w, "stale", c->stale);
	put_flag(w, "retired", c->retired);
	writer_text(w, "}");
}

void web_json_machine(struct writer *w, const struct machine *m, bool is_connected)
{
	writer_text(w, "{");
	web_json_text(w, "name", m->name);
	web_json_text(w, "workspace", m->workspace);
	web_json_text(w, "state", machine_state(m));
	web_json_text(w, "reason", m->reason);
	put_flag(w, "leaving", m->phase == MACHINE_LEAVING);
	web_json_text(w, "manager", m->manager);
	web_json_text(w, "id", m->cvm_id);
	put_flag(w, "connected", is_connected);
	web_json_text(w, "agent_grpc_url", m->address);
	web_json_text(w, "computation", machine_computation(m));
	web_json_text(w, "made_for", machine_made_for(m));
	web_json_text(w, "image", m->image);
	web_json_text(w, "tee", m->tee);
	put_number(w, "cpus", m->cpus);
	put_number(w, "memory", m->memory);
	put_number(w, "ttl_ms", m->ttl_ms);
	web_json_time(w, "created", m->created);
	web_json_time(w, "ended", m->ended);
	writer_text(w, "}");
}

void web_json_usage_head(struct writer *w, const char *month, int64_t until, bool is_summed)
{
	web_json_text(w, "month", month);
	web_json_time(w, "until", until);
	put_flag(w, "summed", is_summed);
}

void web_json_usage(struct writer *w, const char *kind, const struct usage_row *row,
		    bool says_where)
{
	writer_text(w, "{");
	if (says_where) {
		web_json_text(w, "workspace", row->workspace);
		put_flag(w, "removed", row->is_removed);
	}
	web_json_text(w, "kind", kind);
	web_json_text(w, "computation", row->computation);
	put_number(w, "cvms", row->cvms);
	put_number(w, "cvm_ms", row->cvm_ms);
	put_number(w, "cpu_ms", row->cpu_ms);
	put_number(w, "memory_mib_seconds", row->memory_mib_s);
	put_number(w, "bytes_in", row->bytes_in);
	put_number(w, "bytes_out", row->bytes_out);
	put_number(w, "storage_mib_seconds", row->storage_mib_s);
	writer_text(w, "}");
}

void web_json_confirmations(struct writer *w, const struct store_confirmations *list)
{
	writer_text(w, "{");
	json_put_hex(w, "manifest_digest", list->digest, sizeof(list->digest));
	put_number(w, "revision", list->revision);
	json_put_key(w, "confirmations");
	writer_text(w, "[");
	for (size_t i = 0; i < list->count; i++) {
		writer_text(w, i ? "," : "");
		put_confirmation(w, &list->rows[i]);
	}
	writer_text(w, "]}\n");
}

void web_json_user(struct writer *w, const struct user *u)
{
	writer_text(w, "{");
	web_json_text(w, "name", u->name);
	put_flag(w, "administrator", u->administrator);
	put_flag(w, "suspended", u->suspended);
	put_flag(w, "second_factor", u->has_factor);
	put_number(w, "passkeys", u->passkeys);
	web_json_time(w, "created", u->created);
	writer_text(w, "}");
}

void web_json_identity(struct writer *w, const struct identity *one)
{
	writer_text(w, "{");
	put_number(w, "number", one->number);
	web_json_text(w, "provider", one->provider);
	web_json_text(w, "issuer", one->issuer);
	web_json_text(w, "subject", one->subject);
	web_json_time(w, "created", one->created);
	web_json_time(w, "used", one->used);
	writer_text(w, "}");
}

void web_json_workspace(struct writer *w, const struct workspace *s, enum membership role)
{
	writer_text(w, "{");
	web_json_text(w, "name", s->name);
	web_json_text(w, "role", membership_rules[role].name);
	put_number(w, "members", s->members);
	put_number(w, "computations", s->computations);
	web_json_time(w, "created", s->created);
	writer_text(w, "}");
}

void web_json_member(struct writer *w, const struct workspace_member *m)
{
	writer_text(w, "{");
	web_json_text(w, "user", m->user);
	web_json_text(w, "role", membership_rules[m->membership].name);
	put_flag(w, "suspended", m->suspended);
	web_json_time(w, "joined", m->joined);
	web_json_time(w, "changed", m->changed);
	writer_text(w, "}");
}

void web_json_invitation(struct writer *w, const struct invitation *i, const struct mail_row *mail)
{
	writer_text(w, "{");
	put_number(w, "number", i->number);
	web_json_text(w, "role", membership_rules[i->role].name);
	web_json_text(w, "note", i->note);
	web_json_text(w, "inviter", i->inviter);
	web_json_time(w, "created", i->created);
	web_json_time(w, "expires", i->ends);
	web_json_time(w, "taken", i->taken);
	web_json_text(w, "taker", i->taker);
	put_flag(w, "stale", i->is_stale && !i->taken);
	if (mail) {
		web_json_text(w, "mail", mail->address);
		web_json_text(w, "mail_state", mail_state_name(mail->state));
		web_json_text(w, "mail_problem", mail->problem);
	}
	writer_text(w, "}");
}

void web_json_asset(struct writer *w, const struct asset_row *a)
{
	web_json_text(w, "workspace", a->workspace);
	web_json_text(w, "name", a->name);
	web_json_text(w, "type", asset_type_name(a->type));
	web_json_text(w, "mime_type", a->mime);
	web_json_text(w, "description", a->description);
	json_put_hex(w, "digest", a->digest, sizeof(a->digest));
	web_json_text(w, "owner", a->owner);
	web_json_time(w, "created", a->created);
	web_json_time(w, "changed", a->changed);
}

/* "," between the texts of a list. */
static void put_item(struct writer *w, bool *is_first, const char *text)
{
	if (!*is_first)
		writer_text(w, ",");
	json_quote(w, text, strlen(text));
	*is_first = false;
}

static void put_actions(struct writer *w, unsigned actions)
{
	bool is_first = true;

	json_put_key(w, "actions");
	writer_text(w, "[");
	for (int i = 0; i < ACTIONS; i++)
		if (actions & ACTION_BIT(i))
			put_item(w, &is_first, action_name((enum people_action)i));
	writer_text(w, "]");
}

void web_json_token(struct writer *w, const struct token *t)
{
	writer_text(w, "{");
	web_json_text(w, "name", t->name);
	put_actions(w, t->scope);
	web_json_time(w, "created", t->created);
	web_json_time(w, "expires", t->expires);
	web_json_time(w, "used", t->used);
	writer_text(w, "}");
}

void web_json_login(struct writer *w, const struct login *l)
{
	writer_text(w, "{");
	put_number(w, "number", l->number);
	web_json_time(w, "created", l->created);
	web_json_time(w, "seen", l->seen);
	web_json_text(w, "from", l->peer);
	web_json_text(w, "about", l->about);
	writer_text(w, "}");
}

void web_json_me(struct writer *w, const struct admin_caller *caller)
{
	writer_text(w, "{");
	web_json_text(w, "user", caller->who.name);
	put_flag(w, "administrator", caller->rights.operates);
	put_actions(w, caller->rights.scope);
	web_json_time(w, "expires", caller->who.expires);
}

void web_json_role(struct writer *w, const struct role_list *list, const char *name,
		   unsigned actions, bool is_own)
{
	bool is_first = true;

	writer_text(w, "{");
	web_json_text(w, "role_name", name);
	put_flag(w, "own", is_own);
	put_actions(w, actions);
	json_put_key(w, "members");
	writer_text(w, "[");
	for (size_t i = 0; i < list->member_count; i++)
		if (strcmp(list->members[i].role, name) == 0)
			put_item(w, &is_first, list->members[i].user);
	writer_text(w, "]}");
}

void web_json_next(struct writer *w, const char *next)
{
	if (next) {
		web_json_text(w, "next", next);
	} else {
		json_put_key(w, "next");
		writer_text(w, "null");
	}
}

void web_json_key(struct writer *w, const struct user_key *k)
{
	writer_text(w, w->bytes[w->len - 1] == '[' ? "{" : ",{");
	json_put_hex(w, "fingerprint", k->fingerprint, sizeof(k->fingerprint));
	web_json_text(w, "kind", k->words);
	web_json_text(w, "computation", k->computation);
	web_json_time(w, "created", k->created);
	web_json_time(w, "retired", k->retired);
	writer_text(w, "}");
}
