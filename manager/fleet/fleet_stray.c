/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_stray.c — what has no record: told, listed, adopted or removed on the operator's word. */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/rpc/job.h"
#include "manager/fleet/fleet_state.h"

#include <string.h>

bool fleet_stray_is_gone(const struct fleet *f, const char *id)
{
	return fleet_gone_find(f, id) != NULL;
}

/* Found before we knew what has a record by now. A CVM that was removed meanwhile has no folder any
 * more, and if its domain is still seen, that is about to be stopped. */
static bool is_stray(const struct fleet *f, struct stray *stray)
{
	if (!stray->is_id)
		return true;
	if (fleet_slot_find(f, stray->id))
		return false;
	if (*stray->domain && !fleet_stray_is_gone(f, stray->id))
		return true;
	stray->domain[0] = '\0';
	return stray_has_folder(f->lifecycle, stray->id);
}

void fleet_stray_keep(const struct fleet *f, struct strays *found)
{
	size_t kept = 0;

	for (size_t i = 0; i < found->count; i++)
		if (is_stray(f, &found->all[i]))
			found->all[kept++] = found->all[i];
	found->count = kept;
}

void fleet_stray_tell(const struct stray *s)
{
	if (!s->is_id)
		log_warn("%s in MANAGER_STATE_DIR/cvms is no CVM's folder: it is left alone",
			 s->id);
	else
		log_warn(
			"CVM %s has no record, but %s%s%s: it is left alone; 'cocos-cli vm strays' "
			"lists it, 'vm adopt' takes it over, 'remove-vm' removes it",
			s->id, *s->domain ? "a domain " : "", s->domain,
			s->folder || s->secrets ? *s->domain ? " and folders" : "folders" : "");
}

/* Jobs of callers. */
struct ask {
	struct ask *next;
	struct fleet *fleet;
	char id[CVM_ID_LEN + 1]; /* "": all of them */
	struct cvm cvm;
	struct slot *slot;
	struct strays found;
	unsigned turn;
	fleet_strays_fn *listed;
	fleet_removed_fn *removed;
	fleet_adopted_fn *adopted;
	void *data;
	int result;
	struct err err;
};

static void ask_end(struct ask *ask)
{
	struct fleet *f = ask->fleet;
	struct ask **at = &f->asks;

	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
	const unsigned turn = ask->turn;

	strays_done(&ask->found);
	free(ask);
	fleet_end(f, turn);
}

static bool is_asked_about(const struct fleet *f, const char *id)
{
	for (const struct ask *ask = f->asks; ask; ask = ask->next)
		if (strcmp(ask->id, id) == 0)
			return true;
	return false;
}

static int ask_go_on(struct ask *ask, void (*work)(void *), void (*done)(void *), struct err *e)
{
	return rpc_job_start(ask->fleet->loop, work, done, ask, e);
}

/* One at a time about one CVM: what was found out for the one would not hold after the other. */
static int ask_start(struct fleet *f, const struct ask *what, void (*work)(void *),
		     void (*done)(void *), struct err *e)
{
	struct ask *ask;

	if (f->closing)
		return err_set(e, ERR_UNAVAILABLE, "the manager is stopping");
	if (*what->id && is_asked_about(f, what->id))
		return err_set(e, ERR_ABORTED,
			       "CVM %s is being adopted or removed by another call: try again",
			       what->id);
	ask = malloc(sizeof(*ask));
	if (!ask)
		return err_nomem(e);
	*ask = *what;
	ask->fleet = f;
	if (ask_go_on(ask, work, done, e) < 0) {
		free(ask);
		return err_code(e);
	}
	ask->next = f->asks;
	f->asks = ask;
	ask->turn = fleet_begin(f, false);
	return 0;
}

/* Those of other managers have one; what this one has of theirs is from before. */
static int leave_out_others(struct fleet *f, struct strays *found, struct err *e)
{
	struct registry_place *place;
	size_t kept = 0;
	int failed = 0;

	if (!fleet_is_shared(f))
		return 0;
	place = malloc(sizeof(*place));
	if (!place)
		return err_nomem(e);
	for (size_t i = 0; i < found->count && !failed; i++) {
		const struct stray *s = &found->all[i];

		failed = s->is_id ? registry_whereabouts(f->lifecycle->registry, s->id, NULL, NULL,
							 place, e)
				  : err_set(e, ERR_NOT_FOUND, "no id");
		if (!failed && !place->mine)
			failed = lifecycle_remove_folders(f->lifecycle, s->id, e);
		if (failed && e->code == ERR_NOT_FOUND) {
			found->all[kept++] = *s;
			failed = 0;
		}
	}
	free(place);
	if (!failed)
		found->count = kept;
	return failed;
}

