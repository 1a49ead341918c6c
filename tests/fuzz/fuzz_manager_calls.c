/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to a manager in any order, on two connections, while libvirt, the steps of creating and removing
 * and the image do what the input says (they are played, as in the unit tests of the fleet).
 *
 * Input: commands with their operands, as command() reads them. When all is settled nobody waits, no CVM
 * has two places, and an answer names what there is.
 */
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/protobuf/protobuf.h"
#include "common/rpc/conn.h"
#include "google/protobuf/empty.pb-c.h"
#include "manager.pb-c.h"
#include "manager/fleet/fleet_state.h"
#include "manager/service/service.h"
#include "manager_paths.h"
#include "tests/fuzz/grpc_peer.h"
#include "tests/fuzz/orders_manager.h"
#include "tests/unit/manager/fleet_room.h"

#include <assert.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMANDS_MAX = 48, USERS = 2, VMS = 2 };

static struct fleet_room room;
static struct rpc_server *server;
static struct service service;
static struct grpc_peer *users[USERS];
static char ids[IDS][CVM_ID_LEN + 1] = {
	[ID_STRAY] = "5b1c6d3e-0000-4000-8000-000000000001", [ID_NONE] = "../../etc"
};
static unsigned created;
static char cursor[128], stray_cursor[LOG_QUOTE_MAX];
static char place[128];
static bool asks_strays[USERS][GRPC_PEER_CALLS];
static bool watches[USERS][GRPC_PEER_CALLS], streams[USERS][GRPC_PEER_CALLS],
	follows[USERS][GRPC_PEER_CALLS];

/* ---- the world ---- */

static void on_answer(void *data, unsigned call, const uint8_t *bytes, size_t len)
{
	static const ProtobufCMessageDescriptor *const kinds[] = {
		&manager__create_res__descriptor,
		&manager__cvminfo_res__descriptor,
		&manager__list_strays_res__descriptor,
		&manager__attestation_policy_res__descriptor,
		&google__protobuf__empty__descriptor,
		&manager__list_vms_res__descriptor,
		&manager__vm__descriptor,
		&manager__vm_change__descriptor,
		&manager__console_part__descriptor,
		&manager__list_images_res__descriptor,
		&manager__list_hosts_res__descriptor,
		&manager__remove_host_res__descriptor,
	};
	bool fits = false;
	ProtobufCMessage *page;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(kinds) && !fits; i++)
		fits = protobuf_check(kinds[i], bytes, len, &e) == 0;
	assert(fits);
	if (streams[data == &users[1]][call] &&
	    protobuf_unpack(&manager__console_part__descriptor, bytes, len, &page, &e) == 0) {
		assert(((Manager__ConsolePart *)page)->data.len > 0);
		snprintf(place, sizeof(place), "%s", ((Manager__ConsolePart *)page)->cursor);
		protobuf_c_message_free_unpacked(page, NULL);
		return;
	}
	if (asks_strays[data == &users[1]][call] &&
	    protobuf_unpack(&manager__list_strays_res__descriptor, bytes, len, &page, &e) == 0) {
		snprintf(stray_cursor, sizeof(stray_cursor), "%s",
			 ((Manager__ListStraysRes *)page)->next);
		protobuf_c_message_free_unpacked(page, NULL);
		return;
	}
	if (protobuf_unpack(&manager__list_vms_res__descriptor, bytes, len, &page, &e) < 0)
		return;
	snprintf(cursor, sizeof(cursor), "%s", ((Manager__ListVmsRes *)page)->next);
	protobuf_c_message_free_unpacked(page, NULL);
}

/* What an earlier manager left. */
static void record(unsigned slot, enum cvm_step step, int64_t expires_ms)
{
	struct cvm cvm = { .step = step,
			   .slot = slot,
			   .port = (uint16_t)(7160 + slot),
			   .created_ms = expires_ms ? 1 : 0,
			   .expires_ms = expires_ms,
			   .cpus = 1,
			   .expected = "{}" };
	struct err e;

	snprintf(cvm.id, sizeof(cvm.id), "5b1c6d3e-0000-4000-8000-00000000001%u", slot);
	memcpy(ids[slot], cvm.id, sizeof(ids[slot]));
	assert(registry_add(room.registry, &cvm, &e) == 0);
}

static void on_health(void *data, bool serving)
{
	assert(data == &room);
}

