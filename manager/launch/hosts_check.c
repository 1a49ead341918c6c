/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/hosts_check.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/preflight/preflight_place.h"
#include "manager/launch/tee.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

_Static_assert(sizeof(struct host_answer) <= PIPE_BUF, "an answer comes whole");

static void on_notice(void *data, const struct virt_notice *notice)
{
}

static int ask(struct virt *virt, const struct host_row *remote, struct virt_host *found,
	       struct err *e)
{
	if (remote)
		virt_make_remote(virt);
	if (virt_dial(virt, e) < 0 || virt_host(virt, found, e) < 0)
		return err_code(e);
	return remote ? virt_pool_check(virt, remote->pool, e) : 0;
}

int host_ask(const char *uri, const struct host_row *remote, struct virt_host *found, struct err *e)
{
	struct virt *virt = NULL;
	uv_loop_t loop;
	int failed;

	if (uv_loop_init(&loop) < 0)
		return err_nomem(e);
	failed = virt_new(&loop, uri, on_notice, NULL, &virt, e);
	if (!failed) {
		failed = ask(virt, remote, found, e);
		virt_close(virt);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	return failed;
}

/* ---- all of them at once ---- */

struct question {
	pid_t process;
	int fd; /* -1: it has answered, or can't */
};

/* In a session of its own, so that no ssh asks anybody for a password, and all of it can be ended. A terminal's
 * interrupt ends the one that asks alone: this one goes with it. */
static void answer(const struct host_row *row, pid_t asker, int fd)
{
	struct host_answer a = { 0 };
	ssize_t n;

	setsid();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != asker)
		_exit(1);
	a.failed = host_ask(row->uri, host_row_is_local(row) ? NULL : row, &a.found, &a.e);
	n = write(fd, &a, sizeof(a));
	_exit(n != sizeof(a));
}

static void begin(const struct host_row *row, struct question *q, struct host_answer *a)
{
	const pid_t asker = getpid();
	int ends[2];

	*q = (struct question){ .process = -1, .fd = -1 };
	if (pipe2(ends, O_CLOEXEC) < 0) {
		a->failed = err_errno(&a->e, "ask host %s", row->name);
		return;
	}
	q->process = fork();
	if (q->process == 0)
		answer(row, asker, ends[1]);
	close(ends[1]);
	q->fd = ends[0];
	if (q->process < 0) {
		a->failed = err_errno(&a->e, "ask host %s", row->name);
		close(ends[0]);
		q->fd = -1;
	}
}

static void take_answer(struct question *q, struct host_answer *a)
{
	if (read(q->fd, a, sizeof(*a)) != sizeof(*a))
		a->failed = err_set(&a->e, ERR_INTERNAL, "the process that asked it ended");
	close(q->fd);
	q->fd = -1;
}

static void end(struct question *q, struct host_answer *a, int timeout_ms)
{
	if (q->fd >= 0) {
		a->failed =
			err_set(&a->e, ERR_UNAVAILABLE, "no answer within %d s", timeout_ms / 1000);
		close(q->fd);
	}
	if (q->process <= 0)
		return;
	(void)kill(-q->process, SIGKILL); /* what it started; it has answered, or never will */
	(void)kill(q->process, SIGKILL);  /* perhaps it has no session yet */
	while (waitpid(q->process, NULL, 0) < 0 && errno == EINTR)
		;
}

static bool wait_for_some(struct question *all, struct host_answer *answers, size_t count,
			  int64_t until)
{
	struct pollfd fds[HOSTS_MAX];
	int64_t left = until - clock_ms(CLOCK_MONOTONIC);
	size_t open = 0;

	for (size_t i = 0; i < count; i++) {
		fds[i] = (struct pollfd){ .fd = all[i].fd, .events = POLLIN };
		open += all[i].fd >= 0;
	}
	if (!open || left <= 0)
		return false;
	if (poll(fds, (nfds_t)count, (int)left) < 0)
		return errno == EINTR;
	for (size_t i = 0; i < count; i++)
		if (fds[i].fd >= 0 && fds[i].revents)
			take_answer(&all[i], &answers[i]);
	return true;
}

void hosts_check_ask(struct hosts_check *hosts, const struct config *config, int timeout_ms)
{
	const struct host_table *table = &hosts->table;
	int64_t until = clock_ms(CLOCK_MONOTONIC) + timeout_ms;
	struct question all[HOSTS_MAX];

	memset(hosts, 0, sizeof(*hosts));
	hosts->config = config;
	if (!config->hosts)
		return;
	hosts->failed = host_table_read(config->hosts, &hosts->table, &hosts->e);
	if (hosts->failed) {
		hosts->failed = err_wrap(&hosts->e, "MANAGER_HOSTS");
		hosts->table.count = 0;
		return;
	}
	fflush(NULL); /* what is buffered is this process's to write */
	for (size_t i = 0; i < table->count; i++)
		begin(&table->rows[i], &all[i], &hosts->answers[i]);
	while (wait_for_some(all, hosts->answers, table->count, until))
		;
	for (size_t i = 0; i < table->count; i++)
		end(&all[i], &hosts->answers[i], timeout_ms);
}

