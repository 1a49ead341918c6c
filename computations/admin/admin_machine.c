/* SPDX-License-Identifier: Apache-2.0 */
/* admin_machine.c — CreateCvm, RemoveCvm, ListMachines, ShowMachine: the CVMs that managers make for workspaces; and those
 * for one run. */
#include "common/base/log.h"
#include "common/rpc/observer.h"
#include "computations/admin/admin.h"
#include "computations/machines/machine_said.h"
#include "computations/machines/machines.h"
#include "computations/people/workspace.h"
#include "computations/store/store_machine_run.h"

#include <string.h>

enum { MACHINE_PAGE_MAX = 64 };

/* What such a call is about. */
struct machine_request {
	struct machine wish, rows[MACHINE_PAGE_MAX];
	bool gives_up;  /* as machine_waiter has it */
	int64_t number; /* whose manager is asked */
	int64_t after;  /* of a list in no order that was asked for */
	char *before;   /* and of one in an order */
	size_t limit;
};

void admin_machine_free(struct machine_request *machine)
{
	if (!machine)
		return;
	machine_done(&machine->wish);
	free(machine->before);
	for (size_t i = 0; i < MACHINE_PAGE_MAX; i++)
		machine_done(&machine->rows[i]);
	free(machine);
}

/* Of a CVM of that name in that workspace; NULL as from request_new(). */
static struct request *request_of(struct rpc_call *call, const char *workspace, const char *name)
{
	struct request *r = request_new(call, name);
	struct err e;

	if (!r)
		return NULL;
	r->machine = calloc(1, sizeof(*r->machine));
	if (r->machine && request_in_workspace(r, workspace, &e) == 0)
		return r;
	err_nomem(&e);
	request_refuse(r, &e);
	return NULL;
}

/* ---- answers ---- */

struct machine_message {
	Computations__Machine message;
	Google__Protobuf__Timestamp created, ended;
};

static void fill(struct machine_message *out, const struct machine *m, bool connected)
{
	Computations__Machine *to = &out->message;

	computations__machine__init(to);
	to->name = m->name;
	to->workspace = m->workspace;
	to->manager = m->manager;
	to->state = (char *)(uintptr_t)machine_state(m);
	to->reason = m->reason;
	to->cvm_id = m->cvm_id;
	to->address = m->address;
	to->computation_id = (char *)(uintptr_t)machine_computation(m);
	to->made_for = (char *)(uintptr_t)machine_made_for(m);
	to->connected = connected;
	to->leaving = m->phase == MACHINE_LEAVING;
	to->image = m->image;
	to->tee = m->tee;
	to->cpus = (uint32_t)m->cpus;
	to->memory = (uint64_t)m->memory;
	to->ttl_ms = (uint64_t)m->ttl_ms;
	to->created = admin_message_time(&out->created, m->created);
	to->ended = admin_message_time(&out->ended, m->ended);
}

static void reply_with(struct request *r, const struct machine *m)
{
	struct machine_message out;

	fill(&out, m, request_is_connected(r, m->cvm_id));
	rpc_call_reply(r->call, &out.message.base);
}

static void reply_machine(struct request *r)
{
	reply_with(r, &r->machine->rows[0]);
}

/* As it is by now, without what the caller may not see. */
static int run_told(struct store *store, struct request *r, struct err *e)
{
	struct machine now CLEANUP_MACHINE = { .name = NULL };

	if (store_machine_at(store, r->machine->number, &now, e) < 0 ||
	    admin_access_machines(store, &r->caller, &now, 1, e) < 0)
		return err_code(e);
	machine_done(&r->machine->rows[0]);
	r->machine->rows[0] = now;
	now = (struct machine){ .name = NULL };
	return 0;
}

/* Its manager has said something, which is the answer where nothing else is found out. */
static void told(void *data, const struct machine *m, const struct err *e)
{
	struct request *r = data;
	struct machine said;
	struct err why;

	if (e) {
		request_refuse(r, e);
		return;
	}
	if (*m->cvm_id)
		rpc_call_note(r->call, "cvm", m->cvm_id);
	if (machine_copy(m, &r->machine->rows[0], &why) < 0) {
		said = *m;
		said.hides = true;
		reply_with(r, &said);
		request_free(r);
		return;
	}
	/* Nobody has looked what the caller may see of it. */
	r->machine->rows[0].hides = true;
	request_look_back(r, run_told, reply_machine);
}