static void leave_folder(void)
{
	(void)fleet_room_remove_dir(NULL);
}

static void enter(uint8_t flags)
{
	struct err e;

	for (size_t i = 0; i < ID_STRAY; i++)
		ids[i][0] = '\0';
	if (flags & FLAG_TABLE)
		fleet_room_prepare_hosts(&room, VMS, "host here qemu:///system tees=none\n");
	else
		fleet_room_prepare(&room, VMS);
	room.config.max_cpus = 2;
	room.config.total_cpus = 3;
	if (flags & FLAG_RUNS)
		record(0, CVM_RUNNING, 0);
	if (flags & FLAG_LATE)
		record(1, CVM_RUNNING, 2);
	if (flags & FLAG_HALF)
		record(2, CVM_DOMAIN, 0);
	fleet_room_open(&room);
	(void)fleet_health(room.fleet, on_health, &room);
	assert(rpc_server_new(&room.loop, NULL, &server, &e) == 0);
	assert(access_open(NULL, 1, &service.access, &e) == 0);
	service.fleet = room.fleet;
	assert(rpc_server_add(server, &service_manager, &service, &e) == 0);
	created = 0;
	cursor[0] = place[0] = '\0';
}

static void leave(bool stops)
{
	if (stops) { /* as the daemon does, with readers still there */
		fleet_end_watches(room.fleet);
		(void)fleet_only_dials(room.fleet);
		(void)fleet_ended(room.fleet, CVM_ENDED);
		grpc_peer_settle(&room.loop);
	}
	for (size_t i = 0; i < USERS; i++)
		grpc_peer_free(TAKE_PTR(users[i]));
	rpc_server_free(server);
	fleet_room_close(&room);
	access_close(service.access);
	(void)fleet_room_clear(NULL);
}

static void connect_to(size_t i)
{
	const struct listener listener = { .server = server };
	struct err e;
	int ends[2];

	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	assert(conn_accept(server, &listener, ends[0], &e) == 0);
	memset(watches[i], 0, sizeof(watches[i]));
	memset(asks_strays[i], 0, sizeof(asks_strays[i]));
	memset(streams[i], 0, sizeof(streams[i]));
	users[i] = grpc_peer_new(&room.loop, ends[1], on_answer, &users[i]);
}

/* ---- what is asked ---- */

static void ask(struct grpc_peer *u, const char *path, const ProtobufCMessage *m)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	int call = grpc_peer_call(u, path, NULL, 0);
	size_t len;
	struct err e;

	if (call < 0)
		return;
	asks_strays[u == users[1]][call] = strcmp(path, PROTO_MANAGER_LIST_STRAYS) == 0;
	watches[u == users[1]][call] = strcmp(path, PROTO_MANAGER_WATCH_VMS) == 0;
	streams[u == users[1]][call] = strcmp(path, PROTO_MANAGER_CONSOLE) == 0;
	follows[u == users[1]][call] =
		streams[u == users[1]][call] && ((const Manager__ConsoleReq *)m)->follow;
	assert(protobuf_pack(m, &bytes, &len, &e) == 0);
	grpc_peer_say(u, (unsigned)call, bytes, len, false);
	grpc_peer_half_close(u, (unsigned)call);
}

static char *words(uint8_t how)
{
	static const char *const all[] = { "ward-7", "st.mary", "A",
					   "5b1c6d3e-0000-4000-8000-000000000001" };

	return (char *)(uintptr_t)all[how % ARRAY_LEN(all)];
}

/* Two, of which the second may be no label, or the same. */
static Manager__Label **labels(uint8_t how)
{
	static const char *const keys[] = { "b", "a", "a,b", "" };
	static const char *const values[] = { "1", "", "x=y", "2" };
	static Manager__Label all[2], *rows[2] = { &all[0], &all[1] };

	for (size_t i = 0; i < 2; i++)
		manager__label__init(&all[i]);
	all[0].key = (char *)(uintptr_t)"b";
	all[0].value = (char *)(uintptr_t)"1";
	all[1].key = (char *)(uintptr_t)keys[how % ARRAY_LEN(keys)];
	all[1].value = (char *)(uintptr_t)values[how % ARRAY_LEN(values)];
	return rows;
}