/* ---- what they said ---- */

size_t hosts_check_rows(struct hosts_check *hosts,
			int (*look)(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e),
			struct preflight_check rows[HOSTS_MAX])
{
	for (size_t i = 0; i < hosts->table.count; i++) {
		snprintf(hosts->names[i], sizeof(hosts->names[i]), "host %s",
			 hosts->table.rows[i].name);
		rows[i] = (struct preflight_check){ .name = hosts->names[i],
						    .look = look,
						    .remedy = "see MANAGER_HOSTS" };
	}
	return hosts->table.count;
}

static bool row_has_tee(const struct host_row *row)
{
	return row->tees[DOMAIN_SNP] || row->tees[DOMAIN_TDX];
}

static int check_tees(struct hosts_check *h, const struct host_row *row,
		      const struct virt_host *found, struct err *e)
{
	const bool offers[HOST_TEES] = { true, found->snp, found->tdx };

	h->remedy =
		"switch SEV-SNP or TDX on in its firmware and kernel, with a libvirt that knows "
		"it, and see that libvirt can open /dev/kvm there; or name other TEES in its row";
	if (row_has_tee(row) && !found->kvm)
		return err_set(e, ERR_PRECONDITION,
			       "its CPU and libvirt do not both offer KVM, and its row says a TEE");
	for (size_t t = 0; t < HOST_TEES; t++)
		if (row->tees[t] && !offers[t])
			return err_set(e, ERR_PRECONDITION,
				       "its row says tees=%s, and its libvirt does not offer it",
				       domain_tee_name((enum domain_tee)t));
	return 0;
}

static int check_memory(struct hosts_check *h, const struct virt_host *found, struct err *e)
{
	h->remedy = "give CVMs less MANAGER_MEMORY, or take it out of MANAGER_HOSTS";
	if (!found->memory || h->config->memory <= found->memory)
		return 0;
	return err_set(e, ERR_PRECONDITION, "it has %llu MiB of memory, and a CVM has %llu",
		       (unsigned long long)(found->memory >> 20),
		       (unsigned long long)(h->config->memory >> 20));
}

static int check_twin(struct hosts_check *h, size_t place, struct err *e)
{
	const char *uuid = h->answers[place].found.uuid;

	h->remedy = "take one of them out, or give its libvirtd a host_uuid";
	for (size_t i = 0; *uuid && i < place; i++)
		if (!h->answers[i].failed && strcmp(h->answers[i].found.uuid, uuid) == 0)
			return err_set(e, ERR_PRECONDITION,
				       "it is the machine of host %s, by its libvirt's UUID %s",
				       h->table.rows[i].name, uuid);
	return 0;
}

/* Files of another machine are not looked at: a CVM whose files differ is told by its evidence. */
static int check_firmware(struct hosts_check *h, const struct host_row *row,
			  const struct virt_host *host, struct err *e)
{
	CLEANUP(free) struct cvm *cvm = NULL;
	char found[PREFLIGHT_TEXT_MAX];

	h->remedy = "install the TEE's OVMF and name it in MANAGER_FIRMWARE";
	if (!host_row_is_local(row))
		return 0;
	cvm = calloc(1, sizeof(*cvm));
	if (!cvm)
		return err_nomem(e);
	if (tee_choose(h->config, CONFIG_TEE_AUTO, host, cvm, e) < 0)
		return err_code(e);
	if (strcmp(cvm->firmware, CONFIG_SEABIOS) == 0)
		return 0;
	return preflight_file(cvm->firmware, found, e);
}

int hosts_check_look(struct hosts_check *h, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	size_t place = h->next++;
	const struct host_row *row = &h->table.rows[place];
	const struct host_answer *a = &h->answers[place];
	char whose[SHARE_CHECK_WORDS_MAX];

	h->remedy = "start its libvirtd, let this user reach it (certificates, or a key without a "
		    "passphrase and a known host key), and define its storage pool";
	if (a->failed) {
		*e = a->e;
		return err_code(e);
	}
	if (check_tees(h, row, &a->found, e) < 0 || check_twin(h, place, e) < 0 ||
	    check_memory(h, &a->found, e) < 0 || check_firmware(h, row, &a->found, e) < 0)
		return err_code(e);
	h->remedy = "give it the URI that all managers have for it, or another name";
	if (share_check_host(h->share, row, whose, e) < 0)
		return err_code(e);
	return preflight_found(found, "%s answers: %s%s, %llu cpus, %llu MiB%s%s", row->uri,
			       a->found.snp   ? "SEV-SNP, "
			       : a->found.tdx ? "TDX, "
					      : "",
			       a->found.kvm ? "KVM" : "no KVM, so CVMs are emulated, which is slow",
			       (unsigned long long)a->found.cpus,
			       (unsigned long long)(a->found.memory >> 20),
			       row->draining ? "; draining" : "", whose);
}