/* It is on disk: now its manager is asked. */
static void go_on(struct request *r)
{
	const struct machine_waiter waiter = { .told = told,
					       .data = r,
					       .gives_up = r->machine->gives_up };

	r->machine->number = r->machine->rows[0].number;
	machines_take(r->service->machines, &r->machine->rows[0], &waiter);
}

/* ---- CreateCvm ---- */

/* Who may have one made there, by which manager, and how much. */
static int take_place(struct store *store, struct request *r, const char *workspace,
		      struct machine_quota *quota, struct err *e)
{
	const struct manager_table *table = machines_table(r->service->machines);
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct machine *wish = &r->machine->wish;
	const struct manager_row *manager;

	if (admin_access_workspace(store, &r->caller, DEED_MACHINE, workspace, &w, e) < 0 ||
	    manager_table_find(table, wish->manager, &manager, e) < 0 ||
	    manager_table_quota(table, w.name, quota, e) < 0)
		return err_code(e);
	free(wish->manager);
	wish->manager = strdup(manager->name);
	wish->workspace_number = w.number;
	if (!wish->manager)
		return err_nomem(e);
	return usage_limit_check(store, w.number, quota, &table->plans, store_now(), e);
}

static int run_create(struct store *store, struct request *r, struct err *e)
{
	struct machine *m = &r->machine->rows[0];
	struct machine_quota quota;
	int64_t number;

	if (take_place(store, r, r->workspace, &quota, e) < 0 ||
	    store_machine_add(store, &r->machine->wish, &quota, &number, e) < 0 ||
	    store_machine_at(store, number, m, e) < 0)
		return err_code(e);
	request_is(r, "asked of manager %s for workspace %s", m->manager, m->workspace);
	return 0;
}

static int take_numbers(struct machine *wish, const Computations__CreateCvmRequest *m,
			struct err *e)
{
	if (m->cpus > MACHINE_CPUS_MAX)
		return err_set(e, ERR_INVALID, "%u CPUs: a CVM has %d at most", m->cpus,
			       MACHINE_CPUS_MAX);
	if (m->memory > MACHINE_MEMORY_MAX)
		return err_set(e, ERR_INVALID, "%llu bytes of memory: a CVM has %llu at most",
			       (unsigned long long)m->memory,
			       (unsigned long long)MACHINE_MEMORY_MAX);
	if (m->ttl_ms > MACHINE_TTL_MAX_MS)
		return err_set(e, ERR_INVALID, "a time to live of %llu ms: %llu at most",
			       (unsigned long long)m->ttl_ms,
			       (unsigned long long)MACHINE_TTL_MAX_MS);
	wish->cpus = m->cpus;
	wish->memory = (int64_t)m->memory;
	wish->ttl_ms = (int64_t)m->ttl_ms;
	return 0;
}

static int take_word(const char *what, const char *word, char **out, struct err *e)
{
	if (strlen(word) > MACHINE_WORD_MAX)
		return err_set(e, ERR_INVALID, "%s: more than %d bytes", what, MACHINE_WORD_MAX);
	*out = strdup(word);
	return *out ? 0 : err_nomem(e);
}

static int take_wish(struct machine *wish, const Computations__CreateCvmRequest *m, struct err *e)
{
	char tag[MACHINE_TAG_LEN + 1];

	if (machine_name_check(m->name, e) < 0 || take_numbers(wish, m, e) < 0 ||
	    machine_tag_make(tag, e) < 0 || take_word("name", m->name, &wish->name, e) < 0 ||
	    take_word("manager", m->manager, &wish->manager, e) < 0 ||
	    take_word("image", m->image, &wish->image, e) < 0 ||
	    take_word("tee", m->tee, &wish->tee, e) < 0)
		return err_code(e);
	return take_word("tag", tag, &wish->tag, e);
}

void admin_create_cvm(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Computations__CreateCvmRequest *m = (const Computations__CreateCvmRequest *)message;
	struct request *r = request_of(call, m->workspace, m->name);
	struct err e;

	if (!r)
		return;
	if (take_wish(&r->machine->wish, m, &e) < 0) {
		request_refuse(r, &e);
		return;
	}
	r->run = run_create;
	r->next = go_on;
	request_start(r);
}

/* ---- one for a run (admin_run.c) ---- */

enum { RUN_NAME_DIGITS = 12 };

