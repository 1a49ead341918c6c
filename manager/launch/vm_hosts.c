/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/vm_hosts.h"

#include "common/base/cleanup.h"
#include "manager/registry/registry.h"
#include "manager/virt/workers.h"

#include <stdlib.h>
#include <string.h>

/* More than the keep-alive's time, after which a call to a host that hangs is given up. */
enum { ENTER_MS = 30000 };

/* Of records, domains and rows. */
_Static_assert((int)CVM_HOST_MAX == (int)VIRT_HOST_MAX, "names are of one length");

static int add(struct vm_hosts *hosts, const struct host_row *row, bool is_local, struct err *e)
{
	struct vm_host *host = calloc(1, sizeof(*host));

	if (!host)
		return err_nomem(e);
	host->row = *row;
	host->is_local = is_local;
	host->hosts = hosts;
	hosts->all[hosts->count++] = host;
	return 0;
}

/* What CVMs there may have is not its row's to say, but the settings'. */
static int add_single(struct vm_hosts *hosts, struct err *e)
{
	const struct host_row row = { .tees = { true, true, true } };

	return add(hosts, &row, true, e);
}

int vm_hosts_init(struct vm_hosts *hosts, const struct config *config, struct err *e)
{
	CLEANUP(free) struct host_table *table = NULL;
	int failed = 0;

	*hosts = (struct vm_hosts){ .has_table = config->hosts };
	if (!config->hosts)
		return add_single(hosts, e);
	table = calloc(1, sizeof(*table));
	if (!table)
		return err_nomem(e);
	if (host_table_read(config->hosts, table, e) < 0)
		return err_wrap(e, "MANAGER_HOSTS");
	for (size_t i = 0; !failed && i < table->count; i++)
		failed = add(hosts, &table->rows[i], host_row_is_local(&table->rows[i]), e);
	return failed;
}

void vm_hosts_done(struct vm_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		free(hosts->all[i]);
	hosts->count = 0;
}

static void on_notice(void *data, const struct virt_notice *notice)
{
	struct vm_host *host = data;

	host->hosts->notice(host->hosts->data, host, notice);
}

static int open_one(struct vm_host *host, uv_loop_t *loop, const char *uri, struct err *e)
{
	if (virt_new(loop, uri, on_notice, host, &host->virt, e) < 0)
		return err_code(e);
	if (!host->hosts->has_table)
		return 0;
	if (!host->is_local)
		virt_make_remote(host->virt);
	return workers_new(loop, &host->workers, e);
}

int vm_hosts_open(struct vm_hosts *hosts, uv_loop_t *loop, const char *single_uri,
		  void (*notice)(void *data, struct vm_host *host,
				 const struct virt_notice *notice),
		  void *data, struct err *e)
{
	hosts->notice = notice;
	hosts->data = data;
	for (size_t i = 0; i < hosts->count; i++) {
		struct vm_host *host = hosts->all[i];

		if (open_one(host, loop, hosts->has_table ? host->row.uri : single_uri, e) < 0)
			return err_code(e);
	}
	return 0;
}

void vm_hosts_close(struct vm_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++) {
		virt_close(TAKE_PTR(hosts->all[i]->virt));
		workers_close(TAKE_PTR(hosts->all[i]->workers));
	}
}

struct vm_host *vm_hosts_find(const struct vm_hosts *hosts, const char *name)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (strcmp(hosts->all[i]->row.name, name) == 0 ||
		    (!*name && hosts->all[i]->is_local))
			return hosts->all[i];
	return NULL;
}

int vm_hosts_get(const struct vm_hosts *hosts, const char *name, struct vm_host **host,
		 struct err *e)
{
	*host = vm_hosts_find(hosts, name);
	return *host ? 0
		     : err_set(e, ERR_PRECONDITION,
			       "host %s is not in MANAGER_HOSTS any more: add it again",
			       *name ? name : HOST_LOCAL_URI);
}

int vm_host_wrap(const struct vm_host *host, struct err *e)
{
	return *host->row.name ? err_wrap(e, "host %s", host->row.name) : err_code(e);
}

/* Where it is known to be gone, nobody waits until dialling it ends. */
int vm_host_enter(const struct vm_host *host, struct err *e)
{
	if (!host->workers)
		return 0;
	if (!host->is_local && virt_connect(host->virt, e) < 0)
		return err_code(e);
	return workers_enter(host->workers, ENTER_MS, e);
}

void vm_host_leave(const struct vm_host *host)
{
	workers_leave(host->workers);
}

static int list_one(const struct vm_host *host, const char *prefix, struct virt_domain **domains,
		    size_t *count, struct err *e)
{
	int failed;

	if (vm_host_enter(host, e) < 0)
		return err_code(e);
	failed = virt_list(host->virt, prefix, domains, count, e);
	vm_host_leave(host);
	return failed;
}

static void name_host(const struct vm_host *host, struct virt_domain *domains, size_t count)
{
	for (size_t i = 0; i < count; i++)
		memcpy(domains[i].host, host->row.name, sizeof(domains[i].host));
}

int vm_hosts_list(const struct vm_hosts *hosts, const char *prefix, struct virt_domain **domains,
		  size_t *count, struct err *e)
{
	CLEANUP(free) struct virt_domain *all = NULL;
	size_t total = 0;

	for (size_t i = 0; i < hosts->count; i++) {
		const struct vm_host *host = hosts->all[i];
		CLEANUP(free) struct virt_domain *found = NULL;
		struct virt_domain *more;
		size_t n = 0;

		if (list_one(host, prefix, &found, &n, e) < 0) {
			if (hosts->has_table && e->code == ERR_UNAVAILABLE)
				continue;
			return err_code(e);
		}
		name_host(host, found, n);
		more = reallocarray(all, total + n + 1, sizeof(*all));
		if (!more)
			return err_nomem(e);
		all = more;
		memcpy(all + total, found, n * sizeof(*all));
		total += n;
	}
	*domains = TAKE_PTR(all);
	*count = total;
	return 0;
}
