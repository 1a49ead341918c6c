/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/managers_played.h"

#include "common/base/reader.h"
#include "common/rpc/stream.h"
#include "computations/store/store.h"
#include "google/protobuf/empty.pb-c.h"
#include "manager.pb-c.h"
#include "manager_paths.h"
#include "tests/fuzz/answers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Quotas that a few CVMs reach. */
const char managers_table[] = "manager here unix:/nowhere/here agents=10.0.2.2:7001\n"
			      "manager east unix:/nowhere/east fleet=ward agents=10.0.2.2:7001\n"
			      "manager west unix:/nowhere/west fleet=ward agents=10.0.2.2:7001\n"
			      "limit default cvms=5 cpus=8 memory=8G cpu-hours=2\n";
enum { HERE, EAST, WEST, MANAGERS };

static uv_loop_t *on;
static struct reader words;
static struct managers_vm vms[MANAGERS_VMS_MAX];
static unsigned opened; /* calls so far: which CVM's id comes next */
static bool has_lied;

/* ---- what they have ---- */

static unsigned fleet_of(unsigned manager)
{
	return manager == HERE ? HERE : EAST;
}

static struct managers_vm *find(unsigned manager, const char *name)
{
	for (size_t i = 0; i < MANAGERS_VMS_MAX; i++)
		if (*vms[i].tag && vms[i].fleet == fleet_of(manager) &&
		    (strcmp(vms[i].tag, name) == 0 || strcmp(vms[i].id, name) == 0))
			return &vms[i];
	return NULL;
}

static struct managers_vm *make(unsigned manager, const Manager__CreateReq *wish)
{
	for (size_t i = 0; i < MANAGERS_VMS_MAX; i++)
		if (!*vms[i].tag) {
			vms[i] = (struct managers_vm){ .fleet = fleet_of(manager),
						       .holder = manager,
						       .cpus = wish->cpus,
						       .memory = wish->memory,
						       .created = store_now() };
			snprintf(vms[i].tag, MANAGERS_TEXT_MAX, "%s", wish->name);
			snprintf(vms[i].id, MANAGERS_TEXT_MAX, "%08x-0000-4000-8000-000000000000",
				 ++opened);
			return &vms[i];
		}
	return NULL;
}

static void end(struct managers_vm *vm, const char *reason)
{
	if (vm->reason)
		return;
	vm->reason = reason;
	vm->exited = store_now();
}

/* ---- a call ---- */

struct rpc_stream {
	uv_work_t work; /* first */
	const struct rpc_method *method;
	const struct rpc_stream_events *events;
	void *user;
	unsigned manager;
	ProtobufCMessage *asked;
	bool is_open;
};

/* By the order in which the table's are opened. */
static struct rpc_channel *channels[MANAGERS];
static size_t channel_count;

struct said {
	ProtobufCMessage *message; /* NULL: none */
	unsigned times;
	struct err status;
};

static void say(struct said *said, const ProtobufCMessage *message)
{
	CLEANUP(free) uint8_t *packed = malloc(protobuf_c_message_get_packed_size(message) + 1);
	size_t len;

	assert(packed);
	len = protobuf_c_message_pack(message, packed);
	said->message = protobuf_c_message_unpack(message->descriptor, NULL, len, packed);
	assert(said->message);
	said->times = 1;
}

static void fail(struct said *said, enum err_code code, const char *text)
{
	if (said->message)
		protobuf_c_message_free_unpacked(said->message, NULL);
	said->message = NULL;
	said->times = 0;
	err_set(&said->status, code, "%s", text);
}

/* Gone to another one, which the one that is asked knows as well as the caller. */
static bool is_elsewhere(const struct rpc_stream *s, const struct managers_vm *vm,
			 struct said *said)
{
	if (!vm || vm->holder == s->manager)
		return false;
	fail(said, ERR_PRECONDITION, "its host is another manager's");
	return true;
}

