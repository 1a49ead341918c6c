/* SPDX-License-Identifier: Apache-2.0 */
/* What passes from one user to another by a call: a row of the audit log for each, in the transaction of the call. */
#include "common/rpc/call_local.h"
#include "common/rpc/server.h"
#include "computations/core/admin_access.h"
#include "computations/core/service.h"
#include "computations/people/creator.h"
#include "computations/people/owner.h"
#include "computations/people/role.h"
#include "computations/people/workspace_member.h"
#include "computations/store/store_audit.h"
#include "people.pb-c.h"
#include "people_paths.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <string.h>

enum { NOW = 1000000, ALL = OWNER_HEIRS_MAX + 2, MAX = 100000 };

struct place {
	struct store_room *room;
	uv_loop_t loop;
	struct service service;
	struct rpc_server *server;
	struct admin_given given; /* who calls */
	unsigned answers;
	enum err_code code;
};

static struct db *db_of(struct place *p)
{
	return &p->room->store.db;
}

static int64_t person_of(struct place *p, const char *user)
{
	struct user u CLEANUP_USER = { .name = NULL };

	assert_ok(user_find(db_of(p), user, &u, &p->room->e), p->room->e);
	return u.number;
}

/* anna makes carl the only owner of that many; head administers the workspace. */
static void make_carl_an_owner(struct place *p, int count)
{
	static const char *const users[] = { "head", "anna", "carl" };
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct err *e = &p->room->e;
	char id[16];

	assert_ok(workspace_find(db_of(p), "default", &w, e), *e);
	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		assert_ok(user_add(db_of(p), users[i], false, NOW, e), *e);
		assert_ok(workspace_member_add(db_of(p), &w, person_of(p, users[i]),
					       i ? MEMBERSHIP_MEMBER : MEMBERSHIP_ADMINISTRATOR,
					       NOW, e),
			  *e);
	}
	for (int i = 0; i < count; i++) {
		snprintf(id, sizeof(id), "d%d", i);
		store_room_create(p->room, id);
		assert_ok(creator_keep(db_of(p), id, person_of(p, "anna"), MAX, e), *e);
		assert_ok(role_own(db_of(p), id, person_of(p, "carl"), e), *e);
	}
}

static int enter(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct store_queue *queue;
	void *room;

	if (!p || store_room_enter(&room) < 0)
		return -1;
	p->room = room;
	p->room->store.limits.audit_rows = 1000;
	p->room->store.limits.computations = ALL + 1;
	uv_loop_init(&p->loop);
	assert_ok(store_queue_new(&p->loop, &p->room->store, &queue, &p->room->e), p->room->e);
	service_init(&p->service, &p->loop, queue, 4);
	assert_ok(rpc_server_new(&p->loop, NULL, &p->server, &p->room->e), p->room->e);
	assert_ok(rpc_server_add(p->server, &people_rpc, &p->service, &p->room->e), p->room->e);
	*state = p;
	return 0;
}

static int leave(void **state)
{
	struct place *p = *state;
	void *room = p->room;

	rpc_server_free(p->server);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	store_queue_free(p->service.queue);
	assert_int_equal(uv_loop_close(&p->loop), 0);
	free(p);
	return store_room_leave(&room);
}

static void answered(void *data, const ProtobufCMessage *answer, const struct err *e)
{
	struct place *p = data;

	(void)answer;
	p->answers++;
	p->code = e ? e->code : ERR_OK;
}

static void call(struct place *p, const char *path, const ProtobufCMessage *message)
{
	const struct rpc_local local = {
		.peer = "test", .given = &p->given, .answered = answered, .data = p
	};

	p->answers = 0;
	rpc_local_call(p->server, path, message, &local);
	while (!p->answers)
		uv_run(&p->loop, UV_RUN_ONCE);
	uv_run(&p->loop, UV_RUN_NOWAIT);
}

/* By a token, or (NULL) one who administers the service. */
static void comes(struct place *p, const char *user)
{
	const struct token t = { .name = (char[]){ "t" },
				 .scope = ACTIONS_ALL,
				 .expires = store_now() + 3600 * 1000 };
	char text[TOKEN_TEXT_LEN + 1];

	p->given = (struct admin_given){ .via = "page" };
	if (!user)
		return;
	assert_ok(token_add(db_of(p), person_of(p, user), &t, store_now(), text, &p->room->e),
		  p->room->e);
	assert_ok(token_hash(text, p->given.caller.hash, &p->room->e), p->room->e);
	p->given.caller.has_token = true;
}

