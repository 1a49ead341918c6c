/* SPDX-License-Identifier: Apache-2.0 */
/* virt_events.c — libvirt's event loop, which serves all connections of the process, in a thread of its own. */
#include "manager/virt/virt_state.h"

#include <pthread.h>
#include <stdatomic.h>
#include <libvirt/virterror.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool once_failed;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for all below but `stop` */
static unsigned users;
static pthread_t thread;
static int wake; /* libvirt timer that ends a wait in its event loop */
static atomic_bool stop;

static void forget_error(void *data, virErrorPtr error)
{
}

static void init_once(void)
{
	virSetErrorFunc(NULL, forget_error);
	once_failed = virInitialize() < 0 || virEventRegisterDefaultImpl() < 0;
}

static void on_wake(int timer, void *data)
{
}

static void *run_events(void *data)
{
	while (!atomic_load(&stop))
		if (virEventRunDefaultImpl() < 0)
			break;
	return NULL;
}

static bool begin(void)
{
	wake = once_failed ? -1 : virEventAddTimeout(-1, on_wake, NULL, NULL);
	if (wake < 0)
		return false;
	atomic_store(&stop, false);
	if (pthread_create(&thread, NULL, run_events, NULL) == 0)
		return true;
	virEventRemoveTimeout(wake);
	return false;
}

int virt_events_start(struct err *e)
{
	bool runs;

	pthread_once(&once, init_once);
	pthread_mutex_lock(&lock);
	runs = users || begin();
	users += runs;
	pthread_mutex_unlock(&lock);
	return runs ? 0 : err_set(e, ERR_INTERNAL, "libvirt's events can't be waited for");
}

void virt_events_stop(void)
{
	pthread_mutex_lock(&lock);
	if (!--users) {
		atomic_store(&stop, true);
		virEventUpdateTimeout(wake, 0);
		pthread_join(thread, NULL);
		virEventRemoveTimeout(wake);
	}
	pthread_mutex_unlock(&lock);
}
