/* SPDX-License-Identifier: Apache-2.0 */
/* Workflows in the database: who runs what, what time does, and what is kept. */
#include "common/base/encode.h"
#include "common/base/writer.h"
#include "computations/people/workspace_member.h"
#include "computations/workflow/workflow.h"
#include "tests/unit/computations/store_room.h"

#include <string.h>

#define NOW INT64_C(1800000000000)
#define DAY (INT64_C(24) * 3600 * 1000)

struct room {
	struct store_room *store;
	struct hpke_key key, reply;
	EVP_PKEY *signer;
	int64_t workspace, anna, bert;
	struct executor home;
	struct err e;
};

static struct db *db_of(struct room *f)
{
	return &f->store->store.db;
}

static int64_t person(struct room *f, const char *name)
{
	struct user u CLEANUP_USER = { .name = NULL };

	store_room_user(f->store, name);
	assert_ok(user_find(db_of(f), name, &u, &f->e), f->e);
	return u.number;
}

/* An executor that has its secret. */
static void enter_executor(struct room *f, struct executor *x, const struct hpke_key *key,
			   int64_t person_, const char *type, int64_t now)
{
	static const char info[] = EXECUTOR_SECRET_LABEL;
	const struct hpke_about about = { info, NULL, sizeof(info), 0 };
	uint8_t secret[EXECUTOR_SECRET_LEN];
	struct executor_pass pass;

	executor_done(x);
	*x = (struct executor){ .workspace = f->workspace, .person = person_ };
	memcpy(x->key, key->public, HPKE_KEY_LEN);
	strcpy(x->type, type);
	assert_ok(executor_register(db_of(f), x, now, &pass, &f->e), f->e);
	assert_ok(hpke_open(key, NULL, &about, pass.enc, pass.sealed, sizeof(pass.sealed), secret,
			    &f->e),
		  f->e);
	assert_ok(executor_find(db_of(f), x->number, x, &f->e), f->e);
	assert_ok(executor_enter(db_of(f), x, secret, sizeof(secret), now, &f->e), f->e);
	secret[0] ^= 1;
	assert_refused(executor_enter(db_of(f), x, secret, sizeof(secret), now, &f->e), f->e,
		       ERR_PRECONDITION, "registered again");
}

static int enter(void **state)
{
	struct room *f = calloc(1, sizeof(*f));

	if (store_room_enter((void **)&f->store) < 0)
		return -1;
	f->workspace = store_room_workspace(f->store);
	f->anna = person(f, "anna");
	f->bert = person(f, "bert");
	assert_ok(hpke_key_generate(&f->key, &f->e), f->e);
	assert_ok(hpke_key_generate(&f->reply, &f->e), f->e);
	assert_ok(key_generate(KEY_ED25519, &f->signer, &f->e), f->e);
	enter_executor(f, &f->home, &f->key, f->bert, "t", NOW);
	*state = f;
	return 0;
}

static int leave(void **state)
{
	struct room *f = *state;
	int failed;

	executor_done(&f->home);
	EVP_PKEY_free(f->signer);
	failed = store_room_leave((void **)&f->store);
	free(f);
	return failed;
}
#define ROW(name) cmocka_unit_test_setup_teardown(name, enter, leave)

#define NODE(name, deps, seconds, retries)                                                        \
	"{\"nodename\":\"" name                                                                   \
	"\",\"conditions\":{\"executortype\":\"t\",\"dependencies\":[" deps                       \
	"]},\"funcname\":\"f\",\"kwargs\":{},\"maxexectime\":" seconds ",\"maxretries\":" retries \
	"}"
#define ONE   "[" NODE("a", "", "600", "0") "]"
#define CHAIN "[" NODE("a", "", "600", "1") "," NODE("b", "\"a\"", "600", "0") "]"

