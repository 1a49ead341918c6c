/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/log.h"
#include "common/base/log_about.h"
#include "common/rpc/job.h"
#include "manager/fleet/fleet_state.h"
#include "manager/virt/workers.h"

#include <assert.h>
#include <time.h>

int fleet_job_start(struct fleet *f, struct job *job, void (*work)(void *), void (*done)(void *),
		    struct err *e)
{
	struct log_about about = log_about_now();
	struct workers *workers;

	(void)log_about_put(&about, LOG_CVM, job->slot ? job->slot->cvm.id : job->cvm.id);
	LOG_ABOUT(&about);
	job->fleet = f;
	if (!job->host && job->slot)
		job->host = job->slot->host;
	workers = job->host ? job->host->host->workers : NULL;
	if (workers ? workers_start(workers, work, done, job, e) < 0
		    : rpc_job_start(f->loop, work, done, job, e) < 0)
		return err_code(e);
	job->turn = fleet_begin(f, job->dials);
	return 0;
}

void fleet_job_end(struct job *job)
{
	struct fleet *f = job->fleet;

	cvm_request_done(&job->request);
	free(job->domains);
	strays_done(&job->strays);
	free(job->change);
	fleet_round_free(job->round);
	free(job->where);
	const unsigned turn = job->turn;

	free(job);
	fleet_end(f, turn);
}

const char *fleet_owner(const struct fleet *f, const char *id)
{
	const struct slot *slot = fleet_slot_find(f, id);

	return slot ? slot->cvm.owner : NULL;
}

const struct cvm *fleet_find(const struct fleet *f, const char *id)
{
	const struct slot *slot = fleet_slot_find(f, id);

	return slot && slot->state == SLOT_RUNNING ? &slot->cvm : NULL;
}

static int init_handles(struct fleet *f, struct err *e)
{
	uv_timer_init(f->loop, &f->look_at_image);
	f->look_at_image.data = f;
	uv_timer_init(f->loop, &f->tell);
	f->tell.data = f;
	uv_timer_init(f->loop, &f->lease);
	f->lease.data = f;
	f->handles = 3;
	return fleet_hosts_start(f, e);
}

int fleet_take_up(struct fleet *f, const struct cvm *cvm, struct err *e)
{
	struct slot *slot;

	if (fleet_slot_make(f, cvm->slot, &slot, e) < 0)
		return err_code(e);
	slot->host = fleet_host_find(f, cvm->host);
	if (fleet_slot_take(f, slot, cvm, SLOT_RUNNING, e) < 0)
		return err_code(e);
	ports_mark(f->lifecycle->ports, cvm->port);
	if (cvm->step == CVM_RUNNING) {
		log_info("CVM %s: recorded, port %u", cvm->id, cvm->port);
		fleet_slot_wind_up(slot);
	} else {
		log_info("CVM %s: was not finished; it is removed", cvm->id);
		fleet_slot_doom(slot);
	}
	fleet_view_changed(slot);
	return 0;
}

/* What runs where nobody looks would be taken for lost for ever, and its end never be seen. */
static int check_hosts(const struct vm_hosts *hosts, const struct cvm *cvms, size_t count,
		       struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (!vm_hosts_find(hosts, cvms[i].host))
			return err_set(
				e, ERR_PRECONDITION,
				"CVM %s is on host %s, which MANAGER_HOSTS does not list: add "
				"it again, and remove its CVMs before it",
				cvms[i].id, *cvms[i].host ? cvms[i].host : HOST_LOCAL_URI);
	return 0;
}

