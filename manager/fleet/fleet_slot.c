/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_slot.c — one CVM's place in the fleet: its time to live, its end, and who waits for it. */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "manager/fleet/fleet_state.h"

#include <string.h>

/* Managers that share a registry begin to look for a slot at different ones. */
enum { SPREAD = 7919 };

struct slot *fleet_slot_find(const struct fleet *f, const char *id)
{
	struct slot *found;

	HASH_FIND_STR(f->by_id, id, found);
	return found;
}

int fleet_slots_new(struct fleet *f, unsigned count, struct err *e)
{
	f->slots = calloc(count, sizeof(struct slot *));
	f->others_have = calloc(count, sizeof(*f->others_have));
	f->blocked = calloc(count, sizeof(*f->blocked));
	if (!f->slots || !f->others_have || !f->blocked) {
		fleet_slots_free(f);
		return err_nomem(e);
	}
	f->count = count;
	return 0;
}

void fleet_slots_free(struct fleet *f)
{
	for (unsigned i = 0; i < f->count; i++)
		free(f->slots[i]);
	free(f->slots);
	free(f->others_have);
	free(f->blocked);
}

int fleet_slot_make(struct fleet *f, unsigned number, struct slot **slot, struct err *e)
{
	struct slot *made = f->slots[number];

	if (!made) {
		made = calloc(1, sizeof(*made));
		if (!made)
			return err_nomem(e);
		made->fleet = f;
		made->number = number;
		uv_timer_init(f->loop, &made->timer);
		made->timer.data = made;
		f->handles++;
		f->slots[number] = made;
	}
	*slot = made;
	return 0;
}

int fleet_slot_take(struct fleet *f, struct slot *slot, const struct cvm *cvm,
		    enum slot_state state, struct err *e)
{
	slot->cvm = *cvm;
	HASH_ADD_STR(f->by_id, cvm.id, slot);
	if (fleet_slot_find(f, cvm->id) != slot)
		return err_nomem(e);
	slot->state = state;
	return 0;
}

void fleet_slot_leave(struct slot *slot)
{
	HASH_DEL(slot->fleet->by_id, slot);
	slot->state = SLOT_FREE;
}

bool fleet_slot_named(const struct fleet *f, const char *owner, const char *name)
{
	const struct slot *slot;

	if (!*name)
		return false;
	for (size_t i = 0; i < f->other_count; i++)
		if (strcmp(f->others[i].name, name) == 0 && strcmp(f->others[i].owner, owner) == 0)
			return true;
	for (unsigned i = 0; (slot = fleet_slot_next(f, &i));)
		if (slot->state != SLOT_FREE && strcmp(slot->cvm.name, name) == 0 &&
		    strcmp(slot->cvm.owner, owner) == 0)
			return true;
	return false;
}

unsigned fleet_slot_unused(const struct fleet *f, const struct fleet_host *host)
{
	const uint64_t there = host ? fleet_host_bit(host) : 0,
		       epoch = registry_epoch(f->lifecycle->registry);
	const bool shared = registry_is_shared(f->lifecycle->registry);
	const unsigned count = shared ? (unsigned)f->lifecycle->config->max_vms : f->count,
		       first = shared ? (unsigned)(epoch * SPREAD % count) : 0;

	for (unsigned n = 0; n < count; n++) {
		const unsigned number = (first + n) % count;
		const struct slot *slot = f->slots[number];

		if ((!slot || slot->state == SLOT_FREE) && !f->others_have[number] &&
		    !(f->blocked[number] & there))
			return number;
	}
	return FLEET_NO_SLOT;
}

static void on_retry(uv_timer_t *timer)
{
	fleet_slot_remove(timer->data, CVM_INTERRUPTED);
}

void fleet_slot_retry(struct slot *slot)
{
	slot->state = SLOT_DOOMED;
	slot->retry_ms = slot->retry_ms ? slot->retry_ms * 2 : FLEET_RETRY_FIRST_MS;
	if (slot->retry_ms > FLEET_RETRY_LAST_MS)
		slot->retry_ms = FLEET_RETRY_LAST_MS;
	if (!slot->fleet->closing) /* otherwise the next manager will: it is recorded */
		uv_timer_start(&slot->timer, on_retry, slot->retry_ms, 0);
}

void fleet_slot_doom(struct slot *slot)
{
	slot->doomed = true;
	slot->state = SLOT_DOOMED;
	slot->cvm.why = CVM_INTERRUPTED;
	uv_timer_start(&slot->timer, on_retry, 0, 0);
}

void fleet_slot_answer(struct slot *slot, const struct err *e)
{
	struct waiter *waiter = TAKE_PTR(slot->waiters);

	while (waiter) {
		struct waiter *next = waiter->next;

		waiter->done(waiter->data, e);
		free(waiter);
		waiter = next;
	}
}

