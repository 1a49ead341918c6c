/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_changes.c — what clients see of the fleet: its order of changes, and who is told of them. */
#include "common/base/clock.h"
#include "manager/fleet/fleet_state.h"

#include <string.h>

/* Above the milliseconds, and the number of changes, that any manager lives to see. */
enum { EPOCH_BITS = 40 };

const char *vm_state_name(enum vm_state state)
{
	static const char *const names[] = {
		[VM_CREATING] = "creating", [VM_RUNNING] = "running", [VM_LOST] = "lost",
		[VM_REMOVING] = "removing", [VM_EXITED] = "exited",
	};
	_Static_assert(ARRAY_LEN(names) == VM_STATES, "each has a name");

	return names[state];
}

static enum vm_state state_of(const struct slot *slot)
{
	switch (slot->state) {
	case SLOT_CREATING:
		return VM_CREATING;
	case SLOT_RUNNING:
		return slot->seen ? VM_RUNNING : VM_LOST;
	default:
		return VM_REMOVING;
	}
}

/* ---- what changes ---- */

static void on_tell(uv_timer_t *timer)
{
	struct fleet *f = timer->data;
	struct fleet_watcher *w;

	/* Being told may end watchers, this one and others. */
	do {
		LIST_FOREACH(w, &f->watchers, link)
			if (w->told < f->revision)
				break;
		if (w) {
			w->told = f->revision;
			w->changed(w);
		}
	} while (w);
}

/* The time since the start where it is ahead: a number that counted would tell a tenant how much the others do. */
uint64_t fleet_revision_now(struct fleet *f)
{
	uint64_t now = f->first_revision + (uv_now(f->loop) - f->started_ms);

	if (f->revision < now)
		f->revision = now;
	return f->revision;
}

uint64_t fleet_view_next(struct fleet *f)
{
	if (!f->closing && !LIST_EMPTY(&f->watchers))
		uv_timer_start(&f->tell, on_tell, 0, 0);
	f->revision++;
	return fleet_revision_now(f);
}

void fleet_view_changed(struct slot *slot)
{
	struct fleet *f = slot->fleet;

	if (slot->revision)
		TAILQ_REMOVE(&f->changed, slot, link);
	slot->revision = fleet_view_next(f);
	TAILQ_INSERT_TAIL(&f->changed, slot, link);
}

void fleet_view_see(struct slot *slot, bool seen)
{
	bool changed = slot->seen != seen && slot->state == SLOT_RUNNING;

	slot->seen = seen;
	if (changed)
		fleet_view_changed(slot);
}

void fleet_view_gone(struct fleet *f, const struct cvm_gone *gone)
{
	struct cvm_gone kept = *gone;

	f->ended[gone->why]++;
	kept.revision = fleet_view_next(f);
	fleet_gone_keep(f, &kept);
}

uint64_t fleet_ended(const struct fleet *f, enum cvm_why why)
{
	return f->ended[why];
}

void fleet_view_leave(struct slot *slot)
{
	const struct cvm *cvm = &slot->cvm;
	struct cvm_gone gone = { .tee = cvm->tee, .kvm = cvm->kvm, .why = cvm->why };

	memcpy(gone.id, cvm->id, sizeof(gone.id));
	memcpy(gone.name, cvm->name, sizeof(gone.name));
	memcpy(gone.labels, cvm->labels, sizeof(gone.labels));
	memcpy(gone.owner, cvm->owner, sizeof(gone.owner));
	gone.created_ms = cvm->created_ms;
	gone.exited_ms = cvm->exited_ms ? cvm->exited_ms : clock_ms(CLOCK_REALTIME);
	if (slot->revision)
		TAILQ_REMOVE(&slot->fleet->changed, slot, link);
	slot->revision = 0;
	slot->seen = false;
	fleet_view_gone(slot->fleet, &gone);
}

static void end_watches(struct fleet *f, const struct err *why)
{
	struct fleet_watcher *w;

	while ((w = LIST_FIRST(&f->watchers)))
		w->end(w, why);
}