static int check_keep(uint64_t *keep_ms, struct err *e)
{
	if (!*keep_ms)
		*keep_ms = (uint64_t)MACHINE_KEEP_DEFAULT_MS;
	if (*keep_ms >= MACHINE_KEEP_MIN_MS && *keep_ms <= MACHINE_KEEP_MAX_MS)
		return 0;
	return err_set(e, ERR_INVALID, "results to be kept for %llu ms: say %lld to %lld",
		       (unsigned long long)*keep_ms, (long long)MACHINE_KEEP_MIN_MS,
		       (long long)MACHINE_KEEP_MAX_MS);
}

/* Nobody says how a CVM is to be who does not ask for one. */
static int check_none(const Computations__RunRequest *m, struct err *e)
{
	if (!*m->manager && !*m->image && !*m->tee && !m->cpus && !m->memory && !m->ttl_ms &&
	    !m->keep_ms)
		return 0;
	return err_set(
		e, ERR_INVALID,
		"manager, image, tee, cpus, memory, ttl_ms and keep_ms are of a new CVM: ask "
		"for one (new_cvm), or leave them out");
}

int admin_machine_take(struct request *r, const Computations__RunRequest *m, struct err *e)
{
	Computations__CreateCvmRequest like = COMPUTATIONS__CREATE_CVM_REQUEST__INIT;
	char tag[MACHINE_TAG_LEN + 1], name[MACHINE_NAME_MAX + 1];
	uint64_t keep_ms = m->keep_ms;
	struct machine *wish;

	if (!m->new_cvm)
		return check_none(m, e);
	if (*m->cvm_id)
		return err_set(e, ERR_INVALID, "a new CVM, or CVM %s: say one of them",
			       log_quote(m->cvm_id).text);
	r->machine = calloc(1, sizeof(*r->machine));
	if (!r->machine)
		return err_nomem(e);
	if (check_keep(&keep_ms, e) < 0 || machine_tag_make(tag, e) < 0)
		return err_code(e);
	snprintf(name, sizeof(name), "run-%.*s", RUN_NAME_DIGITS, strchr(tag, '-') + 1);
	like.name = name;
	like.manager = m->manager;
	like.image = m->image;
	like.tee = m->tee;
	like.cpus = m->cpus;
	like.memory = m->memory;
	like.ttl_ms = m->ttl_ms;
	wish = &r->machine->wish;
	wish->unverified = m->unverified;
	wish->keep_ms = (int64_t)keep_ms;
	return take_wish(wish, &like, e);
}

int admin_machine_for(struct store *store, struct request *r, struct err *e)
{
	struct machine *m = &r->machine->rows[0];
	struct machine_quota quota;
	int64_t number;

	if (store_computation(store, r->id, &r->computation, e) < 0 ||
	    take_place(store, r, r->computation.workspace, &quota, e) < 0 ||
	    store_machine_run_add(store, r->id, &r->machine->wish, &quota, &number, e) < 0 ||
	    store_machine_at(store, number, m, e) < 0)
		return err_code(e);
	computation_done(&r->computation);
	request_is(r, "asked of manager %s: CVM %s for it", m->manager, m->name);
	return store_computation(store, r->id, &r->computation, e);
}

/* Nobody waits for it: what became of it is seen in the computation. */
static void told_nobody(void *data, const struct machine *m, const struct err *e)
{
	(void)data;
	(void)m;
	(void)e;
}

void admin_machine_begin(struct request *r)
{
	const struct machine_waiter nobody = { .told = told_nobody };

	machines_take(r->service->machines, &r->machine->rows[0], &nobody);
	request_reply_computation(r);
	request_free(r);
}

/* ---- RemoveCvm ---- */

static int find(struct store *store, struct request *r, enum deed deed, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	if (admin_access_workspace(store, &r->caller, deed, r->workspace, &w, e) < 0)
		return err_code(e);
	return store_machine(store, w.number, r->id, &r->machine->rows[0], e);
}

/* Which computation keeps it is told to who may see that one. */
static int leave(struct store *store, const struct request *r, int64_t number, bool hides,
		 struct err *e)
{
	struct err why;

	if (store_machine_leave(store, number, r->force, &why) == 0)
		return 0;
	if (hides && why.code == ERR_PRECONDITION)
		return err_set(e, ERR_PRECONDITION,
			       "CVM %s holds a computation that you may not see: have that one "
			       "stopped first, or force it",
			       log_quote(r->id).text);
	return err_set(e, why.code, "%s", why.text);
}

