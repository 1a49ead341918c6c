/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What submitters and executors ask of workflows, honest and not, in any order, while time goes on; over a store in memory.
 * Input: commands of three bytes: what, who, and an operand (seeds/workflows.py).
 *
 * After each of them the graph holds: nothing is ready before what it waits for is done, nothing waits for what will not
 * come, an executor has one node, attempts are counted, a workflow ends with its last node, and no output or key outlives
 * its use.
 */
#include "common/base/encode.h"
#include "common/base/reader.h"
#include "computations/people/user.h"
#include "computations/people/workspace_member.h"
#include "computations/workflow/workflow.h"
#include "tests/fuzz/store_memory.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMANDS_MAX = 64, WORKFLOWS_KEPT = 4, EXECUTORS_PLAYED = 2 };
enum {
	SUBMIT,
	TAKE,
	RENEW,
	FINISH,
	FAIL,
	INPUT,
	CANCEL,
	WAIT,
	SWEEP,
	AGAIN,
	LEAVE,
	SUSPEND,
	DAMAGE,
	COMMANDS
};

#define NODE(name, deps, retries)                                           \
	"{\"nodename\":\"" name                                             \
	"\",\"conditions\":{\"executortype\":\"t\",\"dependencies\":[" deps \
	"]},\"funcname\":\"f\",\"kwargs\":{},\"maxexectime\":90,\"maxretries\":" retries "}"
static const char *const specs[] = {
	"[" NODE("a", "", "1") "]",
	"[" NODE("a", "", "1") "," NODE("b", "\"a\"", "0") "," NODE("c", "\"b\"", "1") "]",
	"[" NODE("a", "", "0") "," NODE("b", "", "1") "," NODE("c", "\"a\",\"b\"",
							       "0") "," NODE("d", "\"b\"", "0") "]",
};

struct played {
	struct hpke_key key;
	struct executor row;
	uint8_t secret[EXECUTOR_SECRET_LEN];
	char id[WORKFLOW_ID_TEXT_LEN + 1];
	uint32_t number, attempt;
};

static struct store store;
static int64_t now, people[2], workspace;
static uint32_t drawn;
static struct played executors[EXECUTORS_PLAYED];
static char ids[WORKFLOWS_KEPT][WORKFLOW_ID_TEXT_LEN + 1];
static size_t id_next;

/* ---- the world ---- */

static void enter(struct played *p, size_t i)
{
	static const char info[] = EXECUTOR_SECRET_LABEL;
	const struct hpke_about about = { info, NULL, sizeof(info), 0 };
	struct executor_pass pass;
	struct err e;

	executor_done(&p->row);
	p->row = (struct executor){ .workspace = workspace, .person = people[1] };
	memcpy(p->row.key, p->key.public, HPKE_KEY_LEN);
	strcpy(p->row.type, "t");
	assert(executor_register(&store.db, &p->row, now, &pass, &e) == 0);
	assert(hpke_open(&p->key, NULL, &about, pass.enc, pass.sealed, sizeof(pass.sealed),
			 p->secret, &e) == 0);
	assert(workflow_lose(&store.db, p->row.number, "it began anew", now, &e) == 0);
	assert(executor_find(&store.db, p->row.number, &p->row, &e) == 0);
}

static void begin(void)
{
	static const struct store_limits limits = { 1, 1, 1, 1, 64 };
	static const char *const names[] = { "anna", "bert" };
	struct err e;

	store_memory_open(&store, &limits);
	now = INT64_C(1800000000000);
	assert(db_number(&store.db, &workspace, &e, "SELECT number FROM workspaces", "") == 0);
	for (size_t i = 0; i < ARRAY_LEN(people); i++) {
		struct user u CLEANUP_USER = { .name = NULL };

		assert(user_add(&store.db, names[i], false, now, &e) == 0);
		assert(user_find(&store.db, names[i], &u, &e) == 0);
		people[i] = u.number;
		assert(db_run(&store.db, &e,
			      "INSERT INTO workspace_members (workspace, person, role, joined)"
			      " VALUES (?, ?, 'member', 0)",
			      "ii", workspace, people[i]) == 0);
	}
	for (size_t i = 0; i < EXECUTORS_PLAYED; i++) {
		uint8_t secret[HPKE_KEY_LEN] = { 0, (uint8_t)(i + 1) };

		assert(hpke_key_of(secret, &executors[i].key, &e) == 0);
		enter(&executors[i], i);
		*executors[i].id = '\0';
	}
	memset(ids, 0, sizeof(ids));
	id_next = 0;
}

/* ---- commands ---- */

