/* SPDX-License-Identifier: Apache-2.0 */
/* Console, as a client hears it that is nghttp2 and nothing of ours. */
#include "common/base/file.h"
#include "common/protobuf/protobuf.h"
#include "common/rpc/conn.h"
#include "common/rpc/observer.h"
#include "manager/fleet/fleet_view.h"
#include "manager/launch/console.h"
#include "manager/service/service.h"
#include "manager_paths.h"
#include "tests/fuzz/grpc_peer.h"
#include "tests/unit/manager/fleet_room.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { ROUNDS_MAX = 400, SAID_MAX = 12 << 20, PEERS = 6 };

/* A manager with one CVM, and who asks. */
static struct {
	struct fleet_room base;
	struct rpc_server *server;
	struct access *access;
	struct service service;
	struct fleet_told vm;
	struct grpc_peer *peers[PEERS];
	char folder[128];
	char *said;
	size_t len, parts, skipped;
	char cursor[CONSOLE_CURSOR_MAX];
} m;

static void on_heard(void *data, unsigned call, const uint8_t *bytes, size_t len)
{
	const Manager__ConsolePart *part;
	ProtobufCMessage *message;
	struct err e;

	assert_ok(protobuf_unpack(&manager__console_part__descriptor, bytes, len, &message, &e), e);
	part = (const Manager__ConsolePart *)message;
	assert_true(part->data.len > 0 && part->data.len <= 32768);
	assert_true(m.len + part->data.len <= SAID_MAX);
	memcpy(m.said + m.len, part->data.data, part->data.len);
	m.len += part->data.len;
	m.said[m.len] = '\0';
	m.parts++;
	m.skipped += part->skipped ? 1 : 0;
	snprintf(m.cursor, sizeof(m.cursor), "%s", part->cursor);
	protobuf_c_message_free_unpacked(message, NULL);
}

static void forget(void)
{
	m.len = m.parts = m.skipped = 0;
	m.said[0] = '\0';
}

static void connect_to(size_t i)
{
	struct listener listener = { .server = m.server };
	int ends[2];
	struct err e;

	grpc_peer_free(m.peers[i]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	assert_ok(conn_accept(m.server, &listener, ends[0], &e), e);
	m.peers[i] = grpc_peer_new(&m.base.loop, ends[1], on_heard, NULL);
}

static void open_room(void)
{
	struct err e;

	memset(&m, 0, sizeof(m));
	m.said = malloc(SAID_MAX + 1);
	assert_non_null(m.said);
	fleet_room_fresh(&m.base, 2);
	assert_ok(rpc_server_new(&m.base.loop, NULL, &m.server, &e), e);
	assert_ok(access_open(NULL, 1, &m.access, &e), e);
	m.service = (struct service){ m.base.fleet, m.access };
	assert_ok(rpc_server_add(m.server, &service_manager, &m.service, &e), e);
	fleet_room_create(&m.base, &m.vm, "");
	snprintf(m.folder, sizeof(m.folder), "%s/cvms/%s", m.base.config.state_dir, m.vm.id);
	assert_ok(dir_make(m.folder, 0700, &e), e);
	connect_to(0);
	forget();
}

static void close_room(void)
{
	for (size_t i = 0; i < PEERS; i++)
		grpc_peer_free(m.peers[i]);
	rpc_server_free(m.server);
	fleet_room_close(&m.base);
	access_close(m.access);
	free(m.said);
}

static void say(const char *text)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/console.log", m.folder);
	file = fopen(path, "a");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void say_much(size_t len)
{
	CLEANUP(free) char *text = malloc(len + 1);

	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = i % 64 == 63 ? '\n' : (char)('a' + i % 26);
	text[len] = '\0';
	say(text);
}

static unsigned ask_by(size_t peer, const Manager__ConsoleReq *request)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	int call = grpc_peer_call(m.peers[peer], PROTO_MANAGER_CONSOLE, NULL, 0);
	size_t len;
	struct err e;

	assert_true(call >= 0);
	assert_ok(protobuf_pack(&request->base, &bytes, &len, &e), e);
	grpc_peer_say(m.peers[peer], (unsigned)call, bytes, len, false);
	grpc_peer_half_close(m.peers[peer], (unsigned)call);
	return (unsigned)call;
}

static Manager__ConsoleReq about(const char *id)
{
	Manager__ConsoleReq request = MANAGER__CONSOLE_REQ__INIT;

	request.id = (char *)(uintptr_t)id;
	return request;
}

