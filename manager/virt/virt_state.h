/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt_state.h — what the parts of virt share: a connection that is taken for one call, what libvirt said last,
 * and its event loop. Private to virt*.c.
 */
#pragma once

#include "common/base/cleanup.h"
#include "manager/virt/virt.h"

#include <libvirt/libvirt.h>

void virt_unref(virConnectPtr conn);
DEFINE_CLEANUP(virConnectPtr, virt_unref)

/* A reference to a live connection. */
int virt_take(struct virt *virt, virConnectPtr *conn, struct err *e) MUST_CHECK;

/* libvirt's last error in this thread, as one of ours. */
int virt_error(virConnectPtr conn, struct err *e, const char *what);

/* A domain's name as logs and terminals may have it: whoever made it, on whichever host, chose it (virt_domain.c). */
void virt_name(const char *name, char out[VIRT_NAME_MAX]);

/* libvirt's events, in one thread for all connections: it begins with the first and ends with the last
 * (virt_events.c). */
int virt_events_start(struct err *e) MUST_CHECK;
void virt_events_stop(void);

/* What the host can do (virt_ask.c). */
int virt_ask(virConnectPtr conn, bool remote, struct virt_host *host, struct err *e) MUST_CHECK;
