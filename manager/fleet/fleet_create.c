/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_create.c — making a CVM, from a client's request to a running one or to nothing. */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "manager/fleet/fleet_state.h"
#include "manager/launch/admission.h"

#include <string.h>

static void creation_work(void *data)
{
	struct job *job = data;

	job->result = lifecycle_create(job->fleet->lifecycle, &job->request, &job->cvm, &job->err);
}

/* How full the host is, and with whose CVMs, is not a tenant's business. */
static int hide_host(const char *tenant, struct err *e)
{
	if (*tenant && (e->code == ERR_EXHAUSTED || e->code == ERR_UNAVAILABLE))
		err_set(e, ERR_EXHAUSTED,
			"the host has no room for this CVM now: try later, or ask the operator");
	return err_code(e);
}

/* Nor is how many hosts there are, and why each of them does not take it. */
static int hide_hosts(const char *tenant, struct err *e)
{
	if (*tenant && e->code == ERR_PRECONDITION)
		err_set(e, ERR_PRECONDITION,
			"no host takes this CVM: ask for another TEE, or ask the operator");
	return hide_host(tenant, e);
}

static void creation_failed(struct job *job)
{
	struct slot *slot = job->slot;

	log_warn("CVM %s: not created: %s", slot->cvm.id, job->err.text);
	(void)!hide_host(slot->cvm.owner, &job->err);
	slot->cvm.why = CVM_FAILED;
	if (job->cvm.step) {
		slot->doomed = true;
		fleet_slot_retry(slot);
		fleet_view_changed(slot);
	} else {
		fleet_slot_free(slot);
	}
	job->created(job->data, NULL, &job->err);
}

/* Whoever holds the host now goes on with what was recorded. */
static void forsaken(struct job *job)
{
	fleet_lease_not_made(job);
	(void)!hide_host(job->slot->cvm.owner, &job->err);
	fleet_lease_leave(job->slot);
	job->created(job->data, NULL, &job->err);
}

static void creation_done(void *data)
{
	struct job *job = data;
	struct slot *slot;

	if (fleet_lease_tries_again(job, creation_work, creation_done))
		return;
	slot = job->slot;
	slot->cvm = job->cvm;
	if (slot->forsaken) {
		forsaken(job);
	} else if (job->result < 0) {
		creation_failed(job);
	} else if (slot->died) {
		err_set(&job->err, ERR_ABORTED, "the CVM ended as soon as it had begun");
		slot->doomed = true;
		fleet_slot_remove(slot, CVM_ENDED);
		fleet_view_changed(slot);
		job->created(job->data, NULL, &job->err);
	} else {
		slot->state = SLOT_RUNNING;
		slot->seen = !slot->host->lost;
		fleet_view_changed(slot);
		fleet_slot_wind_up(slot);
		log_info("CVM %s: running, port %u forwarded to its agent", slot->cvm.id,
			 slot->cvm.port);
		if (!job->created(job->data, &slot->cvm, NULL)) {
			log_info("CVM %s: nobody waits for it any more", slot->cvm.id);
			slot->doomed = true;
			fleet_slot_remove(slot, CVM_ABANDONED);
		}
	}
	fleet_job_end(job);
}