int fleet_new(uv_loop_t *loop, struct lifecycle *lifecycle, struct fleet **fleet, struct err *e)
{
	CLEANUP(free) struct cvm *cvms = NULL;
	CLEANUP(free) struct cvm_gone *all_gone = calloc(REGISTRY_GONE_MAX, sizeof(*all_gone));
	struct fleet *f = calloc(1, sizeof(*f));
	unsigned count = (unsigned)lifecycle->config->max_vms;
	const bool shared = registry_is_shared(lifecycle->registry);
	size_t known = 0, gone = 0;

	if (!f || !all_gone) {
		free(f);
		return err_nomem(e);
	}
	f->loop = loop;
	f->lifecycle = lifecycle;
	if ((!shared && registry_list(lifecycle->registry, &cvms, &known, e) < 0) ||
	    registry_gone(lifecycle->registry, all_gone, &gone, e) < 0) {
		free(f);
		return err_code(e);
	}
	if (check_hosts(lifecycle->hosts, cvms, known, e) < 0) {
		free(f);
		return err_code(e);
	}
	fleet_view_start(f);
	for (size_t i = 0; i < gone; i++) {
		all_gone[i].revision = ++f->revision;
		fleet_gone_keep(f, &all_gone[i]);
	}
	if (shared) /* whichever slots those have whose host is taken over */
		count = REGISTRY_ROWS_MAX;
	else if (known && cvms[known - 1].slot >= count) /* the limit was higher before */
		count = cvms[known - 1].slot + 1;
	if (fleet_slots_new(f, count, e) < 0) {
		free(f);
		return err_code(e);
	}
	if (init_handles(f, e) < 0) {
		fleet_free(f);
		return err_code(e);
	}
	for (size_t i = 0; i < known; i++)
		if (fleet_take_up(f, &cvms[i], e) < 0) {
			fleet_close(f);
			fleet_free(f);
			return err_code(e);
		}
	if (fleet_lease_first(f, e) < 0) {
		fleet_close(f);
		fleet_free(f);
		return err_code(e);
	}
	fleet_stray_start(f);
	fleet_lease_start(f);
	for (size_t i = 0; i < f->host_count; i++)
		fleet_watch_connect(f->hosts[i]);
	fleet_health_start(f);
	*fleet = f;
	return 0;
}

/* Of hosts that are going, too (fleet_host_change.c). */
static void each_dialled(const struct fleet *f, void (*each)(struct fleet_host *host, void *data),
			 void *data)
{
	struct fleet_host *host;

	for (size_t i = 0; i < f->host_count; i++)
		if (f->hosts[i]->connecting)
			each(f->hosts[i], data);
	LIST_FOREACH(host, &f->removed, link)
		if (host->connecting)
			each(host, data);
	LIST_FOREACH(host, &f->going, link)
		if (host->connecting)
			each(host, data);
}

static void dial_no_more(struct fleet_host *host, void *data)
{
	virt_dial_no_more(host->host->virt);
}

static void count(struct fleet_host *host, void *data)
{
	++*(unsigned *)data;
}

void fleet_close(struct fleet *f)
{
	struct slot *slot;

	f->closing = true;
	for (size_t i = 0; i < f->host_count; i++)
		uv_timer_stop(&f->hosts[i]->reconnect);
	each_dialled(f, dial_no_more, NULL);
	uv_timer_stop(&f->look_at_image);
	uv_timer_stop(&f->tell);
	for (unsigned i = 0; (slot = fleet_slot_next(f, &i));)
		uv_timer_stop(&slot->timer);
}

bool fleet_is_busy(const struct fleet *f)
{
	return f->jobs > 0;
}

bool fleet_only_dials(const struct fleet *f)
{
	unsigned dials = 0;

	each_dialled(f, count, &dials);
	return f->jobs == dials;
}

struct lifecycle *fleet_lifecycle(const struct fleet *f)
{
	return f->lifecycle;
}

void fleet_handle_closed(struct fleet *f)
{
	if (--f->handles)
		return;
	fleet_lease_done(f);
	HASH_CLEAR(hh, f->by_id); /* the table; what was in it are the slots */
	fleet_slots_free(f);
	free(f);
}

static void on_handle_closed(uv_handle_t *handle)
{
	fleet_handle_closed(handle->data);
}

void fleet_free(struct fleet *f)
{
	struct slot *slot;

	assert(f->jobs == 0);
	for (unsigned i = 0; (slot = fleet_slot_next(f, &i));) {
		slot->timer.data = f;
		uv_close((uv_handle_t *)&slot->timer, on_handle_closed);
	}
	fleet_stray_use_done(f);
	for (size_t i = 0; i < f->host_count; i++)
		fleet_host_free(f->hosts[i]);
	uv_close((uv_handle_t *)&f->look_at_image, on_handle_closed);
	uv_close((uv_handle_t *)&f->tell, on_handle_closed);
	uv_close((uv_handle_t *)&f->lease, on_handle_closed);
}
