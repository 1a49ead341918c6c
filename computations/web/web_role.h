/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_role.h — what the screens of a computation's roles have in common. For this folder only.
 */
#pragma once

#include "computations/people/role.h"
#include "computations/web/web_work.h"

/* The computation, with its roles as `work->more`, and their revision. */
int web_role_run(struct store *store, struct web_work *work, struct err *e) MUST_CHECK;
/* Whether this caller may say who has a role with these actions, by a form; the manifest's parties are frozen with it. */
bool web_role_may_change(const struct web_work *work, const char *role, unsigned actions);
/* "view, run" */
void web_put_actions(struct writer *w, unsigned actions);

/* web_role_own.c: the form of one more role of its own. */
void web_put_role_own(const struct web_work *work, struct writer *w);
void web_role_own(struct http_request *r, void *data);