void fleet_view_anew(struct fleet *f)
{
	struct err why;

	f->valid_from = fleet_view_next(f);
	err_set(&why, ERR_OUT_OF_RANGE,
		"CVMs went to another manager with their host: list them anew, and go on from that "
		"revision");
	end_watches(f, &why);
}

void fleet_view_start(struct fleet *f)
{
	TAILQ_INIT(&f->changed);
	TAILQ_INIT(&f->gone_order);
	LIST_INIT(&f->watchers);
	f->started_ms = uv_now(f->loop);
	f->first_revision = f->revision = registry_epoch(f->lifecycle->registry) << EPOCH_BITS;
}

/* ---- what there is ---- */

uint64_t fleet_revision(const struct fleet *f)
{
	return f->revision;
}

int fleet_check_revision(const struct fleet *f, uint64_t revision,
			 const struct access_caller *caller, struct err *e)
{
	/* One of another manager's, or of another start, that shares the registry. */
	bool is_others = registry_is_shared(f->lifecycle->registry) &&
			 revision >> EPOCH_BITS != f->first_revision >> EPOCH_BITS;

	if (revision > f->revision && !is_others)
		return err_set(e, ERR_INVALID, "revision %llu has not been yet: the last is %llu",
			       (unsigned long long)revision, (unsigned long long)f->revision);
	if (is_others || revision < f->first_revision || revision < f->valid_from ||
	    revision < fleet_forgotten(f, caller))
		return err_set(
			e, ERR_OUT_OF_RANGE,
			"revision %llu is too old, and not all that changed since is known any "
			"more: list the CVMs anew, and go on from that revision",
			(unsigned long long)revision);
	return 0;
}

size_t fleet_places(const struct fleet *f)
{
	return f->count + (size_t)REGISTRY_GONE_MAX;
}

static bool view_slot(const struct slot *slot, struct vm_view *view)
{
	if (!slot->revision)
		return false;
	*view = (struct vm_view){ .cvm = &slot->cvm,
				  .host_address = fleet_address(slot->fleet, &slot->cvm),
				  .state = state_of(slot),
				  .revision = slot->revision };
	return true;
}

static bool view_gone(const struct cvm_gone *gone, struct vm_view *view)
{
	*view = (struct vm_view){
		.gone = gone, .host_address = "", .state = VM_EXITED, .revision = gone->revision
	};
	return true;
}

bool fleet_view(const struct fleet *f, size_t place, struct vm_view *view)
{
	if (place < f->count)
		return f->slots[place] && view_slot(f->slots[place], view);
	return place - f->count < f->gone_count && view_gone(&f->gone[place - f->count].gone, view);
}

const char *vm_view_owner(const struct vm_view *view)
{
	return view->cvm ? view->cvm->owner : view->gone->owner;
}

/* What a client calls a CVM: the key, and for a name whose it is. */
struct called {
	const struct access_caller *caller;
	const char *key, *owner, *name;
	size_t owner_len;
};

static struct called called(const struct access_caller *caller, const char *key)
{
	const char *slash = *caller->tenant ? NULL : strchr(key, '/');

	return (struct called){ .caller = caller,
				.key = key,
				.owner = slash ? key : caller->tenant,
				.owner_len = slash ? (size_t)(slash - key) : strlen(caller->tenant),
				.name = slash ? slash + 1 : key };
}

static bool is_called(const struct called *c, const char *id, const char *owner, const char *name)
{
	if (!*c->name || access_decide(c->caller, ACCESS_USE, owner) != ACCESS_GRANTED)
		return false;
	return strcmp(c->key, id) == 0 ||
	       (strcmp(c->name, name) == 0 && strlen(owner) == c->owner_len &&
		memcmp(c->owner, owner, c->owner_len) == 0);
}

