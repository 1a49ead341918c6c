/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/manager/fleet_room.h"

#include "common/base/file.h"
#include "common/rpc/job.h"
#include "manager/registry/registry_lease.h"

#include <stdio.h>
#include <unistd.h>

struct fleet_world fleet_world;

int __wrap_lifecycle_create(struct lifecycle *l, const struct cvm_request *request, struct cvm *cvm,
			    struct err *e);
int __wrap_lifecycle_remove(struct lifecycle *l, struct cvm *cvm, bool insist, struct err *e);
int __wrap_virt_dial(struct virt *v, struct err *e);
void __wrap_virt_dial_no_more(struct virt *v);
int __wrap_virt_stop(struct virt *v, const char *uuid, struct err *e);
int __wrap_lifecycle_check_image(struct lifecycle *l, struct err *e);
int __wrap_virt_list(struct virt *v, const char *prefix, struct virt_domain **domains,
		     size_t *count, struct err *e);
int __wrap_rpc_job_start(uv_loop_t *loop, void (*work)(void *data), void (*done)(void *data),
			 void *data, struct err *e);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __real_clock_gettime(clockid_t clock, struct timespec *now);

time_t fleet_room_clock_step;

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int r = __real_clock_gettime(clock, now);

	if (clock == CLOCK_REALTIME)
		now->tv_sec += fleet_room_clock_step;
	return r;
}

static void hang_in_step(void)
{
	while (atomic_load(&fleet_world.hangs_steps))
		usleep(1000);
}

int __wrap_lifecycle_create(struct lifecycle *l, const struct cvm_request *request, struct cvm *cvm,
			    struct err *e)
{
	int code;

	memcpy(fleet_world.created, cvm->id, sizeof(fleet_world.created));
	atomic_fetch_add(&fleet_world.creations, 1);
	hang_in_step();
	code = atomic_load(&fleet_world.fail_creation);
	if (code) {
		cvm->step = (enum cvm_step)atomic_load(&fleet_world.leave_step);
		return err_set(e, (enum err_code)code, "as told");
	}
	cvm->step = CVM_RUNNING;
	cvm->port = (uint16_t)(7100 + cvm->slot);
	return 0;
}

int __wrap_lifecycle_remove(struct lifecycle *l, struct cvm *cvm, bool insist, struct err *e)
{
	atomic_fetch_add(&fleet_world.removals, 1);
	atomic_store(&fleet_world.insisted, insist);
	hang_in_step();
	if (atomic_load(&fleet_world.fail_removals) > 0) {
		atomic_fetch_sub(&fleet_world.fail_removals, 1);
		if (insist || atomic_load(&fleet_world.begins_removal))
			cvm->step = CVM_STOPPING;
		return err_set(e, ERR_UNAVAILABLE, "as told");
	}
	return 0;
}

int __wrap_lifecycle_check_image(struct lifecycle *l, struct err *e)
{
	if (atomic_load(&fleet_world.lacks_image))
		return err_set(e, ERR_NOT_FOUND, "as told");
	return 0;
}

int __wrap_virt_dial(struct virt *v, struct err *e)
{
	atomic_fetch_add(&fleet_world.connects, 1);
	if (atomic_load(&fleet_world.hanging_dials) > 0) {
		atomic_fetch_sub(&fleet_world.hanging_dials, 1);
		while (atomic_load(&fleet_world.hanging_dials) >= 0)
			usleep(1000);
	}
	if (atomic_load(&fleet_world.fail_connects) > 0) {
		atomic_fetch_sub(&fleet_world.fail_connects, 1);
		return err_set(e, ERR_UNAVAILABLE, "as told");
	}
	return 0;
}

void __wrap_virt_dial_no_more(struct virt *v)
{
	atomic_fetch_add(&fleet_world.broken_dials, 1);
	if (atomic_load(&fleet_world.hanging_dials) == 0) /* one hangs */
		atomic_store(&fleet_world.hanging_dials, -1);
}