static void do_create(struct rpc_stream *s, struct said *said)
{
	const Manager__CreateReq *wish = (const Manager__CreateReq *)s->asked;
	struct managers_vm *vm = find(s->manager, wish->name);
	Manager__CreateRes m = MANAGER__CREATE_RES__INIT;

	assert(*wish->name && !*wish->agent_cvm_ca_url && wish->n_labels == 0);
	if (vm && !vm->reason) {
		fail(said, ERR_EXISTS, "there is a CVM of that name");
		return;
	}
	if (vm)
		*vm->tag = 0;
	vm = make(s->manager, wish);
	if (!vm) {
		fail(said, ERR_EXHAUSTED, "there is no room for another one");
		return;
	}
	m.cvm_id = vm->id;
	m.forwarded_port = (char *)(uintptr_t)"6100";
	m.host_address = (char *)(uintptr_t)"192.0.2.9";
	say(said, &m.base);
}

static void do_get(struct rpc_stream *s, struct said *said)
{
	struct managers_vm *vm = find(s->manager, ((const Manager__GetVmReq *)s->asked)->id);
	Manager__Vm m = MANAGER__VM__INIT;

	if (!vm) {
		fail(said, ERR_NOT_FOUND, "there is no such CVM");
		return;
	}
	if (is_elsewhere(s, vm, said))
		return;
	m.id = vm->id;
	m.name = vm->tag;
	m.state = (char *)(uintptr_t)(vm->reason ? "exited" : "running");
	m.exit_reason = (char *)(uintptr_t)(vm->reason ? vm->reason : "");
	m.created_ms = vm->created;
	m.exited_ms = vm->exited;
	m.cpus = vm->cpus;
	m.memory = vm->memory;
	m.forwarded_port = 6100;
	m.host_address = (char *)(uintptr_t)"192.0.2.9";
	say(said, &m.base);
}

static void do_remove(struct rpc_stream *s, struct said *said)
{
	struct managers_vm *vm = find(s->manager, ((const Manager__RemoveReq *)s->asked)->cvm_id);
	Google__Protobuf__Empty m = GOOGLE__PROTOBUF__EMPTY__INIT;

	if (!vm || vm->reason) {
		fail(said, ERR_NOT_FOUND, "there is no such CVM");
		return;
	}
	if (is_elsewhere(s, vm, said))
		return;
	end(vm, "removed");
	say(said, &m.base);
}

static void do_policy(struct rpc_stream *s, struct said *said)
{
	static const char text[] = "{\"cocos\": 1}";
	struct managers_vm *vm =
		find(s->manager, ((const Manager__AttestationPolicyReq *)s->asked)->id);
	Manager__AttestationPolicyRes m = MANAGER__ATTESTATION_POLICY_RES__INIT;

	if (!vm) {
		fail(said, ERR_NOT_FOUND, "there is no such CVM");
		return;
	}
	m.id = vm->id;
	m.info = (ProtobufCBinaryData){ sizeof(text) - 1, (uint8_t *)(uintptr_t)text };
	say(said, &m.base);
}

/* What each has room for: hosts that are full, that drain, and that say no limit. */
static void do_hosts(struct rpc_stream *s, struct said *said)
{
	static char *tees[] = { (char *)(uintptr_t)"none", (char *)(uintptr_t)"snp" };
	Manager__Host hosts[] = { MANAGER__HOST__INIT, MANAGER__HOST__INIT, MANAGER__HOST__INIT };
	Manager__Host *all[] = { &hosts[0], &hosts[1], &hosts[2] };
	Manager__ListHostsRes m = MANAGER__LIST_HOSTS_RES__INIT;

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		hosts[i].state = (char *)(uintptr_t)"connected";
		hosts[i].tees = tees;
		hosts[i].n_tees = ARRAY_LEN(tees);
		hosts[i].cpus = 8;
		hosts[i].memory = UINT64_C(8) << 30;
		hosts[i].cpus_used = 4 * s->manager;
		hosts[i].memory_used = UINT64_C(1) << (30 + i);
	}
	hosts[1].draining = s->manager == EAST;
	hosts[2].memory = 0;
	m.hosts = all;
	m.n_hosts = ARRAY_LEN(hosts);
	say(said, &m.base);
}

static void do_truly(struct rpc_stream *s, struct said *said)
{
	if (strcmp(s->method->path, PROTO_MANAGER_CREATE_VM) == 0)
		do_create(s, said);
	else if (strcmp(s->method->path, PROTO_MANAGER_GET_VM) == 0)
		do_get(s, said);
	else if (strcmp(s->method->path, PROTO_MANAGER_REMOVE_VM) == 0)
		do_remove(s, said);
	else
		do_policy(s, said);
}

