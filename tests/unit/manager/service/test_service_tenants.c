/* SPDX-License-Identifier: Apache-2.0 */
/* Tenants of one manager: each call of one of them, against what is another's and an operator's. */
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/protobuf/protobuf.h"
#include "common/rpc/conn.h"
#include "google/protobuf/empty.pb-c.h"
#include "manager/fleet/fleet_state.h"
#include "manager/service/service.h"
#include "manager/settings/calls.h"
#include "manager_paths.h"
#include "tests/fuzz/grpc_peer.h"
#include "tests/unit/folder.h"
#include "tests/unit/manager/fleet_room.h"

#include <sys/socket.h>

enum { HEARD_MAX = 64, VMS = 6 };

/* Three CVMs with one name: a's, b's and an operator's; and the test, whose user the table knows. */
struct tenants {
	struct fleet_room base;
	struct rpc_server *server;
	struct calls calls;
	struct service service;
	struct grpc_peer *peer;
	const ProtobufCMessageDescriptor *type;
	ProtobufCMessage *heard[HEARD_MAX];
	size_t count;
	char of_a[CVM_ID_LEN + 1], of_b[CVM_ID_LEN + 1], of_operator[CVM_ID_LEN + 1];
};

static struct tenants t;

static const char *path_of(const char *name)
{
	static char path[sizeof(test_folder) + 32];

	snprintf(path, sizeof(path), "%s/%s", test_folder, name);
	return path;
}

/* We are whom `line` says; there is always an operator, whom nobody is. */
static void write_table(const char *line, const char *more)
{
	char text[512];
	int len = snprintf(text, sizeof(text), "operator uid 4294967294\n%s uid %u\n%s", line,
			   (unsigned)geteuid(), more);
	struct err e;

	unlink(path_of("access.conf"));
	assert_ok(file_write(path_of("access.conf"), text, (size_t)len, 0644, &e), e);
}

static void we_are(const char *line, const char *more)
{
	struct err e;

	write_table(line, more);
	assert_ok(access_reload(t.calls.access, &e), e);
}

static void on_heard(void *data, unsigned call, const uint8_t *bytes, size_t len)
{
	struct err e;

	assert_true(t.count < HEARD_MAX);
	assert_ok(protobuf_unpack(t.type, bytes, len, &t.heard[t.count], &e), e);
	t.count++;
}

static void forget(void)
{
	for (size_t i = 0; i < t.count; i++)
		protobuf_c_message_free_unpacked(t.heard[i], NULL);
	t.count = 0;
}

static struct access_caller tenant(const char *name)
{
	struct access_caller caller = { .tenant = "" };

	for (size_t i = 0; i < ACCESS_LIMITS; i++)
		caller.limits[i] = ACCESS_NO_LIMIT;
	strcpy(caller.tenant, name);
	return caller;
}

static void create(const char *owner, char id[CVM_ID_LEN + 1])
{
	const struct access_caller caller = tenant(owner);
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 };
	struct err e;

	request.name = (char *)"same";
	assert_ok(fleet_create(t.base.fleet, &request, &caller, fleet_room_created, &told, &e), e);
	fleet_room_settle(&t.base);
	assert_int_equal(told.created, 1);
	memcpy(id, told.id, sizeof(told.id));
}

static void open_service(void)
{
	static struct config config;
	struct err e;

	write_table("tenant a", "tenant b uid 4294967293\n");
	config.access = (char *)(uintptr_t)path_of("access.conf");
	assert_ok(rpc_server_new(&t.base.loop, NULL, &t.server, &e), e);
	assert_ok(calls_open(&t.calls, &config, &e), e);
	t.service = (struct service){ t.base.fleet, t.calls.access };
	assert_ok(rpc_server_add(t.server, &service_manager, &t.service, &e), e);
	rpc_server_observe(t.server, &calls_observer, &t.calls);
}

