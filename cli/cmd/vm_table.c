/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd/vm_table.h"

#include "common/base/log.h"
#include "common/base/writer.h"

#include <stdlib.h>
#include <string.h>

enum { LABELS_TEXT_MAX = 64 << 10 };

const struct table_column vm_columns[] = {
	{ "ID", "id", false },
	{ "NAME", "name", false },
	{ "STATE", "state", false },
	{ "REASON", "exit_reason", false },
	{ "TEE", "tee", false },
	{ "CPUS", "cpus", false },
	{ "MEMORY", "memory", false },
	{ "PORT", "forwarded_port", false },
	{ "CREATED", "created", false },
	{ "EXPIRES", "expires", true },
	{ "EXITED", "exited", true },
	{ "ACCELERATION", "acceleration", true },
	{ "IMAGE", "image", true },
	{ "LABELS", "labels", true },
	{ "TENANT", "tenant", true },
	{ "HOST", "host", true },
	{ "REVISION", "revision", true },
	{ NULL, NULL, false },
};

static void labels_cell(struct table *t, const Manager__Vm *vm)
{
	struct writer w CLEANUP_WRITER = writer_up_to(LABELS_TEXT_MAX);

	for (size_t i = 0; i < vm->n_labels; i++)
		writer_printf(&w, "%s%s=%s", i ? "," : "", vm->labels[i]->key,
			      vm->labels[i]->value);
	writer_u8(&w, 0);
	t->failed |= w.bad;
	table_pairs(t, w.bad ? "" : (const char *)w.bytes);
}

void vm_row(struct table *t, const Manager__Vm *vm)
{
	char memory[32];

	snprintf(memory, sizeof(memory), "%llu MiB", (unsigned long long)(vm->memory >> 20));
	table_text(t, vm->id);
	table_text(t, vm->name);
	table_text(t, vm->state);
	table_text(t, vm->exit_reason);
	table_text(t, vm->tee);
	table_number(t, vm->cpus, NULL);
	table_number(t, vm->memory, memory);
	table_number(t, vm->forwarded_port, NULL);
	table_moment(t, vm->created_ms);
	table_moment(t, vm->expires_ms);
	table_moment(t, vm->exited_ms);
	table_text(t, vm->acceleration);
	table_text(t, vm->image);
	labels_cell(t, vm);
	table_text(t, vm->tenant);
	table_text(t, vm->host);
	table_number(t, vm->revision, NULL);
}

static size_t count_of(const struct cli *cli, const char *option)
{
	size_t n = 0;

	while (cli_value_at(cli, option, n))
		n++;
	return n;
}

int vm_labels_read(const struct cli *cli, struct vm_labels *out, struct err *e)
{
	size_t count = count_of(cli, "label");

	*out = (struct vm_labels){ .labels = calloc(count + 1, sizeof(Manager__Label)),
				   .list = calloc(count + 1, sizeof(Manager__Label *)) };
	if (!out->labels || !out->list)
		return err_nomem(e);
	for (size_t i = 0; i < count; i++) {
		const char *text = cli_value_at(cli, "label", i), *equals = strchr(text, '=');
		Manager__Label *label = &out->labels[i];

		if (!equals || equals == text)
			return err_set(e, ERR_INVALID, "--label: %s is not KEY=VALUE",
				       log_quote(text).text);
		manager__label__init(label);
		out->list[i] = label;
		label->key = strndup(text, (size_t)(equals - text));
		label->value = (char *)(uintptr_t)(equals + 1);
		out->count++;
		if (!label->key)
			return err_nomem(e);
	}
	return 0;
}

void vm_labels_done(struct vm_labels *labels)
{
	for (size_t i = 0; i < labels->count; i++)
		free(labels->labels[i].key);
	free(labels->labels);
	free(labels->list);
}

static int read_words(const struct cli *cli, const char *option, char ***words, size_t *count,
		      struct err *e)
{
	*count = count_of(cli, option);
	*words = calloc(*count + 1, sizeof(char *));
	if (!*words)
		return err_nomem(e);
	for (size_t i = 0; i < *count; i++)
		(*words)[i] = (char *)(uintptr_t)cli_value_at(cli, option, i);
	return 0;
}

int vm_filter_read(const struct cli *cli, bool states, struct vm_filter_options *f, struct err *e)
{
	const char *name = cli_value(cli, "name");

	*f = (struct vm_filter_options){ .states = NULL };
	manager__vm_filter__init(&f->filter);
	if (vm_labels_read(cli, &f->labels, e) < 0 ||
	    read_words(cli, "tee", &f->tees, &f->filter.n_tees, e) < 0 ||
	    (states && read_words(cli, "state", &f->states, &f->filter.n_states, e) < 0))
		return err_code(e);
	if (name)
		f->filter.name = (char *)(uintptr_t)name;
	f->filter.labels = f->labels.list;
	f->filter.n_labels = f->labels.count;
	f->filter.tees = f->tees;
	f->filter.states = f->states;
	return 0;
}

void vm_filter_done(struct vm_filter_options *f)
{
	vm_labels_done(&f->labels);
	free(f->states);
	free(f->tees);
}

/* ---- the words of 'create-vm' ---- */

const char *const vm_tees[] = { "snp", "tdx", "none", NULL };

/* No option is longer than its field. */
static const struct {
	const char *field, *option;
} fields[] = {
	{ "agent_cvm_server_ca_cert", "--server-ca" },
	{ "agent_cvm_server_url", "--server-url" },
	{ "agent_cvm_client_cert", "--client-crt" },
	{ "agent_cvm_client_key", "--client-key" },
	{ "agent_cvm_ca_url", "--ca-url" },
	{ "agent_certs_token", "--certs-token" },
	{ "agent_log_level", "--log-level" },
};

void vm_name_options(struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		size_t len = strlen(fields[i].field), put = strlen(fields[i].option);
		char *at;

		while ((at = strstr(e->text, fields[i].field)) != NULL) {
			memmove(at + put, at + len, strlen(at + len) + 1);
			memcpy(at, fields[i].option, put);
		}
	}
}
