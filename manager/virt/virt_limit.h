/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt_limit.h — an end to dialling a libvirt, here or elsewhere, that accepts and then says nothing: libvirt's client
 * waits for it without one until its keep-alive is set. What that waits for is closed below it. Private to virt*.c.
 */
#pragma once

#include "common/base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

enum { VIRT_DIAL_S = 60 };

struct virt_limit {
	pthread_mutex_t lock; /* for the rest */
	pthread_cond_t change;
	pthread_t watch;
	const char *uri;
	pid_t dialler;
	bool dials, no_more, broken;
};

void virt_limit_init(struct virt_limit *limit);
void virt_limit_done(struct virt_limit *limit);

/* From now on until virt_limit_end() this thread dials `uri`, which stays as long. If that takes longer than
 * VIRT_DIAL_S, or once virt_limit_no_more() was called, it is broken off. ERR_UNAVAILABLE: no more is dialled. */
int virt_limit_begin(struct virt_limit *limit, const char *uri, struct err *e) MUST_CHECK;

/* With what dialling gave, which it returns; says why, if it was broken off. */
int virt_limit_end(struct virt_limit *limit, int failed, struct err *e) MUST_CHECK;

/* Whether the last dialling was, for the thread that ended it. */
bool virt_limit_has_broken(const struct virt_limit *limit);

/* Any thread may call it; does not block. */
void virt_limit_no_more(struct virt_limit *limit);