static void open_tenants(void)
{
	memset(&t, 0, sizeof(t));
	fleet_room_fresh(&t.base, VMS);
	open_service();
	create("a", t.of_a);
	create("b", t.of_b);
	create("", t.of_operator);
}

static void close_tenants(void)
{
	forget();
	grpc_peer_free(t.peer);
	rpc_server_free(t.server);
	fleet_room_close(&t.base);
	calls_close(&t.calls);
}

static unsigned say(const char *path, const ProtobufCMessage *request,
		    const ProtobufCMessageDescriptor *type)
{
	struct listener listener = { .server = t.server };
	CLEANUP(free) uint8_t *bytes = NULL;
	int ends[2], call;
	size_t len;
	struct err e;

	forget();
	grpc_peer_free(t.peer);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	assert_ok(conn_accept(t.server, &listener, ends[0], &e), e);
	t.peer = grpc_peer_new(&t.base.loop, ends[1], on_heard, NULL);
	call = grpc_peer_call(t.peer, path, NULL, 0);
	assert_true(call >= 0);
	t.type = type;
	assert_ok(protobuf_pack(request, &bytes, &len, &e), e);
	grpc_peer_say(t.peer, (unsigned)call, bytes, len, false);
	grpc_peer_half_close(t.peer, (unsigned)call);
	grpc_peer_move(t.peer);
	return (unsigned)call;
}

static int ask(const char *path, const ProtobufCMessage *request,
	       const ProtobufCMessageDescriptor *type)
{
	unsigned call = say(path, request, type);

	assert_true(grpc_peer_said(t.peer, call)->is_over);
	return grpc_peer_said(t.peer, call)->status;
}

/* The status of each call that names a CVM. */
static int ask_info(const char *id)
{
	Manager__CVMInfoReq request = MANAGER__CVMINFO_REQ__INIT;

	request.id = (char *)(uintptr_t)id;
	return ask(PROTO_MANAGER_CVM_INFO, &request.base, &manager__cvminfo_res__descriptor);
}

static int ask_policy(const char *id)
{
	Manager__AttestationPolicyReq request = MANAGER__ATTESTATION_POLICY_REQ__INIT;

	request.id = (char *)(uintptr_t)id;
	return ask(PROTO_MANAGER_ATTESTATION_POLICY, &request.base,
		   &manager__attestation_policy_res__descriptor);
}

static int ask_vm(const char *key)
{
	Manager__GetVmReq request = MANAGER__GET_VM_REQ__INIT;

	request.id = (char *)(uintptr_t)key;
	return ask(PROTO_MANAGER_GET_VM, &request.base, &manager__vm__descriptor);
}

static int ask_console(const char *key)
{
	Manager__ConsoleReq request = MANAGER__CONSOLE_REQ__INIT;

	request.id = (char *)(uintptr_t)key;
	return ask(PROTO_MANAGER_CONSOLE, &request.base, &manager__console_part__descriptor);
}

static int ask_removal(const char *id)
{
	Manager__RemoveReq request = MANAGER__REMOVE_REQ__INIT;

	request.cvm_id = (char *)(uintptr_t)id;
	return ask(PROTO_MANAGER_REMOVE_VM, &request.base, &google__protobuf__empty__descriptor);
}

static int ask_strays(void)
{
	const Manager__ListStraysReq request = MANAGER__LIST_STRAYS_REQ__INIT;

	return ask(PROTO_MANAGER_LIST_STRAYS, &request.base, &manager__list_strays_res__descriptor);
}

static int ask_adoption(const char *id)
{
	Manager__AdoptStrayReq request = MANAGER__ADOPT_STRAY_REQ__INIT;

	request.id = (char *)(uintptr_t)id;
	return ask(PROTO_MANAGER_ADOPT_STRAY, &request.base, &manager__create_res__descriptor);
}

static int ask_images(void)
{
	const Manager__ListImagesReq request = MANAGER__LIST_IMAGES_REQ__INIT;

	return ask(PROTO_MANAGER_LIST_IMAGES, &request.base, &manager__list_images_res__descriptor);
}

