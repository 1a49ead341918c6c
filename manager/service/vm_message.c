/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/service/vm_message.h"

#include <stdio.h>
#include <string.h>

const char *vm_why_name(enum cvm_why why)
{
	static const char *const names[] = {
		[CVM_WHY_NONE] = "",
		[CVM_REMOVED] = "removed",
		[CVM_EXPIRED] = "expired",
		[CVM_ENDED] = "ended",
		[CVM_FAILED] = "failed",
		[CVM_ABANDONED] = "abandoned",
		[CVM_INTERRUPTED] = "interrupted",
	};
	_Static_assert(ARRAY_LEN(names) == CVM_WHYS, "each has a name");

	return names[why];
}

static char *text(const char *borrowed)
{
	return (char *)(uintptr_t)borrowed;
}

static void fill_common(struct vm_message *out, const char *labels, enum domain_tee tee,
			bool simulated)
{
	Manager__Vm *m = &out->message;

	memcpy(out->text, labels, strlen(labels) + 1);
	m->n_labels = cvm_labels_split(out->text, out->labels);
	for (size_t i = 0; i < m->n_labels; i++)
		out->rows[i] = &out->labels[i];
	m->labels = out->rows;
	snprintf(out->tee, sizeof(out->tee), "%s%s", simulated ? "SIMULATED " : "",
		 domain_tee_name(tee));
	m->tee = out->tee;
}

static void fill_cvm(struct vm_message *out, const struct cvm *c, const char *host_address)
{
	Manager__Vm *m = &out->message;

	fill_common(out, c->labels, c->tee, cvm_simulated(c));
	m->id = text(c->id);
	m->name = text(c->name);
	m->exit_reason = text(vm_why_name(c->why));
	m->tenant = text(c->owner);
	m->host = text(c->host);
	m->created_ms = c->created_ms;
	m->expires_ms = c->expires_ms;
	m->cpus = c->cpus;
	m->memory = c->memory;
	if (!c->image[0]) { /* nothing else of it has been chosen yet */
		m->tee = text("");
		return;
	}
	m->acceleration = text(c->kvm ? "kvm" : "tcg");
	m->image = text(c->image);
	m->forwarded_port = c->port;
	m->host_address = text(host_address);
}

static void fill_gone(struct vm_message *out, const struct cvm_gone *g)
{
	Manager__Vm *m = &out->message;

	m->tenant = text(g->owner);
	fill_common(out, g->labels, g->tee, g->tee != DOMAIN_PLAIN && !g->kvm);
	m->id = text(g->id);
	m->name = text(g->name);
	m->exit_reason = text(vm_why_name(g->why));
	m->created_ms = g->created_ms;
	m->exited_ms = g->exited_ms;
}

void vm_message(const struct vm_view *view, struct vm_message *out)
{
	manager__vm__init(&out->message);
	if (view->cvm)
		fill_cvm(out, view->cvm, view->host_address);
	else
		fill_gone(out, view->gone);
	out->message.state = text(vm_state_name(view->state));
	out->message.revision = view->revision;
}
