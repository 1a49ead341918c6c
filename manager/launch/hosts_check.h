/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hosts_check.h — each host of MANAGER_HOSTS, asked whether CVMs can be launched there: a part of
 * `cocos-manager --check`.
 *
 * All are asked at the same time, each in a process of its own: a libvirt that does not answer can't be told to stop, but a
 * process can.
 */
#pragma once

#include "common/preflight/preflight.h"
#include "manager/launch/share_check.h"
#include "manager/registry/host_table.h"
#include "manager/settings/config.h"
#include "manager/virt/virt.h"

/* More than the first connection to a libvirtd that has just been started takes. */
enum { HOSTS_CHECK_MS = 20000 };

struct host_answer {
	int failed; /* then `e` says why */
	struct err e;
	struct virt_host found;
};

struct hosts_check {
	const struct config *config;
	const struct share_check
		*share; /* whose each is; the caller's, before rows are looked at */
	int failed;     /* the table can't be read, as `e` says */
	struct err e;
	struct host_table table;
	struct host_answer answers[HOSTS_MAX];
	char names[HOSTS_MAX][VIRT_HOST_MAX + 8]; /* of the rows */
	size_t next;                              /* the row that is looked at next */
	const char *remedy;                       /* of the one that was looked at last */
};

/* Reads the table and asks its hosts; they have so long. Before any thread is there: it forks. */
void hosts_check_ask(struct hosts_check *hosts, const struct config *config, int timeout_ms);

/* Rows, one for each host in the order of the table, to be looked at once and in that order; `look` is the
 * caller's, for its own subject. */
size_t hosts_check_rows(struct hosts_check *hosts,
			int (*look)(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e),
			struct preflight_check rows[HOSTS_MAX]);
int hosts_check_look(struct hosts_check *hosts, char found[PREFLIGHT_TEXT_MAX],
		     struct err *e) MUST_CHECK;

/* One libvirt, here and now: what its machine has. A remote one also has to have the pool. */
int host_ask(const char *uri, const struct host_row *remote, struct virt_host *found,
	     struct err *e) MUST_CHECK;