static int ask_default(const char *name)
{
	Manager__SetDefaultImageReq request = MANAGER__SET_DEFAULT_IMAGE_REQ__INIT;

	request.name = (char *)(uintptr_t)name;
	return ask(PROTO_MANAGER_SET_DEFAULT_IMAGE, &request.base,
		   &google__protobuf__empty__descriptor);
}

static int ask_image_removal(const char *name)
{
	Manager__RemoveImageReq request = MANAGER__REMOVE_IMAGE_REQ__INIT;

	request.name = (char *)(uintptr_t)name;
	return ask(PROTO_MANAGER_REMOVE_IMAGE, &request.base, &google__protobuf__empty__descriptor);
}

static int ask_hosts(void)
{
	const Manager__ListHostsReq request = MANAGER__LIST_HOSTS_REQ__INIT;

	return ask(PROTO_MANAGER_LIST_HOSTS, &request.base, &manager__list_hosts_res__descriptor);
}

static int ask_more_hosts(void)
{
	Manager__AddHostReq request = MANAGER__ADD_HOST_REQ__INIT;

	request.name = (char *)(uintptr_t)"evil";
	request.uri = (char *)(uintptr_t)"qemu+unix:///system?socket=/evil";
	request.words = (char *)(uintptr_t)"tees=none address=127.0.0.2";
	return ask(PROTO_MANAGER_ADD_HOST, &request.base, &google__protobuf__empty__descriptor);
}

static int ask_drain(void)
{
	const Manager__DrainHostReq request = MANAGER__DRAIN_HOST_REQ__INIT;

	return ask(PROTO_MANAGER_DRAIN_HOST, &request.base, &google__protobuf__empty__descriptor);
}

static int ask_undrain(void)
{
	const Manager__UndrainHostReq request = MANAGER__UNDRAIN_HOST_REQ__INIT;

	return ask(PROTO_MANAGER_UNDRAIN_HOST, &request.base, &google__protobuf__empty__descriptor);
}

static int ask_host_removal(void)
{
	const Manager__RemoveHostReq request = MANAGER__REMOVE_HOST_REQ__INIT;

	return ask(PROTO_MANAGER_REMOVE_HOST, &request.base, &manager__remove_host_res__descriptor);
}

static int (*const about_hosts[])(void) = { ask_more_hosts, ask_drain, ask_undrain,
					    ask_host_removal };

static int ask_creation(const char *name)
{
	Manager__CreateReq request = fleet_room_request();

	request.name = (char *)(uintptr_t)name;
	return ask(PROTO_MANAGER_CREATE_VM, &request.base, &manager__create_res__descriptor);
}

static const Manager__ListVmsRes *list(const char *state)
{
	Manager__ListVmsReq request = MANAGER__LIST_VMS_REQ__INIT;
	Manager__VmFilter filter = MANAGER__VM_FILTER__INIT;
	char *states[] = { (char *)(uintptr_t)state };

	filter.states = states;
	filter.n_states = state != NULL;
	request.filter = &filter;
	assert_int_equal(
		ask(PROTO_MANAGER_LIST_VMS, &request.base, &manager__list_vms_res__descriptor), 0);
	return (const Manager__ListVmsRes *)t.heard[0];
}

static int (*const by_id[])(const char *id) = { ask_info, ask_policy, ask_vm, ask_console,
						ask_removal };