/* All nodes are for f->key. */
static int submit(struct room *f, const char *spec, int64_t person_, int64_t now, int64_t expires,
		  char id[WORKFLOW_ID_TEXT_LEN + 1])
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .expires = expires };
	struct workflow_wish wish = {
		.workspace = f->workspace, .person = person_, .name = "n", .order = &order
	};
	CLEANUP(free) uint8_t *bytes = NULL;
	Workflows__Order *m;
	int failed;

	assert_ok(workflow_spec_read(spec, strlen(spec), &order.spec, &f->e), f->e);
	assert_ok(workflow_order_room(&order, &f->e), f->e);
	for (size_t i = 0; i < order.spec.count; i++) {
		memcpy(order.nodes[i].keys[0], f->key.public, HPKE_KEY_LEN);
		order.nodes[i].count = 1;
	}
	memcpy(order.reply, f->reply.public, HPKE_KEY_LEN);
	assert_ok(workflow_order_sign(&order, f->signer, &f->e), f->e);
	assert_ok(workflow_order_message(&order, &m, &f->e), f->e);
	wish.len = workflows__order__get_packed_size(m);
	bytes = malloc(wish.len);
	assert_non_null(bytes);
	workflows__order__pack(m, bytes);
	workflows__order__free_unpacked(m, NULL);
	wish.bytes = bytes;
	hex_encode(order.id, sizeof(order.id), id);
	failed = workflow_wish_check(&wish, now, &f->e);
	return failed ? failed : workflow_submit(db_of(f), &wish, now, &f->e);
}

static void submitted(struct room *f, const char *spec, char id[WORKFLOW_ID_TEXT_LEN + 1])
{
	assert_ok(submit(f, spec, f->anna, NOW, NOW + DAY, id), f->e);
}

/* "Ready Waiting": of all nodes. */
static const char *states(struct room *f, const char *id)
{
	static char text[128];
	struct workflow_row w CLEANUP_WORKFLOW_ROW = { .number = 0 };
	CLEANUP(node_rows_free) struct node_rows *nodes = NULL;

	*text = '\0';
	assert_ok(workflow_find(db_of(f), id, &w, &f->e), f->e);
	assert_ok(workflow_nodes(db_of(f), w.number, &nodes, &f->e), f->e);
	for (size_t i = 0; i < nodes->count; i++) {
		strcat(text, i ? " " : "");
		strcat(text, node_state_name(nodes->rows[i].state));
	}
	strcat(text, ": ");
	return strcat(text, workflow_state_name(w.state));
}

/* The node that it took; -1: none. */
static int take(struct room *f, int64_t now, struct workflow_claim *claim,
		char id[WORKFLOW_ID_TEXT_LEN + 1])
{
	struct workflow_taken t CLEANUP_WORKFLOW_TAKEN = { .bytes = NULL };
	int64_t number = f->home.number;
	int there;

	executor_done(&f->home);
	assert_ok(executor_find(db_of(f), number, &f->home, &f->e), f->e);
	there = workflow_take(db_of(f), &f->home, now, &t, &f->e);
	assert_true(there >= 0);
	if (!there)
		return -1;
	memcpy(id, t.workflow.id, WORKFLOW_ID_TEXT_LEN + 1);
	*claim = (struct workflow_claim){ id, t.number, t.nodes->rows[t.number].attempt };
	return (int)t.number;
}

/* As it would be sealed. */
static int finish(struct room *f, const struct workflow_claim *claim, int64_t now)
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	struct workflow_row w CLEANUP_WORKFLOW_ROW = { .number = 0 };
	struct workflow_place place = { .node = claim->number, .attempt = claim->attempt };
	struct workflow_report report = { .failure = "" };
	CLEANUP(free) uint8_t *sealed = NULL;

	assert_ok(workflow_find(db_of(f), claim->id, &w, &f->e), f->e);
	assert_ok(workflow_order_load(db_of(f), w.number, &order, &f->e), f->e);
	memcpy(place.id, order.id, sizeof(place.id));
	assert_ok(
		workflow_output_seal(&order, &place, &f->key, "5", 1, &sealed, &report.len, &f->e),
		f->e);
	report.sealed = sealed;
	return workflow_finish(db_of(f), &f->home, claim, &report, now, &f->e);
}

static int say_failed(struct room *f, const struct workflow_claim *claim, int64_t now)
{
	const struct workflow_report report = { .failure = "it broke" };

	return workflow_finish(db_of(f), &f->home, claim, &report, now, &f->e);
}

static void sweep_behind(struct room *f, int64_t last, int64_t now)
{
	bool more;

	do
		assert_ok(workflow_sweep(db_of(f), last, now, &more, &f->e), f->e);
	while (more);
}

/* Of a service that has always served. */
static void sweep(struct room *f, int64_t now)
{
	sweep_behind(f, now, now);
}

/* ---- rows ---- */

