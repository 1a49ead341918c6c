/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_hosts.c — the fleet's hosts: what each has and gives away, and which of them takes a CVM. */
#include "manager/fleet/fleet_state.h"
#include "manager/fleet/placement.h"

#include <string.h>

int fleet_host_new(struct fleet *f, struct vm_host *as, struct fleet_host **made, struct err *e)
{
	struct fleet_host *host = calloc(1, sizeof(*host));

	if (!host)
		return err_nomem(e);
	while (f->host_numbers & fleet_host_bit(host)) /* there are at most as many as bits */
		host->number++;
	f->host_numbers |= fleet_host_bit(host);
	host->fleet = f;
	host->host = as;
	host->held = !registry_is_shared(f->lifecycle->registry);
	as->elsewhere = !host->held;
	uv_timer_init(f->loop, &host->reconnect);
	host->reconnect.data = host;
	f->handles++;
	*made = host;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct fleet_host *host = handle->data;
	struct fleet *f = host->fleet;

	free(host->pending);
	free(host);
	fleet_handle_closed(f);
}

void fleet_host_free(struct fleet_host *host)
{
	host->fleet->host_numbers &= ~fleet_host_bit(host);
	uv_close((uv_handle_t *)&host->reconnect, on_closed);
}

int fleet_hosts_start(struct fleet *f, struct err *e)
{
	const struct vm_hosts *hosts = f->lifecycle->hosts;

	for (size_t i = 0; i < hosts->count; i++) {
		if (fleet_host_new(f, hosts->all[i], &f->hosts[f->host_count], e) < 0)
			return err_code(e);
		f->host_count++;
	}
	return 0;
}

bool fleet_host_is_out_of_reach(const struct fleet_host *host)
{
	return host->fleet->lifecycle->hosts->has_table && host->connecting &&
	       (host->lost || host->reconnect_ms);
}

struct fleet_host *fleet_host_find(struct fleet *f, const char *name)
{
	const struct vm_host *host = vm_hosts_find(f->lifecycle->hosts, name);

	for (size_t i = 0; i < f->host_count; i++)
		if (f->hosts[i]->host == host)
			return f->hosts[i];
	return NULL;
}

const char *fleet_host_name(const struct fleet_host *host)
{
	return *host->host->row.name ? host->host->row.name : "libvirt";
}

const char *fleet_address(const struct fleet *f, const struct cvm *cvm)
{
	const struct vm_host *host = vm_hosts_find(f->lifecycle->hosts, cvm->host);

	if (!f->lifecycle->hosts->has_table || !host)
		return "";
	return host->is_local ? f->lifecycle->config->forward_host : host->row.address;
}

static bool is_same_machine(const struct fleet_host *a, const struct fleet_host *b)
{
	return *a->info.uuid && strcmp(a->info.uuid, b->info.uuid) == 0;
}

const struct fleet_host *fleet_host_twin(const struct fleet *f, const struct fleet_host *host)
{
	for (size_t i = 0; i < f->host_count && f->hosts[i] != host; i++)
		if (is_same_machine(f->hosts[i], host))
			return f->hosts[i];
	return NULL;
}

static void add_slots(const struct fleet *f, const struct fleet_host *host,
		      struct placement_size *used)
{
	struct admission_use use = { .cpus = used->cpus, .memory = used->memory };
	const struct slot *slot;

	for (unsigned i = 0; (slot = fleet_slot_next(f, &i));)
		if (slot->host == host && slot->state != SLOT_FREE) {
			admission_count(f->lifecycle->config, &slot->cvm, &use);
			used->machines++;
		}
	used->cpus = use.cpus;
	used->memory = use.memory;
}

/* Strays have their part, too. */
static void add_used(const struct fleet *f, const struct fleet_host *host,
		     struct placement_size *used)
{
	struct admission_use use;

	add_slots(f, host, used);
	use = (struct admission_use){ .cpus = used->cpus, .memory = used->memory };
	used->machines += fleet_stray_use_count(f, host, &use);
	used->cpus = use.cpus;
	used->memory = use.memory;
}

/* Of the whole machine: what was launched by another row of it, before the first one was there, takes as much. Strays
 * are those that this row lists: another row of the same machine lists the same ones, and one that only says that it is
 * the same can't fill this host with strays of its own. */
