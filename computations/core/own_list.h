/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own_list.h — the revocation list of the service's own authority, for its own listeners: from the database, without a file.
 *
 * At the start, when somebody was revoked here, and now and then: another instance of the service revokes, too, and a list
 * has to be renewed before it ends.
 */
#pragma once

#include "common/rpc/revocation.h"
#include "computations/core/service.h"

enum { OWN_LIST_LISTENERS = 2, OWN_LIST_MS = 5000 };

struct own_list;

/* Reads the list at once: before anything else uses the store, by its queue or not. Where there is no authority *own stays
 * as it is; that of before (authority.h) has its own list beside. */
int own_list_new(struct service *service, const struct authority *authority, struct store *store,
		 struct own_list **own, struct err *e) MUST_CHECK;
/* The lists of listeners (NULL: it asks none) get it, and each later one. NULL is fine, here and below. */
int own_list_listen(struct own_list *own, struct revocation *const listeners[OWN_LIST_LISTENERS],
		    struct err *e) MUST_CHECK;

/* Somebody was revoked. */
void own_list_renew(struct own_list *own);
/* No more; the loop has to run until what is under way is done, and then own_list_free(). */
void own_list_stop(struct own_list *own);
void own_list_free(struct own_list *own);
