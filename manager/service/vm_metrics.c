/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/service/vm_metrics.h"

#include "manager/fleet/fleet_view.h"
#include "manager/service/service.h"
#include "manager/service/vm_message.h"

#include <string.h>

enum { TEES = DOMAIN_TDX + 1 };

static void gauge(struct metrics_text *t, const char *name, const char *help, double value)
{
	metrics_family(t, name, METRICS_GAUGE, help);
	metrics_sample(t, NULL, value);
}

/* Every state and TEE, also those that nobody is in: a line that vanishes is taken for a hole. */
static void write_vms(const struct vm_metrics *m, struct metrics_text *t)
{
	unsigned counts[VM_STATES][TEES] = { { 0 } };
	struct vm_view view;

	for (size_t i = 0; i < fleet_places(m->fleet); i++)
		if (fleet_view(m->fleet, i, &view) && view.cvm)
			counts[view.state][view.cvm->tee]++;
	metrics_family(t, "cocos_manager_vms", METRICS_GAUGE, "CVMs by state and TEE.");
	for (unsigned state = 0; state < VM_STATES; state++) {
		for (unsigned tee = 0; tee < TEES && state != VM_EXITED; tee++) {
			const struct metrics_label labels[] = {
				{ "state", vm_state_name((enum vm_state)state) },
				{ "tee", domain_tee_name((enum domain_tee)tee) },
				{ 0 },
			};

			metrics_sample(t, labels, counts[state][tee]);
		}
	}
}

static void write_ended(const struct vm_metrics *m, struct metrics_text *t)
{
	metrics_family(t, "cocos_manager_vms_ended", METRICS_COUNTER,
		       "CVMs that are gone since this manager began, by cause.");
	for (enum cvm_why why = CVM_REMOVED; why < CVM_WHYS; why++) {
		const struct metrics_label labels[] = { { "cause", vm_why_name(why) }, { 0 } };

		metrics_sample(t, labels, (double)fleet_ended(m->fleet, why));
	}
}

static void write_hosts(const struct vm_metrics *m, struct metrics_text *t)
{
	struct host_view view;

	if (!fleet_host_view(m->fleet, 0, &view) || !*view.row->name)
		return;
	metrics_family(t, "cocos_manager_host_up", METRICS_GAUGE,
		       "1: the host's libvirt is connected.");
	for (size_t i = 0; fleet_host_view(m->fleet, i, &view); i++)
		metrics_sample(t,
			       (const struct metrics_label[]){ { "host", view.row->name }, { 0 } },
			       view.is_there);
	metrics_family(t, "cocos_manager_host_vms", METRICS_GAUGE,
		       "CVMs on the host, those without a record counted.");
	for (size_t i = 0; fleet_host_view(m->fleet, i, &view); i++)
		metrics_sample(t,
			       (const struct metrics_label[]){ { "host", view.row->name }, { 0 } },
			       (double)view.used.machines);
}

static void write_leases(const struct vm_metrics *m, struct metrics_text *t)
{
	if (!fleet_is_shared(m->fleet))
		return;
	gauge(t, "cocos_manager_leases",
	      "Hosts that this manager holds, of those that several share.",
	      fleet_leases(m->fleet));
	metrics_family(t, "cocos_manager_takeovers", METRICS_COUNTER,
		       "Hosts taken whose manager had not given them back.");
	metrics_sample(t, NULL, (double)fleet_takeovers(m->fleet));
}

/* "base 1f0a9b…": flavour and digest. */
static void write_image(struct vm_metrics *m, struct metrics_text *t)
{
	char flavour[IMAGE_NAME_MAX];
	const char *space;

	lifecycle_image_name(m->lifecycle, m->image);
	space = strchr(m->image, ' ');
	if (!space)
		return;
	memcpy(flavour, m->image, (size_t)(space - m->image));
	flavour[space - m->image] = 0;
	const struct metrics_label labels[] = { { "flavour", flavour },
						{ "digest", space + 1 },
						{ 0 } };
	metrics_family(t, "cocos_manager_image", METRICS_INFO, "The image that CVMs are given.");
	metrics_sample(t, labels, 1);
}

static void write_page(void *data, struct metrics_text *t)
{
	struct vm_metrics *m = data;
	const struct config *c = m->config;

	call_metrics_write(m->calls, t);
	write_vms(m, t);
	write_ended(m, t);
	write_hosts(m, t);
	write_leases(m, t);
	gauge(t, "cocos_manager_vms_max", "CVMs that may exist at once.", (double)c->max_vms);
	gauge(t, "cocos_manager_serving",
	      "1: a CVM could be launched, as far as libvirt and image go.",
	      fleet_is_serving(m->fleet));
	write_image(m, t);
	certificate_metrics_write(m->certificates, ARRAY_LEN(m->certificates), t);
	revocation_metrics_write(&m->revocation, m->revocation ? 1 : 0, t);
	process_metrics_write(t);
}

/* They count everybody's CVMs. */
static int may_read(void *data, const struct rpc_identity *identity, struct err *e)
{
	const struct vm_metrics *m = data;
	struct access_caller caller;

	if (access_who(m->access, identity, &caller, e) < 0)
		return err_code(e);
	if (access_decide(&caller, ACCESS_OPERATE, "") == ACCESS_GRANTED)
		return 0;
	return err_set(e, ERR_DENIED, "metrics are for operators, and not for tenant %s",
		       caller.tenant);
}

int vm_metrics_open(struct vm_metrics *m, uv_loop_t *loop, const struct fleet *fleet,
		    struct rpc_tls *tls, struct err *e)
{
	static const struct rpc_service *const services[] = { &service_manager };

	m->fleet = fleet;
	m->certificates[0] = (struct certificate_metric){ .setting = "MANAGER_GRPC_SERVER_CERT",
							  .path = m->config->server_cert };
	m->certificates[1] = (struct certificate_metric){ .setting = "MANAGER_GRPC_SERVER_CA_CERTS",
							  .path = m->config->server_ca_certs };
	m->certificates[2] = (struct certificate_metric){ .setting = "MANAGER_GRPC_CLIENT_CA_CERTS",
							  .path = m->config->client_ca_certs };
	if (!m->config->metrics)
		return 0;
	if (call_metrics_new(services, ARRAY_LEN(services), &m->calls, e) < 0)
		return err_code(e);
	return metrics_server_new(
		loop, m->config->metrics, tls,
		&(struct metrics_source){ .write = write_page, .may = may_read, .data = m },
		&m->server, e);
}

void vm_metrics_close(struct vm_metrics *m)
{
	metrics_server_close(m->server);
}

void vm_metrics_done(struct vm_metrics *m)
{
	metrics_server_done(TAKE_PTR(m->server));
	call_metrics_free(TAKE_PTR(m->calls));
}
