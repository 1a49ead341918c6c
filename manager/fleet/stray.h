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

enum { STRAYS_MAX = 32768 }; /* 8 MiB: all CVMs that there may be, and as many without a record */

struct stray {
	char id[LOG_QUOTE_MAX];     /* a CVM's id; or, quoted, another name in <state>/cvms */
	char domain[VIRT_NAME_MAX]; /* the name of its domain; "" if there is none */
	char host[VIRT_HOST_MAX];   /* where that is */
	bool is_id;                 /* only then it can be adopted or removed */
	bool remote;                /* it is on another machine, where no folder of this one is */
	bool folder, secrets;       /* in MANAGER_STATE_DIR, in MANAGER_SECRETS_DIR */
	bool recorded;              /* its folder has the record with which it can be adopted */
};

/* Everything of this manager's, known or not, malloc'ed. A domain is ours if its name has our tag, or
 * the form of a manager's and a folder of ours has its UUID as name. `domains` are all whose name
 * begins with LIFECYCLE_ANY_PREFIX. */
int stray_find(const struct lifecycle *l, const struct virt_domain *domains, size_t domain_count,
	       struct stray **all, size_t *count, struct err *e) MUST_CHECK;

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