int __wrap_virt_stop(struct virt *v, const char *uuid, struct err *e)
{
	snprintf(fleet_world.stopped, sizeof(fleet_world.stopped), "%s", uuid);
	atomic_fetch_add(&fleet_world.stops, 1);
	return 0;
}

static int by_uuid(const void *a, const void *b)
{
	return strcmp(((const struct virt_domain *)a)->uuid, ((const struct virt_domain *)b)->uuid);
}

int __wrap_virt_list(struct virt *v, const char *prefix, struct virt_domain **domains,
		     size_t *count, struct err *e)
{
	while (atomic_load(&fleet_world.hangs))
		usleep(1000);
	*count = fleet_world.domain_count;
	*domains = calloc(*count + 1, sizeof(**domains));
	memcpy(*domains, fleet_world.crowd ? fleet_world.crowd : fleet_world.domains,
	       *count * sizeof(**domains));
	qsort(*domains, *count, sizeof(**domains), by_uuid);
	if (fleet_world.vanish)
		fleet_world.domain_count = 0;
	return 0;
}

int __wrap_virt_host(struct virt *v, struct virt_host *host, struct err *e);

int __wrap_virt_host(struct virt *v, struct virt_host *host, struct err *e)
{
	size_t turn = atomic_fetch_add(&fleet_world.asked, 1);

	*host = fleet_world.host;
	if (turn < ARRAY_LEN(fleet_world.uuids) && fleet_world.uuids[turn])
		snprintf(host->uuid, sizeof(host->uuid), "%s", fleet_world.uuids[turn]);
	return 0;
}

int __wrap_virt_volumes(struct virt *v, const char *pool, const char *prefix,
			char (*names)[VIRT_NAME_MAX], size_t max, size_t *count, struct err *e);

int __wrap_virt_volumes(struct virt *v, const char *pool, const char *prefix,
			char (*names)[VIRT_NAME_MAX], size_t max, size_t *count, struct err *e)
{
	*count = fleet_world.volumes;
	for (size_t i = 0; i < *count && i < max; i++)
		snprintf(names[i], VIRT_NAME_MAX, "%s%zu.img", prefix, i);
	return 0;
}

int __wrap_virt_size(struct virt *v, const char *uuid, struct virt_size *size, struct err *e);

int __wrap_virt_size(struct virt *v, const char *uuid, struct virt_size *size, struct err *e)
{
	if (!fleet_world.size.cpus)
		return err_set(e, ERR_UNAVAILABLE, "as told");
	*size = fleet_world.size;
	return 0;
}

int __wrap_registry_saved(const char *path, const char *id, struct cvm *cvm, struct err *e);

int __wrap_registry_saved(const char *path, const char *id, struct cvm *cvm, struct err *e)
{
	*cvm = fleet_world.saved;
	return *cvm->id ? 0 : err_set(e, ERR_DATA_LOSS, "as told");
}

int __wrap_registry_add(struct registry *r, const struct cvm *cvm, struct err *e);
int __real_registry_add(struct registry *r, const struct cvm *cvm, struct err *e);

static void hang_while(int what)
{
	while (atomic_load(&fleet_world.hangs_records) == what)
		usleep(1000);
}

int __wrap_registry_add(struct registry *r, const struct cvm *cvm, struct err *e)
{
	int failed;

	hang_while(1);
	failed = __real_registry_add(r, cvm, e);
	hang_while(2);
	return failed;
}

struct queued {
	uv_work_t work;
	void (*run)(void *data);
	void (*done)(void *data);
	void *data;
};

static void queued_run(uv_work_t *work)
{
	struct queued *q = work->data;

	q->run(q->data);
}

static void queued_done(uv_work_t *work, int status)
{
	struct queued *q = work->data;

	q->done(q->data);
	free(q);
}

int __wrap_rpc_job_start(uv_loop_t *loop, void (*work)(void *data), void (*done)(void *data),
			 void *data, struct err *e)
{
	struct queued *q = malloc(sizeof(*q));

	*q = (struct queued){ .run = work, .done = done, .data = data };
	q->work.data = q;
	return uv_queue_work(loop, &q->work, queued_run, queued_done) < 0 ? err_nomem(e) : 0;
}

