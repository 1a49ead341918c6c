/* SPDX-License-Identifier: Apache-2.0 */
/* ListVms, GetVm and WatchVms, as a client hears them that is nghttp2 and nothing of ours. */
#include "common/base/log.h"
#include "common/protobuf/protobuf.h"
#include "common/rpc/conn.h"
#include "manager/fleet/fleet_state.h"
#include "manager/service/service.h"
#include "manager/service/vm_filter.h"
#include "manager_paths.h"
#include "tests/fuzz/grpc_peer.h"
#include "tests/unit/manager/fleet_room.h"

#include <sys/socket.h>

enum { HEARD_MAX = 4096 };

/* A server, a client of it, and what that heard. */
struct service_room {
	struct fleet_room base;
	struct rpc_server *server;
	struct access *access;
	struct service service;
	struct grpc_peer *peer;
	const ProtobufCMessageDescriptor *type;
	ProtobufCMessage *heard[HEARD_MAX];
	size_t count;
};

static void on_heard(void *data, unsigned call, const uint8_t *bytes, size_t len)
{
	struct service_room *m = data;
	struct err e;

	assert_true(m->count < HEARD_MAX);
	assert_ok(protobuf_unpack(m->type, bytes, len, &m->heard[m->count], &e), e);
	m->count++;
}

static void forget(struct service_room *m)
{
	for (size_t i = 0; i < m->count; i++)
		protobuf_c_message_free_unpacked(m->heard[i], NULL);
	m->count = 0;
}

static void open_room(struct service_room *m, unsigned max_vms)
{
	struct listener listener = { .server = NULL };
	int ends[2];
	struct err e;

	memset(m, 0, sizeof(*m));
	fleet_room_fresh(&m->base, max_vms);
	assert_ok(rpc_server_new(&m->base.loop, NULL, &m->server, &e), e);
	assert_ok(access_open(NULL, 1, &m->access, &e), e);
	m->service = (struct service){ m->base.fleet, m->access };
	assert_ok(rpc_server_add(m->server, &service_manager, &m->service, &e), e);
	listener.server = m->server;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	assert_ok(conn_accept(m->server, &listener, ends[0], &e), e);
	m->peer = grpc_peer_new(&m->base.loop, ends[1], on_heard, m);
}

static void close_room(struct service_room *m)
{
	forget(m);
	grpc_peer_free(m->peer);
	rpc_server_free(m->server);
	fleet_room_close(&m->base);
	access_close(m->access);
}

static unsigned say(struct service_room *m, const char *path, const ProtobufCMessage *request,
		    const ProtobufCMessageDescriptor *type)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	int call = grpc_peer_call(m->peer, path, NULL, 0);
	size_t len;
	struct err e;

	assert_true(call >= 0);
	m->type = type;
	assert_ok(protobuf_pack(request, &bytes, &len, &e), e);
	grpc_peer_say(m->peer, (unsigned)call, bytes, len, false);
	grpc_peer_half_close(m->peer, (unsigned)call);
	return (unsigned)call;
}

/* A client that has said nothing yet. */
static void renew(struct service_room *m)
{
	struct listener listener = { .server = m->server };
	int ends[2];
	struct err e;

	forget(m);
	grpc_peer_free(m->peer);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	assert_ok(conn_accept(m->server, &listener, ends[0], &e), e);
	m->peer = grpc_peer_new(&m->base.loop, ends[1], on_heard, m);
}

/* The answer's status; a message that came with it is heard[0]. The client has few calls: a new one for
 * each. */
static int ask(struct service_room *m, const char *path, const ProtobufCMessage *request,
	       const ProtobufCMessageDescriptor *type)
{
	unsigned call;

	renew(m);
	call = say(m, path, request, type);
	grpc_peer_move(m->peer);
	assert_true(grpc_peer_said(m->peer, call)->is_over);
	return grpc_peer_said(m->peer, call)->status;
}

static const Manager__ListStraysRes *strays(struct service_room *m, uint32_t limit,
					    const char *cursor)
{
	Manager__ListStraysReq request = MANAGER__LIST_STRAYS_REQ__INIT;

	request.limit = limit;
	request.cursor = (char *)(uintptr_t)cursor;
	renew(m);
	say(m, PROTO_MANAGER_LIST_STRAYS, &request.base, &manager__list_strays_res__descriptor);
	grpc_peer_move(m->peer);
	if (fleet_is_busy(m->base.fleet))
		fleet_room_settle(&m->base);
	grpc_peer_move(m->peer);
	assert_int_equal(m->count, 1);
	return (const Manager__ListStraysRes *)m->heard[0];
}