void fleet_stray_start(struct fleet *f)
{
	CLEANUP_STRAYS struct strays found = { .all = NULL };
	struct err e;

	if (stray_find(f->lifecycle, NULL, 0, &found, &e) < 0 ||
	    leave_out_others(f, &found, &e) < 0) {
		log_warn("%s", e.text);
		return;
	}
	fleet_stray_keep(f, &found);
	for (size_t i = 0; i < found.count; i++)
		fleet_stray_tell(&found.all[i]);
}

static void list_work(void *data)
{
	struct ask *ask = data;
	struct lifecycle *l = ask->fleet->lifecycle;
	CLEANUP(free) struct virt_domain *domains = NULL;
	size_t count = 0;

	ask->result = vm_hosts_list(l->hosts, LIFECYCLE_ANY_PREFIX, &domains, &count, &ask->err);
	if (ask->result == 0)
		ask->result = stray_find(l, domains, count, &ask->found, &ask->err);
	if (ask->result == 0)
		ask->result = leave_out_others(ask->fleet, &ask->found, &ask->err);
}

static void list_done(void *data)
{
	struct ask *ask = data;

	if (ask->result == 0)
		fleet_stray_keep(ask->fleet, &ask->found);
	ask->listed(ask->data, &ask->found, ask->result < 0 ? &ask->err : NULL);
	ask_end(ask);
}

int fleet_strays(struct fleet *f, fleet_strays_fn *done, void *data, struct err *e)
{
	return ask_start(f, &(struct ask){ .listed = done, .data = data }, list_work, list_done, e);
}

static int has_no_record(struct fleet *f, const char *id, struct err *e)
{
	struct registry_place place;

	if (!fleet_is_shared(f))
		return 0;
	if (registry_whereabouts(f->lifecycle->registry, id, NULL, NULL, &place, e) < 0)
		return e->code == ERR_NOT_FOUND ? 0 : err_code(e);
	return err_set(e, ERR_UNAVAILABLE, "CVM %s has a record by now: try again", id);
}

static void remove_work(void *data)
{
	struct ask *ask = data;

	ask->result = has_no_record(ask->fleet, ask->id, &ask->err) < 0
			      ? err_code(&ask->err)
			      : stray_remove(ask->fleet->lifecycle, ask->id, &ask->err);
}

static void remove_done(void *data)
{
	struct ask *ask = data;
	struct cvm_gone gone = { .why = CVM_REMOVED, .exited_ms = clock_ms(CLOCK_REALTIME) };

	memcpy(gone.id, ask->id, sizeof(gone.id));
	if (ask->result == 0) {
		log_info("CVM %s, which had no record: removed", ask->id);
		fleet_view_gone(ask->fleet, &gone);
	}
	ask->removed(ask->data, ask->result < 0 ? &ask->err : NULL);
	ask_end(ask);
}

int fleet_stray_remove(struct fleet *f, const char *id, fleet_removed_fn *done, void *data,
		       struct err *e)
{
	struct ask ask = { .removed = done, .data = data };

	memcpy(ask.id, id, sizeof(ask.id));
	return ask_start(f, &ask, remove_work, remove_done, e);
}

static void read_work(void *data)
{
	struct ask *ask = data;

	ask->result = stray_read(ask->fleet->lifecycle, ask->id, &ask->cvm, &ask->err);
}

/* One of its id that nobody here knows is of an earlier try, whose answer got lost (ERR_UNKNOWN). */
static int record(struct registry *registry, const struct cvm *cvm, struct err *e)
{
	struct err none;

	if (registry_add(registry, cvm, e) == 0)
		return 0;
	return e->code == ERR_EXISTS &&
			       registry_set_step(registry, cvm->id, CVM_RUNNING, &none) == 0
		       ? 0
		       : err_code(e);
}

static void adopt_work(void *data)
{
	struct ask *ask = data;

	ask->result = record(ask->fleet->lifecycle->registry, &ask->cvm, &ask->err);
}

static void adopt_failed(struct ask *ask)
{
	ask->adopted(ask->data, NULL, &ask->err);
	ask_end(ask);
}

/* Its host went to another manager meanwhile, which has the CVM if it was recorded. What was not stays here as it was: it
 * can be adopted there or here, whoever has the host then. */