static void what_is_another_s_is_not_there(void **state)
{
	static const char *const nobodys[] = { "5b1c6d3e-0000-4000-8000-000000000001", "no id",
					       "" };

	open_tenants();
	for (size_t i = 0; i < ARRAY_LEN(by_id); i++) {
		assert_int_equal(by_id[i](t.of_b), ERR_NOT_FOUND);
		assert_int_equal(by_id[i](t.of_operator), ERR_NOT_FOUND);
		for (size_t k = 0; k < ARRAY_LEN(nobodys); k++)
			assert_int_equal(by_id[i](nobodys[k]), ERR_NOT_FOUND);
	}
	assert_non_null(fleet_find(t.base.fleet, t.of_b));
	assert_non_null(fleet_find(t.base.fleet, t.of_operator));
	for (size_t i = 0; i < ARRAY_LEN(by_id); i++)
		assert_int_equal(by_id[i](t.of_a),
				 by_id[i] == ask_policy ? ERR_PRECONDITION : 0); /* has none */
	assert_null(fleet_find(t.base.fleet, t.of_a));
	close_tenants();
}

static void a_tenant_s_list_has_his_own_alone(void **state)
{
	const Manager__ListVmsRes *page;
	struct fleet_told told = { 0 };
	struct err e;

	open_tenants();
	page = list(NULL);
	assert_int_equal(page->n_vms, 1);
	assert_string_equal(page->vms[0]->id, t.of_a);
	assert_string_equal(page->vms[0]->tenant, "a");
	assert_string_equal(page->next, "");
	assert_int_equal(list("exited")->n_vms, 0);
	assert_ok(fleet_remove(t.base.fleet, t.of_b, fleet_room_removed, &told, &e), e);
	fleet_room_settle(&t.base);
	assert_int_equal(list("exited")->n_vms, 0);
	assert_int_equal(ask_vm(t.of_b), ERR_NOT_FOUND);
	we_are("tenant b", "tenant a uid 4294967293\n");
	assert_int_equal(list("exited")->n_vms, 1);
	assert_int_equal(list(NULL)->n_vms, 0);
	we_are("operator", "");
	assert_int_equal(list(NULL)->n_vms, 2);
	close_tenants();
}

/* A name is each tenant's own; an operator says whose he means. */
static void names_are_each_tenant_s_own(void **state)
{
	const Manager__Vm *vm;

	open_tenants();
	assert_int_equal(ask_vm("same"), 0);
	vm = (const Manager__Vm *)t.heard[0];
	assert_string_equal(vm->id, t.of_a);
	assert_int_equal(ask_vm("b/same"), ERR_NOT_FOUND);
	assert_int_equal(ask_vm("/same"), ERR_NOT_FOUND);
	assert_int_equal(ask_creation("same"), ERR_EXISTS); /* his own, not another's */
	we_are("operator", "");
	assert_int_equal(ask_vm("same"), 0);
	vm = (const Manager__Vm *)t.heard[0];
	assert_string_equal(vm->id, t.of_operator);
	assert_int_equal(ask_vm("b/same"), 0);
	vm = (const Manager__Vm *)t.heard[0];
	assert_string_equal(vm->id, t.of_b);
	assert_string_equal(vm->tenant, "b");
	assert_int_equal(ask_vm("c/same"), ERR_NOT_FOUND);
	assert_int_equal(ask_vm("b/"), ERR_NOT_FOUND);
	close_tenants();
}

static void what_is_the_host_s_is_for_operators(void **state)
{
	open_tenants();
	assert_int_equal(ask_strays(), ERR_DENIED);
	assert_int_equal(ask_adoption(t.of_a), ERR_DENIED);
	assert_int_equal(ask_images(), ERR_DENIED);
	assert_int_equal(ask_default("x"), ERR_DENIED);
	assert_int_equal(ask_image_removal("x"), ERR_DENIED);
	assert_int_equal(ask_hosts(), ERR_DENIED);
	for (size_t i = 0; i < ARRAY_LEN(about_hosts); i++)
		assert_int_equal(about_hosts[i](), ERR_DENIED);
	we_are("operator", "");
	assert_int_equal(ask_hosts(), 0);
	assert_int_equal(((const Manager__ListHostsRes *)t.heard[0])->n_hosts, 1);
	for (size_t i = 0; i < ARRAY_LEN(about_hosts); i++)
		assert_int_equal(about_hosts[i](), ERR_PRECONDITION); /* there is one alone */
	assert_int_equal(ask_strays(), 0);
	assert_int_equal(ask_images(), 0);
	assert_int_equal(ask_default("x"), ERR_PRECONDITION); /* there is one alone */
	assert_int_equal(ask_image_removal("../x"), ERR_INVALID);
	assert_int_equal(ask_adoption(t.of_a), ERR_EXISTS);
	close_tenants();
}