static Manager__VmFilter *filter(uint8_t how)
{
	static char *states[] = { (char *)"running", (char *)"exited", (char *)"removing",
				  (char *)"Lost" };
	static char *tees[] = { (char *)"none", (char *)"snp", (char *)"sgx", (char *)"tdx" };
	static Manager__VmFilter f;
	uint8_t word = (how & VM_WORDS) >> 2;

	manager__vm_filter__init(&f);
	switch (how & VM_FILTER) {
	case 0:
		return NULL;
	case 1:
		f.states = &states[word];
		f.n_states = word < 2 ? 2 : 1;
		break;
	case 2:
		f.tees = &tees[word];
		f.n_tees = 1;
		break;
	default:
		f.name = how & VM_FEW ? words(word) : f.name;
		f.labels = labels(word);
		f.n_labels = how & VM_FEW ? 0 : 2;
	}
	return &f;
}

static void ask_list(struct grpc_peer *u, uint8_t how)
{
	static const char *const cursors[] = { "", cursor, "10000000000.0.0", "../x" };
	Manager__ListVmsReq m = MANAGER__LIST_VMS_REQ__INIT;

	m.filter = filter(how);
	m.limit = how & VM_FEW ? 1 : 0;
	m.cursor = (char *)(uintptr_t)cursors[(how & VM_FROM) >> 5];
	ask(u, PROTO_MANAGER_LIST_VMS, &m.base);
}

static void ask_watch(struct grpc_peer *u, uint8_t how)
{
	const uint64_t now = fleet_revision(room.fleet), from[] = { 0, now, 1, UINT64_MAX };
	Manager__WatchVmsReq m = MANAGER__WATCH_VMS_REQ__INIT;

	m.filter = filter(how);
	m.revision = from[(how & VM_FROM) >> 5];
	ask(u, PROTO_MANAGER_WATCH_VMS, &m.base);
}

static void ask_get(struct grpc_peer *u, uint8_t how, const char *id)
{
	Manager__GetVmReq m = MANAGER__GET_VM_REQ__INIT;

	m.id = how & CREATE_NAMED ? words(how >> 3) : (char *)(uintptr_t)id;
	ask(u, PROTO_MANAGER_GET_VM, &m.base);
}

static void ask_console(struct grpc_peer *u, uint8_t how, const char *id)
{
	static const char *const cursors[] = { "", "", place, "1.0", "../x", "", place, "1." };
	static const uint32_t lines[] = { 0, 1, 0, 0, 0, UINT32_MAX, 3, 0 };
	Manager__ConsoleReq m = MANAGER__CONSOLE_REQ__INIT;

	m.id = (char *)(uintptr_t)id;
	m.follow = how & CONSOLE_FOLLOW;
	m.cursor = (char *)(uintptr_t)cursors[(how & CONSOLE_FROM) >> 4];
	m.lines = lines[(how & CONSOLE_FROM) >> 4];
	ask(u, PROTO_MANAGER_CONSOLE, &m.base);
}

/* The folder of the images is one of the registry, without any. */
static void ask_image(struct grpc_peer *u, uint8_t how)
{
	static const char *const names[] = { "one", "../one", "", "default" };
	char *name = (char *)(uintptr_t)names[how >> 2 & 3];
	Manager__ListImagesReq list = MANAGER__LIST_IMAGES_REQ__INIT;
	Manager__SetDefaultImageReq choose = MANAGER__SET_DEFAULT_IMAGE_REQ__INIT;
	Manager__RemoveImageReq remove = MANAGER__REMOVE_IMAGE_REQ__INIT;

	choose.name = remove.name = name;
	if (how % 4 == 0)
		ask(u, PROTO_MANAGER_LIST_IMAGES, &list.base);
	else if (how % 4 == 1)
		ask(u, PROTO_MANAGER_SET_DEFAULT_IMAGE, &choose.base);
	else
		ask(u, PROTO_MANAGER_REMOVE_IMAGE, &remove.base);
}

