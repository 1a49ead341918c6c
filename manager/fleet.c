/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/fleet.h"

#include "common/base/log.h"
#include "common/rpc/job.h"

#include <assert.h>
#include <string.h>
#include <time.h>

enum {
	RETRY_FIRST_MS = 250,
	RETRY_LAST_MS = 5000,
	LAST_WORDS_MAX = 256,
	ORPHANS_MAX = 64, /* stopped after one look at libvirt's domains */
};

enum slot_state {
	SLOT_FREE,
	SLOT_CREATING, /* a job is under way */
	SLOT_RUNNING,
	SLOT_REMOVING, /* a job is under way */
	SLOT_DOOMED,   /* to be removed; waits for the next try */
};

struct waiter {
	struct waiter *next;
	fleet_removed_fn *done;
	void *data;
};

struct slot {
	struct fleet *fleet;
	enum slot_state state;
	struct cvm cvm;
	uv_timer_t timer; /* RUNNING: the end of its time; DOOMED: the next try */
	unsigned retry_ms;
	bool doomed; /* has to go even if nobody asks */
	bool died;   /* its domain ended while it was being created */
	bool looked; /* was running when libvirt's domains were last asked for */
	struct waiter *waiters;
};

struct fleet {
	uv_loop_t *loop;
	struct lifecycle *lifecycle;
	struct slot *slots;
	unsigned count, handles;
	uv_timer_t reconnect;
	unsigned reconnect_ms;
	bool connecting, looking, look_again;

	unsigned jobs;
	bool closing;
};