static void a_lease_ends_and_the_node_is_tried_again(void **state)
{
	struct room *f = *state;
	char id[WORKFLOW_ID_TEXT_LEN + 1], at[WORKFLOW_ID_TEXT_LEN + 1];
	struct workflow_claim first, second;
	uint32_t lease, left;

	submitted(f, CHAIN, id);
	assert_int_equal(take(f, NOW, &first, at), 0);
	sweep(f, NOW + 59999);
	assert_string_equal(states(f, id), "Taken Waiting: Running");
	assert_ok(workflow_renew(db_of(f), &f->home, &first, NOW + 59999, &lease, &left, &f->e),
		  f->e);
	assert_int_equal(lease, 60);
	assert_int_equal(left, 541); /* what is begun counts */
	sweep(f, NOW + 60000);
	assert_string_equal(states(f, id), "Taken Waiting: Running");
	sweep(f, NOW + 119999);
	assert_string_equal(states(f, id), "Ready Waiting: Running");
	assert_refused(finish(f, &first, NOW + 119999), f->e, ERR_PRECONDITION, "any more");
	assert_int_equal(take(f, NOW + 120000, &second, at), 0);
	assert_int_equal(second.attempt, 2);
	assert_refused(finish(f, &first, NOW + 120001), f->e, ERR_PRECONDITION, "any more");
	/* The last attempt: the branch fails with it. */
	sweep(f, NOW + 180000);
	assert_string_equal(states(f, id), "Failed Cancelled: Failed");
	assert_refused(finish(f, &second, NOW + 180000), f->e, ERR_PRECONDITION, "any more");
}

static void when_the_service_was_away_does_not_count(void **state)
{
	static const struct {
		int64_t last, now; /* from NOW; last -1: it has just begun to serve */
		const char *then;
	} rows[] = {
		{ -1, 60000, "Taken: Running" },    { -1, 599999, "Taken: Running" },
		{ 44999, 60000, "Taken: Running" }, { 45000, 60000, "Ready: Running" },
		{ 60001, 60000, "Taken: Running" }, /* the clock was set back */
		{ -1, 600000, "Ready: Running" },   /* it has had its time all the same */
	};
	struct room *f = *state;
	char id[WORKFLOW_ID_TEXT_LEN + 1], at[WORKFLOW_ID_TEXT_LEN + 1];
	struct workflow_row w CLEANUP_WORKFLOW_ROW = { .number = 0 };
	struct workflow_claim claim;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		submitted(f, "[" NODE("a", "", "600", "1") "]", id);
		assert_int_equal(take(f, NOW, &claim, at), 0);
		assert_string_equal(at, id);
		sweep_behind(f, rows[i].last < 0 ? 0 : NOW + rows[i].last, NOW + rows[i].now);
		assert_string_equal(states(f, id), rows[i].then);
		/* One more whole lease, and not two. */
		if (i == 0) {
			sweep(f, NOW + 119999);
			assert_string_equal(states(f, id), "Taken: Running");
			sweep(f, NOW + 120000);
			assert_string_equal(states(f, id), "Ready: Running");
		}
		workflow_row_done(&w);
		assert_ok(workflow_find(db_of(f), id, &w, &f->e), f->e);
		assert_ok(workflow_cancel(db_of(f), &w, "anna", NOW, &f->e), f->e);
	}
}

/* What may be wrong with a row, of a workflow whose node an executor has. */
static const char *const damages[] = {
	"UPDATE workflows SET ordered = fingerprint WHERE id = ?",
	"UPDATE workflow_nodes SET attempts = 0 WHERE workflow ="
	" (SELECT number FROM workflows WHERE id = ?)",
	"UPDATE workflow_nodes SET digest = substr(key, 1, 5) WHERE state = 2 AND workflow ="
	" (SELECT number FROM workflows WHERE id = ?)",
	"UPDATE workflow_nodes SET number = -1 WHERE state = 2 AND workflow ="
	" (SELECT number FROM workflows WHERE id = ?)",
	"DELETE FROM workflow_nodes WHERE state = 0 AND workflow ="
	" (SELECT number FROM workflows WHERE id = ?)",
};

static void damage(struct room *f, size_t which, const char *id)
{
	/* Nor is it tried again: then its order is looked at. */
	assert_ok(db_run(db_of(f), &f->e,
			 "UPDATE workflow_nodes SET attempts = attempt WHERE state = 2", ""),
		  f->e);
	assert_ok(db_run(db_of(f), &f->e, damages[which], "t", id), f->e);
}

