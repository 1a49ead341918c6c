/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/vm_hosts.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "manager/registry/registry_lease.h"
#include "manager/virt/workers.h"

#include <stdlib.h>
#include <string.h>

/* More than the keep-alive's time, after which a call to a host that hangs is given up. */
enum { ENTER_MS = 30000 };

/* Of records, domains and rows. */
_Static_assert((int)CVM_HOST_MAX == (int)VIRT_HOST_MAX, "names are of one length");

_Static_assert((int)REGISTRY_HOST_URI_MAX == (int)HOST_URI_MAX &&
		       (int)REGISTRY_HOST_WORDS_MAX >= (int)HOST_TABLE_LINE_MAX,
	       "what a table may say can be recorded");

/* From that place on; NULL: no more. */
static struct vm_host *next(const struct vm_hosts *hosts, size_t *place)
{
	struct vm_host *host = NULL;

	while (!host && *place < hosts->count)
		host = hosts->all[(*place)++];
	return host;
}

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
	struct vm_host *host;

	for (size_t i = 0; (host = next(hosts, &i));)
		free(host);
	hosts->count = 0;
}

/* By its own name alone. */
static struct vm_host *named(const struct vm_hosts *hosts, const char *name)
{
	struct vm_host *host;

	for (size_t i = 0; (host = next(hosts, &i));)
		if (strcmp(host->row.name, name) == 0)
			return host;
	return NULL;
}

/* What its words mean, judged beside those that are there. */
static int judge(const struct vm_hosts *hosts, const struct registry_host *as, struct host_row *row,
		 struct err *e)
{
	CLEANUP(free) struct host_table *table = calloc(1, sizeof(*table));
	const struct vm_host *host;

	if (!table)
		return err_nomem(e);
	for (size_t i = 0; (host = next(hosts, &i));)
		table->rows[table->count++] = host->row;
	if (host_table_add(table, as->name, as->uri, as->words, e) < 0)
		return err_code(e);
	*row = table->rows[table->count - 1];
	return 0;
}

/* MANAGER_HOSTS lists it by now, which counts from here on. */
static int take_over(struct vm_host *host, const struct registry_host *known,
		     struct registry *registry, struct err *e)
{
	if (*known->uri && strcmp(known->uri, host->row.uri) != 0)
		return err_set(e, ERR_PRECONDITION,
			       "host %s was added with the URI %s, and MANAGER_HOSTS says another: "
			       "give the one there that URI, or another name",
			       known->name, known->uri);
	if (*known->uri)
		log_info("host %s was added, and MANAGER_HOSTS lists it by now: that counts",
			 known->name);
	host->drained = known->draining;
	if (!*known->uri)
		return 0;
	/* In one step: whoever drained it would not learn that it has forgotten that. */
	return known->draining ? registry_host_settle(registry, known->name, e)
			       : registry_host_drop(registry, known->name, e);
}

static int recall(struct vm_hosts *hosts, const struct registry_host *known,
		  struct registry *registry, struct err *e)
{
	struct vm_host *host = named(hosts, known->name);
	struct host_row row;

	if (host)
		return take_over(host, known, registry, e);
	if (!*known->uri) {
		log_info("host %s was drained, and MANAGER_HOSTS does not list it any more: "
			 "forgotten",
			 known->name);
		return registry_host_drop(registry, known->name, e);
	}
	if (judge(hosts, known, &row, e) < 0) {
		e->code = ERR_PRECONDITION;
		return err_wrap(e, "of the hosts that were added");
	}
	row.draining = false;
	if (add(hosts, &row, host_row_is_local(&row), e) < 0)
		return err_code(e);
	host = named(hosts, known->name);
	host->added = true;
	host->drained = known->draining;
	return 0;
}

bool vm_hosts_can_share(const struct vm_hosts *hosts)
{
	const struct vm_host *host;

	for (size_t i = 0; (host = next(hosts, &i));)
		if (host->is_local)
			return false;
	return hosts->has_table;
}

