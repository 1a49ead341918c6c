/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_state.h — what the parts of the registry share: the open database, and how it is asked.
 * Private to registry*.c.
 */
#pragma once

#include "common/db/db.h"
#include "manager/registry/registry_row.h"

#include <pthread.h>

struct registry {
	pthread_mutex_t lock;
	struct db db;
	bool is_copy;   /* one CVM's record: nothing else is lost with it */
	bool is_server; /* PostgreSQL's */
	char tag[REGISTRY_TAG_LEN + 1];
	uint64_t epoch;
	struct leases *leases; /* NULL: it is not shared */
};

/* registry_open.c. Empty tables of the newest form, with the tag, in the caller's transaction. */
int registry_make_tables(struct registry *r, const char *tag, struct err *e) MUST_CHECK;
/* What the database says of its tag, into `r->tag`. */
int registry_read_tag(struct registry *r, struct err *e) MUST_CHECK;
/* The folder's; empty without a file. */
int registry_tag_file(const char *path, char tag[REGISTRY_TAG_LEN + 1], struct err *e) MUST_CHECK;
/* ERR_PRECONDITION: who has that tag in his folder may not use it. */
int registry_check_tag(const struct registry *r, const char *tag, struct err *e) MUST_CHECK;
int registry_check_integrity(struct registry *r, struct err *e) MUST_CHECK;

/* registry_sql.c. What the database says, as an error of ours: what is damaged names the way out. */
int registry_error(const struct registry *r, struct err *e);
int registry_damaged(const struct registry *r, const char *why, struct err *e);

/* `work` in a transaction of its own, with the lock held. What writes does so as the manager that opened the registry
 * last: for any other, which another one has replaced meanwhile, nothing is done and it is ERR_PRECONDITION. */
typedef int registry_work(struct registry *r, void *data, struct err *e);
int registry_write(struct registry *r, registry_work *work, void *data, struct err *e) MUST_CHECK;
int registry_read(struct registry *r, registry_work *work, void *data, struct err *e) MUST_CHECK;

/* registry_cvms.c. The latter two in the caller's transaction: CVMs of one host behind those that are there; and what is
 * gone. */
int registry_insert(struct registry *r, const struct cvm *cvm, struct err *e) MUST_CHECK;
int registry_list_of(struct registry *r, const char *host, struct cvm **cvms, size_t *count,
		     struct err *e) MUST_CHECK;
int registry_list_gone(struct registry *r, struct cvm_gone *gone, size_t *count,
		       struct err *e) MUST_CHECK;

/* registry_hosts.c: the same of hosts, REGISTRY_HOSTS_MAX. */
int registry_list_hosts(struct registry *r, struct registry_host *hosts, size_t *count,
			struct err *e) MUST_CHECK;
