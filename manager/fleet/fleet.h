/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet.h — all CVMs of this manager: how many, which is being created or removed, and when each
 * must go.
 *
 * Lives on the loop thread; the steps themselves run in the pool, one job for a CVM at a time. A
 * CVM that must go (its time is up, its QEMU ended, an earlier manager left it half made) goes as
 * soon as libvirt allows it, however many tries that takes.
 */
#pragma once

#include "common/access/access.h"
#include "manager/fleet/stray.h"
#include "manager/launch/lifecycle.h"

struct fleet;

/* Continues from what the registry says, and connects to libvirt as soon as it can. All
 * arguments are borrowed. The notices of its hosts must be passed to fleet_notice(). */
int fleet_new(uv_loop_t *loop, struct lifecycle *lifecycle, struct fleet **fleet,
	      struct err *e) MUST_CHECK;
void fleet_notice(struct fleet *fleet, const struct vm_host *host,
		  const struct virt_notice *notice);

/* Whether a CVM could be launched now, as far as libvirt and the image go: now, and `changed` when
 * that changes. */
bool fleet_health(struct fleet *fleet, void (*changed)(void *data, bool serving), void *data);
bool fleet_is_serving(const struct fleet *fleet);

/* No new work from now on; CVMs stay. Jobs under way finish, and may start to remove what they
 * made: run the loop while the fleet is busy. */
void fleet_close(struct fleet *fleet);
bool fleet_is_busy(const struct fleet *fleet);

/* All that it is busy with is dialling hosts that do not answer. */
bool fleet_only_dials(const struct fleet *fleet);

/* Closed and not busy. Freed when the loop has closed its handles: run the loop until then. */
void fleet_free(struct fleet *fleet);

/* `done` is called later, once. If `cvm` is NULL it failed, and `e` says why. It returns whether
 * the client still wants the CVM: if not, the CVM is removed again. It is its `caller`'s, within his limits
 * (ERR_EXHAUSTED names the one); NULL: an operator's. */
typedef bool fleet_created_fn(void *data, const struct cvm *cvm, const struct err *e);
int fleet_create(struct fleet *fleet, const Manager__CreateReq *request,
		 const struct access_caller *caller, fleet_created_fn *done, void *data,
		 struct err *e) MUST_CHECK;

/* `done` is called later, once; `e` is NULL when the CVM is gone. One that has no record (stray.h) is
 * removed, too. ERR_NOT_FOUND at once for what is no CVM's id, and later. */
typedef void fleet_removed_fn(void *data, const struct err *e);
int fleet_remove(struct fleet *fleet, const char *id, fleet_removed_fn *done, void *data,
		 struct err *e) MUST_CHECK;

/* Of a CVM that this manager does not have, by id or name (fleet_view_find()): which of those that share the registry has
 * it. `done` is called later, once: ERR_PRECONDITION names that one; ERR_UNAVAILABLE: none has it now; ERR_NOT_FOUND: there
 * is none that the caller may see, which is also said at once where nobody shares it. */
typedef void fleet_where_fn(void *data, const struct err *e);
int fleet_where(struct fleet *fleet, const struct access_caller *caller, const char *id_or_name,
		fleet_where_fn *done, void *data, struct err *e) MUST_CHECK;

/* What is this manager's and has no record, as it is now: `done` is called later, once; `found` is
 * valid until it returns. */
typedef void fleet_strays_fn(void *data, const struct strays *found, const struct err *e);
int fleet_strays(struct fleet *fleet, fleet_strays_fn *done, void *data, struct err *e) MUST_CHECK;

/* Records it again, as a CVM that runs. ERR_PRECONDITION if it can only be removed. `done` is called
 * later, once. */
typedef void fleet_adopted_fn(void *data, const struct cvm *cvm, const struct err *e);
int fleet_adopt(struct fleet *fleet, const char *id, fleet_adopted_fn *done, void *data,
		struct err *e) MUST_CHECK;

/* The hosts, while there is a table of them (ERR_PRECONDITION): one is added, and dialled from then on; drains, or does so no
 * more; and is removed, if it was added and has no CVM (ERR_PRECONDITION). Whatever was done is recorded. One change
 * at a time (ERR_ABORTED). `done` is called later, once. */
enum { HOST_LEFT_MAX = 64 };
struct host_left {  /* on one that was removed; the first names of them */
	bool asked; /* it could be */
	size_t strays, volumes;
	char stray_ids[HOST_LEFT_MAX][VIRT_UUID_LEN + 1];
	char volume_names[HOST_LEFT_MAX][VIRT_NAME_MAX];
};
typedef void fleet_host_done_fn(void *data, const struct host_left *left, const struct err *e);
int fleet_host_add(struct fleet *fleet, const char *name, const char *uri, const char *words,
		   fleet_host_done_fn *done, void *data, struct err *e) MUST_CHECK;
int fleet_host_drain(struct fleet *fleet, const char *name, bool drain, fleet_host_done_fn *done,
		     void *data, struct err *e) MUST_CHECK;
int fleet_host_remove(struct fleet *fleet, const char *name, fleet_host_done_fn *done, void *data,
		      struct err *e) MUST_CHECK;

/* Whose steps it takes. */
struct lifecycle *fleet_lifecycle(const struct fleet *fleet);

/* Of a CVM that has a record; NULL: none of that id has. Valid until the loop continues. */
const char *fleet_owner(const struct fleet *fleet, const char *id);

/* Where its port is forwarded, if there is a table of hosts; else "": here. */
const char *fleet_address(const struct fleet *fleet, const struct cvm *cvm);

/* A CVM that was created and is not being removed, or NULL. Valid until the loop continues. */
const struct cvm *fleet_find(const struct fleet *fleet, const char *id);