/* One piece of work in the pool. */
struct job {
	struct fleet *fleet;
	struct slot *slot;
	struct cvm cvm; /* a copy */
	struct order order;
	fleet_created_fn *created;
	void *data;
	bool insist, died;
	char last_words[LAST_WORDS_MAX];
	struct virt_domain *domains;
	size_t domain_count;
	int result;
	struct err err;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct slot *find_slot(const struct fleet *f, const char *id)
{
	for (unsigned i = 0; i < f->count; i++)
		if (f->slots[i].state != SLOT_FREE && strcmp(f->slots[i].cvm.id, id) == 0)
			return &f->slots[i];
	return NULL;
}

static int job_start(struct fleet *f, struct job *job, void (*work)(void *), void (*done)(void *),
		     struct err *e)
{
	job->fleet = f;
	if (rpc_job_start(f->loop, work, done, job, e) < 0)
		return -(int)e->code;
	f->jobs++;
	return 0;
}

static void job_end(struct job *job)
{
	struct fleet *f = job->fleet;

	order_done(&job->order);
	free(job->domains);
	free(job);
	f->jobs--;
}

/* Removing. */

static void begin_removal(struct slot *slot);

static void on_retry(uv_timer_t *timer)
{
	begin_removal(timer->data);
}

static void retry_later(struct slot *slot)
{
	slot->state = SLOT_DOOMED;
	slot->retry_ms = slot->retry_ms ? slot->retry_ms * 2 : RETRY_FIRST_MS;
	if (slot->retry_ms > RETRY_LAST_MS)
		slot->retry_ms = RETRY_LAST_MS;
	if (!slot->fleet->closing) /* else the next manager will: it is recorded */
		uv_timer_start(&slot->timer, on_retry, slot->retry_ms, 0);
}

static void answer_waiters(struct slot *slot, const struct err *e)
{
	struct waiter *waiter = TAKE_PTR(slot->waiters);

	while (waiter) {
		struct waiter *next = waiter->next;

		waiter->done(waiter->data, e);
		free(waiter);
		waiter = next;
	}
}

static void on_expired(uv_timer_t *timer);

/* A timer that fires early (the wall clock may be set back) is wound up again. */
static void wind_up(struct slot *slot)
{
	int64_t left = slot->cvm.expires_ms - now_ms();

	if (slot->cvm.expires_ms && !slot->fleet->closing)
		uv_timer_start(&slot->timer, on_expired, left > 0 ? (uint64_t)left : 0, 0);
}

static void on_expired(uv_timer_t *timer)
{
	struct slot *slot = timer->data;

	if (now_ms() < slot->cvm.expires_ms) {
		wind_up(slot);
		return;
	}
	log_info("CVM %s: its time is up", slot->cvm.id);
	slot->doomed = true;
	begin_removal(slot);
}

static void free_slot(struct slot *slot)
{
	uv_timer_stop(&slot->timer);
	slot->state = SLOT_FREE;
	slot->doomed = slot->died = slot->looked = false;
	slot->retry_ms = 0;
}

static void removal_work(void *data)
{
	struct job *job = data;

	if (job->died)
		lifecycle_last_words(job->fleet->lifecycle, &job->cvm, job->last_words,
				     sizeof(job->last_words));
	job->result = lifecycle_remove(job->fleet->lifecycle, &job->cvm, job->insist, &job->err);
}

static void removal_done(void *data)
{
	struct job *job = data;
	struct slot *slot = job->slot;

	if (job->last_words[0])
		log_warn("CVM %s: its console ends with %s", slot->cvm.id,
			 log_quote(job->last_words).text);
	slot->cvm.step = job->cvm.step;
	if (job->result == 0) {
		log_info("CVM %s: removed", slot->cvm.id);
		free_slot(slot);
		answer_waiters(slot, NULL);
	} else {
		log_warn("CVM %s: not removed: %s", slot->cvm.id, job->err.text);
		if (slot->doomed || slot->cvm.step != CVM_RUNNING) {
			retry_later(slot);
		} else {
			slot->state = SLOT_RUNNING;
			wind_up(slot);
		}
		answer_waiters(slot, &job->err);
	}
	job_end(job);
}

static void begin_removal(struct slot *slot)
{
	struct job *job;
	struct err e;

	uv_timer_stop(&slot->timer);
	job = calloc(1, sizeof(*job));
	if (job) {
		job->slot = slot;
		job->cvm = slot->cvm;
		job->insist = slot->doomed;
		job->died = slot->died;
		slot->died = false;
		if (job_start(slot->fleet, job, removal_work, removal_done, &e) == 0) {
			slot->state = SLOT_REMOVING;
			return;
		}
		free(job);
	}
	err_nomem(&e);
	retry_later(slot);
	answer_waiters(slot, &e);
}

int fleet_remove(struct fleet *f, const char *id, fleet_removed_fn *done, void *data,
		 struct err *e)
{
	struct slot *slot = find_slot(f, id);
	struct waiter *waiter;