static void assert_damaged(struct room *f, const char *id)
{
	int64_t failed;

	assert_ok(db_number(db_of(f), &failed, &f->e,
			    "SELECT count(*) FROM workflows WHERE id = ? AND state = 2 AND"
			    " reason = 'what the service keeps of it is damaged'",
			    "t", id),
		  f->e);
	assert_int_equal(failed, 1);
}

static void one_that_is_damaged_stops_no_sweep(void **state)
{
	struct room *f = *state;
	char bad[WORKFLOW_ID_TEXT_LEN + 1], good[WORKFLOW_ID_TEXT_LEN + 1],
		at[WORKFLOW_ID_TEXT_LEN + 1];
	struct workflow_claim claim;

	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		submitted(f, CHAIN, bad);
		assert_int_equal(take(f, NOW, &claim, at), 0);
		damage(f, i, bad);
		/* It is behind the other one. */
		assert_ok(submit(f, CHAIN, f->anna, NOW, NOW + 60000, good), f->e);
		sweep(f, NOW + 60000);
		assert_damaged(f, bad);
		assert_string_equal(states(f, good), "Cancelled Cancelled: Failed");
	}
}

static void one_that_is_damaged_stops_no_executor(void **state)
{
	struct room *f = *state;
	char bad[WORKFLOW_ID_TEXT_LEN + 1], good[WORKFLOW_ID_TEXT_LEN + 1],
		at[WORKFLOW_ID_TEXT_LEN + 1];
	struct workflow_claim claim;

	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		/* One that it has, and one that is the next. */
		for (int is_held = 0; is_held < 2; is_held++) {
			if (!is_held && i) /* the others are of what is taken */
				continue;
			submitted(f, CHAIN, bad);
			if (is_held)
				assert_int_equal(take(f, NOW, &claim, at), 0);
			damage(f, i, bad);
			submitted(f, ONE, good);
			assert_int_equal(take(f, NOW, &claim, at), 0);
			assert_string_equal(at, good);
			assert_damaged(f, bad);
			assert_ok(finish(f, &claim, NOW), f->e);
		}
	}
}

static void no_lease_outlasts_maxexectime(void **state)
{
	struct room *f = *state;
	char id[WORKFLOW_ID_TEXT_LEN + 1], at[WORKFLOW_ID_TEXT_LEN + 1];
	struct workflow_claim claim;
	uint32_t lease, left;

	submitted(f, "[" NODE("a", "", "70", "0") "]", id);
	assert_int_equal(take(f, NOW, &claim, at), 0);
	assert_ok(workflow_renew(db_of(f), &f->home, &claim, NOW + 50000, &lease, &left, &f->e),
		  f->e);
	assert_int_equal(lease, 20);
	assert_int_equal(left, 20);
	/* Nobody has looked, but it is over. */
	assert_refused(
		workflow_renew(db_of(f), &f->home, &claim, NOW + 70000, &lease, &left, &f->e), f->e,
		ERR_PRECONDITION, "any more");
	assert_refused(finish(f, &claim, NOW + 70000), f->e, ERR_PRECONDITION, "any more");
	sweep(f, NOW + 70000);
	assert_string_equal(states(f, id), "Failed: Failed");
}

static void an_executor_has_one_node(void **state)
{
	struct room *f = *state;
	char id[WORKFLOW_ID_TEXT_LEN + 1], other[WORKFLOW_ID_TEXT_LEN + 1],
		at[WORKFLOW_ID_TEXT_LEN + 1];
	struct workflow_claim claim;

	submitted(f, ONE, id);
	submitted(f, ONE, other);
	assert_int_equal(take(f, NOW, &claim, at), 0);
	assert_string_equal(at, id);
	assert_int_equal(take(f, NOW + 1, &claim, at), 0);
	assert_string_equal(at, id);
	assert_int_equal(claim.attempt, 1);
	assert_ok(finish(f, &claim, NOW + 2), f->e);
	assert_string_equal(states(f, id), "Done: Completed");
	assert_int_equal(take(f, NOW + 3, &claim, at), 0);
	assert_string_equal(at, other);
	assert_ok(say_failed(f, &claim, NOW + 4), f->e);
	assert_ok(say_failed(f, &claim, NOW + 5), f->e); /* as before */
	assert_string_equal(states(f, other), "Failed: Failed");
	assert_int_equal(take(f, NOW + 6, &claim, at), -1);
}

