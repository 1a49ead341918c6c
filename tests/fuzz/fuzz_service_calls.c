/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Agents' streams and administrators' calls to the computation service, in any order, over a store in
 * memory: three connections of agents, one of an administrator.
 *
 * Input: commands with their operands, as command() reads them. After each one the store's and the
 * sessions' rules hold (check_world()), and at the end nothing is left.
 */
#include "attestation/journal/journal_entry.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/crypto/key.h"
#include "common/protobuf/protobuf.h"
#include "common/rpc/conn.h"
#include "computations.pb-c.h"
#include "computations/core/appraisal.h"
#include "computations/core/judge_line.h"
#include "computations/core/service.h"
#include "computations/core/session.h"
#include "computations_paths.h"
#include "cvms_paths.h"
#include "google/protobuf/empty.pb-c.h"
#include "tests/fuzz/cose_resign.h"
#include "tests/fuzz/grpc_peer.h"
#include "tests/fuzz/orders_service.h"
#include "tests/fuzz/store_memory.h"

#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMANDS_MAX = 80 };

static const char *const ids[IDS] = {
	[ID_ONE] = "one",         [ID_TWO] = "two",   [ID_CVM_A] = "cvm-a",
	[ID_CVM_B] = "cvm-b",     [ID_DOTS] = "..",   [ID_EMPTY] = "",
	[ID_UMLAUT] = "\xc3\xbc", [ID_BLANK] = "a b", [ID_SLASH] = "x/y"
};

static uv_loop_t loop;
static struct store store;
static struct store_queue *queue;
static struct service service;

static struct user {
	struct grpc_peer *grpc;
	unsigned answers; /* messages that came, all of which could be decoded */
} users[USERS];
static struct rpc_server *servers[2]; /* agents', administrators' */

static struct appraisal *appraisal; /* by a policy that nothing here fulfils */
static char folder[] = "/tmp/cocos-fuzz-service-XXXXXX";

static void leave_folder(void)
{
	struct err e;

	appraisal_free(appraisal);
	(void)!dir_remove(folder, &e);
}

static void make_appraisal(void)
{
	static const char policy[] =
		"{\"cocos\":1,\"tpm\":{\"pcrs\":{\"sha256\":{\"4\":[\"00000000000000000000000000000000"
		"00000000000000000000000000000000\"]}}}}";
	CLEANUP(free) char *path = NULL;
	struct config config = { .state_dir = folder, .attestation_offline = true };
	struct err e;

	assert(mkdtemp(folder));
	assert(text_format(&path, &e, "%s/policy", folder) == 0);
	assert(file_write(path, policy, sizeof(policy) - 1, 0600, &e) == 0);
	config.attestation_policy = path;
	assert(appraisal_new(&loop, &config, &appraisal, &e) == 0 && appraisal);
	atexit(leave_folder);
}

static uint8_t *spki; /* of an owner */
static size_t spki_len;

static void prepare(void)
{
	static const uint8_t secret[32] = { 9 };
	CLEANUP(EVP_PKEY_free)
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
	struct err e;

	log_set(LOG_LEVEL_ERROR);
	setenv("UV_THREADPOOL_SIZE", "1", 1);
	assert(uv_loop_init(&loop) == 0);
	assert(key && key_to_spki(key, &spki, &spki_len, &e) == 0);
	make_appraisal();
	loop.data = &service;
}

/* ---- connections ---- */

/* What administrators are sent, their clients take. */
static void on_answer(void *data, unsigned number, const uint8_t *bytes, size_t len)
{
	static const ProtobufCMessageDescriptor *const kinds[] = {
		&computations__computation__descriptor,
		&computations__list_response__descriptor,
		&computations__manifest_response__descriptor,
		&computations__record__descriptor,
		&computations__journal_response__descriptor,
		&computations__witness_response__descriptor,
		&computations__witness_leaves_response__descriptor,
		&computations__cvm__descriptor,
		&computations__list_cvms_response__descriptor,
		&google__protobuf__empty__descriptor,
		&cvms__server_stream_message__descriptor,
	};
	struct user *u = data;
	bool fits = false;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(kinds) && !fits; i++)
		fits = protobuf_check(kinds[i], bytes, len, &e) == 0;
	assert(fits);
	u->answers++;
}