static void on_expired(uv_timer_t *timer)
{
	struct slot *slot = timer->data;

	log_info("CVM %s: its time is up", slot->cvm.id);
	slot->doomed = true;
	fleet_slot_remove(slot, CVM_EXPIRED);
}

/* Uses the wall clock, which is all that a restart has; but never gives more than the CVM was
 * given. */
static uint64_t time_left(const struct cvm *cvm)
{
	int64_t left = cvm->expires_ms - clock_ms(CLOCK_REALTIME),
		most = cvm->expires_ms - cvm->created_ms;

	if (left > most)
		left = most;
	return left > 0 ? (uint64_t)left : 0;
}

/* From here on only elapsed time counts, whatever the wall clock is set to. */
void fleet_slot_wind_up(struct slot *slot)
{
	uv_loop_t *loop = slot->timer.loop;
	uint64_t now;

	if (!slot->cvm.expires_ms || slot->fleet->closing)
		return;
	uv_update_time(loop);
	now = uv_now(loop);
	if (!slot->ends)
		slot->ends = now + time_left(&slot->cvm);
	uv_timer_start(&slot->timer, on_expired, slot->ends > now ? slot->ends - now : 0, 0);
}

void fleet_slot_free(struct slot *slot)
{
	uv_timer_stop(&slot->timer);
	fleet_view_leave(slot);
	slot->ends = 0;
	fleet_slot_leave(slot);
	slot->doomed = slot->died = slot->looked = slot->forsaken = false;
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
	slot->cvm.exited_ms = job->cvm.exited_ms;
	if (slot->forsaken && job->result < 0) {
		fleet_lease_leave(slot);
		fleet_slot_answer(slot, &job->err);
	} else if (job->result == 0) {
		log_info("CVM %s: removed", slot->cvm.id);
		fleet_slot_free(slot);
		fleet_slot_answer(slot, NULL);
	} else {
		log_warn("CVM %s: not removed: %s", slot->cvm.id, job->err.text);
		if (slot->doomed || slot->cvm.step != CVM_RUNNING) {
			fleet_slot_retry(slot);
		} else {
			slot->state = SLOT_RUNNING;
			slot->cvm.why = CVM_WHY_NONE;
			fleet_view_changed(slot);
			fleet_slot_wind_up(slot);
		}
		fleet_slot_answer(slot, &job->err);
	}
	fleet_job_end(job);
}

/* Its end has begun, whether or not the first try succeeds. */
static void begin_to_remove(struct slot *slot, enum cvm_why why)
{
	if (!slot->cvm.why)
		slot->cvm.why = why;
	if (slot->state == SLOT_RUNNING) {
		slot->state = SLOT_DOOMED;
		fleet_view_changed(slot);
	}
}

void fleet_slot_remove(struct slot *slot, enum cvm_why why)
{
	struct job *job;
	struct err e;

	uv_timer_stop(&slot->timer);
	begin_to_remove(slot, why);
	job = calloc(1, sizeof(*job));
	if (job) {
		job->slot = slot;
		job->cvm = slot->cvm;
		job->insist = slot->doomed;
		job->died = slot->died;
		slot->died = false;
		if (fleet_job_start(slot->fleet, job, removal_work, removal_done, &e) == 0) {
			slot->state = SLOT_REMOVING;
			return;
		}
		free(job);
	}
	err_nomem(&e);
	fleet_slot_retry(slot);
	fleet_slot_answer(slot, &e);
}

int fleet_remove(struct fleet *f, const char *id, fleet_removed_fn *done, void *data, struct err *e)
{
	struct slot *slot = fleet_slot_find(f, id);
	struct waiter *waiter;

	if (f->closing)
		return err_set(e, ERR_UNAVAILABLE, "the manager is stopping");
	if (!slot && cvm_id_is_valid(id) &&
	    (!fleet_stray_is_gone(f, id) || stray_has_folder(f->lifecycle, id)))
		return fleet_stray_remove(f, id, done, data, e);
	if (!slot || slot->state == SLOT_CREATING) /* nobody knows its id yet */
		return err_set(e, ERR_NOT_FOUND, "no CVM %s", log_quote(id).text);
	if (slot->state != SLOT_REMOVING && fleet_host_is_out_of_reach(slot->host))
		return err_set(e, ERR_UNAVAILABLE, "host %s: libvirt can't be reached now",
			       fleet_host_name(slot->host));
	waiter = malloc(sizeof(*waiter));
	if (!waiter)
		return err_nomem(e);
	*waiter = (struct waiter){ slot->waiters, done, data };
	slot->waiters = waiter;
	if (slot->state != SLOT_REMOVING)
		fleet_slot_remove(slot, CVM_REMOVED);
	return 0;
}