static void adopt_forsaken(struct ask *ask)
{
	struct slot *slot = ask->slot;

	if (ask->result == 0) {
		err_set(&ask->err, ERR_UNAVAILABLE,
			"host %s went to another manager while CVM %s was adopted: ask that one "
			"for it",
			ask->cvm.host, ask->id);
		fleet_lease_leave(slot);
	} else {
		fleet_slot_leave(slot);
		slot->died = slot->forsaken = false;
	}
	log_warn("CVM %s: %s", ask->id, ask->err.text);
	adopt_failed(ask);
}

static void adopt_done(void *data)
{
	struct ask *ask = data;
	struct fleet *f = ask->fleet;
	struct slot *slot = ask->slot;

	if (slot->forsaken) {
		adopt_forsaken(ask);
		return;
	}
	if (ask->result < 0) {
		struct fleet_host *host = slot->host;

		fleet_slot_leave(slot); /* not fleet_slot_free(): it is not gone, */
		fleet_watch_block(slot->number, host,
				  ask->id); /* and its domain still has the slot's name */
		adopt_failed(ask);
		return;
	}
	log_info("CVM %s: adopted, port %u", ask->id, ask->cvm.port);
	ports_mark(f->lifecycle->ports, ask->cvm.port);
	slot->state = SLOT_RUNNING;
	slot->seen = !slot->host->lost;
	fleet_view_changed(slot);
	fleet_slot_wind_up(slot);
	ask->adopted(ask->data, &slot->cvm, NULL);
	if (slot->died) {
		slot->doomed = true;
		fleet_slot_remove(slot, CVM_ENDED);
	}
	/* Its machine may have ended before it had a slot that notices would find. */
	fleet_watch_look(slot->host);
	ask_end(ask);
}

/* Its place must be free; from then on it is taken. */
static int claim(struct ask *ask, struct err *e)
{
	struct fleet *f = ask->fleet;
	struct cvm *cvm = &ask->cvm;
	struct fleet_host *host;
	struct slot *slot;

	if (fleet_slot_find(f, cvm->id))
		return err_set(e, ERR_EXISTS, "CVM %s has a record", cvm->id);
	if (cvm->slot >= f->count)
		return err_set(e, ERR_EXHAUSTED,
			       "CVM %s has slot %u: MANAGER_MAX_VMS must be %u or more", cvm->id,
			       cvm->slot, cvm->slot + 1);
	if (fleet_slot_named(f, cvm->owner, cvm->name)) {
		log_warn("CVM %s: another one is called %s by now: it is adopted without its name",
			 cvm->id, cvm->name);
		cvm->name[0] = '\0';
	}
	if (fleet_slot_make(f, cvm->slot, &slot, e) < 0)
		return err_code(e);
	if (slot->state != SLOT_FREE)
		return err_set(e, ERR_EXISTS, "CVM %s has taken slot %u, that of CVM %s",
			       slot->cvm.id, cvm->slot, cvm->id);
	host = fleet_host_find(f, cvm->host);
	if (!host || host->leaving)
		return err_set(e, ERR_PRECONDITION, "CVM %s: host %s is being removed", cvm->id,
			       cvm->host);
	ask->slot = slot;
	ask->slot->host = host;
	if (fleet_slot_take(f, ask->slot, cvm, SLOT_CREATING, e) < 0)
		return err_code(e);
	if (ask_go_on(ask, adopt_work, adopt_done, e) < 0) {
		fleet_slot_leave(ask->slot);
		return err_code(e);
	}
	return 0;
}

static void read_done(void *data)
{
	struct ask *ask = data;

	if (ask->result < 0 || claim(ask, &ask->err) < 0) {
		adopt_failed(ask);
		return;
	}
	fleet_stray_use_drop(ask->fleet, NULL,
			     ask->cvm.id); /* from now on it counts as the slot's */
	ask->fleet->blocked[ask->slot->number] &= ~fleet_host_bit(ask->slot->host);
}

int fleet_adopt(struct fleet *f, const char *id, fleet_adopted_fn *done, void *data, struct err *e)
{
	struct ask ask = { .adopted = done, .data = data };

	if (!cvm_id_is_valid(id))
		return err_set(e, ERR_NOT_FOUND, "no CVM %s", log_quote(id).text);
	if (fleet_slot_find(f, id))
		return err_set(e, ERR_EXISTS, "CVM %s has a record", id);
	memcpy(ask.id, id, sizeof(ask.id));
	return ask_start(f, &ask, read_work, read_done, e);
}