static void member_call(struct place *p, const char *path, const char *role)
{
	People__WorkspaceMemberRequest m = PEOPLE__WORKSPACE_MEMBER_REQUEST__INIT;

	m.workspace = (char[]){ "default" };
	m.user = (char[]){ "carl" };
	m.role = (char *)(uintptr_t)role;
	call(p, path, &m.base);
}

/* How many rows say that head owns what carl did; `who`, by `what`. */
static unsigned rows_of(struct place *p, const char *who, const char *what)
{
	struct audit_page page CLEANUP_AUDIT_PAGE = { .count = 0 };
	size_t at = 0;
	unsigned rows = 0;

	assert_ok(store_audit_rows(&p->room->store, 0, AUDIT_PAGE_MAX, &page, &p->room->e),
		  p->room->e);
	for (size_t i = 0; i < page.count; at = page.ends[i++]) {
		CLEANUP(free) char *line = strndup(page.bytes + at, page.ends[i] - at);

		rows += strstr(line, "\"before\":\"owner carl\",\"after\":\"owner head\"") &&
			strstr(line, "\"object\":\"computation d") && strstr(line, who) &&
			strstr(line, what) && strstr(line, "\"from\":\"test\"");
	}
	return rows;
}

static void each_that_a_removed_member_owned_has_a_row(void **state)
{
	struct place *p = *state;
	int64_t owned;

	make_carl_an_owner(p, ALL);
	comes(p, "head");
	member_call(p, PROTO_PEOPLE_REMOVE_MEMBER, "");
	assert_int_equal(p->code, ERR_OK);
	assert_int_equal(rows_of(p, "\"user head\"", "PeopleService/RemoveMember\""), ALL);
	assert_ok(db_number(db_of(p), &owned, &p->room->e,
			    "SELECT count(*) FROM role_members WHERE role = 'owner' AND person = ?",
			    "i", person_of(p, "head")),
		  p->room->e);
	assert_int_equal(owned, ALL);
}

static void who_becomes_a_viewer_leaves_rows(void **state)
{
	struct place *p = *state;

	make_carl_an_owner(p, 2);
	comes(p, "head");
	member_call(p, PROTO_PEOPLE_SET_MEMBER, "member");
	assert_int_equal(p->code, ERR_OK);
	assert_int_equal(rows_of(p, "", ""), 0);
	member_call(p, PROTO_PEOPLE_SET_MEMBER, "viewer");
	assert_int_equal(p->code, ERR_OK);
	assert_int_equal(rows_of(p, "\"user head\"", "PeopleService/SetMember\""), 2);
}

static void who_leaves_names_his_heir(void **state)
{
	People__WorkspaceRequest m = PEOPLE__WORKSPACE_REQUEST__INIT;
	struct place *p = *state;

	make_carl_an_owner(p, 2);
	comes(p, "carl");
	m.name = (char[]){ "default" };
	call(p, PROTO_PEOPLE_LEAVE_WORKSPACE, &m.base);
	assert_int_equal(p->code, ERR_OK);
	assert_int_equal(rows_of(p, "\"user carl\"", "PeopleService/LeaveWorkspace\""), 2);
}

static void a_removed_user_has_heirs(void **state)
{
	People__UserRequest m = PEOPLE__USER_REQUEST__INIT;
	struct place *p = *state;

	make_carl_an_owner(p, 2);
	comes(p, NULL);
	m.name = (char[]){ "carl" };
	call(p, PROTO_PEOPLE_REMOVE_USER, &m.base);
	assert_int_equal(p->code, ERR_OK);
	assert_int_equal(rows_of(p, "", "PeopleService/RemoveUser\""), 2);
	call(p, PROTO_PEOPLE_REMOVE_USER, &m.base);
	assert_int_equal(p->code, ERR_NOT_FOUND);
}

static void give_up(struct place *p, const char *role)
{
	People__MemberRequest m = PEOPLE__MEMBER_REQUEST__INIT;

	m.computation_id = (char[]){ "d1" };
	m.user = (char[]){ "carl" };
	m.role = (char *)(uintptr_t)role;
	call(p, PROTO_PEOPLE_TAKE_ROLE, &m.base);
	assert_int_equal(p->code, ERR_OK);
}

static void who_gives_one_up_passes_that_one_on(void **state)
{
	struct place *p = *state;

	make_carl_an_owner(p, 3);
	comes(p, "carl");
	give_up(p, "viewer");
	assert_int_equal(rows_of(p, "", ""), 0);
	give_up(p, "owner");
	assert_int_equal(rows_of(p, "\"user carl\"", "PeopleService/TakeRole\""), 1);
	assert_int_equal(rows_of(p, "", "\"computation d1\""), 1);
	/* Who is no owner any more passes nothing on. */
	comes(p, NULL);
	give_up(p, "owner");
	assert_int_equal(rows_of(p, "", ""), 1);
}