static void whom_the_table_does_not_know_gets_nothing(void **state)
{
	open_tenants();
	struct err e;

	unlink(path_of("access.conf"));
	assert_ok(file_write(path_of("access.conf"), "operator uid 4294967294\n", 24, 0644, &e), e);
	assert_ok(access_reload(t.calls.access, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(by_id); i++)
		assert_int_equal(by_id[i](t.of_a), ERR_DENIED);
	assert_int_equal(ask_strays(), ERR_DENIED);
	assert_int_equal(ask_adoption(t.of_a), ERR_DENIED);
	assert_int_equal(ask_creation("x"), ERR_DENIED);
	assert_non_null(fleet_find(t.base.fleet, t.of_a));
	close_tenants();
}

static void limits_are_each_tenant_s_own(void **state)
{
	open_tenants();
	we_are("tenant a", "tenant b uid 4294967293\nlimit a cvms 2\n");
	assert_int_equal(ask_creation("second"), 0);
	assert_int_equal(ask_creation("third"), ERR_EXHAUSTED);
	we_are("tenant a", "limit a cpus 2\n");
	assert_int_equal(ask_creation("third"), ERR_EXHAUSTED);
	we_are("tenant a", "limit a cpus 64\nlimit a memory 1M\n");
	assert_int_equal(ask_creation("third"), ERR_EXHAUSTED);
	we_are("tenant b", "tenant a uid 4294967293\nlimit a cvms 2\n");
	assert_int_equal(ask_creation("third"), 0);
	close_tenants();
}

/* The words of a refusal speak of him alone. */
static void a_full_host_is_not_told_to_tenants(void **state)
{
	const struct access_caller caller = tenant("a");
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 };
	struct err e;

	open_tenants();
	request.name = (char *)"more";
	for (size_t i = 3; i < VMS; i++) {
		const struct access_caller other = tenant("b");
		Manager__CreateReq again = fleet_room_request();

		assert_ok(fleet_create(t.base.fleet, &again, &other, fleet_room_created, &told, &e),
			  e);
		fleet_room_settle(&t.base);
	}
	assert_refused(fleet_create(t.base.fleet, &request, &caller, fleet_room_created, &told, &e),
		       e, ERR_EXHAUSTED, "the host has no room for this CVM now");
	assert_null(strpbrk(e.text, "0123456789"));
	assert_refused(fleet_create(t.base.fleet, &request, NULL, fleet_room_created, &told, &e), e,
		       ERR_EXHAUSTED, "MANAGER_MAX_VMS");
	close_tenants();
}

/* What is found out only while it is made, such as a full disk. */
static void nor_is_what_is_found_full_later(void **state)
{
	static const struct {
		const char *owner, *says;
	} rows[] = { { "a", "the host has no room for this CVM now" }, { "", "as told" } };

	open_tenants();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct access_caller caller = tenant(rows[i].owner);
		Manager__CreateReq request = fleet_room_request();
		struct fleet_told told = { 0 };
		struct err e;

		request.name = (char *)"more";
		fleet_world.fail_creation = ERR_EXHAUSTED;
		assert_ok(fleet_create(t.base.fleet, &request, &caller, fleet_room_created, &told,
				       &e),
			  e);
		fleet_room_settle(&t.base);
		assert_int_equal(told.failed, 1);
		assert_int_equal(told.e.code, ERR_EXHAUSTED);
		assert_non_null(strstr(told.e.text, rows[i].says));
	}
	fleet_world.fail_creation = 0;
	close_tenants();
}

