/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manager_link.h — calls to one manager, on the loop: each has a deadline, and what is answered is read by
 * machine_said.h before anybody sees it.
 */
#pragma once

#include "computations/machines/machine_said.h"
#include "computations/machines/manager_table.h"

#include <uv.h>

enum {
	MANAGER_CREATE_MS =
		300 *
		1000, /* a launch takes its time, the first one after libvirt's start most of all */
	MANAGER_REMOVE_MS = 60 * 1000,
	MANAGER_GET_MS = 15 * 1000,
	MANAGER_ANSWER_MAX = 64 << 10, /* bytes */
	MANAGER_CALLS_MAX = 32,        /* at a time */
};

struct manager_link;

/* `row` is kept. Reads its files; connects when it is needed. */
int manager_link_new(uv_loop_t *loop, const struct manager_row *row, struct manager_link **link,
		     struct err *e) MUST_CHECK;
/* The files that its line names are as manager_link_new() takes them; nothing is connected. */
int manager_link_check(const struct manager_row *row, struct err *e) MUST_CHECK;
/* Calls that are open end: answered() is called before this returns. */
void manager_link_free(struct manager_link *link);

struct rpc_channel;
/* For streams of their own (manager_console.h). */
struct rpc_channel *manager_link_channel(const struct manager_link *link);
const char *manager_link_name(const struct manager_link *link);
/* As many calls are open as may be. */
bool manager_link_is_full(const struct manager_link *link);

/* Once, never from within the call that asks. `e` NULL: `said` is what it said (of a removal: nothing). ERR_DATA_LOSS:
 * what it can't mean; and whatever codes it or the connection fails with. */
typedef void manager_answered_fn(void *data, const struct machine_said *said, const struct err *e);

int manager_link_create(struct manager_link *link, const struct machine *m,
			manager_answered_fn *answered, void *data, struct err *e) MUST_CHECK;
/* By its id, or by its tag as long as that is not known. */
int manager_link_get(struct manager_link *link, const struct machine *m,
		     manager_answered_fn *answered, void *data, struct err *e) MUST_CHECK;
int manager_link_remove(struct manager_link *link, const struct machine *m,
			manager_answered_fn *answered, void *data, struct err *e) MUST_CHECK;
