/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm_table.h — a manager's CVMs as the commands about them print them, and their filters.
 */
#pragma once

#include "cli/base/table.h"
#include "manager.pb-c.h"

extern const struct table_column vm_columns[];
extern const char *const vm_tees[];

void vm_row(struct table *t, const Manager__Vm *vm);

/* KEY=VALUE of each --label, malloc'ed. */
struct vm_labels {
	Manager__Label *labels, **list;
	size_t count;
};
int vm_labels_read(const struct cli *cli, struct vm_labels *labels, struct err *e) MUST_CHECK;
void vm_labels_done(struct vm_labels *labels);
#define CLEANUP_VM_LABELS __attribute__((cleanup(vm_labels_done)))

/* A manager's refusal of 'create-vm' calls fields by their names on the wire: by those of the options instead. */
void vm_name_options(struct err *e);

/* clang-format off */
#define VM_FILTER_OPTIONS \
	{ .name = "name", .value = "NAME", .help = "only the one of that name" }, \
	{ .name = "label", .value = "KEY=VALUE", .help = "only those with that label", .times = CLI_MANY }, \
	{ .name = "tee", .value = "TEE", .offers = vm_tees, \
	  .help = "only those in snp, tdx or none", .times = CLI_MANY }
/* clang-format on */

/* What the filter's options say, and --state if `states`. The lists are malloc'ed. */
struct vm_filter_options {
	Manager__VmFilter filter;
	struct vm_labels labels;
	char **states, **tees;
};
int vm_filter_read(const struct cli *cli, bool states, struct vm_filter_options *filter,
		   struct err *e) MUST_CHECK;
void vm_filter_done(struct vm_filter_options *filter);
#define CLEANUP_VM_FILTER __attribute__((cleanup(vm_filter_done)))