static int run_remove(struct store *store, struct request *r, struct err *e)
{
	struct machine *m = &r->machine->rows[0];
	int64_t number;
	bool hides;

	if (find(store, r, DEED_MACHINE, e) < 0 ||
	    admin_access_machines(store, &r->caller, m, 1, e) < 0)
		return err_code(e);
	if (r->given && *r->given->revision && revision_check_machine(m, r->given->revision, e) < 0)
		return err_code(e);
	request_was(r, "%s in workspace %s", machine_state(m), m->workspace);
	number = m->number;
	hides = m->hides && !machine_is_gone(m->phase);
	/* Forced once more, when all could see that its manager knows nothing of it, or never says what it has: one that is
	 * away may know all. */
	r->machine->gives_up = r->force && machine_is_forgotten(m);
	machine_done(m);
	if (leave(store, r, number, hides, e) < 0)
		return err_code(e);
	request_is(r, "to be removed");
	return store_machine_at(store, number, m, e);
}

void admin_remove_cvm(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Computations__RemoveCvmRequest *m = (const Computations__RemoveCvmRequest *)message;
	struct request *r = request_of(call, m->workspace, m->name);

	if (!r)
		return;
	r->force = m->force;
	r->run = run_remove;
	r->next = go_on;
	request_start(r);
}

/* ---- ShowMachine, ListMachines ---- */

static int run_show(struct store *store, struct request *r, struct err *e)
{
	if (find(store, r, DEED_LOOK, e) < 0)
		return err_code(e);
	return admin_access_machines(store, &r->caller, r->machine->rows, 1, e);
}

void admin_show_machine(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Computations__MachineRequest *m = (const Computations__MachineRequest *)message;
	struct request *r = request_of(call, m->workspace, m->name);

	if (!r)
		return;
	r->run = run_show;
	r->reply = reply_machine;
	request_start(r);
}

static int run_list(struct store *store, struct request *r, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct machine_request *c = r->machine;
	int failed;

	if (admin_access_workspace(store, &r->caller, DEED_LOOK, r->workspace, &w, e) < 0)
		return err_code(e);
	if (r->is_sorted) {
		const struct list_search search = request_search(r, c->before);

		failed = store_machines_find(store, w.number, r->caller.who.person, &search,
					     c->limit, c->rows, &r->count, &r->place, e);
	} else {
		failed = store_machines(store, w.number, c->after, c->limit, c->rows, &r->count, e);
	}
	if (failed)
		return failed;
	return admin_access_machines(store, &r->caller, r->machine->rows, r->count, e);
}

static void reply_list(struct request *r)
{
	Computations__ListMachinesResponse response = COMPUTATIONS__LIST_MACHINES_RESPONSE__INIT;
	struct machine_message out[MACHINE_PAGE_MAX];
	Computations__Machine *pointers[MACHINE_PAGE_MAX];
	const struct machine *rows = r->machine->rows;
	char next[24];

	for (size_t i = 0; i < r->count; i++) {
		fill(&out[i], &rows[i], request_is_connected(r, rows[i].cvm_id));
		pointers[i] = &out[i].message;
	}
	response.machines = pointers;
	response.n_machines = r->count;
	if (r->place) {
		response.next = r->place;
	} else if (!r->is_sorted && r->count == r->machine->limit) {
		snprintf(next, sizeof(next), "%lld", (long long)rows[r->count - 1].number);
		response.next = next;
	}
	rpc_call_reply(r->call, &response.base);
}

/* A place in the list, as reply_list() gives it. */
static int take_after(const char *text, int64_t *after, struct err *e)
{
	size_t len = strlen(text);

	*after = 0;
	if (!len)
		return 0;
	if (len > 18 || strspn(text, "0123456789") != len)
		return err_set(e, ERR_INVALID, "after: %s is no place in a list of CVMs",
			       log_quote(text).text);
	*after = strtoll(text, NULL, 10);
	return 0;
}

void admin_list_machines(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Computations__ListRequest *m = (const Computations__ListRequest *)message;
	struct request *r = request_of(call, m->workspace, "");
	struct err e;

	if (!r)
		return;
	r->machine->before = strdup(m->after);
	if (!r->machine->before)
		err_nomem(&e);
	if (!r->machine->before ||
	    request_look(r, &store_machine_orders, m->sort, m->search, &e) < 0 ||
	    (!r->is_sorted && take_after(m->after, &r->machine->after, &e) < 0)) {
		request_refuse(r, &e);
		return;
	}
	r->machine->limit = m->limit && m->limit < MACHINE_PAGE_MAX ? m->limit : MACHINE_PAGE_MAX;
	r->run = run_list;
	r->reply = reply_list;
	request_start(r);
}
