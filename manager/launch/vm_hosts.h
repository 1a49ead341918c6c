/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm_hosts.h — the hosts on which this manager launches CVMs: one connection to the libvirt of each, and a thread of
 * its own, so that one that hangs holds up nobody else.
 *
 * They are those of MANAGER_HOSTS and, as the registry says, those that were added while the manager ran. Any thread
 * may look for one; the loop alone publishes and hides them, and frees one that it has hidden when nobody can have it any
 * more.
 *
 * Without MANAGER_HOSTS there is one without a name, the libvirt of MANAGER_LIBVIRT_URI; its jobs run in libuv's
 * pool.
 */
#pragma once

#include "manager/registry/host_table.h"
#include "manager/registry/registry.h"
#include "manager/settings/config.h"
#include "manager/virt/virt.h"

struct workers;
struct vm_hosts;

struct vm_host {
	struct host_row row;
	bool is_local;
	struct virt *virt;
	struct workers *workers; /* NULL: libuv's pool */
	struct vm_hosts *hosts;
	bool added;             /* while the manager ran; else it is of MANAGER_HOSTS */
	bool drained;           /* the same; the loop's */
	_Atomic bool elsewhere; /* another manager's now: nothing there is asked for */
};

struct vm_hosts {
	struct vm_host *_Atomic all[HOSTS_MAX]; /* in the order of the table; NULL: none is there */
	_Atomic size_t count;                   /* of places that were ever used */
	bool has_table;
	uv_loop_t *loop;
	void (*notice)(void *data, struct vm_host *host, const struct virt_notice *notice);
	void *data;
};

/* What MANAGER_HOSTS says, or the single one. */
int vm_hosts_init(struct vm_hosts *hosts, const struct config *config, struct err *e) MUST_CHECK;
void vm_hosts_done(struct vm_hosts *hosts);

/* Whether other managers may launch CVMs on the same hosts, beside this one: there is a table, and every host of it is
 * reached as another machine. */
bool vm_hosts_can_share(const struct vm_hosts *hosts);

/* Adds what the registry says of hosts, before their connections are made. What MANAGER_HOSTS has by now is forgotten
 * there; ERR_PRECONDITION if the two can't both be right. Of a registry that is shared nothing is forgotten, which may be
 * another manager's; and what can't be right here is left out. */
int vm_hosts_recall(struct vm_hosts *hosts, struct registry *registry, struct err *e) MUST_CHECK;

/* Makes their connections, which nothing connects yet; that of the single one is to `single_uri`. `notice` is
 * called on the loop. */
int vm_hosts_open(struct vm_hosts *hosts, uv_loop_t *loop, const char *single_uri,
		  void (*notice)(void *data, struct vm_host *host,
				 const struct virt_notice *notice),
		  void *data, struct err *e) MUST_CHECK;

/* One that would be one more, with its connection, which nobody sees until it is published. ERR_INVALID: it is none, or
 * one of these has its name or URI. */
int vm_host_new(struct vm_hosts *hosts, const struct registry_host *as, struct vm_host **host,
		struct err *e) MUST_CHECK;
void vm_hosts_publish(struct vm_hosts *hosts, struct vm_host *host);
void vm_hosts_hide(struct vm_hosts *hosts, const struct vm_host *host);
/* No call to it may be under way, and its connection be ended (virt_end()), or not be made. */
void vm_host_free(struct vm_host *host);

/* No call may be under way. Run the loop before vm_hosts_done(). */
void vm_hosts_close(struct vm_hosts *hosts);

/* NULL: there is none. "" is the one without a name; with a table, this machine's. */
struct vm_host *vm_hosts_find(const struct vm_hosts *hosts, const char *name);

/* ERR_PRECONDITION: there is none. */
int vm_hosts_get(const struct vm_hosts *hosts, const char *name, struct vm_host **host,
		 struct err *e) MUST_CHECK;

/* Says which host it was, where there are several. */
int vm_host_wrap(const struct vm_host *host, struct err *e);

/* Around calls to its libvirt that are no job of its workers: one at a time (workers.h). ERR_UNAVAILABLE: it can't be
 * asked now. */
int vm_host_enter(const struct vm_host *host, struct err *e) MUST_CHECK;
void vm_host_leave(const struct vm_host *host);

/* The domains of all that can be asked now, with their hosts, malloc'ed: a table's that are not there are left out. */
int vm_hosts_list(const struct vm_hosts *hosts, const char *prefix, struct virt_domain **domains,
		  size_t *count, struct err *e) MUST_CHECK;
