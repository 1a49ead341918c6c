/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet_lease.c — beside other managers: which hosts are this one's, by leases (registry_lease.h).
 *
 * A host that is taken comes with the records of its CVMs, and goes on as after a start of this manager: what was left
 * half made is removed, what runs is looked at. A host that is lost is forgotten: what is under way there is refused its
 * next step, and nothing is told of it any more.
 */
#include "common/base/log.h"
#include "common/rpc/job.h"
#include "manager/fleet/fleet_state.h"

#include <string.h>

enum {
	ROUNDS = 3,      /* in the time of a lease */
	AGAIN_MS = 1000, /* after one that failed */
	PENDING_MS = 100,
};

struct lease_round {
	struct registry_wish wishes[HOSTS_MAX];
	size_t count;
	unsigned host_changes;
	struct registry_round found;
};

void fleet_round_free(struct lease_round *round)
{
	if (round)
		registry_round_done(&round->found);
	free(round);
}

bool fleet_is_shared(const struct fleet *f)
{
	return registry_is_shared(f->lifecycle->registry);
}

bool fleet_host_is_held(const struct fleet_host *host)
{
	struct err none;

	return host->held && registry_lease_check(host->fleet->lifecycle->registry,
						  host->host->row.name, &none) == 0;
}

static const struct registry_lease *lease_of(const struct fleet *f, const char *name)
{
	for (size_t i = 0; i < f->lease_count; i++)
		if (strcmp(f->leases[i].host, name) == 0)
			return &f->leases[i];
	return NULL;
}

const char *fleet_host_holder(const struct fleet *f, const char *name)
{
	const struct registry_lease *lease = lease_of(f, name);

	return lease && lease->runs ? lease->holder : "";
}

const char *fleet_lease_uri(const struct fleet *f, const struct fleet_host *host)
{
	const struct registry_lease *lease = lease_of(f, host->host->row.name);

	return lease && !host->held && strcmp(lease->uri, host->host->row.uri) != 0 ? lease->uri
										    : NULL;
}

unsigned fleet_leases(const struct fleet *f)
{
	unsigned count = 0;

	for (size_t i = 0; fleet_is_shared(f) && i < f->host_count; i++)
		count += fleet_host_is_held(f->hosts[i]);
	return count;
}

uint64_t fleet_takeovers(const struct fleet *f)
{
	return f->takeovers;
}

/* ---- one that is lost ---- */

void fleet_view_forget(struct slot *slot)
{
	if (slot->revision)
		TAILQ_REMOVE(&slot->fleet->changed, slot, link);
	slot->revision = 0;
	slot->seen = false;
}

void fleet_lease_leave(struct slot *slot)
{
	uv_timer_stop(&slot->timer);
	fleet_lease_leave_folder(slot->fleet, &slot->cvm);
	ports_give(slot->fleet->lifecycle->ports, slot->cvm.port);
	fleet_view_forget(slot);
	slot->ends = 0;
	fleet_slot_leave(slot);
	slot->doomed = slot->died = slot->looked = slot->forsaken = false;
	slot->retry_ms = 0;
}

static void forsake(struct slot *slot, const struct err *why)
{
	if (slot->state == SLOT_CREATING || slot->state == SLOT_REMOVING) {
		/* Its job is refused its next step, and ends, of which nobody is told: lists
		 * begin anew now. */
		slot->forsaken = true;
		fleet_view_forget(slot);
		return;
	}
	fleet_lease_leave(slot);
	fleet_slot_answer(slot, why);
}

static void lose(struct fleet_host *host)
{
	struct fleet *f = host->fleet;
	const char *name = host->host->row.name;
	unsigned count = 0;
	struct slot *slot;
	struct err why;

	err_set(&why, ERR_UNAVAILABLE, "host %s went to another manager", name);
	host->host->elsewhere = true;
	free(TAKE_PTR(host->pending));
	host->pending_count = 0;
	for (unsigned i = 0; (slot = fleet_slot_next(f, &i));)
		if (slot->host == host && slot->state != SLOT_FREE) {
			forsake(slot, &why);
			count++;
		}
	fleet_watch_unblock(host);
	fleet_stray_use_begin(host);
	fleet_stray_use_end(host);
	host->is_known = false;
	log_warn("host %s is not this manager's any more, and its %u CVMs are not", name, count);
	fleet_health_held(host, false);
	fleet_view_anew(f);
}

/* ---- one that is taken ---- */

static bool has_room(struct fleet_host *host)
{
	const struct fleet *f = host->fleet;

	for (size_t i = 0; i < host->pending_count; i++) {
		const struct slot *slot = f->slots[host->pending[i].slot];

		if (slot && slot->state != SLOT_FREE)
			return false;
	}
	return true;
}

