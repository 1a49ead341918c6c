/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/child.h"

#include "common/base/cleanup.h"

#include <fcntl.h>
#include <sys/socket.h>

int child_start(uv_loop_t *loop, uv_process_t *process, const struct child_options *options,
		uv_exit_cb on_exit, int *sock, struct err *e)
{
	char *args[CHILD_ARGS_MAX + 2] = { (char *)"cocos-agent" }, *env[] = { NULL };
	size_t count = 1;

	for (const char *const *arg = options->args; *arg; arg++) {
		if (count > CHILD_ARGS_MAX)
			return err_set(e, ERR_INTERNAL, "too many arguments for a child");
		args[count++] = (char *)*arg;
	}
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno(e, "socket pair");
	CLEANUP(close) int ours = pair[0];
	CLEANUP(close) int theirs = pair[1];
	if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return err_errno(e, "socket pair");

	uv_stdio_container_t stdio[] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_INHERIT_FD, .data.fd = options->out },
		{ .flags = UV_INHERIT_FD, .data.fd = options->err },
		{ .flags = UV_INHERIT_FD, .data.fd = theirs },
	};
	const uv_process_options_t spawn = {
		.file = options->program ? options->program : "/proc/self/exe",
		.args = args,
		.env = env,
		.stdio = stdio,
		.stdio_count = ARRAY_LEN(stdio),
		.exit_cb = on_exit,
	};
	int r = uv_spawn(loop, process, &spawn);
	if (r < 0)
		return err_set(e, ERR_UNAVAILABLE, "start '%s %s': %s", spawn.file,
			       options->args[0], uv_strerror(r));
	*sock = TAKE_FD(ours);
	return 0;
}