static void a_watch_tells_of_his_own_until_he_is_another(void **state)
{
	Manager__WatchVmsReq request = MANAGER__WATCH_VMS_REQ__INIT;
	char id[CVM_ID_LEN + 1];
	const Manager__VmChange *change;
	unsigned call;

	open_tenants();
	call = say(PROTO_MANAGER_WATCH_VMS, &request.base, &manager__vm_change__descriptor);
	assert_int_equal(t.count, 2); /* his one, and that this was all */
	change = (const Manager__VmChange *)t.heard[0];
	assert_string_equal(change->vm->id, t.of_a);
	assert_null(((const Manager__VmChange *)t.heard[1])->vm);
	{
		const struct access_caller other = tenant("b"), own = tenant("a");
		Manager__CreateReq more = fleet_room_request();
		struct fleet_told told = { 0 };
		struct err e;

		assert_ok(fleet_create(t.base.fleet, &more, &other, fleet_room_created, &told, &e),
			  e);
		fleet_room_settle(&t.base);
		grpc_peer_move(t.peer);
		assert_int_equal(t.count, 2);
		assert_ok(fleet_create(t.base.fleet, &more, &own, fleet_room_created, &told, &e),
			  e);
		fleet_room_settle(&t.base);
		grpc_peer_move(t.peer);
		assert_true(t.count > 2);
		for (size_t i = 2; i < t.count; i++)
			assert_string_equal(((const Manager__VmChange *)t.heard[i])->vm->tenant,
					    "a");
	}
	assert_false(grpc_peer_said(t.peer, call)->is_over);
	we_are("tenant b", "tenant a uid 4294967293\n");
	create("c", id);
	grpc_peer_move(t.peer);
	assert_true(grpc_peer_said(t.peer, call)->is_over);
	assert_int_equal(grpc_peer_said(t.peer, call)->status, ERR_DENIED);
	close_tenants();
}

/* Each method is one that tenants may call, or an operator's: whoever adds one says which. */
static void every_method_is_somebody_s(void **state)
{
	static const char *const operators[] = {
		PROTO_MANAGER_LIST_STRAYS,  PROTO_MANAGER_ADOPT_STRAY,
		PROTO_MANAGER_LIST_IMAGES,  PROTO_MANAGER_SET_DEFAULT_IMAGE,
		PROTO_MANAGER_REMOVE_IMAGE, PROTO_MANAGER_LIST_HOSTS,
		PROTO_MANAGER_ADD_HOST,     PROTO_MANAGER_DRAIN_HOST,
		PROTO_MANAGER_UNDRAIN_HOST, PROTO_MANAGER_REMOVE_HOST
	};
	size_t count = 0;

	for (size_t i = 0; i < service_manager.count; i++)
		count += calls_right(service_manager.handlers[i].method.path) == ACCESS_OPERATE;
	assert_int_equal(count, ARRAY_LEN(operators));
	for (size_t i = 0; i < ARRAY_LEN(operators); i++)
		assert_int_equal(calls_right(operators[i]), ACCESS_OPERATE);
	assert_int_equal(calls_right("/manager.ManagerService/New"), ACCESS_OPERATE);
	assert_int_equal(calls_right(PROTO_MANAGER_CREATE_VM), ACCESS_MAKE);
}