static void submit(uint8_t who, uint8_t operand)
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = {
		.expires = now + (operand & 0x40 ? 120000 : (int64_t)20 * 86400000),
		.submitter_len = 1,
		.signature_len = 1,
		.reply = { 9 },
	};
	struct workflow_wish wish = {
		.workspace = workspace, .person = people[who & 1], .name = "n", .order = &order
	};
	const char *spec = specs[operand % ARRAY_LEN(specs)];
	Workflows__Order *m;
	uint8_t bytes[8192];
	struct err e;

	drawn++;
	memcpy(order.nonce, &drawn, sizeof(drawn));
	assert(workflow_spec_read(spec, strlen(spec), &order.spec, &e) == 0);
	assert(workflow_order_room(&order, &e) == 0);
	for (size_t i = 0; i < order.spec.count; i++) {
		order.nodes[i].count = operand & 0x20 ? 1 : 2;
		for (size_t k = 0; k < order.nodes[i].count; k++)
			memcpy(order.nodes[i].keys[k], executors[k].key.public, HPKE_KEY_LEN);
	}
	assert(workflow_order_check(&order, &e) == 0);
	assert(workflow_order_message(&order, &m, &e) == 0);
	wish.len = workflows__order__get_packed_size(m);
	assert(wish.len <= sizeof(bytes));
	workflows__order__pack(m, bytes);
	workflows__order__free_unpacked(m, NULL);
	wish.bytes = bytes;
	assert(workflow_wish_check(&wish, now, &e) == 0);
	if (workflow_submit(&store.db, &wish, now, &e) < 0) {
		assert(e.code == ERR_EXHAUSTED || e.code == ERR_EXISTS);
		return;
	}
	hex_encode(order.id, sizeof(order.id), ids[id_next++ % WORKFLOWS_KEPT]);
	assert(workflow_submit(&store.db, &wish, now, &e) < 0 && e.code == ERR_EXISTS);
}

static bool find_again(struct played *p)
{
	struct err e;
	int64_t number = p->row.number;

	executor_done(&p->row);
	if (executor_find(&store.db, number, &p->row, &e) < 0) {
		p->row.number = number;
		return false;
	}
	return executor_enter(&store.db, &p->row, p->secret, sizeof(p->secret), now, &e) == 0;
}

static void take(struct played *p)
{
	struct workflow_taken t CLEANUP_WORKFLOW_TAKEN = { .bytes = NULL };
	struct err e;
	int there;

	if (!find_again(p))
		return;
	there = workflow_take(&store.db, &p->row, now, &t, &e);
	assert(there >= 0);
	if (!there)
		return;
	assert(workflow_order_accepts(&t.order, t.number, p->key.public));
	assert(t.nodes->rows[t.number].state == NODE_TAKEN && t.lease_s <= WORKFLOW_LEASE_S);
	memcpy(p->id, t.workflow.id, sizeof(p->id));
	p->number = t.number;
	p->attempt = t.nodes->rows[t.number].attempt;
}

/* As it is, or with a lie. */
static struct workflow_claim claim_of(const struct played *p, uint8_t operand)
{
	return (struct workflow_claim){
		.id = operand & 0x10 ? ids[0] : p->id,
		.number = p->number + (operand & 0x20 ? 1 : 0),
		.attempt = p->attempt + (operand & 0x40 ? 1 : 0),
	};
}

/* What a disk does to what the service keeps: one byte is left of an order. */
static void damage(uint8_t operand)
{
	struct err e;

	assert(db_run(&store.db, &e, "UPDATE workflows SET ordered = x'00' WHERE id = ?", "t",
		      ids[operand % WORKFLOWS_KEPT]) == 0);
}

static bool is_damaged(const char *id)
{
	int64_t count;
	struct err e;

	assert(db_number(&store.db, &count, &e,
			 "SELECT count(*) FROM workflows WHERE id = ? AND length(ordered) = 1", "t",
			 id) == 0);
	return count == 1;
}

static bool is_taken_by(const struct played *p, const struct workflow_claim *claim)
{
	int64_t count;
	struct err e;

	assert(db_number(
		       &store.db, &count, &e,
		       "SELECT count(*) FROM workflow_nodes n JOIN workflows w"
		       " ON w.number = n.workflow WHERE w.id = ? AND n.number = ? AND n.attempt = ?"
		       " AND n.executor = ? AND n.state = 2",
		       "tiii", claim->id, (int64_t)claim->number, (int64_t)claim->attempt,
		       p->row.number) == 0);
	return count == 1;
}

static void renew(struct played *p, uint8_t operand)
{
	const struct workflow_claim claim = claim_of(p, operand);
	uint32_t lease, left;
	struct err e;

	if (!find_again(p))
		return;
	if (workflow_renew(&store.db, &p->row, &claim, now, &lease, &left, &e) == 0)
		assert(is_taken_by(p, &claim) && lease <= left && lease);
}

