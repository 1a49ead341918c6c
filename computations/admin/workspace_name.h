/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workspace_name.h — names of workspaces that say something: where new users are, and how many CVMs there may be. Who
 * administers a workspace alone may neither take nor give up such a name; who administers the service may.
 *
 * Each is ERR_DENIED for those who may not.
 */
#pragma once

#include "common/base/err.h"

struct request;

/* A name that providers' new users are mapped to, to be taken or given up. */
int workspace_name_mapped(const struct request *r, const char *name, struct err *e) MUST_CHECK;

/* The name that the call gives (the request's), and the one that the workspace then had no more. */
int workspace_name_take(const struct request *r, struct err *e) MUST_CHECK;
int workspace_name_leave(const struct request *r, struct err *e) MUST_CHECK;

/* `what` ("rename", "remove") the workspace of those who name none. */
int workspace_name_default(const struct request *r, const char *what, struct err *e) MUST_CHECK;