static char dir[] = "/dev/shm/cocos-test-fleet-XXXXXX";

bool fleet_room_created(void *data, const struct cvm *cvm, const struct err *e)
{
	struct fleet_told *told = data;

	if (cvm) {
		told->created++;
		memcpy(told->id, cvm->id, sizeof(told->id));
	} else {
		told->failed++;
		told->e = *e;
	}
	return !told->unwanted;
}

void fleet_room_removed(void *data, const struct err *e)
{
	struct fleet_told *told = data;

	if (e) {
		told->not_removed++;
		told->e = *e;
	} else {
		told->removed++;
	}
}

void fleet_room_listed(void *data, const struct strays *found, const struct err *e)
{
	struct fleet_told *told = data;

	told->listed++;
	assert_null(e);
	told->stray_count = found->count;
	told->over_count = found->over_count;
	for (size_t i = 0; i < found->count && i < ARRAY_LEN(told->strays); i++)
		told->strays[i] = found->all[i];
}

void fleet_room_adopted(void *data, const struct cvm *cvm, const struct err *e)
{
	struct fleet_told *told = data;

	if (e) {
		told->not_adopted++;
		told->e = *e;
	} else {
		told->adopted++;
		memcpy(told->id, cvm->id, sizeof(told->id));
	}
}

void fleet_room_leave(struct fleet_room *m, const char *id, const char *domain)
{
	struct virt_domain *d = &fleet_world.domains[fleet_world.domain_count];
	char path[256];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", m->secrets, id);
	assert_ok(dir_make(path, 0700, &e), e);
	snprintf(path, sizeof(path), "%s/cvms/%s", dir, id);
	assert_ok(dir_make(path, 0700, &e), e);
	snprintf(path, sizeof(path), "%s/cvms/%s/record.db", dir, id);
	assert_ok(file_write(path, "x", 1, 0600, &e), e);
	if (!*domain)
		return;
	snprintf(d->uuid, sizeof(d->uuid), "%s", id);
	snprintf(d->name, sizeof(d->name), "%s", domain);
	fleet_world.domain_count++;
}

static void on_notice(void *data, struct vm_host *host, const struct virt_notice *notice)
{
	struct fleet_room *m = data;

	fleet_notice(m->fleet, host, notice);
}

static void read_hosts(struct fleet_room *m, const char *table)
{
	struct err e;

	if (table) {
		snprintf(m->table, sizeof(m->table), "%s/hosts", dir);
		unlink(m->table);
		assert_ok(file_write(m->table, table, strlen(table), 0600, &e), e);
		m->config.hosts = m->table;
		m->config.wanted = CONFIG_TEE_NONE;
		m->config.forward_host = (char *)(uintptr_t)"127.0.0.1";
	}
	assert_ok(vm_hosts_init(&m->hosts, &m->config, &e), e);
}

static int open_registry(struct fleet_room *m, const struct registry_share *share, struct err *e)
{
	return share ? registry_open_shared(dir, NULL, share, &m->registry, e)
		     : registry_open(dir, NULL, &m->registry, e);
}

static void prepare(struct fleet_room *m, unsigned max_vms, const char *table,
		    const struct registry_share *share)
{
	char path[64];
	struct err e;

	memset(&fleet_world, 0, sizeof(fleet_world));
	*m = (struct fleet_room){ .config = { .max_vms = max_vms,
					      .cpus = 1,
					      .max_cpus = 1,
					      .memory = (uint64_t)192 << 20,
					      .max_memory = (uint64_t)192 << 20,
					      .lease_ms = share ? share->lease_ms : 0,
					      .state_dir = dir } };
	snprintf(m->secrets, sizeof(m->secrets), "%s/secrets", dir);
	snprintf(path, sizeof(path), "%s/cvms", dir);
	assert_ok(dir_make(m->secrets, 0700, &e), e);
	assert_ok(dir_make(path, 0700, &e), e);
	m->config.secrets_dir = m->secrets;
	read_hosts(m, table);
	uv_loop_init(&m->loop);
	assert_ok(open_registry(m, share, &e), e);
	assert_ok(ports_new("127.0.0.1", 7100, 7199, &m->ports, &e), e);
	m->lifecycle = (struct lifecycle){ .config = &m->config,
					   .registry = m->registry,
					   .hosts = &m->hosts,
					   .images = { .dir = dir },
					   .ports = m->ports };
}

