/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_where.c — a CVM that this manager does not have: perhaps another one does, that shares the registry. */
#include "common/base/log.h"
#include "manager/fleet/fleet_state.h"

#include <string.h>

/* Each asks the database, as the leases' rounds do, which have to be in time. */
enum { WHERE_EACH = 8 };

struct where {
	LIST_ENTRY(where) link;  /* of the fleet's */
	char id[CVM_ID_LEN + 1]; /* or the two below */
	char owner[ACCESS_NAME_MAX + 1], name[CVM_NAME_MAX + 1];
	struct access_caller caller;
	struct registry_place place;
	fleet_where_fn *done;
	void *data;
};

static void work(void *data)
{
	struct job *job = data;
	struct where *w = job->where;

	job->result = registry_whereabouts(job->fleet->lifecycle->registry, *w->id ? w->id : NULL,
					   w->owner, w->name, &w->place, &job->err);
}

static const char *called(const struct where *w)
{
	return *w->id ? w->id : w->name;
}

static void judge(struct job *job)
{
	const struct where *w = job->where;
	const struct registry_place *p = &w->place;

	if (job->result < 0 && job->err.code != ERR_NOT_FOUND)
		return;
	if (job->result < 0 ||
	    access_decide(&w->caller, ACCESS_USE, p->cvm.owner) != ACCESS_GRANTED)
		job->result =
			err_set(&job->err, ERR_NOT_FOUND, "no CVM %s", log_quote(called(w)).text);
	else if (p->mine || !*p->holder)
		job->result =
			err_set(&job->err, ERR_UNAVAILABLE,
				"CVM %s: no manager has taken its host yet: try again", p->cvm.id);
	else
		job->result = err_set(&job->err, ERR_PRECONDITION,
				      "CVM %s: manager %s has it by now: ask that one", p->cvm.id,
				      p->holder);
}

static void done(void *data)
{
	struct job *job = data;
	struct where *w = job->where;

	LIST_REMOVE(w, link);
	judge(job);
	w->done(w->data, &job->err);
	fleet_job_end(job);
}

/* Whoever asks for many at a time waits for his own, and keeps nobody. */
static int check_share(const struct fleet *f, const struct access_caller *caller, struct err *e)
{
	const struct where *w;
	unsigned count = 0;

	if (!*caller->tenant)
		return 0;
	LIST_FOREACH(w, &f->wheres, link)
		count += strcmp(w->caller.tenant, caller->tenant) == 0;
	return count < WHERE_EACH
		       ? 0
		       : err_set(e, ERR_EXHAUSTED,
				 "%u calls of tenant %s look for CVMs at other managers already: "
				 "wait for one of them",
				 count, caller->tenant);
}

static int start(struct fleet *f, const struct where *what, struct err *e)
{
	struct job *job;

	if (f->closing)
		return err_set(e, ERR_UNAVAILABLE, "the manager is stopping");
	if (check_share(f, &what->caller, e) < 0)
		return err_code(e);
	job = calloc(1, sizeof(*job));
	if (job)
		job->where = malloc(sizeof(*what));
	if (!job || !job->where) {
		free(job);
		return err_nomem(e);
	}
	*job->where = *what;
	if (fleet_job_start(f, job, work, done, e) < 0) {
		free(job->where);
		free(job);
		return err_code(e);
	}
	LIST_INSERT_HEAD(&f->wheres, job->where, link);
	return 0;
}

static bool copy(char *out, size_t room, const char *text, size_t len)
{
	if (len >= room)
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

int fleet_where(struct fleet *f, const struct access_caller *caller, const char *key,
		fleet_where_fn *done_, void *data, struct err *e)
{
	struct where w = { .caller = *caller, .done = done_, .data = data };
	const char *slash = *caller->tenant ? NULL : strchr(key, '/');
	const char *name = slash ? slash + 1 : key, *owner = slash ? key : caller->tenant;
	struct err none;

	if (!fleet_is_shared(f))
		return err_set(e, ERR_NOT_FOUND, "no CVM %s", log_quote(key).text);
	if (cvm_id_is_valid(key))
		memcpy(w.id, key, sizeof(w.id));
	else if (!*name || cvm_name_check(name, &none) < 0 ||
		 !copy(w.name, sizeof(w.name), name, strlen(name)) ||
		 !copy(w.owner, sizeof(w.owner), owner,
		       slash ? (size_t)(slash - key) : strlen(owner)))
		return err_set(e, ERR_NOT_FOUND, "no CVM %s", log_quote(key).text);
	return start(f, &w, e);
}