/* The status of one that does not follow. */
static int ask(const Manager__ConsoleReq *request)
{
	unsigned call;

	forget();
	connect_to(0);
	call = ask_by(0, request);
	grpc_peer_move(m.peers[0]);
	assert_true(grpc_peer_said(m.peers[0], call)->is_over);
	return grpc_peer_said(m.peers[0], call)->status;
}

/* What waits for the next look at the file: the loop turns until it is there, however long that takes. */
static void hear(size_t len)
{
	for (int i = 0; m.len < len && i < ROUNDS_MAX; i++) {
		uv_run(&m.base.loop, UV_RUN_ONCE);
		grpc_peer_move(m.peers[0]);
	}
	assert_int_equal(m.len, len);
}

static void what_was_said_is_told_once(void **state)
{
	Manager__ConsoleReq request;

	open_room();
	request = about(m.vm.id);
	assert_int_equal(ask(&request), 0); /* nothing yet */
	assert_int_equal(m.parts, 0);
	say("one\ntwo\nthree\n");
	assert_int_equal(ask(&request), 0);
	assert_string_equal(m.said, "one\ntwo\nthree\n");
	request.lines = 2;
	assert_int_equal(ask(&request), 0);
	assert_string_equal(m.said, "two\nthree\n");
	request.lines = 0;
	say("four\n");
	request.cursor = strdup(m.cursor);
	assert_int_equal(ask(&request), 0);
	assert_string_equal(m.said, "four\n");
	assert_int_equal(m.skipped, 0);
	free(request.cursor);
	close_room();
}

static void a_long_one_comes_in_parts(void **state)
{
	Manager__ConsoleReq request;

	open_room();
	request = about(m.vm.id);
	say_much(CONSOLE_BACK_MAX);
	assert_int_equal(ask(&request), 0);
	assert_int_equal(m.len, CONSOLE_BACK_MAX);
	assert_int_equal(m.skipped, 0);
	assert_int_equal(m.parts, CONSOLE_BACK_MAX >> 15);
	say("x");
	assert_int_equal(ask(&request), 0);
	assert_int_equal(m.len, CONSOLE_BACK_MAX);
	assert_int_equal(m.skipped, 1);
	close_room();
}

static void who_follows_hears_it_until_the_cvm_is_gone(void **state)
{
	Manager__ConsoleReq request;
	struct err e;
	unsigned call;

	open_room();
	request = about(m.vm.id);
	request.follow = true;
	say("one\n");
	call = ask_by(0, &request);
	grpc_peer_move(m.peers[0]);
	assert_string_equal(m.said, "one\n");
	say("two\n");
	hear(8);
	assert_string_equal(m.said, "one\ntwo\n");
	assert_false(grpc_peer_said(m.peers[0], call)->is_over);
	say("last words\n");
	assert_ok(fleet_remove(m.base.fleet, m.vm.id, fleet_room_removed, &m.vm, &e), e);
	fleet_room_settle(&m.base);
	for (int i = 0; !grpc_peer_said(m.peers[0], call)->is_over && i < ROUNDS_MAX; i++) {
		uv_run(&m.base.loop, UV_RUN_ONCE);
		grpc_peer_move(m.peers[0]);
	}
	assert_int_equal(grpc_peer_said(m.peers[0], call)->status, 0);
	assert_string_equal(m.said, "one\ntwo\nlast words\n");
	request.follow = false;
	assert_int_equal(ask(&request), ERR_PRECONDITION);
	close_room();
}

static int remember(void *data, struct rpc_call *call, const ProtobufCMessage *message,
		    struct err *e)
{
	struct rpc_call **asked = data;

	if (!*asked)
		*asked = rpc_call_ref(call);
	return 0;
}

/* A client that reads nothing has been sent what its window holds; as much as waits for it is bounded. */
static void who_reads_nothing_costs_little(void **state)
{
	const struct rpc_observer observer = { .admit = remember };
	struct rpc_call *asked = NULL;
	Manager__ConsoleReq request;
	unsigned call;

	open_room();
	request = about(m.vm.id);
	request.follow = true;
	say_much(CONSOLE_BACK_MAX);
	(void)ask_by(0, &request);
	/* Its request goes out, and then nothing is taken in. */
	rpc_server_observe(m.server, &observer, &asked);
	grpc_peer_send(m.peers[0]);
	for (int i = 0; i < ROUNDS_MAX; i++)
		grpc_peer_settle(&m.base.loop);
	assert_non_null(asked);
	assert_in_range(rpc_call_queued(asked), RPC_LOW_WATER, RPC_LOW_WATER + 40000);
	rpc_call_unref(asked);
	/* Others are served. */
	connect_to(1);
	request.follow = false;
	request.lines = 1;
	assert_int_equal(m.parts, 0);
	call = ask_by(1, &request);
	grpc_peer_move(m.peers[1]);
	assert_int_equal(grpc_peer_said(m.peers[1], call)->status, 0);
	assert_int_equal(m.parts, 1);
	forget();
	grpc_peer_move(m.peers[0]);
	assert_int_equal(m.len, CONSOLE_BACK_MAX);
	close_room();
}

