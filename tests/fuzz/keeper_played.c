/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/keeper_played.h"

#include "agent/process/child.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

struct keeper_played keeper_played = { .sock = -1 };

/* A handle that can be closed, and nothing else; a process would be larger than this one. */
_Static_assert(sizeof(uv_idle_t) <= sizeof(uv_process_t), "it lies where the process would");

int __wrap_child_start(uv_loop_t *loop, uv_process_t *process, const struct child_options *options,
		       uv_exit_cb on_exit, int *sock, struct err *e);
int __wrap_child_start(uv_loop_t *loop, uv_process_t *process, const struct child_options *options,
		       uv_exit_cb on_exit, int *sock, struct err *e)
{
	void *data = process->data;
	int ends[2];

	assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) == 0);
	assert(options->args && strcmp(options->args[0], "keeper") == 0);
	uv_idle_init(loop, (uv_idle_t *)process);
	process->data = data;
	*sock = ends[0];
	keeper_played = (struct keeper_played){ ends[1], process, on_exit };
	return 0;
}

int __wrap_uv_process_kill(uv_process_t *process, int number);
int __wrap_uv_process_kill(uv_process_t *process, int number)
{
	assert(process == keeper_played.process);
	return 0;
}

void keeper_played_ends(void)
{
	if (keeper_played.process)
		keeper_played.on_exit(keeper_played.process, 0, 9);
	keeper_played.process = NULL;
}