static void connect_to(struct user *u)
{
	struct rpc_server *server = servers[u == &users[ADMIN]];
	const struct listener listener = { .server = server };
	struct err e;
	int ends[2];

	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	assert(conn_accept(server, &listener, ends[0], &e) == 0);
	u->grpc = grpc_peer_new(&loop, ends[1], on_answer, u);
}

static void enter(bool judges)
{
	static const struct store_limits limits = {
		.computations = 3, .cvms = 3, .records = 8, .record_bytes = 4096, .audit_rows = 64
	};
	const struct rpc_service *const rpc[] = { &session_rpc, &admin_rpc };
	struct err e;

	store_memory_open(&store, &limits);
	assert(store_queue_new(&loop, &store, &queue, &e) == 0);
	service_init(&service, &loop, queue, limits.cvms);
	assert(judge_line_new(&loop, &service.judges, &e) == 0);
	service.appraisal = judges ? appraisal : NULL;
	for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
		assert(rpc_server_new(&loop, NULL, &servers[i], &e) == 0);
		assert(rpc_server_add(servers[i], rpc[i], &service, &e) == 0);
	}
}

static void leave(bool stops)
{
	if (stops) {
		const struct grpc_word late = { "job-id", "late", 4 };

		service.stopping = true;
		if (users[AGENT].grpc)
			(void)grpc_peer_call(users[AGENT].grpc, PROTO_CVMS_PROCESS, &late, 1);
		for (int turn = 0; users[AGENT].grpc && turn < 2; turn++)
			grpc_peer_move(users[AGENT].grpc);
		session_end_all(&service);
		logs_end_all(&service);
		grpc_peer_settle(&loop);
	}
	for (size_t i = 0; i < USERS; i++)
		grpc_peer_free(TAKE_PTR(users[i].grpc));
	for (size_t i = 0; i < ARRAY_LEN(servers); i++)
		rpc_server_free(servers[i]);
	while (uv_run(&loop, UV_RUN_DEFAULT))
		continue;
	assert(service.session_count == 0 && service.forwarder_count == 0);
	assert(service.follower_count == 0 && service.arrived_bytes == 0);
	assert(TAILQ_EMPTY(&service.sessions) && TAILQ_EMPTY(&service.followers));
	judge_line_free(service.judges);
	store_queue_free(queue);
}

/* ---- what is said ---- */

static char *id_of(struct reader *r)
{
	return (char *)(uintptr_t)ids[reader_u8(r) % ARRAY_LEN(ids)];
}

static void say(struct user *u, unsigned call, const ProtobufCMessage *m)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	assert(protobuf_pack(m, &bytes, &len, &e) == 0);
	grpc_peer_say(u->grpc, call, bytes, len, false);
}

static void agent_calls(struct user *u, struct reader *r)
{
	uint8_t flags = reader_u8(r);
	const char *id = id_of(r);
	const struct grpc_word words[] = { { "job-id", id, strlen(id) },
					   { "connection-type", "log-forwarder", 13 } };

	(void)grpc_peer_call(u->grpc, PROTO_CVMS_PROCESS, words, flags & 1 ? 2 : 1);
}

/* Nobody asks whose it is. */
static ProtobufCBinaryData head_of(uint64_t count)
{
	static uint8_t bytes[JOURNAL_SIGNED_MAX];
	struct writer w = writer_up_to(sizeof(bytes));
	const struct journal_head head = { .count = count };
	struct err e;

	assert(journal_head_sign(&head, false, cose_test_key(COSE_ES256)->key, &w, &e) == 0);
	const ProtobufCBinaryData made = { w.len, bytes };
	memcpy(bytes, w.bytes, w.len);
	writer_done(&w);
	return made;
}