/* Each stray once, whatever the pages' length; also while some go. */
static void strays_come_in_pages(void **state)
{
	enum { MANY = 300 };
	static const struct {
		uint32_t limit, most;
	} rows[] = {
		{ 0, 256 }, { 1, 1 }, { 7, 7 }, { 256, 256 }, { 257, 256 }, { UINT32_MAX, 256 }
	};
	struct service_room m;
	char id[CVM_ID_LEN + 1];

	open_room(&m, 1);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(id, sizeof(id), "3b1f8a10-1111-4222-8333-%012x", i);
		fleet_room_leave(&m.base, id, "");
	}
	fleet_room_leave(&m.base, "other\n", "");
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		char cursor[LOG_QUOTE_MAX] = "", last[LOG_QUOTE_MAX] = "";
		unsigned seen = 0;

		do {
			const Manager__ListStraysRes *page = strays(&m, rows[r].limit, cursor);

			assert_true(page->n_strays > 0 && page->n_strays <= rows[r].most);
			assert_int_equal(page->n_over, 0);
			for (size_t i = 0; i < page->n_strays; i++) {
				assert_true(strcmp(page->strays[i]->id, last) > 0);
				snprintf(last, sizeof(last), "%s", page->strays[i]->id);
				seen++;
			}
			snprintf(cursor, sizeof(cursor), "%s", page->next);
			assert_true(!*cursor || page->n_strays == rows[r].most);
		} while (*cursor);
		assert_int_equal(seen, MANY + 1);
	}
	/* A cursor is an id, of one that is there or not. */
	assert_int_equal(strays(&m, 0, "ffffffff-1111-4222-8333-000000000000")->n_strays, 0);
	assert_int_equal(strays(&m, 0, "3b1f8a10-1111-4222-8333-000000000128")->n_strays, 3);
	close_room(&m);
}

static void what_is_no_cursor_of_strays_is_refused(void **state)
{
	char longest[LOG_QUOTE_MAX + 1];
	const char *const cursors[] = { "x", "3b1f8a10", "3B1F8A10-1111-4222-8333-000000000000",
					longest };
	Manager__ListStraysReq request = MANAGER__LIST_STRAYS_REQ__INIT;
	struct service_room m;

	memset(longest, '\'', sizeof(longest) - 1);
	longest[LOG_QUOTE_MAX] = '\0';
	open_room(&m, 1);
	for (size_t i = 0; i < ARRAY_LEN(cursors); i++) {
		request.cursor = (char *)(uintptr_t)cursors[i];
		assert_int_equal(ask(&m, PROTO_MANAGER_LIST_STRAYS, &request.base,
				     &manager__list_strays_res__descriptor),
				 ERR_INVALID);
	}
	assert_int_equal(strays(&m, 0, longest + 1)->n_strays, 0);
	close_room(&m);
}

static const Manager__ListVmsRes *list(struct service_room *m, const Manager__ListVmsReq *request)
{
	assert_int_equal(
		ask(m, PROTO_MANAGER_LIST_VMS, &request->base, &manager__list_vms_res__descriptor),
		ERR_OK);
	return (const Manager__ListVmsRes *)m->heard[0];
}

static int list_refused(struct service_room *m, const Manager__ListVmsReq *request)
{
	return ask(m, PROTO_MANAGER_LIST_VMS, &request->base, &manager__list_vms_res__descriptor);
}

static void assert_filter_refused(const Manager__VmFilter *filter, const char *says)
{
	const struct access_caller an_operator = { .tenant = "" };
	struct vm_filter made;
	struct err e;

	assert_int_equal(vm_filter_make(filter, &an_operator, &made, &e), -ERR_INVALID);
	assert_string_equal(e.text, says);
}

static void create(struct service_room *m, struct fleet_told *told, const char *name,
		   const char *ward)
{
	Manager__CreateReq request = fleet_room_request();
	Manager__Label label = MANAGER__LABEL__INIT, *labels[] = { &label };
	struct err e;

	label.key = (char *)"ward";
	label.value = (char *)(uintptr_t)ward;
	request.name = (char *)(uintptr_t)name;
	request.labels = labels;
	request.n_labels = 1;
	assert_ok(fleet_create(m->base.fleet, &request, NULL, fleet_room_created, told, &e), e);
	fleet_room_settle(&m->base);
}