/* Whoever is another by the table that was read again hears no more. */
static void a_console_is_told_to_its_owner_alone(void **state)
{
	Manager__ConsoleReq request = MANAGER__CONSOLE_REQ__INIT;
	char path[256], id[CVM_ID_LEN + 1];
	const Manager__ConsolePart *part;
	unsigned call;
	struct err e;

	open_tenants();
	snprintf(path, sizeof(path), "%s/cvms/%s", t.base.config.state_dir, t.of_a);
	assert_ok(dir_make(path, 0700, &e), e);
	strcat(path, "/console.log");
	assert_ok(file_write(path, "hello\n", 6, 0600, &e), e);
	request.id = (char *)"same"; /* his own */
	request.follow = true;
	call = say(PROTO_MANAGER_CONSOLE, &request.base, &manager__console_part__descriptor);
	assert_int_equal(t.count, 1);
	part = (const Manager__ConsolePart *)t.heard[0];
	assert_int_equal(part->data.len, 6);
	assert_memory_equal(part->data.data, "hello\n", 6);
	we_are("tenant b", "tenant a uid 4294967293\n");
	create("c", id);
	grpc_peer_move(t.peer);
	assert_true(grpc_peer_said(t.peer, call)->is_over);
	assert_int_equal(grpc_peer_said(t.peer, call)->status, ERR_NOT_FOUND);
	close_tenants();
}

#define STRAY "11111111-2222-4333-8444-555555555555"

/* One that shares its registry asks that first whose the machine is. */
static int ask_removal_beside_others(const char *id)
{
	Manager__RemoveReq request = MANAGER__REMOVE_REQ__INIT;
	unsigned call;

	request.cvm_id = (char *)(uintptr_t)id;
	call = say(PROTO_MANAGER_REMOVE_VM, &request.base, &google__protobuf__empty__descriptor);
	fleet_room_settle(&t.base);
	grpc_peer_move(t.peer);
	assert_true(grpc_peer_said(t.peer, call)->is_over);
	return grpc_peer_said(t.peer, call)->status;
}

static void what_has_no_record_is_an_operator_s_to_remove(void **state)
{
	char domain[64];

	memset(&t, 0, sizeof(t));
	fleet_room_prepare_shared(
		&t.base, VMS,
		"host other qemu+unix:///system?socket=/o address=127.0.0.2 tees=none\n");
	fleet_room_open(&t.base);
	t.base.hosts.all[0]->is_local = true; /* its libvirt is a stand-in */
	fleet_room_connect(&t.base);
	open_service();
	snprintf(domain, sizeof(domain), "cocos-%s-0", registry_tag(t.base.registry));
	fleet_room_leave(&t.base, STRAY, domain);
	snprintf(fleet_world.domains[0].host, sizeof(fleet_world.domains[0].host), "other");
	assert_int_equal(ask_removal_beside_others(STRAY), ERR_NOT_FOUND);
	assert_int_equal(fleet_world.stops, 0);
	assert_true(stray_has_folder(&t.base.lifecycle, STRAY));
	we_are("operator", "");
	assert_int_equal(ask_removal_beside_others(STRAY), 0);
	assert_int_equal(fleet_world.stops, 1);
	assert_false(stray_has_folder(&t.base.lifecycle, STRAY));
	close_tenants();
}

static int setup(void **state)
{
	return fleet_room_make_dir(state) == 0 ? folder_make(state) : -1;
}

static int teardown(void **state)
{
	return fleet_room_remove_dir(state) == 0 ? folder_remove(state) : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLEET_ROOM_ROW(what_is_another_s_is_not_there),
		FLEET_ROOM_ROW(a_tenant_s_list_has_his_own_alone),
		FLEET_ROOM_ROW(names_are_each_tenant_s_own),
		FLEET_ROOM_ROW(what_is_the_host_s_is_for_operators),
		FLEET_ROOM_ROW(whom_the_table_does_not_know_gets_nothing),
		FLEET_ROOM_ROW(limits_are_each_tenant_s_own),
		FLEET_ROOM_ROW(a_full_host_is_not_told_to_tenants),
		FLEET_ROOM_ROW(nor_is_what_is_found_full_later),
		FLEET_ROOM_ROW(a_watch_tells_of_his_own_until_he_is_another),
		FLEET_ROOM_ROW(a_console_is_told_to_its_owner_alone),
		FLEET_ROOM_ROW(what_has_no_record_is_an_operator_s_to_remove),
		cmocka_unit_test(every_method_is_somebody_s),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
