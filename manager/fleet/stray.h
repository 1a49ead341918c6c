/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stray.h — what is left of CVMs of this manager that its registry does not know: domains and folders.
 * A registry that was lost or is from a backup leaves them, and nobody but the operator can tell
 * whether they are wanted: they are listed, and adopted or removed on his word.
 *
 * Finding only: fleet.h knows which of them have a CVM. Functions block and belong in the pool.
 */
#pragma once

#include "common/base/log.h"
#include "manager/launch/lifecycle.h"

#include <stdlib.h>

enum {
	STRAY_FOLDERS_MAX =
		32768, /* 9 MiB: all CVMs that there may be, and as many without a record */
	/* Machines of one host that have no folder here: a host says of itself what it likes, and has keys for about as
	 * many CVMs (SEV: 1006). What it has beyond that is not looked at, and costs the other hosts nothing. */
	STRAYS_OF_HOST_MAX = 1024,
};

struct stray {
	char id[LOG_QUOTE_MAX];     /* a CVM's id; or, quoted, another name in <state>/cvms */
	char domain[VIRT_NAME_MAX]; /* the name of its domain; "" if there is none */
	char host[VIRT_HOST_MAX];   /* where that is */
	bool is_id;                 /* only then it can be adopted or removed */
	bool remote;                /* it is on another machine, where no folder of this one is */
	bool folder, secrets;       /* in MANAGER_STATE_DIR, in MANAGER_SECRETS_DIR */
	bool recorded;              /* its folder has the record with which it can be adopted */
};

struct strays {
	struct stray *all; /* malloc'ed, by id */
	size_t count, over_count;
	char over
		[HOSTS_MAX]
		[VIRT_HOST_MAX]; /* hosts that have more than STRAYS_OF_HOST_MAX: the first ids are here */
};

/* Everything of this manager's, known or not. A domain is ours if its name has our tag, or
 * the form of a manager's and a folder of ours has its UUID as name. `domains` are all whose name
 * begins with LIFECYCLE_ANY_PREFIX, one host's after the other's, each by UUID. */
int stray_find(const struct lifecycle *l, const struct virt_domain *domains, size_t domain_count,
	       struct strays *found, struct err *e) MUST_CHECK;

static inline void strays_done(struct strays *strays)
{
	free(strays->all);
}
#define CLEANUP_STRAYS __attribute__((cleanup(strays_done)))

/* Whether a folder of that id is there now. */
bool stray_has_folder(const struct lifecycle *l, const char *id);

/* The slot that the domain's name says; false if it has not the form of a manager's. */
bool stray_slot(const char *domain, unsigned *slot);

/* ERR_PRECONDITION if it can only be removed, and why: stray_read() would not get as far as its record. */
int stray_check(const struct stray *stray, struct err *e) MUST_CHECK;

/* What the CVM's own folder says of it. ERR_PRECONDITION if that or its domain is not there. Nothing
 * is changed. */
int stray_read(const struct lifecycle *l, const char *id, struct cvm *cvm,
	       struct err *e) MUST_CHECK;

/* Ends its domain if it is ours, and removes its folders. ERR_NOT_FOUND if there is nothing. */
int stray_remove(const struct lifecycle *l, const char *id, struct err *e) MUST_CHECK;
