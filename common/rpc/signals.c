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
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uv_signal_init(loop, &signals->handles[i]);
		signals->handles[i].data = signals;
		uv_signal_start(&signals->handles[i], on_signal, numbers[i]);
	}
}

void signals_unref(struct signals *signals)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		uv_unref((uv_handle_t *)&signals->handles[i]);
}

void signals_done(struct signals *signals)
{
	uv_loop_t *loop = signals->handles[0].loop;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uv_close((uv_handle_t *)&signals->handles[i], NULL);
		signal(numbers[i], SIG_IGN); /* closing gave it back to the kernel */
	}
	uv_run(loop, UV_RUN_DEFAULT);
}