static void members_take_turns(void **state)
{
	struct room *f = *state;
	const int64_t persons[] = { f->anna, f->anna, f->anna,          f->bert,
				    f->bert, f->bert, person(f, "carl") };
	/* Whose number is next, whoever was first. */
	static const size_t turns[] = { 0, 3, 6, 1, 4, 2, 5 };
	char ids[ARRAY_LEN(persons)][WORKFLOW_ID_TEXT_LEN + 1], at[WORKFLOW_ID_TEXT_LEN + 1];
	struct workflow_claim claim;

	for (size_t i = 0; i < ARRAY_LEN(persons); i++)
		assert_ok(submit(f, ONE, persons[i], NOW, NOW + DAY, ids[i]), f->e);
	for (size_t i = 0; i < ARRAY_LEN(turns); i++) {
		assert_int_equal(take(f, NOW + (int64_t)i, &claim, at), 0);
		assert_string_equal(at, ids[turns[i]]);
		assert_ok(finish(f, &claim, NOW + (int64_t)i), f->e);
	}
}

static void what_is_over_is_forgotten(void **state)
{
	struct room *f = *state;
	char done[WORKFLOW_ID_TEXT_LEN + 1], late[WORKFLOW_ID_TEXT_LEN + 1],
		at[WORKFLOW_ID_TEXT_LEN + 1];
	struct workflow_row w CLEANUP_WORKFLOW_ROW = { .number = 0 };
	struct workflow_claim claim;
	int64_t outputs;

	submitted(f, ONE, done);
	assert_int_equal(take(f, NOW, &claim, at), 0);
	assert_ok(finish(f, &claim, NOW), f->e);
	assert_ok(submit(f, CHAIN, f->anna, NOW, NOW + 1000, late), f->e);
	assert_refused(submit(f, ONE, f->anna, NOW, NOW, at), f->e, ERR_PRECONDITION, "has ended");
	assert_ok(submit(f, ONE, f->bert, NOW, NOW + 30 * DAY, at), f->e);
	assert_refused(submit(f, ONE, f->bert, NOW, NOW + 30 * DAY + 1, at), f->e, ERR_INVALID,
		       "at most 30 days");
	sweep(f, NOW + 999);
	assert_string_equal(states(f, late), "Ready Waiting: Running");
	sweep(f, NOW + 1000);
	assert_string_equal(states(f, late), "Cancelled Cancelled: Failed");
	sweep(f, NOW + WORKFLOW_OUTPUTS_MS - 1);
	assert_ok(db_number(db_of(f), &outputs, &f->e, "SELECT count(*) FROM workflow_outputs", ""),
		  f->e);
	assert_int_equal(outputs, 1);
	sweep(f, NOW + WORKFLOW_OUTPUTS_MS);
	assert_ok(db_number(db_of(f), &outputs, &f->e,
			    "SELECT count(*) + CAST(coalesce(max(size), 0) AS BIGINT) FROM"
			    " workflow_nodes n JOIN workflow_outputs o ON o.workflow = n.workflow",
			    ""),
		  f->e);
	assert_int_equal(outputs, 0);
	sweep(f, NOW + WORKFLOW_KEPT_MS - 1);
	assert_ok(workflow_find(db_of(f), done, &w, &f->e), f->e);
	sweep(f, NOW + WORKFLOW_KEPT_MS);
	workflow_row_done(&w);
	assert_refused(workflow_find(db_of(f), done, &w, &f->e), f->e, ERR_NOT_FOUND,
		       "no workflow");
	/* Nothing of it is left anywhere. */
	sweep(f, NOW + 200 * DAY);
	assert_ok(db_number(db_of(f), &outputs, &f->e,
			    "SELECT (SELECT count(*) FROM workflows)"
			    " + (SELECT count(*) FROM workflow_nodes)"
			    " + (SELECT count(*) FROM workflow_keys)"
			    " + (SELECT count(*) FROM workflow_outputs)",
			    ""),
		  f->e);
	assert_int_equal(outputs, 0);
}