/* A random UUID (RFC 9562, version 4). */
static int make_id(char id[CVM_ID_LEN + 1], struct err *e)
{
	uint8_t b[16];

	if (random_bytes(b, sizeof(b), e) < 0)
		return err_code(e);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(id, CVM_ID_LEN + 1,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
	return 0;
}

/* All that are there count, those that are made and removed, too; and those without a record, unless there is a table
 * of hosts: then they count on their host, which says of itself what it likes, and cost the others nothing. */
struct total {
	struct admission_use use;
	unsigned cvms;
};

static struct total total_of(const struct fleet *f)
{
	struct total all = { .cvms = 0 };
	const struct slot *slot;

	if (!f->lifecycle->hosts->has_table)
		all.cvms = fleet_stray_use_count(f, NULL, &all.use);
	for (unsigned i = 0; (slot = fleet_slot_next(f, &i));)
		if (slot->state != SLOT_FREE) {
			admission_count(f->lifecycle->config, &slot->cvm, &all.use);
			all.cvms++;
		}
	all.cvms += fleet_lease_others(f, NULL, &all.use);
	return all;
}

static int check_number(const struct fleet *f, const struct cvm *cvm, unsigned used, struct err *e)
{
	if (fleet_slot_named(f, cvm->owner, cvm->name))
		return err_set(e, ERR_EXISTS, "name: a CVM is called %s", cvm->name);
	if (used < f->lifecycle->config->max_vms && fleet_slot_unused(f, NULL) != FLEET_NO_SLOT)
		return 0;
	return err_set(e, ERR_EXHAUSTED,
		       "%u CVMs exist, which is the limit (MANAGER_MAX_VMS): remove one", used);
}

/* Against the tenant's own limits, for which his CVMs alone count. */
static int check_limits(const struct fleet *f, const struct access_caller *caller,
			const struct cvm *cvm, struct err *e)
{
	static const char *const names[] = {
		[ACCESS_CVMS] = "cvms", [ACCESS_CPUS] = "cpus", [ACCESS_MEMORY] = "memory (bytes)"
	};
	struct admission_use use = { 0 }, more = { 0 };
	const struct slot *slot;
	uint64_t count = 0;

	for (unsigned i = 0; (slot = fleet_slot_next(f, &i));)
		if (slot->state != SLOT_FREE && strcmp(slot->cvm.owner, caller->tenant) == 0) {
			admission_count(f->lifecycle->config, &slot->cvm, &use);
			count++;
		}
	count += fleet_lease_others(f, caller->tenant, &use);
	admission_count(f->lifecycle->config, cvm, &more);
	const uint64_t used[] = { count, use.cpus, use.memory },
		       wants[] = { 1, more.cpus, more.memory };

	for (size_t i = 0; i < ACCESS_LIMITS; i++) {
		uint64_t limit = caller->limits[i];

		if (limit != ACCESS_NO_LIMIT && (used[i] > limit || wants[i] > limit - used[i]))
			return err_set(e, ERR_EXHAUSTED,
				       "tenant %s has %llu of %llu %s, and this CVM wants %llu: "
				       "remove one, or ask the operator for more",
				       caller->tenant, (unsigned long long)used[i],
				       (unsigned long long)limit, names[i],
				       (unsigned long long)wants[i]);
	}
	return 0;
}

/* A slot for it, if there is room: for its owner first, so that who has no more is told that. */
static int find_room(struct fleet *f, const struct access_caller *caller,
		     struct cvm_request *request, struct cvm *cvm, struct slot **slot,
		     struct err *e)
{
	const struct total all = total_of(f);

	if (fleet_is_shared(f) && !fleet_leases(f))
		return err_set(
			e, ERR_UNAVAILABLE,
			"this manager holds no host now: ask another one that shares its database");
	if (*caller->tenant && check_limits(f, caller, cvm, e) < 0)
		return err_code(e);
	if (check_number(f, cvm, all.cvms, e) < 0 ||
	    admission_check(f->lifecycle->config, &all.use, cvm, e) < 0)
		return hide_host(caller->tenant, e);
	if (fleet_host_choose(f, request, cvm, e) < 0)
		return hide_hosts(caller->tenant, e);
	cvm->slot = fleet_slot_unused(f, fleet_host_find(f, cvm->host));
	return fleet_slot_make(f, cvm->slot, slot, e);
}

static int fill_job(struct job *job, const struct config *config, const Manager__CreateReq *request,
		    struct err *e)
{
	struct cvm *cvm = &job->cvm;

	if (make_id(cvm->id, e) < 0 || cvm_request_make(request, cvm->id, &job->request, e) < 0 ||
	    admission_give(config, &job->request, cvm, e) < 0)
		return err_code(e);
	cvm->created_ms = clock_ms(CLOCK_REALTIME);
	memcpy(cvm->name, job->request.name, sizeof(cvm->name));
	memcpy(cvm->labels, job->request.labels, sizeof(cvm->labels));
	cvm->expires_ms = job->request.ttl_ms ? cvm->created_ms + (int64_t)job->request.ttl_ms : 0;
	return 0;
}

int fleet_create(struct fleet *f, const Manager__CreateReq *request,
		 const struct access_caller *caller, fleet_created_fn *done, void *data,
		 struct err *e)
{
	static const struct access_caller an_operator = { .tenant = "" };
	const struct config *config = f->lifecycle->config;
	struct slot *slot;
	struct job *job;

	if (f->closing)
		return err_set(e, ERR_UNAVAILABLE, "the manager is stopping");
	job = calloc(1, sizeof(*job));
	if (!job)
		return err_nomem(e);
	/* What is wrong with the request is said even when there is no room. */
	if (!caller)
		caller = &an_operator;
	memcpy(job->cvm.owner, caller->tenant, sizeof(job->cvm.owner));
	if (fill_job(job, config, request, e) < 0 ||
	    find_room(f, caller, &job->request, &job->cvm, &slot, e) < 0) {
		cvm_request_done(&job->request);
		free(job);
		return err_code(e);
	}
	slot->host = fleet_host_find(f, job->cvm.host);
	job->slot = slot;
	job->created = done;
	job->data = data;
	if (fleet_slot_take(f, slot, &job->cvm, SLOT_CREATING, e) < 0 ||
	    fleet_job_start(f, job, creation_work, creation_done, e) < 0) {
		if (slot->state != SLOT_FREE)
			fleet_slot_leave(slot);
		cvm_request_done(&job->request);
		free(job);
		return err_code(e);
	}
	fleet_view_changed(slot);
	return 0;
}