static void agent_journals(struct user *u, unsigned call, char *id, uint8_t operand, bool has_head)
{
	static uint8_t one[] = "one entry", other[] = "another";
	Cvms__ClientStreamMessage m = CVMS__CLIENT_STREAM_MESSAGE__INIT;
	Cvms__JournalEntries journal = CVMS__JOURNAL_ENTRIES__INIT;
	ProtobufCBinaryData entries[JOURNAL_COUNT];
	uint8_t run[SHA256_LEN];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		entries[i] = operand & JOURNAL_OTHER ? (ProtobufCBinaryData){ sizeof(other), other }
						     : (ProtobufCBinaryData){ sizeof(one), one };
	journal.computation_id = id;
	journal.first =
		operand & JOURNAL_FAR ? UINT64_MAX : operand >> JOURNAL_FIRST_SHIFT & JOURNAL_FIRST;
	journal.entries = entries;
	journal.n_entries = operand & JOURNAL_COUNT;
	if (!(operand & JOURNAL_HEADLESS))
		journal.signed_head =
			has_head ? head_of(journal.first + journal.n_entries - 1) : entries[0];
	if (operand & 1 << JOURNAL_FIRST_SHIFT &&
	    journal_run((struct span){ entries[0].data, entries[0].len }, run, &e) == 0)
		journal.run = (ProtobufCBinaryData){ sizeof(run), run };
	m.message_case = CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_JOURNAL_ENTRIES;
	m.journal_entries = &journal;
	say(u, call, &m.base);
}

static void agent_says(struct user *u, unsigned call, struct reader *r)
{
	static const char *const words[WORDS] = {
		[WORD_RECEIVING] = "ReceivingAlgorithm",
		[WORD_RUNNING] = "Running",
		[WORD_COMPLETE] = "Complete",
		[WORD_FAILED] = "Failed",
		[WORD_STOPPED] = "Stopped",
		[WORD_IDLE] = "Idle",
		[WORD_RECEIVING_MANIFEST] = "ReceivingManifest",
		[WORD_OTHER] = "other",
	};
	static const char *const statuses[] = { "InProgress", "Failed", "Warning", "Stopped" };
	Cvms__ClientStreamMessage m = CVMS__CLIENT_STREAM_MESSAGE__INIT;
	Cvms__AgentLog log = CVMS__AGENT_LOG__INIT;
	Cvms__AgentEvent event = CVMS__AGENT_EVENT__INIT;
	Cvms__RunResponse run = CVMS__RUN_RESPONSE__INIT;
	Cvms__StopComputationResponse stopped = CVMS__STOP_COMPUTATION_RESPONSE__INIT;
	Cvms__AgentStateRes state = CVMS__AGENT_STATE_RES__INIT;
	Cvms__AttestationResponse evidence = CVMS__ATTESTATION_RESPONSE__INIT;
	Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	enum said what = reader_u8(r) % SAIDS;
	char *id = id_of(r);
	uint8_t operand = reader_u8(r);
	char *word = (char *)(uintptr_t)words[operand % ARRAY_LEN(words)];

	time.seconds = operand & 0x80 ? INT64_MIN : operand;
	time.nanos = operand & 0x40 ? -1 : 5;
	switch (what) {
	case SAID_LOG:
		log.computation_id = id;
		log.message = log.level = word;
		log.timestamp = &time;
		m.message_case = CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_LOG;
		m.agent_log = &log;
		break;
	case SAID_EVENT:
		event.computation_id = id;
		event.event_type = event.originator = word;
		event.status = (char *)(uintptr_t)statuses[operand >> 5 & 3];
		event.timestamp = &time;
		event.details =
			(ProtobufCBinaryData){ .len = operand % 8,
					       .data = (uint8_t[8]){ '{', 0, 0xff, 'a', 0xc3 } };
		m.message_case = CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_EVENT;
		m.agent_event = &event;
		break;
	case SAID_RUN_ANSWER:
		run.computation_id = id;
		run.error = operand & 1 ? word : run.error;
		run.notice = operand & 2 ? word : run.notice;
		m.message_case = CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_RUN_RES;
		m.run_res = &run;
		break;
	case SAID_STOPPED:
		stopped.computation_id = id;
		m.message_case = CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_STOP_COMPUTATION_RES;
		m.stop_computation_res = &stopped;
		break;
	case SAID_STATE:
		state.id = id;
		state.state = word;
		m.message_case = CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_STATE_RES;
		m.agent_state_res = &state;
		break;
	case SAID_EVIDENCE:
		evidence.file = (ProtobufCBinaryData){ .len = operand % 8,
						       .data = (uint8_t[8]){ 0xd2, 0x84 } };
		evidence.error = word;
		m.message_case = CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_V_TPMATTESTATION_REPORT;
		m.vtpmattestationreport = &evidence;
		break;
	case SAID_JOURNAL:
	case SAID_HEADED:
		agent_journals(u, call, id, operand, what == SAID_HEADED);
		return;
	default:
		break;
	}
	say(u, call, &m.base);
}