	if (f->closing)
		return err_set(e, ERR_UNAVAILABLE, "the manager is stopping");
	if (!slot || slot->state == SLOT_CREATING) /* nobody was told its id yet */
		return err_set(e, ERR_NOT_FOUND, "no CVM %s", log_quote(id).text);
	waiter = malloc(sizeof(*waiter));
	if (!waiter)
		return err_nomem(e);
	*waiter = (struct waiter){ slot->waiters, done, data };
	slot->waiters = waiter;
	if (slot->state != SLOT_REMOVING)
		begin_removal(slot);
	return 0;
}

/* Creating. */

static void creation_work(void *data)
{
	struct job *job = data;

	job->result = lifecycle_create(job->fleet->lifecycle, &job->order, &job->cvm, &job->err);
}

static void creation_failed(struct job *job)
{
	struct slot *slot = job->slot;

	log_warn("CVM %s: not created: %s", slot->cvm.id, job->err.text);
	if (job->cvm.step) {
		slot->doomed = true;
		retry_later(slot);
	} else {
		free_slot(slot);
	}
	job->created(job->data, NULL, &job->err);
}

static void creation_done(void *data)
{
	struct job *job = data;
	struct slot *slot = job->slot;

	slot->cvm = job->cvm;
	if (job->result < 0) {
		creation_failed(job);
	} else if (slot->died) {
		err_set(&job->err, ERR_ABORTED, "the CVM ended as soon as it had begun");
		slot->state = SLOT_RUNNING;
		slot->doomed = true;
		begin_removal(slot);
		job->created(job->data, NULL, &job->err);
	} else {
		slot->state = SLOT_RUNNING;
		wind_up(slot);
		log_info("CVM %s: running, port %u forwarded to its agent", slot->cvm.id,
			 slot->cvm.port);
		if (!job->created(job->data, &slot->cvm, NULL)) {
			log_info("CVM %s: nobody waits for it any more", slot->cvm.id);
			slot->doomed = true;
			begin_removal(slot);
		}
	}
	job_end(job);
}

/* A random UUID (RFC 9562, version 4). */
static int make_id(char id[CVM_ID_LEN + 1], struct err *e)
{
	uint8_t b[16];

	if (random_bytes(b, sizeof(b), e) < 0)
		return -(int)e->code;
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(id, CVM_ID_LEN + 1,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
	return 0;
}

static struct slot *free_slot_find(struct fleet *f, struct err *e)
{
	unsigned used = 0;
	struct slot *found = NULL;

	for (unsigned i = 0; i < f->count; i++) {
		used += f->slots[i].state != SLOT_FREE;
		if (!found && f->slots[i].state == SLOT_FREE)
			found = &f->slots[i];
	}
	if (found && used < f->lifecycle->config->max_vms)
		return found;
	err_set(e, ERR_EXHAUSTED, "%u CVMs exist, which is the limit (MANAGER_MAX_VMS): remove one",
		used);
	return NULL;
}

static int fill_job(struct job *job, const Manager__CreateReq *request, struct err *e)
{
	struct cvm *cvm = &job->cvm;

	if (make_id(cvm->id, e) < 0 || order_make(request, cvm->id, &job->order, e) < 0)
		return -(int)e->code;
	cvm->created_ms = now_ms();
	cvm->expires_ms = job->order.ttl_ms ? cvm->created_ms + (int64_t)job->order.ttl_ms : 0;
	return 0;
}

int fleet_create(struct fleet *f, const Manager__CreateReq *request, fleet_created_fn *done,
		 void *data, struct err *e)
{
	struct slot *slot;
	struct job *job;

	if (f->closing)
		return err_set(e, ERR_UNAVAILABLE, "the manager is stopping");
	job = calloc(1, sizeof(*job));
	if (!job)
		return err_nomem(e);
	/* What is wrong with the request is said even when there is no room. */
	if (fill_job(job, request, e) < 0 || !(slot = free_slot_find(f, e))) {
		order_done(&job->order);
		free(job);
		return -(int)e->code;
	}
	job->cvm.slot = (unsigned)(slot - f->slots);
	job->slot = slot;
	job->created = done;
	job->data = data;
	if (job_start(f, job, creation_work, creation_done, e) < 0) {
		order_done(&job->order);
		free(job);
		return -(int)e->code;
	}
	slot->state = SLOT_CREATING;
	slot->cvm = job->cvm;
	return 0;
}

const struct cvm *fleet_find(const struct fleet *f, const char *id)
{
	const struct slot *slot = find_slot(f, id);

	return slot && slot->state == SLOT_RUNNING ? &slot->cvm : NULL;
}

/* Libvirt: what ended, what nobody knows, whether it is there at all. */

static void domain_ended(struct slot *slot)
{
	slot->died = true;
	if (slot->state != SLOT_RUNNING)
		return;
	log_warn("CVM %s: its machine ended", slot->cvm.id);
	slot->doomed = true;
	begin_removal(slot);
}

static void orphan_work(void *data)
{
	struct job *job = data;

	job->result = virt_stop(job->fleet->lifecycle->virt, job->cvm.id, &job->err);
}

static void orphan_done(void *data)
{
	struct job *job = data;

	if (job->result < 0)
		log_warn("domain %s: %s", job->cvm.id, job->err.text);
	job_end(job);
}

/* A domain with our name that has no record: one that libvirt was still starting when an earlier
 * manager was killed and its successor undid the rest. */
static void stop_orphan(struct fleet *f, const char *uuid)
{
	struct job *job;
	struct err e;

	if (f->closing || !(job = calloc(1, sizeof(*job))))
		return;
	log_warn("domain %s has our name, but no CVM is recorded for it: it is stopped", uuid);
	memcpy(job->cvm.id, uuid, sizeof(job->cvm.id));
	if (job_start(f, job, orphan_work, orphan_done, &e) < 0) {
		log_warn("domain %s: %s", uuid, e.text);
		free(job);
	}
}

static void look(struct fleet *f);

static void look_work(void *data)
{
	struct job *job = data;
	char prefix[LIFECYCLE_NAME_MAX];

	lifecycle_prefix(job->fleet->lifecycle, prefix);
	job->result = virt_list(job->fleet->lifecycle->virt, prefix, &job->domains,
				&job->domain_count, &job->err);
}

static bool is_listed(const struct job *job, const char *id)
{
	for (size_t i = 0; i < job->domain_count; i++)
		if (strcmp(job->domains[i].uuid, id) == 0)
			return true;
	return false;
}

static void look_done(void *data)
{
	struct job *job = data;
	struct fleet *f = job->fleet;

	f->looking = false;
	if (job->result < 0)
		log_warn("%s", job->err.text);
	for (unsigned i = 0; job->result == 0 && i < f->count; i++) {
		struct slot *slot = &f->slots[i];

		if (slot->looked && slot->state == SLOT_RUNNING && !is_listed(job, slot->cvm.id))
			domain_ended(slot);
	}
	for (size_t i = 0; job->result == 0 && i < job->domain_count && i < ORPHANS_MAX; i++)
		if (!find_slot(f, job->domains[i].uuid))
			stop_orphan(f, job->domains[i].uuid);
	if (f->look_again && !f->closing)
		look(f);
	job_end(job);
}

/* Compares libvirt's domains with ours. */
static void look(struct fleet *f)
{
	struct job *job;
	struct err e;

	f->look_again = f->looking;
	if (f->looking || f->closing || !(job = calloc(1, sizeof(*job))))
		return;
	for (unsigned i = 0; i < f->count; i++)
		f->slots[i].looked = f->slots[i].state == SLOT_RUNNING;
	if (job_start(f, job, look_work, look_done, &e) < 0) {
		log_warn("%s", e.text);
		free(job);
		return;
	}
	f->looking = true;
}

static void connect_work(void *data)
{
	struct job *job = data;

	job->result = virt_connect(job->fleet->lifecycle->virt, &job->err);
}

static void on_reconnect(uv_timer_t *timer);

static void connect_done(void *data)
{
	struct job *job = data;
	struct fleet *f = job->fleet;

	f->connecting = false;
	if (job->result == 0) {
		f->reconnect_ms = 0;
	} else if (!f->closing) {
		if (!f->reconnect_ms)
			log_warn("%s; trying again until it is there", job->err.text);
		f->reconnect_ms = f->reconnect_ms ? f->reconnect_ms * 2 : RETRY_FIRST_MS;
		if (f->reconnect_ms > RETRY_LAST_MS)
			f->reconnect_ms = RETRY_LAST_MS;
		uv_timer_start(&f->reconnect, on_reconnect, f->reconnect_ms, 0);
	}
	job_end(job);
}

static void connect_libvirt(struct fleet *f)
{
	struct job *job;
	struct err e;

	if (f->connecting || f->closing || !(job = calloc(1, sizeof(*job))))
		return;
	if (job_start(f, job, connect_work, connect_done, &e) < 0) {
		free(job);
		uv_timer_start(&f->reconnect, on_reconnect, RETRY_LAST_MS, 0);
		return;
	}
	f->connecting = true;
}

static void on_reconnect(uv_timer_t *timer)
{
	connect_libvirt(timer->data);
}

static bool is_ours(const struct fleet *f, const char *name)
{
	char prefix[LIFECYCLE_NAME_MAX];

	lifecycle_prefix(f->lifecycle, prefix);
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

void fleet_notice(struct fleet *f, const struct virt_notice *notice)
{
	struct slot *slot = find_slot(f, notice->uuid);

	if (f->closing)
		return;
	switch (notice->event) {
	case VIRT_CONNECTED:
		log_info("connected to libvirt");
		look(f);
		break;
	case VIRT_LOST:
		log_warn("libvirt is gone; CVMs run on");
		connect_libvirt(f);
		break;
	case VIRT_STARTED:
		if (!slot && is_ours(f, notice->name))
			stop_orphan(f, notice->uuid);
		break;
	case VIRT_STOPPED:
		if (slot)
			domain_ended(slot);
		break;
	}
}

/* Beginning and end. */

static int init_slots(struct fleet *f, unsigned count, struct err *e)
{
	f->slots = calloc(count, sizeof(*f->slots));
	if (!f->slots)
		return err_nomem(e);
	f->count = count;
	for (unsigned i = 0; i < count; i++) {
		f->slots[i].fleet = f;
		uv_timer_init(f->loop, &f->slots[i].timer);
		f->slots[i].timer.data = &f->slots[i];
	}
	uv_timer_init(f->loop, &f->reconnect);
	f->reconnect.data = f;
	f->handles = count + 1;
	return 0;
}

static void take_up(struct fleet *f, const struct cvm *cvm)
{
	struct slot *slot = &f->slots[cvm->slot];

	slot->cvm = *cvm;
	ports_mark(f->lifecycle->ports, cvm->port);
	if (cvm->step == CVM_RUNNING) {
		slot->state = SLOT_RUNNING;
		log_info("CVM %s: recorded, port %u", cvm->id, cvm->port);
		wind_up(slot);
	} else {
		log_info("CVM %s: was not finished; it is removed", cvm->id);
		slot->doomed = true;
		slot->state = SLOT_DOOMED;
		uv_timer_start(&slot->timer, on_retry, 0, 0);
	}
}

int fleet_new(uv_loop_t *loop, struct lifecycle *lifecycle, struct fleet **fleet, struct err *e)
{
	CLEANUP(free) struct cvm *cvms = NULL;
	struct fleet *f = calloc(1, sizeof(*f));
	unsigned count = (unsigned)lifecycle->config->max_vms;
	size_t known = 0;

	if (!f)
		return err_nomem(e);
	f->loop = loop;
	f->lifecycle = lifecycle;
	if (registry_list(lifecycle->registry, &cvms, &known, e) < 0) {
		free(f);
		return -(int)e->code;
	}
	if (known && cvms[known - 1].slot >= count) /* the limit was higher once */
		count = cvms[known - 1].slot + 1;
	if (init_slots(f, count, e) < 0) {
		free(f);
		return -(int)e->code;
	}
	for (size_t i = 0; i < known; i++)
		take_up(f, &cvms[i]);
	connect_libvirt(f);
	*fleet = f;
	return 0;
}

void fleet_close(struct fleet *f)
{
	f->closing = true;
	uv_timer_stop(&f->reconnect);
	for (unsigned i = 0; i < f->count; i++)
		uv_timer_stop(&f->slots[i].timer);
}

bool fleet_is_busy(const struct fleet *f)
{
	return f->jobs > 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct fleet *f = handle->data;

	if (--f->handles)
		return;
	free(f->slots);
	free(f);
}

void fleet_free(struct fleet *f)
{
	assert(f->jobs == 0);
	for (unsigned i = 0; i < f->count; i++) {
		f->slots[i].timer.data = f;
		uv_close((uv_handle_t *)&f->slots[i].timer, on_handle_closed);
	}
	uv_close((uv_handle_t *)&f->reconnect, on_handle_closed);
}