/* Of whom the call is, as far as it is known. */
static struct managers_vm *about(const struct rpc_stream *s)
{
	if (strcmp(s->method->path, PROTO_MANAGER_CREATE_VM) == 0)
		return find(s->manager, ((const Manager__CreateReq *)s->asked)->name);
	if (strcmp(s->method->path, PROTO_MANAGER_GET_VM) == 0)
		return find(s->manager, ((const Manager__GetVmReq *)s->asked)->id);
	if (strcmp(s->method->path, PROTO_MANAGER_REMOVE_VM) == 0)
		return find(s->manager, ((const Manager__RemoveReq *)s->asked)->cvm_id);
	return NULL;
}

/* ---- words ---- */

static enum err_code read_code(void)
{
	return (enum err_code)(1 + reader_u8(&words) % 16);
}

/* That one knows nothing of a CVM, or never says what it has, is believed. */
static void fail_as_said(const struct rpc_stream *s, struct said *said)
{
	const enum err_code code = read_code();

	if ((code == ERR_NOT_FOUND || code == ERR_UNIMPLEMENTED) && about(s))
		has_lied = true;
	fail(said, code, "computer says no\n<b>\x1b[2J");
}

static void end_before(const struct rpc_stream *s)
{
	static const char *const reasons[] = { "removed",   "ended",       "failed", "expired",
					       "abandoned", "interrupted", "" };
	const char *reason = reasons[reader_u8(&words) % ARRAY_LEN(reasons)];
	struct managers_vm *vm = about(s);

	if (vm)
		end(vm, reason);
}

static void go_over(const struct rpc_stream *s)
{
	struct managers_vm *vm = about(s);

	if (vm && vm->fleet == EAST)
		vm->holder = vm->holder == EAST ? WEST : EAST;
}

static void be_slow(struct rpc_stream *s, struct said *said)
{
	static const char *const states[] = { "creating", "lost", "removing" };
	const char *state = states[reader_u8(&words) % ARRAY_LEN(states)];

	do_truly(s, said);
	if (!said->message || said->message->descriptor != &manager__vm__descriptor ||
	    strcmp(((Manager__Vm *)said->message)->state, "running") != 0)
		return;
	free(((Manager__Vm *)said->message)->state);
	((Manager__Vm *)said->message)->state = strdup(state);
}

static void lie(const struct rpc_stream *s, struct said *said)
{
	struct err e;

	has_lied = true;
	if (answer_make(s->method->response, &words, &said->message, &e) == 0)
		said->times = 1;
	else
		fail(said, e.code, e.text);
}

/* What is free is shown and nothing else, and each page that shows it asks all of them. So it takes no word of what follows:
 * it is decided by the word that comes next, which is some other call's. */
static void decide_hosts(struct rpc_stream *s, struct said *said)
{
	struct reader ahead = words;
	struct err e;

	switch (reader_left(&ahead) ? reader_u8(&ahead) % MANAGERS_WORDS : MANAGERS_HONEST) {
	case MANAGERS_DOWN:
		fail(said, ERR_UNAVAILABLE, "nobody is there");
		break;
	case MANAGERS_REFUSES:
		fail(said, ERR_DENIED, "for operators alone");
		break;
	case MANAGERS_SILENT:
		break;
	case MANAGERS_LIES:
		if (answer_make(s->method->response, &ahead, &said->message, &e) == 0)
			said->times = 1;
		else
			fail(said, e.code, e.text);
		break;
	default:
		do_hosts(s, said);
	}
}

static void decide(struct rpc_stream *s, struct said *said)
{
	if (strcmp(s->method->path, PROTO_MANAGER_LIST_HOSTS) == 0) {
		decide_hosts(s, said);
		return;
	}
	switch (reader_left(&words) ? reader_u8(&words) % MANAGERS_WORDS : MANAGERS_HONEST) {
	case MANAGERS_DOWN:
		fail(said, ERR_UNAVAILABLE, "nobody is there");
		break;
	case MANAGERS_LOSES:
		do_truly(s, said);
		fail(said, ERR_UNAVAILABLE, "the connection was lost");
		break;
	case MANAGERS_REFUSES:
		fail_as_said(s, said);
		break;
	case MANAGERS_DOUBTS:
		do_truly(s, said);
		fail_as_said(s, said);
		break;
	case MANAGERS_ENDS:
		end_before(s);
		do_truly(s, said);
		break;
	case MANAGERS_GOES:
		go_over(s);
		do_truly(s, said);
		break;
	case MANAGERS_SILENT:
		break;
	case MANAGERS_TWICE:
		do_truly(s, said);
		said->times *= 2;
		break;
	case MANAGERS_SLOW:
		be_slow(s, said);
		break;
	case MANAGERS_LIES:
		lie(s, said);
		break;
	default:
		do_truly(s, said);
	}
}