static void admin_creates(struct user *u, struct reader *r)
{
	static const uint8_t zeros[32], no_key[] = "a key";
	Computations__CreateRequest create = COMPUTATIONS__CREATE_REQUEST__INIT;
	Computations__UpdateRequest update = COMPUTATIONS__UPDATE_REQUEST__INIT;
	Cvms__ComputationRunReq manifest = CVMS__COMPUTATION_RUN_REQ__INIT;
	Cvms__Algorithm algorithm = CVMS__ALGORITHM__INIT;
	Cvms__AgentConfig config = CVMS__AGENT_CONFIG__INIT;
	uint8_t flags = reader_u8(r);
	bool again = flags & UPDATES;
	int call = grpc_peer_call(
		u->grpc, again ? PROTO_COMPUTATIONS_UPDATE : PROTO_COMPUTATIONS_CREATE, NULL, 0);

	if (call < 0)
		return;
	manifest.id = id_of(r);
	manifest.name = manifest.id;
	algorithm.hash = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)zeros,
						.len = flags & 1 ? 31 : 32 };
	algorithm.userkey = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)spki,
						   .len = flags & 2 ? 5 : spki_len };
	if (flags & 2)
		algorithm.userkey.data = (uint8_t *)(uintptr_t)no_key;
	if (!(flags & 4))
		manifest.algorithm = &algorithm;
	if (flags & 8) {
		config.key_file = (char *)(uintptr_t)"/certs/key.pem";
		config.cert_file = (char *)(uintptr_t)"/certs/cert.pem";
		manifest.agent_config = &config;
	}
	if (!(flags & 16))
		create.manifest = update.manifest = &manifest;
	say(u, (unsigned)call, again ? &update.base : &create.base);
	grpc_peer_half_close(u->grpc, (unsigned)call);
}

static void admin_asks(struct user *u, const char *path, const ProtobufCMessage *request)
{
	int call = grpc_peer_call(u->grpc, path, NULL, 0);

	if (call < 0)
		return;
	say(u, (unsigned)call, request);
	grpc_peer_half_close(u->grpc, (unsigned)call);
}

/* Show, Manifest, Stop; ShowCvm, ReleaseCvm: of an id. */
static void admin_names(struct user *u, enum request what, struct reader *r)
{
	static const char *const paths[ASKS] = {
		[ASK_SHOW] = PROTO_COMPUTATIONS_SHOW,
		[ASK_MANIFEST] = PROTO_COMPUTATIONS_MANIFEST,
		[ASK_STOP] = PROTO_COMPUTATIONS_STOP,
		[ASK_SHOW_CVM] = PROTO_COMPUTATIONS_SHOW_CVM,
		[ASK_RELEASE_CVM] = PROTO_COMPUTATIONS_RELEASE_CVM,
	};
	Computations__ComputationRequest request = COMPUTATIONS__COMPUTATION_REQUEST__INIT;

	request.id = id_of(r); /* the others' id has the same number */
	admin_asks(u, paths[what], &request.base);
}

