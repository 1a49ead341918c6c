/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/machines/machine_change.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <string.h>

/* What never came to be has not run; and what ran before it was gone is noted while its row says what it held. */
static int change_gone(struct store *store, struct machine_change *c, struct err *e)
{
	struct machine m CLEANUP_MACHINE = { .name = NULL };

	if (store_machine_at(store, c->number, &m, e) < 0)
		return err_code(e);
	if (*m.cvm_id && !machine_is_gone(m.phase) &&
	    store_usage_seen(store, c->number, &c->seen, store_now(), e) < 0)
		return err_code(e);
	return store_machine_gone(store, c->number, c->phase, c->text, &c->computation, e);
}

static int change_row(struct store *store, struct machine_change *c, struct err *e)
{
	switch (c->kind) {
	case MACHINE_CHANGE_MADE:
		return store_machine_made(store, c->number, c->id, c->address, e);
	case MACHINE_CHANGE_RAN:
		if (store_usage_seen(store, c->number, &c->seen, store_now(), e) < 0)
			return err_code(e);
		return usage_limit_apply(store, c->number, &c->quota, c->plans, store_now(), e);
	case MACHINE_CHANGE_GONE:
		return change_gone(store, c, e);
	case MACHINE_CHANGE_MOVED:
		return store_machine_moved(store, c->number, c->text, c->address, e);
	case MACHINE_CHANGE_TURN:
		return store_machine_turn(store, c->number, &c->agent, &c->turn, &c->computation,
					  e);
	case MACHINE_CHANGE_NOTE:
	default:
		return store_machine_note(store, c->number, c->text, e);
	}
}

int machine_change_run(struct store *store, void *data, struct err *e)
{
	struct machine_change *c = data;
	int failed = change_row(store, c, e);

	return failed ? failed : store_machine_at(store, c->number, &c->row, e);
}

static void say_gone(const struct machine_change *c)
{
	struct service *service = c->service;

	log_info("CVM %s of workspace %s is gone%s%s", c->row.name, c->row.workspace,
		 *c->text ? ": " : "", c->text);
	if (*c->row.cvm_id)
		session_end_of(service, c->row.cvm_id, "this CVM is gone");
	if (c->computation)
		logs_wake(service, c->computation, "");
}

static void say_made(const struct machine *m)
{
	log_info("CVM %s of workspace %s: manager %s has made it, %s", m->name, m->workspace,
		 m->manager, m->cvm_id);
}

/* Its agent is told, or whoever follows what it was made for. */
static void say_turn(const struct machine_change *c)
{
	struct service *service = c->service;
	const struct machine *m = &c->row;
	struct session *session;

	if (c->turn == MACHINE_TURN_LEFT)
		log_info("CVM %s of workspace %s is removed: the run that it was made for is over",
			 m->name, m->workspace);
	if (!c->computation)
		return;
	logs_wake(service, c->computation, "");
	if (c->turn != MACHINE_TURN_GIVEN)
		return;
	log_info("computation %s goes to CVM %s, made for it", log_quote(c->computation).text,
		 log_quote(m->cvm_id).text);
	/* If it has just disconnected, it gets the manifest when it returns. */
	session = session_find(service, m->cvm_id);
	if (session)
		session_run(session, c->computation, m->unverified);
}

void machine_change_say(const struct machine_change *c)
{
	switch (c->kind) {
	case MACHINE_CHANGE_GONE:
		say_gone(c);
		break;
	case MACHINE_CHANGE_MADE:
		say_made(&c->row);
		break;
	case MACHINE_CHANGE_MOVED:
		log_info("CVM %s of workspace %s: manager %s has it by now", c->row.name,
			 c->row.workspace, c->row.manager);
		break;
	case MACHINE_CHANGE_TURN:
		say_turn(c);
		break;
	case MACHINE_CHANGE_NOTE:
	case MACHINE_CHANGE_RAN:
	default:
		break;
	}
}
