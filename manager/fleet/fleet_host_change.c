/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_host_change.c — hosts that are added, drained and removed while the manager runs: recorded first, then done. */
#include "common/base/log.h"
#include "manager/fleet/fleet_state.h"

#include <string.h>

#define VOLUME_PREFIX "cocos-" /* boot_files.c */

/* What was looked at has to hold until it is recorded: one is added or drained at a time. A removal asks its host, which
 * may not answer for as long as it likes, so that one keeps nobody but those who want to change the same host. */
struct host_change {
	struct registry_host as;
	struct fleet_host *host; /* that is there; or is made, and nobody knows it yet */
	bool drain, alone;
	struct host_left left;
	fleet_host_done_fn *done;
	void *data;
};

/* What began while a host was there may use it until it ends. So jobs begin in turns: one that is hidden in a turn goes
 * when nothing of that turn is under way any more. `removed` were hidden in this turn, `going` in the one before. */
static void let_go(struct fleet *f)
{
	struct fleet_host *host, *next;

	while (!f->jobs_of[!f->turn]) {
		for (host = LIST_FIRST(&f->going); host; host = next) {
			next = LIST_NEXT(host, link);
			if (host->connecting) /* goes when that ends */
				continue;
			LIST_REMOVE(host, link);
			f->removed_count--;
			vm_host_free(host->host);
			fleet_host_free(host);
		}
		if (LIST_EMPTY(&f->removed))
			return;
		while ((host = LIST_FIRST(&f->removed))) {
			LIST_REMOVE(host, link);
			LIST_INSERT_HEAD(&f->going, host, link);
		}
		f->turn = !f->turn;
	}
}

unsigned fleet_begin(struct fleet *f, bool dials)
{
	unsigned turn = dials ? FLEET_DIALS : f->turn;

	f->jobs++;
	f->jobs_of[turn]++;
	return turn;
}

void fleet_end(struct fleet *f, unsigned turn)
{
	f->jobs--;
	f->jobs_of[turn]--;
	let_go(f);
}

static int check(const struct fleet *f, struct err *e)
{
	if (f->closing)
		return err_set(e, ERR_UNAVAILABLE, "the manager is stopping");
	if (!f->lifecycle->hosts->has_table)
		return err_set(e, ERR_PRECONDITION,
			       "this manager has the one host of MANAGER_LIBVIRT_URI: set "
			       "MANAGER_HOSTS to have several");
	if (f->changes_hosts)
		return err_set(e, ERR_ABORTED, "another call changes the hosts: try again");
	return 0;
}

/* By its own name alone; ERR_ABORTED for one that is being removed. */
static int find(const struct fleet *f, const char *name, struct fleet_host **host, struct err *e)
{
	for (size_t i = 0; i < f->host_count; i++)
		if (strcmp(f->hosts[i]->host->row.name, name) == 0) {
			*host = f->hosts[i];
			return (*host)->leaving
				       ? err_set(e, ERR_ABORTED,
						 "host %s is being removed by another call: try again",
						 name)
				       : 0;
		}
	return err_set(e, ERR_NOT_FOUND, "no host %s: 'cocos-cli host list' lists them",
		       log_quote(name).text);
}

/* In the threads of `on`; NULL: in the pool. */
static int start(struct fleet *f, const struct host_change *what, struct fleet_host *on,
		 void (*work)(void *), void (*done)(void *), struct err *e)
{
	struct job *job = calloc(1, sizeof(*job));
	struct host_change *change = malloc(sizeof(*change));

	if (!job || !change) {
		free(job);
		free(change);
		return err_nomem(e);
	}
	*change = *what;
	job->change = change;
	job->host = on;
	if (fleet_job_start(f, job, work, done, e) < 0) {
		free(job);
		free(change);
		return err_code(e);
	}
	f->changes_hosts |= what->alone;
	f->host_changes++;
	return 0;
}

static void end(struct job *job)
{
	struct host_change *change = job->change;

	job->fleet->host_changes++;
	if (change->alone)
		job->fleet->changes_hosts = false;
	change->done(change->data, &change->left, job->result < 0 ? &job->err : NULL);
	fleet_job_end(job);
}

static void add_work(void *data)
{
	struct job *job = data;

	job->result =
		registry_host_add(job->fleet->lifecycle->registry, &job->change->as, &job->err);
}

