/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/reaper.h"

#include "common/base/cleanup.h"
#include "guest/button.h"
#include "guest/console.h"
#include "guest/groups.h"
#include "guest/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

#define AGENT "/usr/bin/cocos-agent"

struct reaper {
	struct net *net;
	struct buttons buttons;
	int signals;
	sigset_t before;
	pid_t agent; /* 0: not started yet */
	bool ended;  /* the agent has ended, with `status` */
	int status;
	bool stopping;
	uint64_t deadline_ms; /* the end of waiting for a lease, later of stopping */
};

static int reaper_open(struct reaper *r, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, &r->before) < 0)
		return err_errno(e, "block signals");
	r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r->signals < 0)
		return err_errno(e, "signalfd");
	reboot(RB_DISABLE_CAD); /* ctrl-alt-del becomes SIGINT to us */
	buttons_open(&r->buttons);
	return 0;
}

static _Noreturn void agent_exec(const sigset_t *mask)
{
	static char *const argv[] = { (char *)"cocos-agent", (char *)"--config",
				      (char *)"/etc/cocos",  (char *)"--certs",
				      (char *)"/etc/certs",  (char *)"--work",
				      (char *)MOUNTS_WORK,   NULL };
	static char *const env[] = { (char *)"PATH=/usr/bin", (char *)"LANG=C.UTF-8",
				     (char *)"HOME=/", NULL };
	const struct rlimit no_core = { 0, 0 }; /* a dump would hold keys */
	int in = open("/dev/null", O_RDONLY);
	struct err e;

	if (groups_enter(&e) < 0) {
		dprintf(STDERR_FILENO, "cocos-init: %s\n", e.text);
		_exit(127);
	}
	setsid();
	setrlimit(RLIMIT_CORE, &no_core);
	if (in >= 0) {
		dup2(in, STDIN_FILENO);
		close(in);
	}
	sigprocmask(SIG_SETMASK, mask, NULL);
	execve(AGENT, argv, env);
	dprintf(STDERR_FILENO, "cocos-init: start %s: %s\n", AGENT, strerror(errno));
	_exit(127);
}

static int agent_start(struct reaper *r, struct err *e)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_errno(e, "start the agent");
	if (pid == 0)
		agent_exec(&r->before);
	console_line("agent started");
	r->agent = pid;
	return 0;
}

static void agent_stop(struct reaper *r, const char *why)
{
	if (r->stopping || r->ended)
		return;
	console_line("%s: stopping", why);
	r->stopping = true;
	r->deadline_ms = net_now_ms() + REAPER_STOP_MS;
	if (r->agent > 0)
		kill(r->agent, SIGTERM);
	else
		r->ended = true;
}

static void bury(struct reaper *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != r->agent)
			continue;
		r->ended = true;
		r->status = status;
	}
}

static void read_signals(struct reaper *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTERM)
			agent_stop(r, "told to end");
		else if (info.ssi_signo == SIGINT)
			agent_stop(r, "ctrl-alt-del");
	}
	bury(r); /* one SIGCHLD may stand for several */
}

/* Waiting for the first lease, or for the end of an agent that is stopping. */
static int deadline_check(struct reaper *r, struct err *e)
{
	bool late = net_now_ms() >= r->deadline_ms;

	if (r->stopping) {
		if (late && r->agent > 0)
			kill(-1, SIGKILL); /* everything but PID 1 */
		return 0;
	}
	if (r->agent > 0 || !(late || r->net->up || !r->net->card[0]))
		return 0;
	if (late && !r->net->up)
		console_line("%s: no IPv4 address yet", r->net->card);
	return agent_start(r, e);
}

static int reaper_timeout(const struct reaper *r)
{
	int net = net_timeout(r->net);
	uint64_t now = net_now_ms();
	int own = -1;

	if (r->stopping || r->agent == 0)
		own = r->deadline_ms > now ? (int)(r->deadline_ms - now) : 100;
	if (net < 0 || own < 0)
		return net < 0 ? own : net;
	return net < own ? net : own;
}

static int reaper_step(struct reaper *r, struct err *e)
{
	struct pollfd fds[2 + BUTTONS_MAX] = { { .fd = r->signals, .events = POLLIN },
					       { .fd = r->net->socket, .events = POLLIN } };
	nfds_t count = 2;

	for (int i = 0; i < r->buttons.count; i++)
		fds[count++] = (struct pollfd){ .fd = r->buttons.fd[i], .events = POLLIN };
	if (poll(fds, count, reaper_timeout(r)) < 0 && errno != EINTR)
		return err_errno(e, "poll");
	read_signals(r);
	for (int i = 0; i < r->buttons.count; i++)
		if (button_pressed(r->buttons.fd[i]))
			agent_stop(r, "power button");
	if (net_step(r->net, e) < 0) {
		/* The host's network may be broken in any way; that must not end the machine. */
		console_line("network: %s", e->text);
	}
	return deadline_check(r, e);
}

int reaper_run(struct net *net, char *line, size_t line_size, struct err *e)
{
	struct reaper r = { .net = net,
			    .signals = -1,
			    .deadline_ms = net_now_ms() + REAPER_NET_WAIT_MS };

	if (reaper_open(&r, e) < 0)
		return err_code(e);
	while (!r.ended)
		if (reaper_step(&r, e) < 0)
			return err_code(e);
	if (r.agent == 0)
		snprintf(line, line_size, "stopped before the agent started");
	else if (WIFEXITED(r.status))
		snprintf(line, line_size, "the agent ended with status %d", WEXITSTATUS(r.status));
	else
		snprintf(line, line_size, "the agent ended by signal %d", WTERMSIG(r.status));
	return 0;
}