/* How many rows of a transfer say that. */
static unsigned transfer_rows(struct place *p, const char *text)
{
	struct audit_page page CLEANUP_AUDIT_PAGE = { .count = 0 };
	size_t at = 0;
	unsigned rows = 0;

	assert_ok(store_audit_rows(&p->room->store, 0, AUDIT_PAGE_MAX, &page, &p->room->e),
		  p->room->e);
	for (size_t i = 0; i < page.count; at = page.ends[i++]) {
		CLEANUP(free) char *line = strndup(page.bytes + at, page.ends[i] - at);

		rows += strstr(line, "PeopleService/TransferWorkspace\"") &&
			strstr(line, "\"who\":\"user head\"") && strstr(line, text);
	}
	return rows;
}

/* More than are asked for at a time; one of them is suspended, and stays so. */
static void who_loses_a_workspace_has_a_row(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct place *p = *state;
	struct err *e = &p->room->e;
	char name[16];

	make_carl_an_owner(p, 0);
	assert_ok(workspace_find(db_of(p), "default", &w, e), *e);
	for (int i = 0; i < ALL - 1; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		assert_ok(user_add(db_of(p), name, false, NOW, e), *e);
		assert_ok(workspace_member_add(db_of(p), &w, person_of(p, name),
					       MEMBERSHIP_ADMINISTRATOR, NOW, e),
			  *e);
	}
	assert_ok(workspace_member_suspend(db_of(p), &w, "g0", true, NOW, e), *e);
	comes(p, "head");
	member_call(p, PROTO_PEOPLE_TRANSFER_WORKSPACE, "");
	assert_int_equal(p->code, ERR_OK);
	assert_int_equal(transfer_rows(p, ""), ALL + 1);
	assert_int_equal(transfer_rows(p, "\"before\":\"administrator\",\"after\":\"member\""),
			 ALL - 1);
	assert_int_equal(transfer_rows(p, "\"object\":\"user head\""), 1);
	assert_int_equal(transfer_rows(p, "\"object\":\"user g0\",\"about\":\"{}\","
					  "\"before\":\"administrator, suspended\","
					  "\"after\":\"member, suspended\""),
			 1);
	assert_int_equal(transfer_rows(p, "\"before\":\"member\",\"after\":\"administrator\""), 1);
}

/* No row of what did not come to be; and they count for who has it done. */
static void what_is_refused_passes_nothing_on(void **state)
{
	enum {
		LIMIT = 256,
		FILL = LIMIT / 2,
		SHARE = (LIMIT - LIMIT / AUDIT_ALWAYS_SHARE - FILL) / 2
	};
	const struct audit_row fill = { .who = "uid 0", .what = "Test/Fill" };
	struct place *p = *state;
	struct err *e = &p->room->e;

	make_carl_an_owner(p, ALL);
	p->room->store.limits.audit_rows = LIMIT;
	comes(p, "head");
	store_room_create(p->room, "own");
	assert_ok(creator_keep(db_of(p), "own", person_of(p, "carl"), MAX, e), *e);
	assert_ok(role_own(db_of(p), "own", person_of(p, "carl"), e), *e);
	member_call(p, PROTO_PEOPLE_REMOVE_MEMBER, "");
	assert_int_equal(p->code, ERR_PRECONDITION);
	assert_int_equal(rows_of(p, "", ""), 0);
	assert_ok(role_give(db_of(p), "own", "owner", "anna", e), *e);
	for (int i = 0; i < FILL; i++)
		assert_ok(store_audit_add(&p->room->store, &fill, AUDIT_ROOM_OPERATORS, e), *e);
	assert_true((int)SHARE < (int)ALL);
	member_call(p, PROTO_PEOPLE_REMOVE_MEMBER, "");
	assert_int_equal(p->code, ERR_EXHAUSTED);
	assert_int_equal(rows_of(p, "", ""), 0);
	assert_int_equal(audit_share_rows(&p->room->store.audit_counts.always, "user head"), 0);
	give_up(p, "owner");
	assert_int_equal(audit_share_rows(&p->room->store.audit_counts.always, "user head"), 2);
}

#define PLACE(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE(each_that_a_removed_member_owned_has_a_row),
		PLACE(who_becomes_a_viewer_leaves_rows),
		PLACE(who_leaves_names_his_heir),
		PLACE(a_removed_user_has_heirs),
		PLACE(who_gives_one_up_passes_that_one_on),
		PLACE(who_loses_a_workspace_has_a_row),
		PLACE(what_is_refused_passes_nothing_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
