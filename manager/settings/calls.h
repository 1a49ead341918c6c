/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls.h — what the manager does with every call besides answering it: who may make it, the audit log, counting.
 */
#pragma once

#include "common/access/access.h"
#include "common/audit/call_audit.h"
#include "common/metrics/call_metrics.h"
#include "manager/settings/config.h"

struct calls {
	struct call_audit audit;
	struct call_metrics *metrics; /* may be NULL; borrowed */
	struct access *access;
};

/* Its data is a struct calls. */
extern const struct rpc_observer calls_observer;

/* The manager's methods: which of them change something, and where they say what they are about. */
extern const struct call_audit_method calls_methods[];
extern const size_t calls_methods_count;

/* What the method of that path is for: ACCESS_OPERATE if it is not known. */
enum access_right calls_right(const char *path);

/* The table of MANAGER_ACCESS, or none, as calls are judged by it. */
int calls_access(const struct config *config, struct access **access, struct err *e) MUST_CHECK;

int calls_open(struct calls *calls, const struct config *config, struct err *e) MUST_CHECK;
void calls_close(struct calls *calls);