/* Without a table of them the one is listed, and the rest refused. */
static void ask_host(struct grpc_peer *u, uint8_t how)
{
	Manager__ListHostsReq list = MANAGER__LIST_HOSTS_REQ__INIT;
	Manager__AddHostReq add = MANAGER__ADD_HOST_REQ__INIT;
	Manager__DrainHostReq drain = MANAGER__DRAIN_HOST_REQ__INIT;
	Manager__UndrainHostReq undrain = MANAGER__UNDRAIN_HOST_REQ__INIT;
	Manager__RemoveHostReq remove = MANAGER__REMOVE_HOST_REQ__INIT;
	static const struct {
		const char *name, *uri;
	} hosts[HOST_NAMES] = {
		{ "", "" },
		{ "b", "qemu+unix:///system?socket=/b" },
		{ "c", "qemu+unix:///system?socket=/c" },
		{ "here", "qemu:///system" },
	};
	static const char *const said[] = { "tees=none address=127.0.0.2",
					    "tees=none\taddress=127.0.0.2 state=draining",
					    "tees=snp address=127.0.0.2 machines=1", "tees" };
	size_t which = how / HOST_NAME % HOST_NAMES;
	const struct {
		const char *path;
		const ProtobufCMessage *message;
	} all[HOST_REQUESTS] = {
		[HOST_LIST] = { PROTO_MANAGER_LIST_HOSTS, &list.base },
		[HOST_ADD] = { PROTO_MANAGER_ADD_HOST, &add.base },
		[HOST_DRAIN] = { PROTO_MANAGER_DRAIN_HOST, &drain.base },
		[HOST_UNDRAIN] = { PROTO_MANAGER_UNDRAIN_HOST, &undrain.base },
		[HOST_REMOVE] = { PROTO_MANAGER_REMOVE_HOST, &remove.base },
	};

	add.name = drain.name = undrain.name = remove.name = (char *)(uintptr_t)hosts[which].name;
	add.uri = (char *)(uintptr_t)hosts[which].uri;
	add.words = (char *)(uintptr_t)said[how / HOST_WORDS % ARRAY_LEN(said)];
	ask(u, all[how % HOST_REQUESTS].path, all[how % HOST_REQUESTS].message);
}

static void ask_create(struct grpc_peer *u, uint8_t how)
{
	static const char *const ttls[] = { "", "1h", "1ms", "-1s", "9999999h", "x" };
	Manager__CreateReq m = fleet_room_request();

	m.ttl = (char *)(uintptr_t)ttls[how & CREATE_NAMED ? how & 1 : how % ARRAY_LEN(ttls)];
	if (how & CREATE_NAMED) {
		m.name = words(how >> 3);
		m.n_labels = how & 1 ? 2 : 1;
		m.labels = labels(how >> 3);
	} else {
		m.cpus = (how & CREATE_NAMES) >> 3; /* three are too many */
	}
	if (how & 0x40)
		m.agent_cvm_server_url = (char *)(uintptr_t)"a b";
	if (how & 0x80)
		m.agent_cvm_client_key =
			(ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)"key", .len = 3 };
	ask(u, PROTO_MANAGER_CREATE_VM, &m.base);
}

static void ask_about(struct grpc_peer *u, enum request what, uint8_t how, const char *name)
{
	char *id = (char *)(uintptr_t)name;
	Manager__RemoveReq remove = MANAGER__REMOVE_REQ__INIT;
	Manager__CVMInfoReq info = MANAGER__CVMINFO_REQ__INIT;
	Manager__AttestationPolicyReq policy = MANAGER__ATTESTATION_POLICY_REQ__INIT;
	static const char *const cursors[] = { "", stray_cursor, "'x", "none" };
	Manager__ListStraysReq list = MANAGER__LIST_STRAYS_REQ__INIT;
	Manager__AdoptStrayReq adopt = MANAGER__ADOPT_STRAY_REQ__INIT;

	list.limit = how & VM_FEW ? 1 : 0;
	list.cursor = (char *)(uintptr_t)cursors[(how & VM_FROM) >> 5];
	remove.cvm_id = info.id = policy.id = adopt.id = id;
	switch (what) {
	case ASK_REMOVE:
	case ASK_REMOVE_TOO:
		ask(u, PROTO_MANAGER_REMOVE_VM, &remove.base);
		break;
	case ASK_INFO:
		ask(u, PROTO_MANAGER_CVM_INFO, &info.base);
		break;
	case ASK_POLICY:
		ask(u, PROTO_MANAGER_ATTESTATION_POLICY, &policy.base);
		break;
	case ASK_LIST:
		ask(u, PROTO_MANAGER_LIST_STRAYS, &list.base);
		break;
	case ASK_LIST_VMS:
		ask_list(u, how);
		break;
	case ASK_GET_VM:
		ask_get(u, how, name);
		break;
	case ASK_WATCH_VMS:
		ask_watch(u, how);
		break;
	case ASK_IMAGE:
		ask_image(u, how);
		break;
	case ASK_HOST:
		ask_host(u, how);
		break;
	case ASK_CONSOLE:
		ask_console(u, how, ids[(how & 7) % IDS]);
		break;
	default:
		ask(u, PROTO_MANAGER_ADOPT_STRAY, &adopt.base);
	}
}