static void add_done(void *data)
{
	struct job *job = data;
	struct fleet *f = job->fleet;
	struct fleet_host *host = job->change->host;

	if (job->result < 0) {
		vm_host_free(host->host);
		fleet_host_free(host);
	} else {
		vm_hosts_publish(f->lifecycle->hosts, host->host);
		f->hosts[f->host_count++] = host;
		log_info("host %s was added: %s", fleet_host_name(host), host->host->row.uri);
		fleet_watch_connect(host);
	}
	end(job);
}

static int copy(const char *text, char *out, size_t room, const char *what, struct err *e)
{
	size_t len = strlen(text);

	if (len >= room)
		return err_set(e, ERR_INVALID, "%s: more than %zu characters", what, room - 1);
	memcpy(out, text, len + 1);
	return 0;
}

static int describe(const char *name, const char *uri, const char *words, struct registry_host *as,
		    struct err *e)
{
	return copy(name, as->name, sizeof(as->name), "the host's name", e) < 0 ||
			       copy(uri, as->uri, sizeof(as->uri), "the host's URI", e) < 0 ||
			       copy(words, as->words, sizeof(as->words), "what is said of the host",
				    e) < 0
		       ? err_code(e)
		       : 0;
}

int fleet_host_add(struct fleet *f, const char *name, const char *uri, const char *words,
		   fleet_host_done_fn *done, void *data, struct err *e)
{
	struct host_change change = { .alone = true, .done = done, .data = data };
	struct vm_host *made;

	if (check(f, e) < 0 || describe(name, uri, words, &change.as, e) < 0)
		return err_code(e);
	if (f->host_count + f->removed_count >= HOSTS_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "%zu hosts are there, and %zu that were removed are still being "
			       "let go, of %d",
			       f->host_count, f->removed_count, HOSTS_MAX);
	if (fleet_is_shared(f) && strcmp(uri, HOST_LOCAL_URI) == 0)
		return err_set(
			e, ERR_PRECONDITION,
			"host %s: " HOST_LOCAL_URI " is another machine to each manager that "
			"shares MANAGER_DATABASE: give it a URI by which all of them reach it",
			name);
	if (vm_host_new(f->lifecycle->hosts, &change.as, &made, e) < 0)
		return err_code(e);
	change.as.draining = made->drained;
	if (fleet_host_new(f, made, &change.host, e) < 0) {
		vm_host_free(made);
		return err_code(e);
	}
	if (start(f, &change, NULL, add_work, add_done, e) < 0) {
		vm_host_free(made);
		fleet_host_free(change.host);
		return err_code(e);
	}
	return 0;
}

/* Of a host of the settings nothing is kept but that it drains. */
static void drain_work(void *data)
{
	struct job *job = data;
	const struct host_change *change = job->change;
	struct registry *registry = job->fleet->lifecycle->registry;

	if (!change->drain && registry_is_shared(registry)) {
		job->result = registry_host_undrain(registry, change->as.name, &job->err);
		return;
	}
	job->result =
		change->drain || change->host->host->added
			? registry_host_drain(registry, change->as.name, change->drain, &job->err)
			: registry_host_drop(registry, change->as.name, &job->err);
}

static void drain_done(void *data)
{
	struct job *job = data;
	struct host_change *change = job->change;

	if (job->result == 0) {
		change->host->host->drained = change->drain;
		log_info("host %s %s", change->as.name,
			 change->drain ? "drains: nothing new is launched there"
				       : "drains no more");
	}
	end(job);
}

int fleet_host_drain(struct fleet *f, const char *name, bool drain, fleet_host_done_fn *done,
		     void *data, struct err *e)
{
	struct host_change change = { .drain = drain, .alone = true, .done = done, .data = data };
	const struct host_row *row;

	if (check(f, e) < 0 || find(f, name, &change.host, e) < 0)
		return err_code(e);
	row = &change.host->host->row;
	if (row->draining && !drain)
		return err_set(e, ERR_PRECONDITION,
			       "host %s: MANAGER_HOSTS says state=draining: change it there, and "
			       "restart the manager",
			       row->name);
	memcpy(change.as.name, row->name, sizeof(change.as.name));
	return start(f, &change, NULL, drain_work, drain_done, e);
}

/* What is there, as it says: machines of ours, and boot configurations. */
static int ask_left(struct job *job, const struct vm_host *host, struct err *e)
{
	struct host_left *left = &job->change->left;
	char prefix[LIFECYCLE_NAME_MAX];

	lifecycle_prefix(job->fleet->lifecycle, prefix);
	if (virt_list(host->virt, prefix, &job->domains, &job->domain_count, e) < 0)
		return err_code(e);
	if (host->is_local)
		return 0;
	return virt_volumes(host->virt, host->row.pool, VOLUME_PREFIX, left->volume_names,
			    HOST_LEFT_MAX, &left->volumes, e);
}