static void remove_it(struct service_room *m, struct fleet_told *told)
{
	struct err e;

	assert_ok(fleet_remove(m->base.fleet, told->id, fleet_room_removed, told, &e), e);
	fleet_room_settle(&m->base);
}

static void pages_hold_each_cvm_once(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };
	Manager__ListVmsReq request = MANAGER__LIST_VMS_REQ__INIT;
	static struct service_room m;
	struct fleet_told told = { 0 };
	const Manager__ListVmsRes *page;
	char cursor[64] = "", seen[8] = "";
	uint64_t revision = 0;
	size_t pages = 0;

	open_room(&m, 6);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		create(&m, &told, names[i], "7");
	request.limit = 2;
	request.cursor = cursor;
	do {
		page = list(&m, &request);
		if (!pages)
			revision = page->revision;
		assert_int_equal(page->revision, revision);
		for (size_t i = 0; i < page->n_vms; i++)
			strcat(seen, page->vms[i]->name);
		snprintf(cursor, sizeof(cursor), "%s", page->next);
		/* What changes meanwhile is after the revision of the first page. */
		if (!pages++)
			create(&m, &told, "f", "7");
	} while (*cursor);
	assert_string_equal(seen, "abcdef");
	assert_int_equal(pages, 3);
	assert_true(fleet_revision(m.base.fleet) > revision);
	close_room(&m);
}

static void filters_leave_out_the_others(void **state)
{
	Manager__ListVmsReq request = MANAGER__LIST_VMS_REQ__INIT;
	Manager__VmFilter filter = MANAGER__VM_FILTER__INIT;
	Manager__Label label = MANAGER__LABEL__INIT, *labels[] = { &label };
	char *states[] = { (char *)"exited", (char *)"removing" }, *tees[] = { (char *)"snp" };
	static struct service_room m;
	struct fleet_told one = { 0 }, two = { 0 };
	const Manager__ListVmsRes *page;

	open_room(&m, 2);
	create(&m, &one, "one", "7");
	create(&m, &two, "two", "8");
	page = list(&m, &request);
	assert_int_equal(page->n_vms, 2);
	assert_string_equal(page->vms[0]->labels[0]->value, "7");
	assert_string_equal(page->vms[0]->state, "running");
	request.filter = &filter;
	label.key = (char *)"ward";
	label.value = (char *)"8";
	filter.labels = labels;
	filter.n_labels = 1;
	page = list(&m, &request);
	assert_int_equal(page->n_vms, 1);
	assert_string_equal(page->vms[0]->id, two.id);
	filter.name = (char *)"one";
	assert_int_equal(list(&m, &request)->n_vms, 0);
	filter.n_labels = 0;
	assert_int_equal(list(&m, &request)->n_vms, 1);
	filter.tees = tees;
	filter.n_tees = 1;
	assert_int_equal(list(&m, &request)->n_vms, 0);
	filter.n_tees = 0;
	/* One that is gone is listed if it is asked for. */
	remove_it(&m, &one);
	assert_int_equal(list(&m, &request)->n_vms, 0);
	filter.states = states;
	filter.n_states = 2;
	page = list(&m, &request);
	assert_int_equal(page->n_vms, 1);
	assert_string_equal(page->vms[0]->state, "exited");
	assert_string_equal(page->vms[0]->exit_reason, "removed");
	assert_string_equal(page->vms[0]->labels[0]->key, "ward");
	/* What is no filter. */
	states[0] = (char *)"Running";
	assert_int_equal(list_refused(&m, &request), ERR_INVALID);
	assert_filter_refused(&filter, "filter: 'Running' is no state of a CVM: use one of "
				       "creating, running, lost, removing, exited");
	filter.n_states = 0;
	tees[0] = (char *)"sgx";
	filter.n_tees = 1;
	assert_int_equal(list_refused(&m, &request), ERR_INVALID);
	assert_filter_refused(&filter,
			      "filter: 'sgx' is no tee of a CVM: use one of none, snp, tdx");
	filter.n_tees = 0;
	filter.name = (char *)"../one";
	assert_int_equal(list_refused(&m, &request), ERR_INVALID);
	filter.name = (char *)"";
	label.key = (char *)"ward,x";
	filter.n_labels = 1;
	assert_int_equal(list_refused(&m, &request), ERR_INVALID);
	close_room(&m);
}