static void what_is_no_request_is_refused(void **state)
{
	Manager__ConsoleReq request;

	open_room();
	say("x\n");
	request = about("5b1c6d3e-0000-4000-8000-000000000001");
	assert_int_equal(ask(&request), ERR_NOT_FOUND);
	request = about("../../etc");
	assert_int_equal(ask(&request), ERR_NOT_FOUND);
	request = about("");
	assert_int_equal(ask(&request), ERR_NOT_FOUND);
	request = about(m.vm.id);
	request.lines = CONSOLE_LINES_MAX;
	assert_int_equal(ask(&request), 0);
	request.lines = CONSOLE_LINES_MAX + 1;
	assert_int_equal(ask(&request), ERR_INVALID);
	request.lines = 1;
	request.cursor = (char *)"1.0";
	assert_int_equal(ask(&request), ERR_INVALID);
	request.lines = 0;
	assert_int_equal(ask(&request), 0);
	assert_int_equal(m.skipped, 1); /* no file has that number */
	request.cursor = (char *)"1";
	assert_int_equal(ask(&request), ERR_INVALID);
	close_room();
}

/* What somebody has put there in its place. */
static void no_pipe_is_read(void **state)
{
	Manager__ConsoleReq request;
	char path[160];

	open_room();
	request = about(m.vm.id);
	snprintf(path, sizeof(path), "%s/console.log", m.folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(ask(&request), ERR_PRECONDITION);
	assert_int_equal(m.parts, 0);
	close_room();
}

/* Readers and watchers have their places together; those of one caller give way to nobody of his. */
static void places_have_a_limit(void **state)
{
	Manager__ConsoleReq request;
	unsigned calls = 0, call = 0;

	open_room();
	request = about(m.vm.id);
	request.follow = true;
	for (size_t i = 0; i < PEERS && calls < FLEET_WATCHERS_MAX; i++) {
		connect_to(i);
		for (int n = 0; n < GRPC_PEER_CALLS && calls < FLEET_WATCHERS_MAX; n++, calls++)
			(void)ask_by(i, &request);
		grpc_peer_move(m.peers[i]);
	}
	assert_int_equal(calls, FLEET_WATCHERS_MAX);
	connect_to(PEERS - 1);
	call = ask_by(PEERS - 1, &request);
	grpc_peer_move(m.peers[PEERS - 1]);
	assert_int_equal(grpc_peer_said(m.peers[PEERS - 1], call)->status, ERR_EXHAUSTED);
	/* One that hangs up gives its place back. */
	grpc_peer_cancel(m.peers[0], 0);
	grpc_peer_move(m.peers[0]);
	call = ask_by(PEERS - 1, &request);
	grpc_peer_move(m.peers[PEERS - 1]);
	assert_false(grpc_peer_said(m.peers[PEERS - 1], call)->is_over);
	/* The manager's end is theirs. */
	fleet_end_watches(m.base.fleet);
	grpc_peer_move(m.peers[PEERS - 1]);
	assert_int_equal(grpc_peer_said(m.peers[PEERS - 1], call)->status, ERR_UNAVAILABLE);
	close_room();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLEET_ROOM_ROW(what_was_said_is_told_once),
		FLEET_ROOM_ROW(a_long_one_comes_in_parts),
		FLEET_ROOM_ROW(who_follows_hears_it_until_the_cvm_is_gone),
		FLEET_ROOM_ROW(who_reads_nothing_costs_little),
		FLEET_ROOM_ROW(what_is_no_request_is_refused),
		FLEET_ROOM_ROW(no_pipe_is_read),
		FLEET_ROOM_ROW(places_have_a_limit),
	};

	return cmocka_run_group_tests(tests, fleet_room_make_dir, fleet_room_remove_dir);
}
