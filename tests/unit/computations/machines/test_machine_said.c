/* SPDX-License-Identifier: Apache-2.0 */
/* What managers say: of a CVM, and of what is free on their hosts. */
#include "common/base/cleanup.h"
#include "common/rpc/stream.h"
#include "computations/machines/machine_free.h"
#include "computations/machines/machine_said.h"
#include "computations/machines/machine_task.h"
#include "tests/unit.h"

#define ID    "5b1c6d3e-0000-4000-8000-00000000000a"
#define OTHER "5b1c6d3e-0000-4000-8000-00000000000b"

static Manager__CreateRes created(const char *id, const char *port, const char *host)
{
	Manager__CreateRes m = MANAGER__CREATE_RES__INIT;

	m.cvm_id = (char *)(uintptr_t)id;
	m.forwarded_port = (char *)(uintptr_t)port;
	m.host_address = (char *)(uintptr_t)host;
	return m;
}

static void what_was_made_is_read(void **state)
{
	Manager__CreateRes m = created(ID, "7100", "");
	struct machine_said said;
	struct err e;

	assert_ok(machine_said_created(&m, "unix:/m", &said, &e), e);
	assert_string_equal(said.id, ID);
	assert_string_equal(said.address, "127.0.0.1:7100");
	assert_ok(machine_said_created(&m, "m.example:7", &said, &e), e);
	assert_string_equal(said.address, "m.example:7100");
	m.host_address = (char *)(uintptr_t)"10.0.0.3";
	assert_ok(machine_said_created(&m, "m.example:7", &said, &e), e);
	assert_string_equal(said.address, "10.0.0.3:7100");
}

static void what_can_not_have_been_made_is_refused(void **state)
{
	static const struct {
		const char *id, *port, *host;
	} rows[] = {
		{ "", "7100", "" },
		{ "5b1c6d3e-0000-4000-8000-00000000000", "7100", "" },
		{ ID "0", "7100", "" },
		{ "5B1C6D3E-0000-4000-8000-00000000000A", "7100", "" },
		{ "5b1c6d3e00000-4000-8000-00000000000a", "7100", "" },
		{ "5b1c6d3e-0000-4000-8000-0000000000-a", "7100", "" },
		{ ID, "", "" },
		{ ID, "0", "" },
		{ ID, "65536", "" },
		{ ID, "000001", "" },
		{ ID, "-1", "" },
		{ ID, "7100", "a b" },
		{ ID, "7100", "$(id)" },
		{ ID, "7100", "a\n" },
	};
	struct machine_said said;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		Manager__CreateRes m = created(rows[i].id, rows[i].port, rows[i].host);

		assert_int_equal(machine_said_created(&m, "unix:/m", &said, &e), -ERR_DATA_LOSS);
	}
}

static void a_host_may_be_so_long(void **state)
{
	char host[REACH_MAX] = "";
	struct machine_said said;
	struct err e;

	memset(host, 'a', REACH_MAX - sizeof(":65535") - 1);
	Manager__CreateRes m = created(ID, "65535", host);
	assert_ok(machine_said_created(&m, "unix:/m", &said, &e), e);
	host[strlen(host)] = 'a';
	assert_int_equal(machine_said_created(&m, "unix:/m", &said, &e), -ERR_DATA_LOSS);
}

static Manager__Vm vm(const char *state, const char *reason)
{
	Manager__Vm m = MANAGER__VM__INIT;

	m.id = (char *)(uintptr_t)ID;
	m.name = (char *)(uintptr_t)"tag";
	m.state = (char *)(uintptr_t)state;
	m.exit_reason = (char *)(uintptr_t)reason;
	m.forwarded_port = 7100;
	return m;
}

static void each_state_is_a_fate(void **state)
{
	static const struct {
		const char *state, *reason;
		enum machine_fate fate;
	} rows[] = {
		{ "creating", "", MACHINE_FATE_COMING },
		{ "running", "", MACHINE_FATE_RUNNING },
		{ "lost", "", MACHINE_FATE_UNKNOWN },
		{ "removing", "failed", MACHINE_FATE_GOING },
		{ "exited", "abandoned", MACHINE_FATE_LEFT_US },
		{ "exited", "interrupted", MACHINE_FATE_LEFT_US },
		{ "exited", "expired", MACHINE_FATE_EXPIRED },
		{ "exited", "removed", MACHINE_FATE_GONE },
		{ "exited", "ended", MACHINE_FATE_GONE },
		{ "exited", "failed", MACHINE_FATE_GONE },
		{ "exited", "", MACHINE_FATE_GONE },
		{ "exited", "anything", MACHINE_FATE_GONE },
	};
	struct machine_said said;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		Manager__Vm m = vm(rows[i].state, rows[i].reason);

		assert_ok(machine_said_vm(&m, "unix:/m", "tag", ID, &said, &e), e);
		assert_int_equal(said.fate, rows[i].fate);
		assert_true(*said.words);
		assert_int_equal(*said.address != 0, said.fate == MACHINE_FATE_RUNNING);
		assert_ok(machine_said_vm(&m, "unix:/m", "tag", "", &said, &e), e);
		assert_string_equal(said.id, ID);
	}
}

