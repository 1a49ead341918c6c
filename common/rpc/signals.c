/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/signals.h"

#include "common/base/cleanup.h"

#include <signal.h>

static const int numbers[] = { SIGTERM, SIGINT };

static void on_signal(uv_signal_t *handle, int number)
{
	struct signals *signals = handle->data;

	signals->asked(signals->data, number);
}

void signals_start(struct signals *signals, uv_loop_t *loop, void (*asked)(void *data, int number),
		   void *data)
{
	signal(SIGPIPE, SIG_IGN);
	signals->asked = asked;
	signals->data = data;
	signals->hung_up = NULL;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uv_signal_init(loop, &signals->handles[i]);
		signals->handles[i].data = signals;
		uv_signal_start(&signals->handles[i], on_signal, numbers[i]);
	}
}

static void on_hangup(uv_signal_t *handle, int number)
{
	struct signals *signals = handle->data;

	signals->hung_up(signals->data);
}

void signals_on_hangup(struct signals *signals, void (*hung_up)(void *data))
{
	signals->hung_up = hung_up;
	uv_signal_init(signals->handles[0].loop, &signals->hangup);
	signals->hangup.data = signals;
	uv_signal_start(&signals->hangup, on_hangup, SIGHUP);
}

void signals_unref(struct signals *signals)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		uv_unref((uv_handle_t *)&signals->handles[i]);
	if (signals->hung_up)
		uv_unref((uv_handle_t *)&signals->hangup);
}

void signals_ref(struct signals *signals)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		uv_ref((uv_handle_t *)&signals->handles[i]);
	if (signals->hung_up)
		uv_ref((uv_handle_t *)&signals->hangup);
}

void signals_done(struct signals *signals)
{
	uv_loop_t *loop = signals->handles[0].loop;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uv_close((uv_handle_t *)&signals->handles[i], NULL);
		signal(numbers[i], SIG_IGN); /* closing gave it back to the kernel */
	}
	if (signals->hung_up) {
		uv_close((uv_handle_t *)&signals->hangup, NULL);
		signal(SIGHUP, SIG_IGN);
	}
	uv_run(loop, UV_RUN_DEFAULT);
}