static void admin_says(struct user *u, struct reader *r)
{
	Computations__RunRequest run = COMPUTATIONS__RUN_REQUEST__INIT;
	Computations__RemoveRequest remove = COMPUTATIONS__REMOVE_REQUEST__INIT;
	Computations__ListRequest list = COMPUTATIONS__LIST_REQUEST__INIT;
	Computations__LogsRequest logs = COMPUTATIONS__LOGS_REQUEST__INIT;
	Computations__JournalRequest journal = COMPUTATIONS__JOURNAL_REQUEST__INIT;
	Computations__WitnessRequest witness = COMPUTATIONS__WITNESS_REQUEST__INIT;
	Computations__WitnessLeavesRequest leaves = COMPUTATIONS__WITNESS_LEAVES_REQUEST__INIT;
	enum request what = reader_u8(r) % ASKS;
	uint8_t operand;
	uint8_t how;

	switch (what) {
	case ASK_CREATE:
		admin_creates(u, r);
		return;
	case ASK_RUN:
		run.id = id_of(r);
		run.cvm_id = id_of(r);
		how = reader_u8(r);
		run.unverified = how & 1;
		run.again = how & 2;
		admin_asks(u, PROTO_COMPUTATIONS_RUN, &run.base);
		return;
	case ASK_REMOVE:
		remove.id = id_of(r);
		remove.force = reader_u8(r) & 1;
		admin_asks(u, PROTO_COMPUTATIONS_REMOVE, &remove.base);
		return;
	case ASK_LIST:
		operand = reader_u8(r);
		list.limit = operand & 0x7f;
		list.after = id_of(r);
		if (list.limit == 0x7f)
			list.workspace = (char *)(uintptr_t)"none";
		admin_asks(u,
			   operand & 0x80 ? PROTO_COMPUTATIONS_LIST_CVMS : PROTO_COMPUTATIONS_LIST,
			   &list.base);
		return;
	case ASK_LOGS:
		logs.id = id_of(r);
		logs.cvm_id = id_of(r);
		operand = reader_u8(r);
		logs.follow = operand & 1;
		logs.after = operand & 2 ? UINT64_MAX : operand & 4 ? 3 : 0;
		admin_asks(u, PROTO_COMPUTATIONS_LOGS, &logs.base);
		return;
	case ASK_JOURNAL:
		journal.id = id_of(r);
		operand = reader_u8(r);
		journal.run = operand & 0x80 ? UINT64_MAX : operand & 3;
		journal.after = operand >> 2 & 7;
		admin_asks(u, PROTO_COMPUTATIONS_JOURNAL, &journal.base);
		return;
	case ASK_WITNESS:
		witness.id = id_of(r);
		operand = reader_u8(r);
		witness.run = operand & 0x80 ? UINT64_MAX : operand & 3;
		witness.size = operand & 0x40 ? UINT64_MAX : operand >> 2 & 7;
		admin_asks(u, PROTO_COMPUTATIONS_WITNESS, &witness.base);
		return;
	case ASK_FAILING:
		store_memory_fails = reader_u8(r);
		return;
	case ASK_WITNESS_LEAVES:
		operand = reader_u8(r);
		leaves.first = operand & 0x80 ? UINT64_MAX : operand >> 2 & 7;
		leaves.count = operand & 0x40 ? UINT32_MAX : operand & 3;
		admin_asks(u, PROTO_COMPUTATIONS_WITNESS_LEAVES, &leaves.base);
		return;
	default:
		admin_names(u, what, r);
	}
}

/* ---- what must hold ---- */

static void check_counts(void)
{
	struct session *s, *other;
	size_t agents = 0, forwarders = 0;

	TAILQ_FOREACH(s, &service.sessions, next) {
		*(s->forwarder ? &forwarders : &agents) += 1;
		assert(s->refs > 0 && s->cvm_id[0]);
		/* One agent that is open for each CVM. */
		TAILQ_FOREACH(other, &service.sessions, next)
			assert(other == s || other->forwarder || s->forwarder || !s->arrived ||
			       !other->arrived || !s->call || !other->call ||
			       !rpc_call_is_open(s->call) || !rpc_call_is_open(other->call) ||
			       strcmp(s->cvm_id, other->cvm_id) != 0);
	}
	assert(agents == service.session_count && forwarders == service.forwarder_count);
	assert(service.arrived_bytes == 0); /* nothing is under way */
}

