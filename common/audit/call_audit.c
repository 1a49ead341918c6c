/* SPDX-License-Identifier: Apache-2.0 */
#include "common/audit/call_audit.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/rate.h"

#include <stdio.h>
#include <string.h>

static const struct call_audit_method *find(const struct call_audit *a, const struct rpc_call *call)
{
	static const struct call_audit_method unknown = { .reads = false };
	const char *path = rpc_call_method(call)->path;

	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->methods[i].path, path) == 0)
			return &a->methods[i];
	return &unknown;
}

static bool note_number(struct rpc_call *call, const char *key, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return !number || rpc_call_note(call, key, text);
}

static bool note_field(const struct call_audit_field *field, struct rpc_call *call,
		       const void *message)
{
	const char *base = message, *text;

	if (field->is_inner)
		base = *(const char *const *)(const void *)(base + field->in);
	if (!base)
		return true;
	if (field->is_flag)
		return !*(const protobuf_c_boolean *)(const void *)(base + field->at) ||
		       rpc_call_note(call, field->key, NULL);
	if (field->is_number)
		return note_number(call, field->key,
				   *(const uint64_t *)(const void *)(base + field->at));
	text = *(const char *const *)(const void *)(base + field->at);
	return !*text || rpc_call_note(call, field->key, text);
}

int call_audit_note(const struct call_audit *a, struct rpc_call *call,
		    const ProtobufCMessage *message, struct err *e)
{
	const struct call_audit_method *m = find(a, call);

	for (size_t i = 0; i < CALL_AUDIT_FIELDS_MAX && m->fields[i].key; i++)
		if (!note_field(&m->fields[i], call, message))
			return err_nomem(e);
	return 0;
}

static struct audit_entry entry_of(const struct rpc_call *call, enum audit_event event)
{
	struct audit_entry entry = { .event = event,
				     .call = rpc_call_number(call),
				     .method = rpc_call_method(call)->path + 1,
				     .who = rpc_call_identity(call),
				     .peer = rpc_call_peer(call) };

	entry.facts = rpc_call_facts(call, &entry.fact_count);
	return entry;
}

static int write_one(struct call_audit *a, const struct audit_entry *entry, struct err *e)
{
	if (audit_trail_write(a->audit, entry, e) < 0)
		return err_code(e);
	if (a->keep)
		a->keep(a->keep_data, entry);
	return 0;
}

static int tell_left_out(struct call_audit *a, struct call_audit_room *room, struct err *e)
{
	const struct audit_entry entry = { .event = AUDIT_LEFT_OUT, .count = room->left_out };

	if (!room->left_out)
		return 0;
	if (write_one(a, &entry, e) < 0)
		return err_code(e);
	room->left_out = 0;
	return 0;
}

/* Refusals that had no entry come before what is written next; those put off do not, of which there is one with each. */
static int write_entry(struct call_audit *a, const struct audit_entry *entry, struct err *e)
{
	if (tell_left_out(a, &a->refused, e) < 0)
		return err_code(e);
	return write_one(a, entry, e);
}

/* What can't be counted has no room. */
static bool take(struct call_audit_room *room, const void *who, size_t len)
{
	struct err ignored;
	int64_t wait;

	return keyed_rate_take(room->rate, who, len, clock_ms(CLOCK_MONOTONIC), &wait, &ignored) ==
		       0 &&
	       !wait;
}

static bool take_room(struct call_audit_room *room, const struct rpc_call *call)
{
	struct rpc_identity who = rpc_call_identity(call);
	struct rpc_source source = rpc_call_source(call);

	return who.key ? take(room, who.key, strlen(who.key))
		       : take(room, source.bytes, sizeof(source.bytes));
}

/* Whether a refusal has an entry. The first of a row that has none is told of at once, the others with what is
 * written next. */
static bool has_room(struct call_audit *a, bool is_taken)
{
	struct call_audit_room *room = &a->refused;
	bool is_first = !room->leaves_out;
	struct err e;

	room->leaves_out = !is_taken;
	if (!room->leaves_out)
		return true;
	room->left_out++;
	if (is_first && tell_left_out(a, room, &e) < 0)
		log_error("%s", e.text);
	return false;
}

/* Whether one that was put off has. */
static bool has_put_off(struct call_audit *a, const struct rpc_call *call)
{
	struct err e;

	if (!take_room(&a->put_off, call)) {
		a->put_off.left_out++;
		return false;
	}
	if (tell_left_out(a, &a->put_off, &e) < 0)
		log_error("%s", e.text);
	return true;
}

/* What it is about. */
static int note_all(struct call_audit *a, struct rpc_call *call, const ProtobufCMessage *message,
		    struct err *e)
{
	const char *trace = rpc_call_about(call)->text[LOG_TRACE];

