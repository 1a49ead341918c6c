/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/virt/virt_limit.h"

#include "manager/virt/virt_peer.h"

#include <time.h>
#include <unistd.h>

void virt_limit_init(struct virt_limit *l)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&l->change, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

void virt_limit_done(struct virt_limit *l)
{
	pthread_cond_destroy(&l->change);
	pthread_mutex_destroy(&l->lock);
}

/* What libvirt opens next is not there yet when it is broken off: so again and again. */
static void *watch(void *data)
{
	struct virt_limit *l = data;
	struct virt_peer peer;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += VIRT_DIAL_S;
	virt_peer_find(&peer, l->uri,
		       l->dialler); /* as libvirt does now: later the network may have gone */
	pthread_mutex_lock(&l->lock);
	while (l->dials && !l->no_more && pthread_cond_timedwait(&l->change, &l->lock, &until) == 0)
		;
	while (l->dials) {
		l->broken = true;
		virt_peer_break(&peer);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++;
		(void)pthread_cond_timedwait(&l->change, &l->lock, &until);
	}
	pthread_mutex_unlock(&l->lock);
	virt_peer_done(&peer);
	return NULL;
}

static int refuse(const struct virt_limit *l, struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "libvirt: %s: it is not dialled any more", l->uri);
}

int virt_limit_begin(struct virt_limit *l, const char *uri, struct err *e)
{
	bool no_more;

	pthread_mutex_lock(&l->lock);
	no_more = l->no_more;
	l->uri = uri;
	l->dialler = gettid();
	l->dials = !no_more;
	l->broken = false;
	pthread_mutex_unlock(&l->lock);
	if (no_more)
		return refuse(l, e);
	if (pthread_create(&l->watch, NULL, watch, l) == 0)
		return 0;
	return err_set(e, ERR_UNAVAILABLE,
		       "libvirt: %s: no thread can be made that limits dialling", uri);
}

int virt_limit_end(struct virt_limit *l, int failed, struct err *e)
{
	bool no_more;

	pthread_mutex_lock(&l->lock);
	l->dials = false;
	no_more = l->no_more;
	pthread_cond_signal(&l->change);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->watch, NULL);
	if (!failed || !l->broken)
		return failed;
	return no_more ? refuse(l, e)
		       : err_set(e, ERR_UNAVAILABLE, "libvirt: %s: no answer within %d s", l->uri,
				 VIRT_DIAL_S);
}

bool virt_limit_has_broken(const struct virt_limit *l)
{
	return l->broken;
}

void virt_limit_no_more(struct virt_limit *l)
{
	pthread_mutex_lock(&l->lock);
	l->no_more = true;
	pthread_cond_signal(&l->change);
	pthread_mutex_unlock(&l->lock);
}