static void of_another_nothing_is_believed(void **state)
{
	Manager__Vm m = vm("running", "");
	struct machine_said said;
	struct err e;

	assert_refused(machine_said_vm(&m, "unix:/m", "other", ID, &said, &e), e, ERR_DATA_LOSS,
		       "not asked for");
	assert_refused(machine_said_vm(&m, "unix:/m", "tag", OTHER, &said, &e), e, ERR_DATA_LOSS,
		       "the id of another one");
	m.forwarded_port = 65536;
	assert_refused(machine_said_vm(&m, "unix:/m", "tag", ID, &said, &e), e, ERR_DATA_LOSS,
		       "no port");
	m = vm("Running", "");
	assert_refused(machine_said_vm(&m, "unix:/m", "tag", ID, &said, &e), e, ERR_DATA_LOSS,
		       "no such state");
	m = vm("running", "");
	m.id = (char *)(uintptr_t)"cvm-1";
	assert_refused(machine_said_vm(&m, "unix:/m", "tag", "", &said, &e), e, ERR_DATA_LOSS,
		       "no UUID");
}

static void tags_are_names_that_no_other_has(void **state)
{
	char one[MACHINE_TAG_LEN + 1], two[MACHINE_TAG_LEN + 1];
	struct err e;

	assert_ok(machine_tag_make(one, &e), e);
	assert_ok(machine_tag_make(two, &e), e);
	assert_int_equal(strlen(one), MACHINE_TAG_LEN);
	assert_int_equal(strspn(one + 6, "0123456789abcdef"), 32);
	assert_string_not_equal(one, two);
}

/* ---- what is free: a stream that the test plays ---- */

static struct {
	const struct rpc_stream_events *events;
	void *user;
	int failure; /* of the next that is opened */
	unsigned sent;
} played;

int __wrap_rpc_stream_open(struct rpc_channel *channel, const struct rpc_method *method,
			   const struct rpc_stream_events *events,
			   const struct rpc_stream_options *options, struct rpc_stream **stream,
			   struct err *e);
int __wrap_rpc_stream_open(struct rpc_channel *channel, const struct rpc_method *method,
			   const struct rpc_stream_events *events,
			   const struct rpc_stream_options *options, struct rpc_stream **stream,
			   struct err *e)
{
	if (played.failure)
		return err_set(e, ERR_UNAVAILABLE, "no way there");
	played.events = events;
	played.user = options->user;
	assert_int_equal(options->timeout_ms, MACHINE_FREE_MS);
	return 0;
}

int __wrap_rpc_stream_send(struct rpc_stream *stream, const ProtobufCMessage *message,
			   struct err *e);
int __wrap_rpc_stream_send(struct rpc_stream *stream, const ProtobufCMessage *message,
			   struct err *e)
{
	played.sent++;
	return 0;
}

void *__wrap_rpc_stream_user(const struct rpc_stream *stream);
void *__wrap_rpc_stream_user(const struct rpc_stream *stream)
{
	return played.user;
}

struct rpc_channel *__wrap_manager_link_channel(const struct manager_link *link);
struct rpc_channel *__wrap_manager_link_channel(const struct manager_link *link)
{
	return NULL;
}

const char *__wrap_manager_link_name(const struct manager_link *link);
const char *__wrap_manager_link_name(const struct manager_link *link)
{
	return "here";
}

static struct {
	unsigned times;
	bool has_failed;
	struct machine_free free;
	struct err e;
} answer;

static void answered(void *data, const struct machine_free *free, const struct err *e)
{
	assert_true(!free == !!e);
	answer.times++;
	answer.has_failed = e;
	if (free)
		answer.free = *free;
	else
		answer.e = *e;
}

static int ask(struct machines *machines, struct err *e)
{
	memset(&answer, 0, sizeof(answer));
	return machine_free_ask(machines, 0, answered, NULL, e);
}