/* Of these machines, those without a record: of another host that is the same machine, others have one. */
static void count_strays(struct job *job)
{
	struct host_left *left = &job->change->left;

	for (size_t i = 0; left->asked && i < job->domain_count; i++) {
		const char *id = job->domains[i].uuid;

		if (fleet_slot_find(job->fleet, id))
			continue;
		if (left->strays < HOST_LEFT_MAX)
			memcpy(left->stray_ids[left->strays], id, sizeof(left->stray_ids[0]));
		left->strays++;
	}
}

/* A host that can't be asked is not waited for: job->host is NULL then. */
static void remove_work(void *data)
{
	struct job *job = data;
	struct host_change *change = job->change;
	const struct lifecycle *l = job->fleet->lifecycle;
	struct vm_host *host = change->host->host;
	struct err why;

	change->left = (struct host_left){ .asked = job->host != NULL };
	if (job->host && ask_left(job, host, &why) < 0) {
		log_warn("host %s: what is left there is not known: %s", change->as.name, why.text);
		change->left = (struct host_left){ .asked = false };
	}
	job->result = registry_host_drop(l->registry, change->as.name, &job->err);
	if (job->result == 0)
		virt_end(host->virt);
}

/* Nothing finds it from now on. */
void fleet_host_hide(struct fleet_host *host)
{
	struct fleet *f = host->fleet;
	struct slot *slot;
	size_t place = 0;

	fleet_health_libvirt(host, false);
	host->removed = true;
	uv_timer_stop(&host->reconnect);
	for (unsigned i = 0; (slot = fleet_slot_next(f, &i));)
		if (slot->host == host)
			slot->host = NULL;
	fleet_watch_unblock(host);
	fleet_stray_use_begin(host);
	fleet_stray_use_end(host);
	vm_hosts_hide(f->lifecycle->hosts, host->host);
	while (f->hosts[place] != host)
		place++;
	memmove(&f->hosts[place], &f->hosts[place + 1],
		(--f->host_count - place) * sizeof(f->hosts[0]));
	LIST_INSERT_HEAD(&f->removed, host, link);
	f->removed_count++;
}

static void remove_done(void *data)
{
	struct job *job = data;
	struct fleet_host *host = job->change->host;

	host->leaving = false;
	count_strays(job);
	if (job->result == 0) {
		log_info("host %s was removed", fleet_host_name(host));
		fleet_host_hide(host);
	}
	end(job);
}

static int check_unused(const struct fleet *f, const struct fleet_host *host, struct err *e)
{
	const struct slot *user = NULL, *slot;
	unsigned count = 0;

	for (unsigned i = 0; (slot = fleet_slot_next(f, &i));)
		if (slot->host == host && slot->state != SLOT_FREE) {
			user = slot;
			count++;
		}
	if (!user)
		return 0;
	return err_set(e, ERR_PRECONDITION, "host %s has CVM %s%s: remove %s first",
		       fleet_host_name(host), user->cvm.id, count > 1 ? " and others" : "",
		       count > 1 ? "them" : "it");
}

/* Whoever has it knows what is there. */
static int check_held(const struct fleet_host *host, struct err *e)
{
	const char *name = host->host->row.name, *holder;

	if (host->held)
		return 0;
	holder = fleet_host_holder(host->fleet, name);
	return *holder ? err_set(e, ERR_PRECONDITION, "manager %s holds host %s: ask that one",
				 holder, name)
		       : err_set(e, ERR_UNAVAILABLE, "no manager holds host %s now: try again",
				 name);
}

int fleet_host_remove(struct fleet *f, const char *name, fleet_host_done_fn *done, void *data,
		      struct err *e)
{
	struct host_change change = { .done = done, .data = data };
	struct fleet_host *host;

	if (check(f, e) < 0 || find(f, name, &host, e) < 0)
		return err_code(e);
	if (!host->host->added)
		return err_set(e, ERR_PRECONDITION,
			       "host %s is in MANAGER_HOSTS: take it out there, and restart the "
			       "manager; until then 'cocos-cli host drain' keeps new CVMs away",
			       name);
	if (check_unused(f, host, e) < 0 || check_held(host, e) < 0)
		return err_code(e);
	change.host = host;
	memcpy(change.as.name, host->host->row.name, sizeof(change.as.name));
	if (start(f, &change, host->is_there && !fleet_host_is_out_of_reach(host) ? host : NULL,
		  remove_work, remove_done, e) < 0)
		return err_code(e);
	host->leaving = true;
	return 0;
}