bool fleet_view_find(const struct fleet *f, const struct access_caller *caller, const char *key,
		     struct vm_view *view)
{
	const struct called c = called(caller, key);
	const struct gone_entry *entry;
	const struct slot *slot;

	TAILQ_FOREACH(slot, &f->changed, link)
		if (is_called(&c, slot->cvm.id, slot->cvm.owner, slot->cvm.name))
			return view_slot(slot, view);
	TAILQ_FOREACH_REVERSE(entry, &f->gone_order, gone_list, link)
	if (is_called(&c, entry->gone.id, entry->gone.owner, entry->gone.name))
		return view_gone(&entry->gone, view);
	return false;
}

struct fleet_changes fleet_changes_after(const struct fleet *f, uint64_t revision)
{
	struct fleet_changes c = { .fleet = f };
	const struct gone_entry *entry;
	const struct slot *slot;

	TAILQ_FOREACH_REVERSE(slot, &f->changed, slot_list, link)
	{
		if (slot->revision <= revision)
			break;
		c.slot = slot;
	}
	TAILQ_FOREACH_REVERSE(entry, &f->gone_order, gone_list, link)
	{
		if (entry->gone.revision <= revision)
			break;
		c.gone = entry;
	}
	return c;
}

bool fleet_changes_next(struct fleet_changes *c, struct vm_view *view)
{
	const struct gone_entry *entry = c->gone;

	if (entry && (!c->slot || entry->gone.revision < c->slot->revision)) {
		c->gone = TAILQ_NEXT(entry, link);
		return view_gone(&entry->gone, view);
	}
	if (!c->slot || !view_slot(c->slot, view))
		return false;
	c->slot = TAILQ_NEXT(c->slot, link);
	return true;
}

/* ---- who is told ---- */

static unsigned watches_of(const struct fleet *f, const struct rpc_source *source)
{
	const struct fleet_watcher *w;
	unsigned count = 0;

	LIST_FOREACH(w, &f->watchers, link)
		count += memcmp(&w->source, source, sizeof(*source)) == 0;
	return count;
}

/* The oldest watch of the caller who has most of them, and how many these are. */
static struct fleet_watcher *greediest(const struct fleet *f, unsigned *most)
{
	struct fleet_watcher *w, *found = NULL;

	*most = 0;
	LIST_FOREACH(w, &f->watchers, link) {
		unsigned count = watches_of(f, &w->source);

		if (count >= *most) { /* the list begins with the youngest */
			*most = count;
			found = w;
		}
	}
	return found;
}

/* Places are shared: who has two more than the one that comes gives one away. */
static int make_place(struct fleet *f, const struct fleet_watcher *comes, struct err *e)
{
	struct fleet_watcher *w;
	unsigned count = 0, most;
	struct err why;

	LIST_FOREACH(w, &f->watchers, link)
		count++;
	if (count < FLEET_WATCHERS_MAX)
		return 0;
	w = greediest(f, &most);
	if (most < watches_of(f, &comes->source) + 2)
		return err_set(e, ERR_EXHAUSTED, "%u watch already, which is the limit", count);
	err_set(&why, ERR_EXHAUSTED,
		"%u watch, which is the limit, and another caller has fewer than your %u", count,
		most);
	w->end(w, &why);
	return 0;
}

int fleet_watch(struct fleet *f, struct fleet_watcher *watcher, struct err *e)
{
	if (f->closing || f->ends_watches)
		return err_set(e, ERR_UNAVAILABLE, "the manager is stopping");
	if (make_place(f, watcher, e) < 0)
		return err_code(e);
	watcher->told = f->revision;
	LIST_INSERT_HEAD(&f->watchers, watcher, link);
	return 0;
}

void fleet_unwatch(struct fleet *f, struct fleet_watcher *watcher)
{
	LIST_REMOVE(watcher, link);
}

void fleet_end_watches(struct fleet *f)
{
	struct err why;

	f->ends_watches = true;
	err_set(&why, ERR_UNAVAILABLE, "the manager is stopping");
	end_watches(f, &why);
}