	/* For who puts logs of several programs together; nothing depends on it. */
	if (*trace)
		(void)!rpc_call_note(call, "trace", trace);
	return call_audit_note(a, call, message, e);
}

int call_audit_open(struct call_audit *a, const char *program, const char *path, struct err *e)
{
	static const struct keyed_rate_form refused = { .each = { AUDIT_LIMIT_MS,
								  AUDIT_LIMIT_BURST },
							.all = { AUDIT_LIMIT_ALL_MS,
								 AUDIT_LIMIT_ALL_BURST },
							.sets = AUDIT_LIMIT_SETS,
							.ways = AUDIT_LIMIT_WAYS },
					    put_off = { .each = { AUDIT_PUT_OFF_MS, 1 },
							.all = { AUDIT_PUT_OFF_ALL_MS,
								 AUDIT_PUT_OFF_ALL_BURST },
							.sets = AUDIT_LIMIT_SETS,
							.ways = AUDIT_LIMIT_WAYS };

	if (keyed_rate_new(&refused, &a->refused.rate, e) < 0 ||
	    keyed_rate_new(&put_off, &a->put_off.rate, e) < 0)
		return err_code(e);
	return audit_trail_open(program, path, &a->audit, e);
}

int call_audit_enter(struct call_audit *a, struct rpc_call *call, struct err *e)
{
	const struct audit_entry entry = entry_of(call, AUDIT_ASKED);

	return write_entry(a, &entry, e);
}

int call_audit_admit(struct call_audit *a, struct rpc_call *call, const ProtobufCMessage *message,
		     struct err *e)
{
	if (find(a, call)->reads)
		return 0;
	if (note_all(a, call, message, e) < 0)
		return err_code(e);
	return call_audit_enter(a, call, e);
}

int call_audit_admit_stranger(struct call_audit *a, struct rpc_call *call,
			      const ProtobufCMessage *message, struct err *e)
{
	const struct call_audit_method *m = find(a, call);

	if (m->is_proven) {
		rpc_call_defer(call);
		return note_all(a, call, message, e);
	}
	if (!m->reads && !take_room(&a->refused, call))
		return err_set(e, ERR_EXHAUSTED,
			       "too many calls came to change something without a right to: show "
			       "who you are with one that only reads, or try again later");
	return call_audit_admit(a, call, message, e);
}

int call_audit_admit_open(struct call_audit *a, struct rpc_call *call,
			  const ProtobufCMessage *message, struct err *e)
{
	static const struct rate all = { AUDIT_LIMIT_ALL_MS, AUDIT_LIMIT_ALL_BURST };

	if (has_room(a, !rate_take(&all, clock_ms(CLOCK_MONOTONIC), &a->open_spent_until)))
		return call_audit_admit(a, call, message, e);
	rpc_call_defer(call);
	return 0;
}

void call_audit_ended(struct call_audit *a, const struct rpc_call *call, bool admitted,
		      const struct err *e)
{
	bool for_rights = e && (e->code == ERR_DENIED || e->code == ERR_UNAUTHENTICATED);
	bool reads = find(a, call)->reads;
	struct audit_entry entry;
	struct err why;

	/* One that went well without an entry was counted. */
	if ((reads && admitted && !for_rights) || (!admitted && !e))
		return;
	entry = entry_of(call, admitted && !reads ? AUDIT_DONE : AUDIT_REFUSED);
	entry.error = e;
	entry.has_left = admitted && !rpc_call_is_open(call);
	if (entry.event == AUDIT_REFUSED &&
	    !(e->code == ERR_EXHAUSTED ? has_put_off(a, call)
				       : has_room(a, take_room(&a->refused, call))))
		return;
	if (write_entry(a, &entry, &why) < 0)
		log_error("%s of %s: %s", entry.method, entry.peer, why.text);
}

void call_audit_refused(struct call_audit *a, const struct audit_entry *entry, const char *who)
{
	struct err why;

	if (a->audit && has_room(a, take(&a->refused, who, strlen(who))) &&
	    write_entry(a, entry, &why) < 0)
		log_error("%s of %s: %s", entry->method, entry->peer, why.text);
}

void call_audit_flush(struct call_audit *a)
{
	struct err e;

	if (a->audit &&
	    (tell_left_out(a, &a->refused, &e) < 0 || tell_left_out(a, &a->put_off, &e) < 0))
		log_error("%s", e.text);
}

void call_audit_close(struct call_audit *a)
{
	call_audit_flush(a);
	audit_trail_close(TAKE_PTR(a->audit));
	keyed_rate_free(TAKE_PTR(a->refused.rate));
	keyed_rate_free(TAKE_PTR(a->put_off.rate));
}
