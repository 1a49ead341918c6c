/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/service/vm_filter.h"

#include "common/base/log.h"

#include <stdio.h>
#include <string.h>

static const char *tee_name(unsigned tee)
{
	return domain_tee_name((enum domain_tee)tee);
}

static const char *state_name(unsigned state)
{
	return vm_state_name((enum vm_state)state);
}

/* "'x' is no state of a CVM: use one of creating, running, …" */
static int refuse(const char *word, const char *(*name)(unsigned value), unsigned values,
		  const char *what, struct err *e)
{
	char all[128] = "";
	size_t at = 0;

	for (unsigned v = 0; v < values && at < sizeof(all); v++)
		at += (size_t)snprintf(all + at, sizeof(all) - at, "%s%s", v ? ", " : "", name(v));
	return err_set(e, ERR_INVALID, "filter: %s is no %s of a CVM: use one of %s",
		       log_quote(word).text, what, all);
}

static int take_words(char *const *words, size_t count, size_t max,
		      const char *(*name)(unsigned value), unsigned values, const char *what,
		      unsigned *bits, struct err *e)
{
	if (count > max)
		return err_set(e, ERR_INVALID, "filter: %zu %ss are more than %zu", count, what,
			       max);
	for (size_t i = 0; i < count; i++) {
		unsigned v = 0;

		while (v < values && strcmp(words[i], name(v)) != 0)
			v++;
		if (v == values)
			return refuse(words[i], name, values, what, e);
		*bits |= 1u << v;
	}
	return 0;
}

int vm_filter_make(const Manager__VmFilter *m, const struct access_caller *caller,
		   struct vm_filter *filter, struct err *e)
{
	struct vm_filter made = { .caller = *caller };

	if (m && (take_words(m->states, m->n_states, VM_FILTER_STATES_MAX, state_name, VM_STATES,
			     "state", &made.states, e) < 0 ||
		  take_words(m->tees, m->n_tees, VM_FILTER_TEES_MAX, tee_name, DOMAIN_TDX + 1,
			     "tee", &made.tees, e) < 0))
		return err_code(e);
	if (m && (cvm_name_check(m->name, e) < 0 ||
		  cvm_labels_make(m->labels, m->n_labels, made.labels, e) < 0))
		return err_wrap(e, "filter");
	if (m)
		memcpy(made.name, m->name, strlen(m->name) + 1);
	*filter = made;
	return 0;
}

bool vm_filter_passes(const struct vm_filter *f, const struct vm_view *v)
{
	enum domain_tee tee = v->cvm ? v->cvm->tee : v->gone->tee;
	const char *name = v->cvm ? v->cvm->name : v->gone->name;
	const char *labels = v->cvm ? v->cvm->labels : v->gone->labels;

	return access_decide(&f->caller, ACCESS_USE, vm_view_owner(v)) == ACCESS_GRANTED &&
	       (!f->states || f->states & 1u << v->state) && (!f->tees || f->tees & 1u << tee) &&
	       (!f->name[0] || strcmp(f->name, name) == 0) && cvm_labels_have(labels, f->labels);
}

/* FNV-1a. */
static void mix(uint64_t *digest, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		*digest = (*digest ^ b[i]) * UINT64_C(0x100000001b3);
}

uint64_t vm_filter_digest(const struct vm_filter *f)
{
	uint64_t digest = UINT64_C(0xcbf29ce484222325);

	mix(&digest, f->caller.tenant, strlen(f->caller.tenant) + 1);
	mix(&digest, &f->states, sizeof(f->states));
	mix(&digest, &f->tees, sizeof(f->tees));
	mix(&digest, f->name, strlen(f->name) + 1);
	mix(&digest, f->labels, strlen(f->labels) + 1);
	return digest;
}