static void end_with(enum err_code code, const char *text)
{
	struct err status = { .code = code };

	snprintf(status.text, sizeof(status.text), "%s", text);
	played.events->closed(NULL, &status);
	assert_int_equal(answer.times, 1);
}

enum { HOSTS_MAX = 2, SNP = 0, TDX = 1, NONE = 2 };
#define NO_LIMIT UINT64_MAX

struct host {
	const char *tee; /* NULL: there is no such host */
	uint64_t cpus_used, cpus, memory_used, memory;
	uint32_t cvms, strays;
	uint64_t cvms_max;
	const char *state, *problem; /* NULL: connected; none */
	bool draining;
};

static const struct machine_free *free_on(const struct host *hosts)
{
	static struct machines machines;
	Manager__ListHostsRes said = MANAGER__LIST_HOSTS_RES__INIT;
	Manager__Host rows[HOSTS_MAX], *all[HOSTS_MAX];
	char *tees[HOSTS_MAX];
	struct err e;

	for (size_t i = 0; i < HOSTS_MAX && hosts[i].tee; i++) {
		const struct host *h = &hosts[i];

		manager__host__init(&rows[i]);
		tees[i] = (char *)(uintptr_t)h->tee;
		rows[i].state = (char *)(uintptr_t)(h->state ? h->state : "connected");
		rows[i].problem = (char *)(uintptr_t)(h->problem ? h->problem : "");
		rows[i].draining = h->draining;
		rows[i].tees = &tees[i];
		rows[i].n_tees = *h->tee ? 1 : 0;
		rows[i].cpus_used = h->cpus_used;
		rows[i].cpus = h->cpus;
		rows[i].memory_used = h->memory_used;
		rows[i].memory = h->memory;
		rows[i].cvms = h->cvms;
		rows[i].strays = h->strays;
		rows[i].cvms_max = h->cvms_max;
		all[said.n_hosts++] = &rows[i];
	}
	said.hosts = all;
	assert_ok(ask(&machines, &e), e);
	assert_int_equal(machines.frees[0], 1);
	played.events->message(NULL, &said.base);
	end_with(ERR_OK, "");
	assert_int_equal(machines.frees[0], 0);
	assert_false(answer.has_failed);
	return &answer.free;
}

#define HOST(word)              .tee = word
#define CPUS(used, has)         .cpus_used = used, .cpus = has
#define MEMORY(used, has)       .memory_used = used, .memory = has
#define CVMS(known, other, max) .cvms = known, .strays = other, .cvms_max = max
#define ROOMY                   HOST("snp"), CPUS(0, 8), MEMORY(0, 8)