static void limits_are_each_members_own(void **state)
{
	struct room *f = *state;
	char first[WORKFLOW_ID_TEXT_LEN + 1], mine[WORKFLOW_ID_TEXT_LEN + 1],
		id[WORKFLOW_ID_TEXT_LEN + 1];
	struct workflow_row w CLEANUP_WORKFLOW_ROW = { .number = 0 };

	assert_ok(submit(f, ONE, f->bert, NOW, NOW + DAY, mine), f->e);
	for (int i = 0; i < WORKFLOWS_OPEN_MAX; i++)
		submitted(f, ONE, id);
	assert_refused(submit(f, ONE, f->anna, NOW, NOW + DAY, id), f->e, ERR_EXHAUSTED,
		       "the limit is 32");
	assert_ok(submit(f, ONE, f->bert, NOW, NOW + DAY, id), f->e);
	/* Ended ones give way, of the same member alone. */
	sweep(f, NOW + DAY);
	for (int i = 0; i < WORKFLOWS_ENDED_MAX + 1; i++) {
		struct workflow_row one CLEANUP_WORKFLOW_ROW = { .number = 0 };

		submitted(f, ONE, id);
		if (!i)
			memcpy(first, id, sizeof(first));
		assert_ok(workflow_find(db_of(f), id, &one, &f->e), f->e);
		assert_ok(workflow_cancel(db_of(f), &one, "anna", NOW, &f->e), f->e);
	}
	assert_ok(workflow_find(db_of(f), mine, &w, &f->e), f->e);
	workflow_row_done(&w);
	assert_refused(workflow_find(db_of(f), first, &w, &f->e), f->e, ERR_NOT_FOUND, "");
	assert_ok(workflow_find(db_of(f), id, &w, &f->e), f->e);
}

/* As if an output of so many bytes waited. */
static void set_done(struct room *f, const char *id, int64_t size)
{
	assert_ok(db_run(db_of(f), &f->e,
			 "UPDATE workflow_nodes SET state = 3, size = ? WHERE workflow ="
			 " (SELECT number FROM workflows WHERE id = ?)",
			 "it", size, id),
		  f->e);
}

static void outputs_that_wait_have_a_limit_each_members_own(void **state)
{
	char berts[WORKFLOW_ID_TEXT_LEN + 1], other[WORKFLOW_ID_TEXT_LEN + 1],
		id[WORKFLOW_ID_TEXT_LEN + 1];
	CLEANUP(node_rows_free) struct node_rows *nodes = NULL;
	struct workflow_row w CLEANUP_WORKFLOW_ROW = { .number = 0 };
	struct workflow_claim claim;
	struct room *f = *state;
	int64_t size;

	assert_ok(submit(f, ONE, f->bert, NOW, NOW + DAY, berts), f->e);
	set_done(f, berts, WORKFLOW_STORED_MAX);
	for (int i = 0; i < 3; i++)
		submitted(f, ONE, other);
	set_done(f, other, 0);
	assert_int_equal(take(f, NOW, &claim, id), 0);
	assert_ok(finish(f, &claim, NOW), f->e);
	assert_ok(workflow_find(db_of(f), id, &w, &f->e), f->e);
	assert_ok(workflow_nodes(db_of(f), w.number, &nodes, &f->e), f->e);
	size = nodes->rows[0].size;
	assert_true(size > 0);
	assert_int_equal(take(f, NOW, &claim, id), 0);
	set_done(f, other, WORKFLOW_STORED_MAX - 2 * size + 1);
	assert_refused(finish(f, &claim, NOW), f->e, ERR_EXHAUSTED, "the limit is");
	set_done(f, other, WORKFLOW_STORED_MAX - 2 * size);
	assert_ok(finish(f, &claim, NOW), f->e);
}

/* Also before it is swept, and whatever key it has. */
static void what_has_ended_or_is_of_another_type_is_not_handed_out(void **state)
{
	char id[WORKFLOW_ID_TEXT_LEN + 1];
	struct workflow_claim claim;
	struct room *f = *state;

	submitted(f, ONE, id);
	assert_int_equal(take(f, NOW + DAY, &claim, id), -1);
	assert_ok(db_run(db_of(f), &f->e, "UPDATE executors SET type = 'other'", ""), f->e);
	assert_int_equal(take(f, NOW, &claim, id), -1);
	assert_ok(db_run(db_of(f), &f->e, "UPDATE executors SET type = 't'", ""), f->e);
	assert_int_equal(take(f, NOW + DAY - 1, &claim, id), 0);
}

static void set_anna(struct room *f, const char *to)
{
	CLEANUP(free) char *sql = NULL;

	assert_true(asprintf(&sql, "UPDATE workspace_members SET %s WHERE person = ?", to) > 0);
	assert_ok(db_run(db_of(f), &f->e, sql, "i", f->anna), f->e);
}