static struct placement_size used_of_machine(const struct fleet *f, const struct fleet_host *host)
{
	struct placement_size used = { 0 };

	add_used(f, host, &used);
	for (size_t i = 0; i < f->host_count; i++)
		if (f->hosts[i] != host && is_same_machine(f->hosts[i], host))
			add_slots(f, f->hosts[i], &used);
	return used;
}

/* Machines without a record take what nobody can count, or every name that a CVM could have there. */
static bool is_crowded(const struct fleet *f, const struct fleet_host *host)
{
	return host->strays_over || fleet_slot_unused(f, host) == FLEET_NO_SLOT;
}

static void describe(const struct fleet *f, const struct fleet_host *h, struct placement_host *out)
{
	const struct host_row *row = &h->host->row;
	const bool offers[HOST_TEES] = { true, h->info.snp, h->info.tdx };

	*out = (struct placement_host){
		.is_there = h->is_there && h->is_known && fleet_host_is_held(h),
		.draining = row->draining || h->host->drained || h->leaving,
		.is_twin = fleet_host_twin(f, h) != NULL,
		.is_crowded = is_crowded(f, h),
		.has = { row->cpus ? row->cpus : h->info.cpus,
			 row->memory ? row->memory : h->info.memory, row->machines },
		.used = used_of_machine(f, h),
	};
	for (size_t t = 0; t < HOST_TEES; t++) {
		out->said[t] = row->tees[t];
		out->tees[t] = row->tees[t] && offers[t];
	}
}

bool fleet_host_view(const struct fleet *f, size_t place, struct host_view *view)
{
	const struct fleet_host *host;
	struct placement_host described;

	if (place >= f->host_count)
		return false;
	host = f->hosts[place];
	describe(f, host, &described);
	*view = (struct host_view){
		.row = &host->host->row,
		.uri = f->lifecycle->hosts->has_table ? host->host->row.uri
						      : f->lifecycle->config->libvirt_uri,
		.address = host->host->is_local ? f->lifecycle->config->forward_host
						: host->host->row.address,
		.is_there = host->is_there,
		.lost = host->lost || host->reconnect_ms,
		.added = host->host->added,
		.draining = described.draining,
		.has = described.has,
		.holder = fleet_host_holder(f, host->host->row.name),
		.held_uri = fleet_lease_uri(f, host),
		.held = host->held,
	};
	add_used(f, host, &view->used);
	if (fleet_host_twin(f, host))
		view->twin_of = fleet_host_name(fleet_host_twin(f, host));
	view->strays = fleet_stray_use_count(f, host, &(struct admission_use){ 0 });
	memcpy(view->tees, host->is_known ? described.tees : described.said, sizeof(view->tees));
	return true;
}

static const enum config_tee wishes[HOST_TEES] = { CONFIG_TEE_NONE, CONFIG_TEE_SNP,
						   CONFIG_TEE_TDX };

static int check_single(const struct fleet *f, struct err *e)
{
	return is_crowded(f, f->hosts[0])
		       ? err_set(e, ERR_EXHAUSTED,
				 "the host is full of machines without a record: 'cocos-cli vm "
				 "strays' lists them")
		       : 0;
}

int fleet_host_choose(struct fleet *f, struct cvm_request *request, struct cvm *cvm, struct err *e)
{
	const struct config *config = f->lifecycle->config;
	struct placement_host hosts[HOSTS_MAX];
	struct placement_wish wish = { .cpus = cvm->cpus, .memory = cvm->memory };
	size_t chosen;

	if (!f->lifecycle->hosts->has_table)
		return check_single(f, e);
	for (size_t i = 0; i < f->host_count; i++)
		describe(f, f->hosts[i], &hosts[i]);
	if (placement_tees(config, request->tee, hosts, f->host_count, wish.tees, e) < 0 ||
	    placement_choose(hosts, f->host_count, &wish, &chosen, e) < 0)
		return err_code(e);
	memcpy(cvm->host, f->hosts[chosen]->host->row.name, sizeof(cvm->host));
	if (!config_simulates(config))
		request->tee = wishes[placement_tee(&hosts[chosen], &wish)];
	return 0;
}