static int64_t number_of(const char *sql)
{
	const unsigned fails = store_memory_fails;
	int64_t number = -1;
	struct err e;

	store_memory_fails = 0;
	assert(db_number(&store.db, &number, &e, sql, "") == 0);
	store_memory_fails = fails;
	return number;
}

/* Sentences about the tables of which none may have a row. */
static void check_tables(void)
{
	static const char *const never[] = {
		"SELECT count(*) FROM cvms v JOIN cvms w ON v.computation = w.computation"
		" WHERE v.id <> w.id AND v.computation <> ''",
		"SELECT count(*) FROM computations WHERE finished = 1 AND ended = 0",
		"SELECT count(*) FROM computations WHERE finished = 0 AND ended <> 0",
		"SELECT count(*) FROM computations WHERE state IN (5, 6) AND finished = 0",
		"SELECT count(*) FROM computations WHERE state <> 0 AND cvm = '' AND finished = 0",
		"SELECT count(*) FROM computations c JOIN cvms v ON v.computation = c.id"
		" WHERE c.cvm <> v.id",
		"SELECT count(*) FROM journals WHERE records < 0 OR bytes < 0 OR dropped < 0",
		"SELECT count(*) FROM journals j WHERE records <>"
		" (SELECT count(*) FROM records r WHERE r.journal = j.number)",
		"SELECT count(*) FROM cvms WHERE verified <> 0",
		"SELECT count(*) FROM signed_journals s WHERE bytes > 4096 OR count <>"
		" (SELECT count(*) FROM entries e WHERE e.computation = s.computation AND e.run = s.run)",
		"SELECT count(*) FROM entries WHERE (computation, run) NOT IN"
		" (SELECT computation, run FROM signed_journals)",
		"SELECT count(*) FROM signed_journals WHERE computation NOT IN"
		" (SELECT id FROM computations)",
	};

	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		assert(number_of(never[i]) == 0);
	assert(number_of("SELECT count(*) FROM computations") <= 3);
	assert(number_of("SELECT count(*) FROM cvms") <= 3);
}

/* ---- the commands ---- */

static void command(struct reader *r)
{
	uint8_t what = reader_u8(r);
	struct user *u = &users[what % USERS];
	unsigned call = what >> CALL_SHIFT & 7;

	if ((what & KINDS) == LOST) { /* the connection is lost */
		grpc_peer_free(TAKE_PTR(u->grpc));
		return;
	}
	if (!u->grpc)
		connect_to(u);
	if ((what & KINDS) == ENDS && grpc_peer_said(u->grpc, call)->is_used) {
		if (what & SAYS)
			grpc_peer_cancel(u->grpc, call);
		else
			grpc_peer_half_close(u->grpc, call);
	} else if (u == &users[ADMIN]) {
		admin_says(u, r);
	} else if (what & SAYS && grpc_peer_said(u->grpc, call)->is_used) {
		agent_says(u, call, r);
	} else {
		agent_calls(u, r);
	}
}

static void move(void)
{
	for (int turn = 0; turn < 2; turn++)
		for (size_t i = 0; i < USERS; i++)
			if (users[i].grpc)
				grpc_peer_move(users[i].grpc);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	uint8_t flags = reader_u8(&r);

	if (!loop.data)
		prepare();
	enter(flags & FLAG_JUDGES);
	for (int i = 0; i < COMMANDS_MAX && reader_ok(&r) && reader_left(&r); i++) {
		command(&r);
		if (flags & FLAG_CROWDED && i % 2)
			continue;
		move();
		check_counts();
		check_tables();
	}
	leave(flags & FLAG_STOPS);
	check_tables();
	return 0;
}