void fleet_room_prepare(struct fleet_room *m, unsigned max_vms)
{
	prepare(m, max_vms, NULL, NULL);
}

static void prepare_hosts(struct fleet_room *m, unsigned max_vms, const char *table,
			  const struct registry_share *share)
{
	struct err e;

	prepare(m, max_vms, table, share);
	assert_ok(vm_hosts_recall(&m->hosts, m->registry, &e), e);
	assert_ok(vm_hosts_open(&m->hosts, &m->loop, NULL, on_notice, m, &e), e);
}

void fleet_room_prepare_hosts(struct fleet_room *m, unsigned max_vms, const char *table)
{
	prepare_hosts(m, max_vms, table, NULL);
}

void fleet_room_prepare_shared(struct fleet_room *m, unsigned max_vms, const char *table)
{
	const struct registry_share a = { .name = "a",
					  .lease_ms = LEASE_MAX_MS,
					  .vms_max = max_vms };

	prepare_hosts(m, max_vms, table, &a);
}

void fleet_room_connect(struct fleet_room *m)
{
	const struct virt_notice is_there = { .event = VIRT_CONNECTED };

	if (fleet_is_busy(m->fleet))
		fleet_room_settle(m);
	for (size_t i = 0; i < m->hosts.count; i++)
		if (m->hosts.all[i])
			fleet_notice(m->fleet, m->hosts.all[i], &is_there);
	fleet_room_settle(m);
}

void fleet_room_open(struct fleet_room *m)
{
	struct err e;

	assert_ok(fleet_new(&m->loop, &m->lifecycle, &m->fleet, &e), e);
}

void fleet_room_fresh(struct fleet_room *m, unsigned max_vms)
{
	fleet_room_prepare(m, max_vms);
	fleet_room_open(m);
}

int fleet_room_clear(void **state)
{
	char path[128];

	static const char *const names[] = { "registry.db", "registry.db-wal", "registry.db-shm",
					     "tag", "hosts" };

	struct err e;

	snprintf(path, sizeof(path), "%s/cvms", dir);
	assert_ok(dir_remove(path, &e), e);
	snprintf(path, sizeof(path), "%s/secrets", dir);
	assert_ok(dir_remove(path, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return 0;
}

void fleet_room_close(struct fleet_room *m)
{
	fleet_close(m->fleet);
	while (fleet_is_busy(m->fleet))
		uv_run(&m->loop, UV_RUN_ONCE);
	fleet_free(m->fleet);
	vm_hosts_close(&m->hosts);
	uv_run(&m->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&m->loop), 0);
	ports_free(m->ports);
	vm_hosts_done(&m->hosts);
	registry_close(m->registry);
}

void fleet_room_settle(struct fleet_room *m)
{
	do
		uv_run(&m->loop, UV_RUN_ONCE);
	while (fleet_is_busy(m->fleet));
}

Manager__CreateReq fleet_room_request(void)
{
	Manager__CreateReq request = MANAGER__CREATE_REQ__INIT;

	request.agent_cvm_server_url = (char *)"10.0.2.2:7001";
	return request;
}

void fleet_room_create(struct fleet_room *m, struct fleet_told *told, const char *ttl)
{
	Manager__CreateReq request = fleet_room_request();
	struct err e;

	request.ttl = (char *)ttl;
	assert_ok(fleet_create(m->fleet, &request, NULL, fleet_room_created, told, &e), e);
	fleet_room_settle(m);
}

int fleet_room_make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

int fleet_room_remove_dir(void **state)
{
	struct err e;

	return dir_remove(dir, &e);
}
