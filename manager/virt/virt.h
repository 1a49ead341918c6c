/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt.h — our connection to libvirt, made again when it breaks, and its events.
 *
 * Functions that take `struct err *` block (libvirt's calls do) and belong in the pool; any thread
 * may call them. Events come in their own thread and are passed on to the loop. When libvirt can't
 * be reached the code is ERR_UNAVAILABLE.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

enum {
	VIRT_UUID_LEN = 36,
	VIRT_NAME_MAX = 64,
	VIRT_QUEUE_MAX = 256,     /* that wait; beyond it they become one VIRT_CONNECTED */
	VIRT_DOMAINS_MAX = 16384, /* 2 MiB: of this manager and of others */
	VIRT_POOL_MAX = 64,       /* a storage pool's name, with its end */
	VIRT_PATH_MAX = 4096,
	VIRT_HOST_MAX = 64,
};

enum virt_event {
	VIRT_CONNECTED, /* also: events may have been missed; look at everything */
	VIRT_LOST,
	VIRT_STARTED, /* a domain, ours or not */
	VIRT_STOPPED,
};

struct virt_notice {
	enum virt_event event;
	char uuid[VIRT_UUID_LEN + 1]; /* of VIRT_STARTED and VIRT_STOPPED */
	char name[VIRT_NAME_MAX];
};

struct virt_domain {
	char uuid[VIRT_UUID_LEN + 1];
	char name[VIRT_NAME_MAX];
	char host[VIRT_HOST_MAX]; /* for whoever asks more than one (vm_hosts.h) */
};

/* What the host can do, determined once per connection. */
struct virt_host {
	bool here; /* it is this machine: QEMU gets the files that we see */
	bool kvm;  /* the CPU has svm or vmx, and libvirt offers it */
	bool has_owner;
	uid_t uid; /* QEMU's user and group, if has_owner */
	gid_t gid;

	/* A TEE counts when kernel and libvirt both offer it, under KVM. */
	bool snp, tdx;
	unsigned cbitpos, reduced_phys_bits; /* if snp */

	uint64_t cpus, memory;        /* bytes; 0: libvirt does not say */
	char uuid[VIRT_UUID_LEN + 1]; /* the machine's, by libvirt's word; empty: it does not say */
};

struct virt;

/* Starts the event thread, one for all connections; does not connect yet. `notice` is called on the
 * loop. `uri` is copied. */
int virt_new(uv_loop_t *loop, const char *uri,
	     void (*notice)(void *data, const struct virt_notice *notice), void *data,
	     struct virt **virt, struct err *e) MUST_CHECK;

/* It is another host's, before it is used: virt_dial() alone connects it, while every other call fails at
 * once as long as it is not; and what that host can do is what its libvirt says, not this one's kernel. */
void virt_make_remote(struct virt *virt);

/* No call may be under way. It is freed when the loop has closed its handle: run the loop until
 * then. */
void virt_close(struct virt *virt);

/* Lets the connection go, and makes no other: every call from now on is ERR_UNAVAILABLE. Blocks; virt_close() then does
 * not. */
void virt_end(struct virt *virt);

/* Connects, unless it is connected. This takes no longer than 60 s (virt_limit.h) and what the kernel needs to connect:
 * who does not answer is ERR_UNAVAILABLE. */
int virt_dial(struct virt *virt, struct err *e) MUST_CHECK;

/* A virt_dial() that is under way ends at once, and so does every one after it. Any thread may call it; does not
 * block. */
void virt_dial_no_more(struct virt *virt);

/* The same as virt_dial(), of another host only whether it is connected. */
int virt_connect(struct virt *virt, struct err *e) MUST_CHECK;

int virt_host(struct virt *virt, struct virt_host *host, struct err *e) MUST_CHECK;

/* Starts a transient domain: when it ends, libvirt forgets it. */
int virt_start(struct virt *virt, const char *xml, struct err *e) MUST_CHECK;

/* Ends the domain, also one that is just being started; fine if no domain has that UUID. When it
 * returns 0 libvirt does not know the domain any more. */
int virt_stop(struct virt *virt, const char *uuid, struct err *e) MUST_CHECK;

/* Forwards TCP from host:port to the guest's port. ERR_EXISTS if QEMU can't have the port. */
int virt_forward(struct virt *virt, const char *uuid, const char *host, uint16_t port,
		 uint16_t guest_port, struct err *e) MUST_CHECK;

/* How much the domain has. ERR_NOT_FOUND: there is none. */
struct virt_size {
	unsigned cpus;
	uint64_t memory; /* bytes */
};
int virt_size(struct virt *virt, const char *uuid, struct virt_size *size,
	      struct err *e) MUST_CHECK;

/* The domains whose name begins with `prefix`, running or starting, by UUID, malloc'ed. */
int virt_list(struct virt *virt, const char *prefix, struct virt_domain **domains, size_t *count,
	      struct err *e) MUST_CHECK;

/* A volume of these bytes in that storage pool, for QEMU's user alone; its path there goes to `path`. Nothing is
 * left if it fails. ERR_PRECONDITION if there is no such pool, or it does not run. */
struct virt_volume {
	const char *pool, *name;
	const void *bytes;
	size_t len;
};
int virt_volume_make(struct virt *virt, const struct virt_volume *volume, char path[VIRT_PATH_MAX],
		     struct err *e) MUST_CHECK;

/* Whether it could be made there: ERR_PRECONDITION as above. */
int virt_pool_check(struct virt *virt, const char *pool, struct err *e) MUST_CHECK;

/* Names of the volumes in it that begin with `prefix`, the first `max` of them; `count` is how many there are. None if there
 * is no such pool, or it does not run. */
int virt_volumes(struct virt *virt, const char *pool, const char *prefix,
		 char (*names)[VIRT_NAME_MAX], size_t max, size_t *count, struct err *e) MUST_CHECK;

/* Fine if the volume or the pool is not there. */
int virt_volume_remove(struct virt *virt, const char *pool, const char *name,
		       struct err *e) MUST_CHECK;