static void too_many_words_of_a_filter_are_refused(void **state)
{
	Manager__ListVmsReq request = MANAGER__LIST_VMS_REQ__INIT;
	Manager__VmFilter filter = MANAGER__VM_FILTER__INIT;
	char *states[17], *tees[9];
	static struct service_room m;

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		states[i] = (char *)"running";
	for (size_t i = 0; i < ARRAY_LEN(tees); i++)
		tees[i] = (char *)"none";
	open_room(&m, 1);
	request.filter = &filter;
	filter.states = states;
	filter.tees = tees;
	filter.n_states = 16;
	filter.n_tees = 8;
	assert_int_equal(list_refused(&m, &request), ERR_OK);
	filter.n_states = 17;
	assert_int_equal(list_refused(&m, &request), ERR_INVALID);
	filter.n_states = 0;
	filter.n_tees = 9;
	assert_int_equal(list_refused(&m, &request), ERR_INVALID);
	close_room(&m);
}

static void a_page_has_a_limit_whatever_is_asked_for(void **state)
{
	enum { MORE = 257 };
	Manager__ListVmsReq request = MANAGER__LIST_VMS_REQ__INIT;
	Manager__VmFilter filter = MANAGER__VM_FILTER__INIT;
	char *states[] = { (char *)"exited" };
	struct fleet_told told = { 0 };
	static struct service_room m;

	open_room(&m, 1);
	for (unsigned i = 0; i < MORE; i++) {
		create(&m, &told, "", "7");
		remove_it(&m, &told);
	}
	filter.states = states;
	filter.n_states = 1;
	request.filter = &filter;
	request.limit = UINT32_MAX;
	assert_int_equal(list(&m, &request)->n_vms, MORE - 1);
	assert_string_not_equal(((const Manager__ListVmsRes *)m.heard[0])->next, "");
	close_room(&m);
}

/* A cursor is what ListVms gave, with the filter that it was given for, in this life of the manager. */
static void cursors_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = {
		"x",
		"0.0.0",
		"1.2",
		"-1.0.0",
		" ",
		"..",
		"%s",
		"1.2.3.4",
		"ffffffffffffffffff.0.0",
		"0000000000000000000000000000000000000000000000000000000000000000000000",
	};
	Manager__ListVmsReq request = MANAGER__LIST_VMS_REQ__INIT;
	Manager__VmFilter filter = MANAGER__VM_FILTER__INIT;
	static struct service_room m;
	struct fleet_told told = { 0 };
	char good[64], other[80];
	unsigned long long revision, place, digest;

	open_room(&m, 3);
	for (int i = 0; i < 3; i++)
		fleet_room_create(&m.base, &told, "");
	request.limit = 1;
	snprintf(good, sizeof(good), "%s", list(&m, &request)->next);
	assert_int_equal(sscanf(good, "%llx.%llx.%llx", &revision, &place, &digest), 3);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		request.cursor = (char *)(uintptr_t)bad[i];
		assert_int_not_equal(list_refused(&m, &request), ERR_OK);
	}
	request.cursor = other;
	for (size_t cut = 1; cut < strlen(good); cut++) { /* each truncation, but the empty one */
		snprintf(other, sizeof(other), "%.*s", (int)cut, good);
		assert_int_equal(list_refused(&m, &request), ERR_INVALID);
	}
	snprintf(other, sizeof(other), "%s0", good);
	assert_int_equal(list_refused(&m, &request), ERR_INVALID);
	snprintf(other, sizeof(other), "%llx.0%llx.%llx", revision, place, digest);
	assert_int_equal(list_refused(&m, &request), ERR_INVALID);
	snprintf(other, sizeof(other), "%llx.%zx.%llx", revision, fleet_places(m.base.fleet) - 1,
		 digest);
	assert_int_equal(list_refused(&m, &request), ERR_OK);
	snprintf(other, sizeof(other), "%llx.%zx.%llx", revision, fleet_places(m.base.fleet),
		 digest);
	assert_int_equal(list_refused(&m, &request), ERR_INVALID);
	snprintf(other, sizeof(other), "%llx.%llx.%llx", revision + (1ull << 39), place, digest);
	assert_int_equal(list_refused(&m, &request), ERR_INVALID);
	snprintf(other, sizeof(other), "%llx.%llx.%llx", revision - (1ull << 40), place, digest);
	assert_int_equal(list_refused(&m, &request), ERR_OUT_OF_RANGE);
	request.cursor = good;
	assert_int_equal(list_refused(&m, &request), ERR_OK);
	request.filter = &filter;
	assert_int_equal(list_refused(&m, &request), ERR_OK); /* the same: none */
	filter.name = (char *)"a";
	assert_int_equal(list_refused(&m, &request), ERR_INVALID);
	close_room(&m);
}