static void seal(struct played *p, const struct workflow_claim *claim, uint8_t **sealed,
		 size_t *len)
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	struct workflow_place place = { .node = claim->number, .attempt = claim->attempt };
	struct workflow_row w CLEANUP_WORKFLOW_ROW = { .number = 0 };
	struct err e;

	if (workflow_find(&store.db, claim->id, &w, &e) < 0)
		return;
	assert(workflow_order_load(&store.db, w.number, &order, &e) == 0);
	memcpy(place.id, order.id, sizeof(place.id));
	if (claim->number < order.spec.count)
		assert(workflow_output_seal(&order, &place, &p->key, "5", 1, sealed, len, &e) == 0);
}

static void finish(struct played *p, uint8_t operand)
{
	const struct workflow_claim claim = claim_of(p, operand);
	struct workflow_report report = { .failure = "" };
	CLEANUP(free) uint8_t *sealed = NULL;
	struct err e;
	bool was;

	/* The service would take back what it did before it saw that. */
	if (is_damaged(claim.id) || !find_again(p))
		return;
	seal(p, &claim, &sealed, &report.len);
	if (sealed && operand & 1)
		sealed[30] ^= 1;
	report.sealed = sealed;
	report.failure = operand & 2 ? "both" : "";
	report.is_final = operand & 4;
	was = is_taken_by(p, &claim);
	if (workflow_finish(&store.db, &p->row, &claim, &report, now, &e) == 0) {
		assert(was && !(operand & 7));
		assert(workflow_finish(&store.db, &p->row, &claim, &report, now, &e) == 0);
	}
}

static void say_failed(struct played *p, uint8_t operand)
{
	const struct workflow_claim claim = claim_of(p, operand);
	const struct workflow_report report = { .failure = operand & 2 ? "two\nlines" : "it broke",
						.is_final = operand & 1 };
	struct err e;

	if (!is_damaged(claim.id) && find_again(p) &&
	    workflow_finish(&store.db, &p->row, &claim, &report, now, &e) == 0)
		assert(!(operand & 2) && !is_taken_by(p, &claim));
}

static void ask_input(struct played *p, uint8_t operand)
{
	const struct workflow_claim claim = claim_of(p, operand & 0xf0);
	CLEANUP(free) uint8_t *bytes = NULL;
	struct node_row from = { .user = NULL };
	size_t len;
	struct err e;

	if (!find_again(p))
		return;
	if (workflow_input(&store.db, &p->row, &claim, operand & 0xf, now, &from, &bytes, &len,
			   &e) == 0)
		assert(is_taken_by(p, &claim) && from.state == NODE_DONE && len);
	node_row_done(&from);
}

static void cancel(uint8_t operand)
{
	struct workflow_row w CLEANUP_WORKFLOW_ROW = { .number = 0 };
	struct err e;

	if (workflow_find(&store.db, ids[operand % WORKFLOWS_KEPT], &w, &e) == 0)
		assert((workflow_cancel(&store.db, &w, "anna", now, &e) == 0) ==
		       (w.state == WORKFLOW_RUNNING));
}

static void sweep(void)
{
	struct err e;
	bool more;

	do
		assert(workflow_sweep(&store.db, now, now, &more, &e) == 0);
	while (more);
}

static void leave(struct played *p, uint8_t operand)
{
	struct err e;

	if (operand & 1) {
		assert(db_run(&store.db, &e, "DELETE FROM users WHERE number = ?", "i",
			      people[0]) == 0);
		return;
	}
	assert(workflow_lose(&store.db, p->row.number, "it was removed", now, &e) == 0);
	assert(executor_remove(&store.db, p->row.number, &e) == 0);
}

static bool is_there(int64_t person)
{
	int64_t count;
	struct err e;

	assert(db_number(&store.db, &count, &e, "SELECT count(*) FROM users WHERE number = ?", "i",
			 person) == 0);
	return count == 1;
}

static void run_one(uint8_t what, uint8_t who, uint8_t operand)
{
	struct played *p = &executors[who % EXECUTORS_PLAYED];
	struct err e;

	switch (what % COMMANDS) {
	case SUBMIT:
		if (is_there(people[who & 1]))
			submit(who, operand);
		break;
	case TAKE:
		take(p);
		break;
	case RENEW:
		renew(p, operand);
		break;
	case FINISH:
		finish(p, operand);
		break;
	case FAIL:
		say_failed(p, operand);
		break;
	case INPUT:
		ask_input(p, operand);
		break;
	case CANCEL:
		cancel(operand);
		break;
	case WAIT:
		now += operand < 128 ? operand * INT64_C(1000)
				     : (operand - 127) * INT64_C(86400000);
		break;
	case SWEEP:
		sweep();
		break;
	case AGAIN:
		enter(p, who % EXECUTORS_PLAYED);
		break;
	case LEAVE:
		leave(p, operand);
		break;
	case DAMAGE:
		damage(operand);
		break;
	case SUSPEND:
	default:
		assert(!is_there(people[0]) ||
		       user_suspend(&store.db, "anna", operand & 1, &e) == 0);
	}
}