/* ---- what happens ---- */

static void leave_stray(uint8_t how)
{
	char domain[64] = "";
	struct cvm *saved = &fleet_world.saved;

	if (fleet_world.domain_count == ARRAY_LEN(fleet_world.domains))
		return;
	if (how & 1)
		lifecycle_name(&room.lifecycle, (how >> 1) % 4u, domain);
	fleet_room_leave(&room, ids[ID_STRAY], domain);
	if (how & STRAY_AND_OTHER)
		fleet_room_leave(&room, "other", "");
	*saved = (struct cvm){
		.step = CVM_RUNNING, .slot = (how >> 1) % 4u, .port = 7150, .cpus = 1
	};
	if (how & 0x10)
		memcpy(saved->id, ids[ID_STRAY], sizeof(saved->id));
}

/* A machine says something, and what rotates files does that. */
static void console_says(uint8_t how, const char *id)
{
	static const char text[] = "a line\n\x1b[2J\xff\0another\n";
	char path[256], older[264];
	struct stat st;
	FILE *file;
	struct err e;

	if (!cvm_id_is_valid(id))
		return;
	snprintf(path, sizeof(path), "%s/cvms/%s", room.config.state_dir, id);
	assert(dir_make(path, 0700, &e) == 0);
	strcat(path, "/console.log");
	snprintf(older, sizeof(older), "%s.0", path);
	if (how & CONSOLE_RENAMED)
		(void)rename(path, older);
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		assert(unlink(path) == 0);
	if (how & CONSOLE_PIPE) {
		unlink(path);
		assert(mkfifo(path, 0600) == 0);
		return;
	}
	file = fopen(path, how & CONSOLE_EMPTIED ? "w" : "a");
	assert(file);
	for (int i = 0; i < (how & CONSOLE_MUCH ? 4096 : 1); i++)
		assert(fwrite(text, 1, sizeof(text) - 1, file) == sizeof(text) - 1);
	assert(fclose(file) == 0);
}

static void notice(uint8_t how, const char *id)
{
	struct virt_notice n = { .event = (enum virt_event)(how % 4) };
	const struct vm_host *from = room.hosts.all[how & NOTICE_SECOND ? 1 : 0];

	memcpy(n.uuid, id, strnlen(id, VIRT_UUID_LEN));
	lifecycle_name(&room.lifecycle, how >> 6, n.name);
	if (from)
		fleet_notice(room.fleet, from, &n);
}

static void happen(enum happening what, uint8_t how, const char *id)
{
	static const int codes[] = { 0, ERR_UNAVAILABLE, ERR_EXHAUSTED };

	switch (what) {
	case HAPPEN_CREATION:
		fleet_world.fail_creation = codes[how & 1 ? 1 : how & 2];
		fleet_world.leave_step = how >> 2 & 7;
		break;
	case HAPPEN_REMOVAL:
		fleet_world.fail_removals = how & 3;
		fleet_world.begins_removal = how & 4;
		break;
	case HAPPEN_HOST:
		fleet_world.lacks_image = how & 1;
		fleet_world.fail_connects = how >> 1 & 3;
		fleet_world.vanish = how & 8;
		break;
	case HAPPEN_STRAY:
		leave_stray(how);
		break;
	case HAPPEN_NO_DOMAINS:
		fleet_world.domain_count = 0;
		break;
	case HAPPEN_LOOK:
		fleet_health_look(room.fleet);
		break;
	case HAPPEN_CONSOLE:
		console_says(how, id);
		break;
	default:
		notice(how, id);
	}
}

/* ---- what must hold ---- */

/* Everything that there is has one last change, and they are in order. */
static void check_changes(const struct fleet *f)
{
	struct fleet_changes changes = fleet_changes_after(f, 0);
	struct vm_view view;
	uint64_t last = 0;
	const struct slot *slot;
	unsigned alive = 0;

	while (fleet_changes_next(&changes, &view)) {
		assert(view.revision > last && view.revision <= fleet_revision(f));
		last = view.revision;
		alive += view.cvm != NULL;
	}
	for (unsigned i = 0; (slot = fleet_slot_next(f, &i));)
		alive -= slot->state != SLOT_FREE;
	assert(alive == 0);
}