static void one_is_shown_by_id_or_name(void **state)
{
	Manager__GetVmReq request = MANAGER__GET_VM_REQ__INIT;
	static struct service_room m;
	struct fleet_told told = { 0 };
	const Manager__Vm *vm;

	open_room(&m, 1);
	create(&m, &told, "ward-7", "7");
	for (int by_name = 0; by_name < 2; by_name++) {
		request.id = by_name ? (char *)"ward-7" : told.id;
		assert_int_equal(
			ask(&m, PROTO_MANAGER_GET_VM, &request.base, &manager__vm__descriptor),
			ERR_OK);
		vm = (const Manager__Vm *)m.heard[0];
		assert_string_equal(vm->id, told.id);
		assert_string_equal(vm->name, "ward-7");
		assert_int_equal(vm->expires_ms, 0);
		assert_int_equal(vm->revision, fleet_revision(m.base.fleet));
	}
	request.id = (char *)"";
	assert_int_equal(ask(&m, PROTO_MANAGER_GET_VM, &request.base, &manager__vm__descriptor),
			 ERR_NOT_FOUND);
	request.id = (char *)"../ward-7";
	assert_int_equal(ask(&m, PROTO_MANAGER_GET_VM, &request.base, &manager__vm__descriptor),
			 ERR_NOT_FOUND);
	close_room(&m);
}

static unsigned watch(struct service_room *m, uint64_t revision)
{
	Manager__WatchVmsReq request = MANAGER__WATCH_VMS_REQ__INIT;

	request.revision = revision;
	return say(m, PROTO_MANAGER_WATCH_VMS, &request.base, &manager__vm_change__descriptor);
}

static const Manager__VmChange *change(const struct service_room *m, size_t i)
{
	assert_true(i < m->count);
	return (const Manager__VmChange *)m->heard[i];
}

/* From its beginning, and from any message of it again. */
static void a_watch_says_all_that_changes(void **state)
{
	static struct service_room m;
	struct fleet_told one = { 0 }, two = { 0 };
	uint64_t caught_up, before;
	size_t i;

	open_room(&m, 2);
	create(&m, &one, "one", "7");
	watch(&m, 0);
	grpc_peer_move(m.peer);
	assert_int_equal(m.count, 2);
	assert_string_equal(change(&m, 0)->vm->name, "one");
	assert_null(change(&m, 1)->vm);
	caught_up = change(&m, 1)->revision;
	assert_int_equal(caught_up, fleet_revision(m.base.fleet));
	create(&m, &two, "two", "8");
	grpc_peer_move(m.peer);
	remove_it(&m, &one);
	grpc_peer_move(m.peer);
	assert_true(m.count >= 4);
	before = caught_up;
	for (i = 2; i < m.count; i++) {
		assert_non_null(change(&m, i)->vm);
		assert_true(change(&m, i)->revision > before);
		before = change(&m, i)->revision;
	}
	assert_string_equal(change(&m, m.count - 1)->vm->id, one.id);
	assert_string_equal(change(&m, m.count - 1)->vm->state, "exited");
	assert_int_equal(before, fleet_revision(m.base.fleet));
	/* Again, from where the first had caught up. */
	forget(&m);
	watch(&m, caught_up);
	grpc_peer_move(m.peer);
	assert_int_equal(m.count, 3);
	assert_string_equal(change(&m, 0)->vm->id, two.id);
	assert_string_equal(change(&m, 0)->vm->state, "running");
	assert_string_equal(change(&m, 1)->vm->id, one.id);
	assert_string_equal(change(&m, 1)->vm->state, "exited");
	assert_null(change(&m, 2)->vm);
	/* From now on: what is there, and nothing of what was gone before. */
	forget(&m);
	watch(&m, 0);
	grpc_peer_move(m.peer);
	assert_int_equal(m.count, 2);
	assert_string_equal(change(&m, 0)->vm->id, two.id);
	assert_null(change(&m, 1)->vm);
	close_room(&m);
}