static void on_pending(uv_timer_t *timer);

/* As soon as nothing has the slots of its CVMs: what is being made in one of them learns that it is taken. */
static void take_up_all(struct fleet_host *host)
{
	struct fleet *f = host->fleet;
	struct err e;

	if (!has_room(host)) {
		uv_timer_start(&f->lease, on_pending, PENDING_MS, 0);
		return;
	}
	host->host->elsewhere = false;
	for (size_t i = 0; i < host->pending_count; i++)
		if (fleet_take_up(f, &host->pending[i], &e) < 0)
			log_error("CVM %s: %s", host->pending[i].id, e.text);
		else if (host->pending[i].step == CVM_RUNNING)
			fleet_lease_keep_folder(f, &host->pending[i]);
	log_info("host %s is this manager's, with %zu CVMs", host->host->row.name,
		 host->pending_count);
	free(TAKE_PTR(host->pending));
	host->pending_count = 0;
	fleet_health_held(host, true);
	if (host->is_there)
		fleet_watch_look(host);
}

static int keep_cvms(struct fleet_host *host, const struct registry_round *found, struct err *e)
{
	const char *name = host->host->row.name;

	free(host->pending);
	host->pending_count = 0;
	host->pending = calloc(found->cvm_count + 1, sizeof(*host->pending));
	if (!host->pending)
		return err_nomem(e);
	for (size_t i = 0; i < found->cvm_count; i++)
		if (strcmp(found->cvms[i].host, name) == 0)
			host->pending[host->pending_count++] = found->cvms[i];
	return 0;
}

/* What another manager removed meanwhile: a machine of it that appears late is none of a CVM. */
static void learn_gone(struct fleet *f, const struct registry_round *found)
{
	for (size_t i = 0; i < found->gone_count; i++)
		if (!fleet_gone_find(f, found->gone[i].id)) {
			struct cvm_gone gone = found->gone[i];

			gone.revision = fleet_view_next(f);
			fleet_gone_keep(f, &gone);
		}
}

static void take(struct fleet_host *host, const struct registry_wish *wish,
		 const struct registry_round *found)
{
	struct err e;

	if (wish->taken && keep_cvms(host, found, &e) < 0) {
		log_error("host %s: %s", wish->host, e.text);
		return;
	}
	if (host->pending)
		take_up_all(host);
}

/* ---- a round ---- */

static bool is_in_use(const struct fleet_host *host)
{
	const struct slot *slot;

	for (unsigned i = 0; (slot = fleet_slot_next(host->fleet, &i));)
		if (slot->host == host && slot->state != SLOT_FREE)
			return true;
	return false;
}

/* One that was lost is not wanted before all that was under way there has ended. */
static void wish(struct fleet *f, struct lease_round *round)
{
	round->host_changes = f->host_changes;
	for (size_t i = 0; i < f->host_count; i++) {
		struct fleet_host *host = f->hosts[i];
		struct registry_wish *w = &round->wishes[round->count++];

		memcpy(w->host, host->host->row.name, sizeof(w->host));
		memcpy(w->uri, host->host->row.uri, sizeof(w->uri));
		w->added = host->host->added;
		w->wanted = !f->closing && !host->leaving && (host->held || !is_in_use(host));
	}
}

static void note_others(struct fleet *f, struct registry_round *found)
{
	struct ports *ports = f->lifecycle->ports;
	const struct slot *slot;

	for (size_t i = 0; i < f->other_count; i++)
		ports_give(ports, f->others[i].port);
	memset(f->others_have, 0,
	       f->count * sizeof(*f->others_have)); /* also what a creation alone found */
	free(f->others);
	f->others = TAKE_PTR(found->others);
	f->other_count = found->other_count;
	for (size_t i = 0; i < f->other_count; i++) {
		f->others_have[f->others[i].slot] = true;
		ports_mark(ports, f->others[i].port);
	}
	for (unsigned i = 0; (slot = fleet_slot_next(f, &i));)
		if (slot->state != SLOT_FREE && slot->cvm.port)
			ports_mark(ports, slot->cvm.port);
}

/* What all of them have to agree on. Said when it changes. */
static void compare_settings(const struct fleet *f, const struct registry_lease *now)
{
	const struct registry_lease *before = lease_of(f, now->host);
	const struct config *config = f->lifecycle->config;

	if (!now->runs || (before && before->instance == now->instance))
		return;
	if ((uint64_t)now->vms_max != config->max_vms)
		log_warn(
			"manager %s has MANAGER_MAX_VMS=%lld, and this one %llu: it counts all CVMs "
			"of all managers, so give them the same",
			now->holder, (long long)now->vms_max, (unsigned long long)config->max_vms);
	if ((uint64_t)now->lease_ms != config->lease_ms)
		log_warn(
			"manager %s has MANAGER_LEASE=%llds, and this one %llus: give them the same",
			now->holder, (long long)now->lease_ms / 1000,
			(unsigned long long)config->lease_ms / 1000);
}