/* ---- what holds ---- */

static void check_none(const char *sql)
{
	int64_t count;
	struct err e;

	assert(db_number(&store.db, &count, &e, sql, "") == 0);
	assert(count == 0);
}

static void check_graph(const char *id)
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	struct workflow_row w CLEANUP_WORKFLOW_ROW = { .number = 0 };
	CLEANUP(node_rows_free) struct node_rows *nodes = NULL;
	struct err e;

	if (!*id || workflow_find(&store.db, id, &w, &e) < 0 || is_damaged(id))
		return;
	assert(workflow_order_load(&store.db, w.number, &order, &e) == 0);
	assert(workflow_nodes(&store.db, w.number, &nodes, &e) == 0);
	for (size_t i = 0; i < nodes->count; i++) {
		const struct workflow_node *n = &order.spec.nodes[i];
		const enum node_state state = nodes->rows[i].state;
		size_t done = 0, lost = 0;

		assert(*node_state_name(state));
		for (size_t k = 0; k < n->dependencies_count; k++) {
			done += nodes->rows[n->dependencies[k]].state == NODE_DONE;
			lost += nodes->rows[n->dependencies[k]].state > NODE_DONE;
		}
		if (state == NODE_WAITING)
			assert(done < n->dependencies_count && !lost);
		else if (state == NODE_READY || state == NODE_TAKEN || state == NODE_DONE)
			assert(done == n->dependencies_count);
	}
}

static void check_lists(void)
{
	static struct workflow_row rows[WORKFLOW_PAGE_MAX];
	static struct executor shown[EXECUTOR_PAGE_MAX];
	size_t count;
	struct err e;

	assert(workflow_list(&store.db, workspace, INT64_MAX, rows, &count, &e) == 0);
	for (size_t i = 0; i < count; i++) {
		assert(!i || rows[i].number < rows[i - 1].number);
		assert(*workflow_state_name(rows[i].state));
		workflow_row_done(&rows[i]);
	}
	assert(executor_list(&store.db, workspace, 0, shown, &count, &e) == 0);
	assert(count <= EXECUTORS_PLAYED);
	for (size_t i = 0; i < count; i++)
		executor_done(&shown[i]);
}

static void check_all(void)
{
	check_none("SELECT count(*) FROM workflows w WHERE (w.state = 0) <> EXISTS (SELECT 1 FROM"
		   " workflow_nodes n WHERE n.workflow = w.number AND n.state < 3)");
	check_none("SELECT count(*) FROM workflows w WHERE w.done <> (SELECT count(*) FROM"
		   " workflow_nodes n WHERE n.workflow = w.number AND n.state = 3)");
	check_none("SELECT count(*) FROM workflow_nodes WHERE attempt > attempts"
		   " OR (state = 2 AND attempt = 0) OR (state >= 3) <> (ended > 0)");
	check_none("SELECT count(*) FROM workflow_keys k JOIN workflow_nodes n"
		   " ON n.workflow = k.workflow AND n.number = k.node WHERE n.state >= 3");
	check_none("SELECT count(*) FROM (SELECT executor FROM workflow_nodes WHERE state = 2"
		   " GROUP BY executor HAVING count(*) > 1)");
	check_none("SELECT count(*) FROM workflow_nodes n LEFT JOIN workflow_outputs o"
		   " ON o.workflow = n.workflow AND o.node = n.number"
		   " WHERE (n.size > 0) <> (o.bytes IS NOT NULL) OR (n.size > 0 AND n.state <> 3)");
	for (size_t i = 0; i < WORKFLOWS_KEPT; i++)
		check_graph(ids[i]);
	check_lists();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	struct err e;

	begin();
	for (size_t i = 0; i < COMMANDS_MAX && reader_left(&r) >= 3; i++) {
		uint8_t what = reader_u8(&r), who = reader_u8(&r), operand = reader_u8(&r);

		/* As the service does it. */
		assert(db_begin(&store.db, &e) == 0);
		run_one(what, who, operand);
		assert(db_commit(&store.db, &e) == 0);
		check_all();
	}
	for (size_t i = 0; i < EXECUTORS_PLAYED; i++)
		executor_done(&executors[i].row);
	return 0;
}