static void who_may_not_any_more_has_nothing_run(void **state)
{
	struct room *f = *state;
	char id[WORKFLOW_ID_TEXT_LEN + 1], at[WORKFLOW_ID_TEXT_LEN + 1];
	struct workflow_claim claim;

	submitted(f, ONE, id);
	assert_ok(user_suspend(db_of(f), "anna", true, &f->e), f->e);
	assert_int_equal(take(f, NOW, &claim, at), -1);
	assert_ok(user_suspend(db_of(f), "anna", false, &f->e), f->e);
	/* Who may look alone could not submit it either; whoever administers the service could. */
	set_anna(f, "role = 'viewer'");
	assert_int_equal(take(f, NOW, &claim, at), -1);
	set_anna(f, "role = 'administrator', suspended = 1");
	assert_int_equal(take(f, NOW, &claim, at), -1);
	set_anna(f, "role = 'viewer', suspended = 0");
	assert_ok(db_run(db_of(f), &f->e, "UPDATE users SET administrator = 1 WHERE number = ?",
			 "i", f->anna),
		  f->e);
	assert_int_equal(take(f, NOW, &claim, at), 0);
	assert_string_equal(at, id);
	assert_ok(finish(f, &claim, NOW), f->e);
	assert_ok(db_run(db_of(f), &f->e, "UPDATE users SET administrator = 0 WHERE number = ?",
			 "i", f->anna),
		  f->e);
	submitted(f, ONE, id);
	assert_int_equal(take(f, NOW, &claim, at), -1);
	set_anna(f, "role = 'member'");
	assert_ok(db_run(db_of(f), &f->e, "DELETE FROM workspace_members WHERE person = ?", "i",
			 f->anna),
		  f->e);
	assert_int_equal(take(f, NOW, &claim, at), -1);
	assert_ok(db_run(db_of(f), &f->e, "DELETE FROM users WHERE number = ?", "i", f->anna),
		  f->e);
	sweep(f, NOW);
	assert_string_equal(states(f, id), "Cancelled: Failed");
}

static void executors_that_are_run_do_not_give_way(void **state)
{
	struct room *f = *state;
	struct executor x = { .workspace = f->workspace, .person = f->bert };
	struct executor_pass pass;

	strcpy(x.type, "t");
	for (int i = 1; i < EXECUTORS_MAX; i++) {
		struct executor one = { .number = 0 };
		struct hpke_key key;

		assert_ok(hpke_key_generate(&key, &f->e), f->e);
		enter_executor(f, &one, &key, f->bert, "t", NOW);
		executor_done(&one);
	}
	memcpy(x.key, f->reply.public, HPKE_KEY_LEN);
	assert_refused(executor_register(db_of(f), &x, NOW + EXECUTOR_IDLE_MS, &pass, &f->e), f->e,
		       ERR_EXHAUSTED, "32 executors there");
	assert_ok(executor_register(db_of(f), &x, NOW + EXECUTOR_IDLE_MS + 1, &pass, &f->e), f->e);
	/* The same again takes no room; a key of small order is none. */
	assert_ok(executor_register(db_of(f), &x, NOW, &pass, &f->e), f->e);
	memset(x.key, 0, HPKE_KEY_LEN);
	assert_refused(executor_register(db_of(f), &x, NOW + 2 * EXECUTOR_IDLE_MS, &pass, &f->e),
		       f->e, ERR_INVALID, "executor's key");
}

static void an_older_database_has_none(void **state)
{
	struct room *f = *state;
	struct workflow_row rows[WORKFLOW_PAGE_MAX];
	size_t count;

	store_room_age(f->store, 29);
	assert_ok(workflow_list(db_of(f), f->workspace, INT64_MAX, rows, &count, &f->e), f->e);
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_lease_ends_and_the_node_is_tried_again),
		ROW(when_the_service_was_away_does_not_count),
		ROW(one_that_is_damaged_stops_no_sweep),
		ROW(one_that_is_damaged_stops_no_executor),
		ROW(no_lease_outlasts_maxexectime),
		ROW(an_executor_has_one_node),
		ROW(members_take_turns),
		ROW(what_is_over_is_forgotten),
		ROW(limits_are_each_members_own),
		ROW(outputs_that_wait_have_a_limit_each_members_own),
		ROW(what_has_ended_or_is_of_another_type_is_not_handed_out),
		ROW(who_may_not_any_more_has_nothing_run),
		ROW(executors_that_are_run_do_not_give_way),
		ROW(an_older_database_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