static void note_leases(struct fleet *f, struct registry_round *found)
{
	for (size_t i = 0; i < found->lease_count; i++)
		compare_settings(f, &found->leases[i]);
	free(f->leases);
	f->leases = TAKE_PTR(found->leases);
	f->lease_count = found->lease_count;
	f->takeovers += found->takeovers;
}

static void tell_uri(const struct fleet_host *host, const struct registry_wish *w)
{
	const struct registry_lease *lease = lease_of(host->fleet, w->host);

	if (w->other_uri && lease)
		log_warn(
			"host %s is not taken: manager %s calls it %s, and this one %s: give it one "
			"URI in both",
			w->host, lease->holder, lease->uri, w->uri);
}

static void use(struct fleet *f, struct lease_round *round)
{
	note_leases(f, &round->found);
	for (size_t i = 0; i < round->count; i++) {
		const struct registry_wish *w = &round->wishes[i];
		struct fleet_host *host = fleet_host_named(f, w->host);

		if (host && !w->held && (host->held || host->pending))
			lose(host);
	}
	note_others(f, &round->found);
	learn_gone(f, &round->found);
	for (size_t i = 0; i < round->count; i++) {
		const struct registry_wish *w = &round->wishes[i];
		struct fleet_host *host = fleet_host_named(f, w->host);

		if (host && w->held && !host->held)
			take(host, w, &round->found);
		if (host)
			tell_uri(host, w);
	}
	if (round->host_changes == f->host_changes && !f->closing)
		fleet_lease_hosts(f, round->found.hosts, round->found.host_count);
}

static void on_time(uv_timer_t *timer);

static void again_in(struct fleet *f, uint64_t ms)
{
	for (size_t i = 0; i < f->host_count; i++)
		if (f->hosts[i]->pending)
			ms = PENDING_MS;
	uv_timer_start(&f->lease, ms == PENDING_MS ? on_pending : on_time, ms, 0);
}

static void round_work(void *data)
{
	struct job *job = data;
	struct lease_round *round = job->round;

	job->result = registry_lease_round(job->fleet->lifecycle->registry, round->wishes,
					   round->count, &round->found, &job->err);
}

static void round_done(void *data)
{
	struct job *job = data;
	struct fleet *f = job->fleet;
	uint64_t lease_ms = f->lifecycle->config->lease_ms;

	f->in_round = false;
	if (job->result == 0)
		use(f, job->round);
	else
		log_warn("leases of hosts: %s", job->err.text);
	again_in(f, job->result == 0 ? lease_ms / ROUNDS : AGAIN_MS);
	fleet_job_end(job);
}

static void begin(struct fleet *f)
{
	struct job *job = calloc(1, sizeof(*job));
	struct err e;

	if (job)
		job->round = calloc(1, sizeof(*job->round));
	if (job && job->round) {
		wish(f, job->round);
		if (fleet_job_start(f, job, round_work, round_done, &e) == 0) {
			f->in_round = true;
			return;
		}
	}
	if (job)
		fleet_round_free(job->round);
	free(job);
	again_in(f, AGAIN_MS);
}

static void on_time(uv_timer_t *timer)
{
	struct fleet *f = timer->data;

	if (!f->in_round)
		begin(f);
}

static void on_pending(uv_timer_t *timer)
{
	struct fleet *f = timer->data;

	for (size_t i = 0; i < f->host_count; i++)
		if (f->hosts[i]->pending)
			take_up_all(f->hosts[i]);
	on_time(timer);
}

int fleet_lease_first(struct fleet *f, struct err *e)
{
	struct lease_round *round;
	int failed;

	if (!fleet_is_shared(f))
		return 0;
	round = calloc(1, sizeof(*round));
	if (!round)
		return err_nomem(e);
	wish(f, round);
	failed = registry_lease_round(f->lifecycle->registry, round->wishes, round->count,
				      &round->found, e);
	if (!failed)
		use(f, round);
	fleet_round_free(round);
	return failed;
}

void fleet_lease_start(struct fleet *f)
{
	if (fleet_is_shared(f))
		again_in(f, f->lifecycle->config->lease_ms / ROUNDS);
}

void fleet_lease_done(struct fleet *f)
{
	free(TAKE_PTR(f->leases));
	free(TAKE_PTR(f->others));
}
