/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_machine.h — CVMs that managers make for workspaces, on the page and by its API: seen by the workspace's members, made
 * and removed by the administrators' methods. For this folder only.
 */
#pragma once

#include "computations/web/web_action.h"
#include "computations/web/web_work.h"

/* Forms, */
extern const struct web_action web_page_machine, web_page_machine_remove;
/* and the API. */
extern const struct web_action web_api_machine, web_api_machine_remove;

struct manager_table;
/* Fields of a form: by which manager, and how it is to be. */
void web_machine_put_wishes(const struct manager_table *table, struct writer *w);

void web_machines(struct http_request *r, void *data);
void web_machines_json(struct http_request *r, void *data);
void web_machine(struct http_request *r, void *data);
void web_machine_json(struct http_request *r, void *data);
/* The CVM of the address, for a caller who may do that in its workspace: `work->more`, a struct machine. */
int web_machine_find(struct store *store, struct web_work *work, enum deed deed,
		     struct err *e) MUST_CHECK;

/* web_machine_policy.c */
void web_machine_policy(struct http_request *r, void *data);
/* web_console.c */
void web_console(struct http_request *r, void *data);
void web_console_events(struct http_request *r, void *data);
void web_machine_ask(struct http_request *r, void *data);
void web_machine_ask_remove(struct http_request *r, void *data);
