/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/admin/admin_audit.h"

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "common/rpc/observer.h"
#include "computations/admin/admin_calls.h"
#include "computations/core/ending_call.h"

#include <inttypes.h>
#include <string.h>

/* ---- who, what, about what ---- */

static void put_who(struct admin_audit *a, const struct rpc_identity *who)
{
	const struct {
		const char *kind, *name;
	} names[] = { { "spiffe", who->spiffe }, { "subject", who->subject }, { "key", who->key } };

	if (who->has_uid) {
		snprintf(a->who, sizeof(a->who), "uid %u", (unsigned)who->uid);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].name) {
			snprintf(a->who, sizeof(a->who), "%s %s", names[i].kind, names[i].name);
			return;
		}
}

static void put_user(struct admin_audit *a, const char *user)
{
	snprintf(a->who, sizeof(a->who), "user %s", user);
}

/* The first of these facts that a call has is what it is about. */
static const struct {
	const char *fact, *of_methods, *object; /* of_methods: they end so; NULL: all */
} objects[] = {
	{ "id", "Cvm", "cvm" },           { "name", "Cvm", "cvm" },
	{ "id", NULL, "computation" },    { "webhook", NULL, "webhook" },
	{ "workflow", NULL, "workflow" }, { "account", NULL, "account" },
	{ "user", NULL, "user" },         { "workspace", NULL, "workspace" },
	{ "document", NULL, "document" },
};

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* The fact that became the object; `count`: none did. */
static size_t put_object(struct admin_audit *a, const struct rpc_fact *facts, size_t count)
{
	for (size_t k = 0; k < ARRAY_LEN(objects); k++)
		for (size_t i = 0; i < count; i++) {
			if (!facts[i].value || strcmp(facts[i].key, objects[k].fact) != 0 ||
			    (objects[k].of_methods && !ends_with(a->what, objects[k].of_methods)))
				continue;
			snprintf(a->object, sizeof(a->object), "%s %s", objects[k].object,
				 facts[i].value);
			return i;
		}
	return count;
}

/* Whole members only, so that it is JSON, as many as there is room for. */
static void put_about(struct admin_audit *a, const struct rpc_fact *facts, size_t count,
		      size_t object)
{
	CLEANUP_WRITER struct writer all = writer_up_to(AUDIT_ROW_TEXT_MAX);

	writer_text(&all, "{");
	for (size_t i = 0; i < count; i++) {
		CLEANUP_WRITER struct writer one = writer_up_to(AUDIT_ROW_TEXT_MAX);

		if (i == object || strcmp(facts[i].key, "by") == 0)
			continue;
		json_quote(&one, facts[i].key, strlen(facts[i].key));
		writer_text(&one, ":");
		if (facts[i].value)
			json_quote_shown(&one, facts[i].value, strlen(facts[i].value));
		else
			writer_text(&one, "true");
		if (one.bad || all.len + one.len + 2 > AUDIT_ROW_TEXT_MAX)
			continue;
		writer_text(&all, all.len > 1 ? "," : "");
		writer_bytes(&all, one.bytes, one.len);
	}
	writer_text(&all, "}");
	snprintf(a->about, sizeof(a->about), "%.*s", (int)all.len, (const char *)all.bytes);
}

static void put_facts(struct admin_audit *a, const struct rpc_fact *facts, size_t count)
{
	put_about(a, facts, count, put_object(a, facts, count));
}

/* ---- calls that change something ---- */

static bool reads(const char *path)
{
	for (size_t i = 0; i < admin_calls_methods_count; i++)
		if (strcmp(admin_calls_methods[i].path, path) == 0)
			return admin_calls_methods[i].reads;
	return false;
}

int admin_audit_new(const struct rpc_call *call, struct admin_audit **out, struct err *e)
{
	const char *path = rpc_call_method(call)->path;
	const struct rpc_identity who = rpc_call_identity(call);
	const struct rpc_fact *facts;
	struct admin_audit *a;
	size_t count;

	*out = NULL;
	if (reads(path))
		return 0;
	a = calloc(1, sizeof(*a));
	if (!a)
		return err_nomem(e);
	snprintf(a->what, sizeof(a->what), "%s", path + 1);
	snprintf(a->from, sizeof(a->from), "%s", rpc_call_peer(call));
	put_who(a, &who);
	facts = rpc_call_facts(call, &count);
	put_facts(a, facts, count);
	*out = a;
	return 0;
}