/* ---- what stands for a connection ---- */

static void wait_a_turn(uv_work_t *work)
{
}

static void on_turn(uv_work_t *work, int status)
{
	struct rpc_stream *s = (struct rpc_stream *)work;
	struct said said = { .status = { .code = ERR_OK } };

	decide(s, &said);
	for (; said.times > 0; said.times--)
		s->events->message(s, said.message);
	s->events->closed(s, &said.status);
	if (said.message)
		protobuf_c_message_free_unpacked(said.message, NULL);
	protobuf_c_message_free_unpacked(s->asked, NULL);
	free(s);
}

static unsigned manager_of(struct rpc_channel *channel)
{
	for (unsigned i = 0; i < channel_count; i++)
		if (channels[i] == channel)
			return i;
	abort();
}

int __wrap_rpc_stream_open(struct rpc_channel *channel, const struct rpc_method *method,
			   const struct rpc_stream_events *events,
			   const struct rpc_stream_options *options, struct rpc_stream **stream,
			   struct err *e);
int __wrap_rpc_stream_open(struct rpc_channel *channel, const struct rpc_method *method,
			   const struct rpc_stream_events *events,
			   const struct rpc_stream_options *options, struct rpc_stream **stream,
			   struct err *e)
{
	struct rpc_stream *s;

	assert(options->timeout_ms);
	if (reader_left(&words) && words.pos[0] % MANAGERS_WORDS == MANAGERS_CUT) {
		(void)reader_u8(&words);
		return err_set(e, ERR_UNAVAILABLE, "no stream more");
	}
	s = calloc(1, sizeof(*s));
	assert(s);
	s->method = method;
	s->events = events;
	s->user = options->user;
	s->manager = manager_of(channel);
	assert(uv_queue_work(on, &s->work, wait_a_turn, on_turn) == 0);
	*stream = s;
	return 0;
}

void *__wrap_rpc_stream_user(const struct rpc_stream *s);
void *__wrap_rpc_stream_user(const struct rpc_stream *s)
{
	return s->user;
}

int __wrap_rpc_stream_send(struct rpc_stream *s, const ProtobufCMessage *message, struct err *e);
int __wrap_rpc_stream_send(struct rpc_stream *s, const ProtobufCMessage *message, struct err *e)
{
	struct said copy = { .message = NULL };

	assert(!s->asked && message->descriptor == s->method->request);
	say(&copy, message);
	s->asked = copy.message;
	return 0;
}

int __real_rpc_channel_new(uv_loop_t *loop, const struct rpc_channel_config *config,
			   struct rpc_channel **channel, struct err *e);
int __wrap_rpc_channel_new(uv_loop_t *loop, const struct rpc_channel_config *config,
			   struct rpc_channel **channel, struct err *e);
int __wrap_rpc_channel_new(uv_loop_t *loop, const struct rpc_channel_config *config,
			   struct rpc_channel **channel, struct err *e)
{
	int failed = __real_rpc_channel_new(loop, config, channel, e);

	assert(failed == 0);
	channels[channel_count++ % MANAGERS] = *channel;
	if (channel_count > MANAGERS)
		channel_count = 1;
	return failed;
}

int __wrap_manager_table_read(const char *path, struct manager_table *table, struct err *e);
int __wrap_manager_table_read(const char *path, struct manager_table *table, struct err *e)
{
	return manager_table_parse(managers_table, strlen(managers_table), path, table, e);
}

/* ---- for the target ---- */

void managers_begin(uv_loop_t *loop, const uint8_t *bytes, size_t len)
{
	on = loop;
	words = reader_over(bytes, len);
	memset(vms, 0, sizeof(vms));
	opened = 0;
	has_lied = false;
}

bool managers_have_lied(void)
{
	return has_lied;
}

const struct managers_vm *managers_vms(void)
{
	return vms;
}