/* What others added is theirs to settle. */
static void recall_shared(struct vm_hosts *hosts, const struct registry_host *known)
{
	struct vm_host *host = named(hosts, known->name);
	struct host_row row = { .cpus = 0 };
	struct err e;

	if (host) {
		host->drained = known->draining;
		if (*known->uri && strcmp(known->uri, host->row.uri) != 0)
			log_warn(
				"host %s was added with the URI %s, and MANAGER_HOSTS says %s, which "
				"counts here",
				known->name, known->uri, host->row.uri);
		return;
	}
	if (!*known->uri) /* another manager's settings have it */
		return;
	if (judge(hosts, known, &row, &e) < 0 || host_row_is_local(&row)) {
		log_warn("host %s, which was added, is not taken here: %s", known->name,
			 host_row_is_local(&row) ? "it is the machine of whoever added it"
						 : e.text);
		return;
	}
	row.draining = false;
	if (add(hosts, &row, false, &e) < 0) {
		log_warn("host %s: %s", known->name, e.text);
		return;
	}
	host = named(hosts, known->name);
	host->added = true;
	host->drained = known->draining;
}

int vm_hosts_recall(struct vm_hosts *hosts, struct registry *registry, struct err *e)
{
	CLEANUP(free) struct registry_host *known = NULL;
	size_t count;

	if (registry_hosts(registry, &known, &count, e) < 0)
		return err_code(e);
	if (count && !hosts->has_table) {
		log_warn("%zu hosts were added or drained, and none of them is used without "
			 "MANAGER_HOSTS",
			 count);
		return 0;
	}
	for (size_t i = 0; registry_is_shared(registry) && i < count; i++)
		recall_shared(hosts, &known[i]);
	for (size_t i = 0; !registry_is_shared(registry) && i < count; i++)
		if (recall(hosts, &known[i], registry, e) < 0)
			return err_code(e);
	return 0;
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
	struct vm_host *host;

	hosts->notice = notice;
	hosts->data = data;
	hosts->loop = loop;
	for (size_t i = 0; (host = next(hosts, &i));)
		if (open_one(host, loop, hosts->has_table ? host->row.uri : single_uri, e) < 0)
			return err_code(e);
	return 0;
}

static void close_one(struct vm_host *host)
{
	virt_close(TAKE_PTR(host->virt));
	workers_close(TAKE_PTR(host->workers));
}

void vm_hosts_close(struct vm_hosts *hosts)
{
	struct vm_host *host;

	for (size_t i = 0; (host = next(hosts, &i));)
		close_one(host);
}

void vm_host_free(struct vm_host *host)
{
	close_one(host);
	free(host);
}

int vm_host_new(struct vm_hosts *hosts, const struct registry_host *as, struct vm_host **host,
		struct err *e)
{
	struct vm_host *one;
	struct host_row row;

	if (judge(hosts, as, &row, e) < 0)
		return err_code(e);
	one = calloc(1, sizeof(*one));
	if (!one)
		return err_nomem(e);
	*one = (struct vm_host){ .row = row,
				 .is_local = host_row_is_local(&row),
				 .hosts = hosts,
				 .added = true,
				 .drained = row.draining };
	one->row.draining = false;
	if (open_one(one, hosts->loop, one->row.uri, e) < 0) {
		vm_host_free(one);
		return err_code(e);
	}
	*host = one;
	return 0;
}

void vm_hosts_publish(struct vm_hosts *hosts, struct vm_host *host)
{
	size_t place = 0;

	while (hosts->all[place])
		place++; /* the table has room for it */
	hosts->all[place] = host;
	if (place == hosts->count)
		hosts->count++;
}

void vm_hosts_hide(struct vm_hosts *hosts, const struct vm_host *host)
{
	size_t place = 0;

	while (hosts->all[place] != host)
		place++;
	hosts->all[place] = NULL;
}

struct vm_host *vm_hosts_find(const struct vm_hosts *hosts, const char *name)
{
	struct vm_host *host;

	for (size_t i = 0; (host = next(hosts, &i));)
		if (strcmp(host->row.name, name) == 0 || (!*name && host->is_local))
			return host;
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
	if (host->elsewhere)
		return err_set(e, ERR_UNAVAILABLE, "another manager has host %s", host->row.name);
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
	const struct vm_host *host;
	size_t total = 0;

	for (size_t i = 0; (host = next(hosts, &i));) {
		CLEANUP(free) struct virt_domain *found = NULL;
		struct virt_domain *more;
		size_t n = 0;

		if (host->elsewhere)
			continue;
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