static void what_is_free_is_counted_by_tee(void **state)
{
	static const struct {
		struct host hosts[HOSTS_MAX];
		struct machine_free_room all, most; /* of snp */
	} rows[] = {
		{ { { HOST("snp"), CPUS(2, 8), MEMORY(1, 4), CVMS(1, 1, 5) } },
		  { 3, 6, 3 },
		  { 3, 6, 3 } },
		/* Most is where the most memory is, and of two with as much the one with more processors. */
		{ { { HOST("snp"), CPUS(0, 8), MEMORY(0, 4) },
		    { HOST("snp"), CPUS(0, 2), MEMORY(0, 5) } },
		  { NO_LIMIT, 10, 9 },
		  { NO_LIMIT, 2, 5 } },
		{ { { HOST("snp"), CPUS(0, 2), MEMORY(0, 4) },
		    { HOST("snp"), CPUS(0, 3), MEMORY(0, 4) } },
		  { NO_LIMIT, 5, 8 },
		  { NO_LIMIT, 3, 4 } },
		/* Nothing is known of the one, so nothing of both. */
		{ { { HOST("snp"), CPUS(2, 0), MEMORY(1, 0) },
		    { HOST("snp"), CPUS(0, 3), MEMORY(0, 4) } },
		  { NO_LIMIT, NO_LIMIT, NO_LIMIT },
		  { NO_LIMIT, NO_LIMIT, NO_LIMIT } },
		/* Counts that would overflow. */
		{ { { HOST("snp"), CPUS(0, UINT64_MAX - 1), MEMORY(0, 1ULL << 63) },
		    { HOST("snp"), CPUS(0, 2), MEMORY(0, 1ULL << 63) } },
		  { NO_LIMIT, NO_LIMIT, NO_LIMIT },
		  { NO_LIMIT, UINT64_MAX - 1, 1ULL << 63 } },
		{ { { HOST("snp"), CPUS(0, 1), MEMORY(0, 1),
		      CVMS(UINT32_MAX, UINT32_MAX, 1ULL << 33) } },
		  { 2, 1, 1 },
		  { 2, 1, 1 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct machine_free *f = free_on(rows[i].hosts);

		assert_true(f->tees[SNP].is_there);
		assert_memory_equal(&f->tees[SNP].all, &rows[i].all, sizeof(rows[i].all));
		assert_memory_equal(&f->tees[SNP].most, &rows[i].most, sizeof(rows[i].most));
		assert_false(f->tees[TDX].is_there || f->tees[NONE].is_there);
	}
}

static void where_nothing_is_launched_nothing_is_free(void **state)
{
	static const struct host rows[][HOSTS_MAX] = {
		{ { HOST(NULL) } },
		{ { HOST(""), CPUS(0, 8), MEMORY(0, 8) } }, /* nobody's */
		{ { HOST("sev"), CPUS(0, 8), MEMORY(0, 8) } },
		{ { ROOMY, .draining = true } },
		{ { ROOMY, .state = "lost" } },
		{ { ROOMY, .state = "" } },
		{ { ROOMY, .problem = "it is the machine of another host" } },
		{ { HOST("snp"), CPUS(8, 8), MEMORY(0, 8) } },
		{ { HOST("snp"), CPUS(9, 8), MEMORY(0, 8) } },
		{ { HOST("snp"), CPUS(0, 8), MEMORY(UINT64_MAX, 8) } },
		{ { ROOMY, CVMS(2, 1, 3) } },
		{ { ROOMY, CVMS(UINT32_MAX, 1, 1) } },
	};
	static const struct host some[HOSTS_MAX] = { { ROOMY } },
				 tdx[HOSTS_MAX] = { { HOST("tdx") } },
				 none[HOSTS_MAX] = { { HOST("none") } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t t = 0; t < MACHINE_FREE_TEES; t++)
			assert_false(free_on(rows[i])->tees[t].is_there);
	assert_true(free_on(some)->tees[SNP].is_there);
	assert_true(free_on(tdx)->tees[TDX].is_there);
	assert_true(free_on(none)->tees[NONE].is_there);
}

static void a_manager_that_says_nothing_is_named(void **state)
{
	struct machines machines = { .is_stopping = false };
	struct err e;

	assert_ok(ask(&machines, &e), e);
	end_with(ERR_DENIED, "operators alone");
	assert_int_equal(answer.e.code, ERR_DENIED);
	assert_string_equal(answer.e.text, "manager here: operators alone");
	assert_ok(ask(&machines, &e), e);
	end_with(ERR_OK, "");
	assert_int_equal(answer.e.code, ERR_DATA_LOSS);
	assert_non_null(strstr(answer.e.text, "answered nothing"));
	played.failure = 1;
	assert_refused(ask(&machines, &e), e, ERR_UNAVAILABLE, "no way there");
	played.failure = 0;
	machines.is_stopping = true;
	assert_refused(ask(&machines, &e), e, ERR_UNAVAILABLE, "going down");
	assert_int_equal(machines.frees[0], 0);
}

static void a_manager_is_asked_so_often_at_a_time(void **state)
{
	struct machines machines = { .is_stopping = false };
	void *open[MACHINE_FREE_ASKED_MAX];
	struct err e;

	played.sent = 0;
	for (size_t i = 0; i < MACHINE_FREE_ASKED_MAX; i++) {
		assert_ok(ask(&machines, &e), e);
		open[i] = played.user;
	}
	assert_refused(ask(&machines, &e), e, ERR_EXHAUSTED, "asked 8 times already");
	assert_int_equal(played.sent, MACHINE_FREE_ASKED_MAX);
	for (size_t i = 0; i < MACHINE_FREE_ASKED_MAX; i++) {
		played.user = open[i];
		answer.times = 0;
		end_with(ERR_UNAVAILABLE, "gone");
	}
	assert_ok(ask(&machines, &e), e);
	end_with(ERR_UNAVAILABLE, "gone");
	assert_int_equal(machines.frees[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_made_is_read),
		cmocka_unit_test(what_can_not_have_been_made_is_refused),
		cmocka_unit_test(a_host_may_be_so_long),
		cmocka_unit_test(each_state_is_a_fate),
		cmocka_unit_test(of_another_nothing_is_believed),
		cmocka_unit_test(tags_are_names_that_no_other_has),
		cmocka_unit_test(what_is_free_is_counted_by_tee),
		cmocka_unit_test(where_nothing_is_launched_nothing_is_free),
		cmocka_unit_test(a_manager_that_says_nothing_is_named),
		cmocka_unit_test(a_manager_is_asked_so_often_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