static void what_no_watch_can_begin_with_is_refused(void **state)
{
	Manager__WatchVmsReq request = MANAGER__WATCH_VMS_REQ__INIT;
	Manager__VmFilter filter = MANAGER__VM_FILTER__INIT;
	char *states[] = { (char *)"running" };
	static struct service_room m;
	const ProtobufCMessageDescriptor *type = &manager__vm_change__descriptor;

	open_room(&m, 1);
	request.revision = fleet_revision(m.base.fleet) + 3600000; /* in an hour */
	assert_int_equal(ask(&m, PROTO_MANAGER_WATCH_VMS, &request.base, type), ERR_INVALID);
	request.revision = 1;
	assert_int_equal(ask(&m, PROTO_MANAGER_WATCH_VMS, &request.base, type), ERR_OUT_OF_RANGE);
	request.revision = 0;
	request.filter = &filter;
	filter.states = states;
	filter.n_states = 1;
	assert_int_equal(ask(&m, PROTO_MANAGER_WATCH_VMS, &request.base, type), ERR_INVALID);
	fleet_end_watches(m.base.fleet);
	filter.n_states = 0;
	assert_int_equal(ask(&m, PROTO_MANAGER_WATCH_VMS, &request.base, type), ERR_UNAVAILABLE);
	close_room(&m);
}

/* Its client reads nothing: what waits for it is bounded, and when what it has missed is forgotten, it is
 * cut off. The other client gets everything. */
static void a_watch_that_is_not_read_is_cut_off(void **state)
{
	static char value[CVM_LABEL_VALUE_MAX + 1];
	static struct service_room m;
	struct fleet_told told = { 0 };
	unsigned call;

	memset(value, 'x', CVM_LABEL_VALUE_MAX);
	open_room(&m, 1);
	call = watch(&m, 0);
	grpc_peer_move(m.peer);
	assert_int_equal(m.count, 1);
	for (int i = 0; i < 3 * REGISTRY_GONE_MAX; i++) {
		create(&m, &told, "one", value);
		remove_it(&m, &told);
		assert_true(m.count == 1); /* it reads nothing */
	}
	for (int i = 0; i < 8 && !grpc_peer_said(m.peer, call)->is_over; i++)
		grpc_peer_move(m.peer);
	assert_true(grpc_peer_said(m.peer, call)->is_over);
	assert_int_equal(grpc_peer_said(m.peer, call)->status, ERR_OUT_OF_RANGE);
	assert_true(grpc_peer_said(m.peer, call)->bytes < 2 * RPC_LOW_WATER);
	close_room(&m);
}

static void watches_end_with_the_manager(void **state)
{
	static struct service_room m;
	unsigned call;

	open_room(&m, 1);
	call = watch(&m, 0);
	grpc_peer_move(m.peer);
	assert_false(grpc_peer_said(m.peer, call)->is_over);
	fleet_end_watches(m.base.fleet);
	grpc_peer_move(m.peer);
	assert_true(grpc_peer_said(m.peer, call)->is_over);
	assert_int_equal(grpc_peer_said(m.peer, call)->status, ERR_UNAVAILABLE);
	close_room(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLEET_ROOM_ROW(strays_come_in_pages),
		FLEET_ROOM_ROW(what_is_no_cursor_of_strays_is_refused),
		FLEET_ROOM_ROW(pages_hold_each_cvm_once),
		FLEET_ROOM_ROW(filters_leave_out_the_others),
		FLEET_ROOM_ROW(too_many_words_of_a_filter_are_refused),
		FLEET_ROOM_ROW(a_page_has_a_limit_whatever_is_asked_for),
		FLEET_ROOM_ROW(cursors_that_are_none_are_refused),
		FLEET_ROOM_ROW(one_is_shown_by_id_or_name),
		FLEET_ROOM_ROW(a_watch_says_all_that_changes),
		FLEET_ROOM_ROW(what_no_watch_can_begin_with_is_refused),
		FLEET_ROOM_ROW(a_watch_that_is_not_read_is_cut_off),
		FLEET_ROOM_ROW(watches_end_with_the_manager),
	};

	log_set(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, fleet_room_make_dir, fleet_room_remove_dir);
}