static struct audit_row row_of(const struct admin_audit *a)
{
	return (struct audit_row){ .who = a->who,
				   .from = a->from,
				   .what = a->what,
				   .object = a->object,
				   .about = a->about,
				   .before = a->before,
				   .after = a->after,
				   .outcome = *a->outcome ? a->outcome : AUDIT_OK,
				   .cause = a->cause };
}

static enum audit_room room_of(const struct admin_audit *a, const struct admin_caller *caller)
{
	if (caller->rights.operates)
		return AUDIT_ROOM_OPERATORS;
	if (!caller->who.person)
		return AUDIT_ROOM_STRANGERS;
	return ending_call_is_called(a->what) ? AUDIT_ROOM_ALWAYS : AUDIT_ROOM_USERS;
}

int admin_audit_add(struct store *store, struct admin_audit *a, const struct admin_caller *caller,
		    struct err *e)
{
	struct audit_row row;

	if (a->is_added)
		return 0;
	if (caller->who.person)
		put_user(a, caller->who.name);
	row = row_of(a);
	return store_audit_add(store, &row, room_of(a, caller), e);
}

int admin_audit_trimmed(struct store *store, struct admin_audit *a, const char *user,
			const struct audit_head *through, struct err *e)
{
	struct audit_row row;

	if (user)
		put_user(a, user);
	a->is_added = true;
	row = row_of(a);
	return store_audit_trim(store, through, &row, e);
}

/* ---- refusals ---- */

static int run_refusal(struct store *store, void *data, struct err *e)
{
	const struct audit_row row = row_of(data);

	return store_audit_add(store, &row, AUDIT_ROOM_STRANGERS, e);
}

static void refusal_done(void *data, const struct err *e)
{
	const struct admin_audit *a = data;

	if (e)
		log_error("%s of %s has no row in the audit log: %s", a->what, a->from, e->text);
	free(data);
}

static void fill_refusal(struct admin_audit *a, const struct audit_entry *entry)
{
	put_who(a, &entry->who);
	for (size_t i = 0; i < entry->fact_count; i++)
		if (strcmp(entry->facts[i].key, "by") == 0 && entry->facts[i].value)
			put_user(a, entry->facts[i].value);
	snprintf(a->what, sizeof(a->what), "%s", entry->method);
	snprintf(a->from, sizeof(a->from), "%s", entry->peer);
	put_facts(a, entry->facts, entry->fact_count);
	snprintf(a->outcome, sizeof(a->outcome), "%s", err_code_name(entry->error->code));
	snprintf(a->cause, sizeof(a->cause), "%s", entry->error->text);
}

static void fill_left_out(struct admin_audit *a, uint64_t count)
{
	snprintf(a->what, sizeof(a->what), "refusals");
	snprintf(a->about, sizeof(a->about), "{\"count\":%" PRIu64 "}", count);
	snprintf(a->outcome, sizeof(a->outcome), "%s", err_code_name(ERR_EXHAUSTED));
	snprintf(a->cause, sizeof(a->cause), "there were so many that these have no row each");
}

void admin_audit_keep(void *data, const struct audit_entry *entry)
{
	struct store_queue_op op = { .run = run_refusal, .done = refusal_done };
	struct admin_audit *a;
	struct err e;

	if (entry->event == AUDIT_ASKED || (entry->event != AUDIT_LEFT_OUT && !entry->error))
		return;
	a = calloc(1, sizeof(*a));
	if (a && entry->event == AUDIT_LEFT_OUT)
		fill_left_out(a, entry->count);
	else if (a)
		fill_refusal(a, entry);
	op.data = a;
	if (a && store_queue_add_audited(data, &op, &e) == 0)
		return;
	err_nomem(&e);
	log_error("a refusal has no row in the audit log: %s", e.text);
	free(a);
}