static void check(void)
{
	const struct fleet *f = room.fleet;
	const struct slot *s, *later;

	check_changes(f);
	assert(f->jobs == 0 && !f->asks);
	assert(!f->changes_hosts && !f->removed_count);
	for (size_t i = 0; i < f->host_count; i++)
		assert(!f->hosts[i]->leaving && !f->hosts[i]->removed);
	for (unsigned i = 0; (s = fleet_slot_next(f, &i));) {
		assert(!s->waiters && s->state != SLOT_CREATING && s->state != SLOT_REMOVING);
		if (s->state == SLOT_FREE)
			continue;
		/* None is on a host that is not there any more. */
		assert(s->host == fleet_host_find(room.fleet, s->cvm.host) && s->host);
		assert(cvm_id_is_valid(s->cvm.id) && cvm_labels_are_valid(s->cvm.labels));
		assert((fleet_find(f, s->cvm.id) == &s->cvm) == (s->state == SLOT_RUNNING));
		for (unsigned n = i; (later = fleet_slot_next(f, &n));)
			assert(later->state == SLOT_FREE ||
			       (strcmp(later->cvm.id, s->cvm.id) != 0 &&
				(!s->cvm.name[0] || strcmp(later->cvm.name, s->cvm.name) != 0)));
	}
	for (size_t i = 0; i < USERS; i++)
		for (unsigned n = 0; users[i] && n < GRPC_PEER_CALLS; n++) {
			const struct grpc_said *said = grpc_peer_said(users[i], n);

			/* A watch goes on, and has said what there is. */
			if (said->is_used && watches[i][n]) {
				assert(said->is_over || said->messages);
				continue;
			}
			if (said->is_used && streams[i][n]) {
				assert(said->is_over || follows[i][n]);
				continue;
			}
			/* The others are unary calls: when all is settled each has its answer. */
			assert(!said->is_used || said->is_over);
			assert(!said->is_used || said->status != ERR_OK || said->messages == 1);
		}
}

/* ---- the commands ---- */

static void settle(void)
{
	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < USERS; i++)
			if (users[i])
				grpc_peer_move(users[i]);
		while (fleet_is_busy(room.fleet))
			uv_run(&room.loop, UV_RUN_ONCE);
	}
	grpc_peer_settle(&room.loop);
	if (fleet_world.created[0] &&
	    strcmp(fleet_world.created, ids[(created + ID_STRAY - 1) % ID_STRAY]))
		memcpy(ids[created++ % ID_STRAY], fleet_world.created, sizeof(ids[0]));
}

static void command(struct reader *r)
{
	uint8_t what = reader_u8(r), operand = reader_u8(r);
	size_t user = what & 1;
	const char *id = ids[operand % IDS];

	if ((what & ORDERS) == ORDER_HANG_UP) {
		grpc_peer_free(TAKE_PTR(users[user]));
		return;
	}
	if ((what & ORDERS) == ORDER_HAPPEN) {
		happen((what >> 1 & 15) % HAPPENINGS, operand, ids[(operand >> 2 & 7) % IDS]);
		return;
	}
	if (!users[user])
		connect_to(user);
	if ((what & ORDERS) == ORDER_CANCEL) {
		if (grpc_peer_said(users[user], operand % GRPC_PEER_CALLS)->is_used)
			grpc_peer_cancel(users[user], operand % GRPC_PEER_CALLS);
	} else if (what < ORDER_ASK) {
		ask_create(users[user], operand);
	} else {
		ask_about(users[user], (what >> 1 & 15) % ASKS, operand, id);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static bool prepared;
	struct reader r = reader_over(bytes, len);
	uint8_t flags = reader_u8(&r);

	if (!prepared) {
		log_set(LOG_LEVEL_ERROR);
		setenv("UV_THREADPOOL_SIZE", "1", 1);
		assert(fleet_room_make_dir(NULL) == 0);
		atexit(leave_folder);
		prepared = true;
	}
	enter(flags);
	for (int i = 0; i < COMMANDS_MAX && reader_ok(&r) && reader_left(&r) >= 2; i++) {
		command(&r);
		if (flags & FLAG_CROWDED && i % 2)
			continue;
		settle();
		check();
	}
	leave(flags & FLAG_STOPS);
	return 0;
}
