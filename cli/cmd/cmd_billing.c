/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_billing.c — accounts that pay for workspaces of the computation service, and their plans. */
#include "cli/base/text.h"
#include "cli/client/billing_client.h"
#include "cli/client/listing.h"
#include "cli/cmd/commands.h"
#include "common/usage/usage_share.h"

#include <string.h>

static const struct table_column columns[] = {
	{ "ACCOUNT", "account", false },
	{ "PLAN", "plan", false },
	{ "STATE", "state", false },
	{ "WORKSPACES", "workspaces", false },
	{ "MAX-CVM-HOURS", "limit_cvm_hours", false },
	{ "MAX-CPU-HOURS", "limit_cpu_hours", false },
	{ "MAX-GIB-HOURS", "limit_memory_gib_hours", false },
	{ "MAKER", "maker", true },
	{ "CREATED", "created", true },
	{ NULL, NULL, false },
};

static const struct table_column columns_of_one[] = {
	{ "ACCOUNT", "account", false },
	{ "PLAN", "plan", false },
	{ "STATE", "state", false },
	{ "WORKSPACES", "workspaces", false },
	{ "MAX-CVM-HOURS", "limit_cvm_hours", false },
	{ "MAX-CPU-HOURS", "limit_cpu_hours", false },
	{ "MAX-GIB-HOURS", "limit_memory_gib_hours", false },
	{ "MAKER", "maker", false },
	{ "CREATED", "created", false },
	{ "MONTH", "month", false },
	{ "CVM-HOURS", "cvm_ms", false },
	{ "CPU-HOURS", "cpu_ms", false },
	{ "GIB-HOURS", "memory_mib_seconds", false },
	{ "PAYS-FOR", "pays_for", false },
	{ NULL, NULL, false },
};

/* People see hours, programs milliseconds: the keys would be wrong for people. */
static const char *const labels_of_one[] = { "account",
					     "plan",
					     "state",
					     "workspaces",
					     "limit_cvm_hours",
					     "limit_cpu_hours",
					     "limit_memory_gib_hours",
					     "maker",
					     "created",
					     "month",
					     "cvm_hours",
					     "cpu_hours",
					     "memory_gib_hours",
					     "pays_for" };
_Static_assert(ARRAY_LEN(labels_of_one) == ARRAY_LEN(columns_of_one) - 1,
	       "a label for each column");

static const struct table_column columns_of_plan[] = {
	{ "PLAN", "plan", false },
	{ "MAX-CVM-HOURS", "cvm_hours", false },
	{ "MAX-CPU-HOURS", "cpu_hours", false },
	{ "MAX-GIB-HOURS", "memory_gib_hours", false },
	{ NULL, NULL, false },
};

static char *lent(const char *text)
{
	return (char *)(uintptr_t)(text ? text : "");
}

static void add_row(struct table *t, const Billing__Account *a)
{
	const Billing__Plan *plan = a->limits;

	table_text(t, a->name);
	table_text(t, a->plan);
	table_text(t, a->unknown ? "no such plan" : "");
	table_number(t, a->places, NULL);
	table_number(t, plan ? plan->cvm_hours : 0, NULL);
	table_number(t, plan ? plan->cpu_hours : 0, NULL);
	table_number(t, plan ? plan->memory_gib_hours : 0, NULL);
	table_text(t, a->maker);
	table_moment(t, people_ms(a->created));
}

static void add_one(struct table *t, const Billing__Account *a)
{
	char hours[USAGE_HOURS_MAX];

	add_row(t, a);
	table_text(t, a->month);
	usage_hours(a->cvm_ms, hours);
	table_number(t, a->cvm_ms, hours);
	usage_hours(a->cpu_ms, hours);
	table_number(t, a->cpu_ms, hours);
	usage_gib_hours(a->memory_mib_seconds, hours);
	table_number(t, a->memory_mib_seconds, hours);
	table_words(t, a->workspaces, a->n_workspaces);
}

/* A workspace that is removed has no name to be shown. */
static void note_removed(const Billing__Account *a)
{
	size_t removed = 0;

	for (size_t i = 0; i < a->n_workspaces; i++)
		removed += !*a->workspaces[i];
	if (removed)
		fprintf(stderr,
			"note: %zu of its workspaces %s removed; 'usage --account' says which\n",
			removed, removed == 1 ? "is" : "are");
}

/* One call that is answered with the account. */
static enum cli_exit ask_one(struct cli *cli, const struct rpc_method *method,
			     const ProtobufCMessage *request, struct err *e)
{
	struct table t CLEANUP_TABLE;
	ProtobufCMessage *response;
	enum cli_exit status;

	table_init(&t, columns_of_one);
	t.labels = labels_of_one;
	if (table_check(cli, e) < 0)
		return CLI_USAGE;
	status = computation_call(cli, method, request, &response, e);
	if (status != CLI_OK)
		return status;
	add_one(&t, (const Billing__Account *)response);
	note_removed((const Billing__Account *)response);
	protobuf_c_message_free_unpacked(response, NULL);
	return table_print_one(&t, cli, e) < 0 ? CLI_FAILED : CLI_OK;
}

/* clang-format off */
static const struct cli_option plain_options[] = {
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
static const struct cli_option create_options[] = {
	{ .name = "plan", .value = "NAME", .help = "one of 'billing plans'" },
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
static const struct cli_option remove_options[] = {
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

static enum cli_exit run_create(struct cli *cli, struct err *e)
{
	Billing__CreateRequest request = BILLING__CREATE_REQUEST__INIT;

	if (!cli_value(cli, "plan"))
		return cli_usage(e, "--plan is missing: 'billing plans' shows what is there");
	request.name = lent(cli->operands[0]);
	request.plan = lent(cli_value(cli, "plan"));
	return ask_one(cli, &billing_create, &request.base, e);
}

const struct command cmd_billing_create = {
	.name = "billing create",
	.args = "ACCOUNT",
	.help = "make an account that can pay for workspaces, for the service's administrators",
	.operands_min = 1,
	.operands_max = 1,
	.options = create_options,
	.run = run_create,
	.more = "Its plan limits what all workspaces that it pays for may run in a month, together, beside what\n"
		"each of them may. It pays for none yet: 'billing give'.",
};

static enum cli_exit run_show(struct cli *cli, struct err *e)
{
	Billing__AccountRequest request = BILLING__ACCOUNT_REQUEST__INIT;

	request.name = lent(cli->operands[0]);
	return ask_one(cli, &billing_show, &request.base, e);
}

const struct command cmd_billing_show = {
	.name = "billing show",
	.args = "ACCOUNT",
	.help = "show an account, its workspaces and what they ran this month, for the service's administrators",
	.operands_min = 1,
	.operands_max = 1,
	.options = plain_options,
	.run = run_show,
	.more = "Its statement of a month is 'usage --account ACCOUNT --month YYYY-MM', with -o csv or html.",
};

static enum cli_exit run_plan(struct cli *cli, struct err *e)
{
	Billing__SetPlanRequest request = BILLING__SET_PLAN_REQUEST__INIT;

	request.name = lent(cli->operands[0]);
	request.plan = lent(cli->operands[1]);
	return ask_one(cli, &billing_set_plan, &request.base, e);
}

const struct command cmd_billing_plan = {
	.name = "billing plan",
	.args = "ACCOUNT PLAN",
	.help = "give an account another plan, for the service's administrators",
	.operands_min = 2,
	.operands_max = 2,
	.options = plain_options,
	.run = run_plan,
	.more = "Its limits hold from now on, for this month too: of one that is used up CVMs are removed.",
};

static enum cli_exit place(struct cli *cli, const struct rpc_method *method, struct err *e)
{
	Billing__PlaceRequest request = BILLING__PLACE_REQUEST__INIT;

	request.name = lent(cli->operands[0]);
	request.workspace = lent(cli->operands[1]);
	return ask_one(cli, method, &request.base, e);
}

static enum cli_exit run_give(struct cli *cli, struct err *e)
{
	return place(cli, &billing_give, e);
}

const struct command cmd_billing_give = {
	.name = "billing give",
	.args = "ACCOUNT WORKSPACE",
	.help = "have an account pay for a workspace, for the service's administrators",
	.operands_min = 2,
	.operands_max = 2,
	.options = plain_options,
	.run = run_give,
	.more = "For this month, whole, and those that follow. What it ran before stays that of who paid then.",
};

static enum cli_exit run_take(struct cli *cli, struct err *e)
{
	return place(cli, &billing_take, e);
}

const struct command cmd_billing_take = {
	.name = "billing take",
	.args = "ACCOUNT WORKSPACE",
	.help = "have an account pay for a workspace no more, for the service's administrators",
	.operands_min = 2,
	.operands_max = 2,
	.options = plain_options,
	.run = run_take,
	.more = "Not for this month, either. Months before stay on its statements.",
};

static enum cli_exit run_remove(struct cli *cli, struct err *e)
{
	Billing__AccountRequest request = BILLING__ACCOUNT_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;

	request.name = lent(cli->operands[0]);
	status = computation_call(cli, &billing_remove, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "account %s removed\n", request.name);
	return CLI_OK;
}

const struct command cmd_billing_remove = {
	.name = "billing remove",
	.args = "ACCOUNT",
	.help = "remove an account that has never paid, for the service's administrators",
	.operands_min = 1,
	.operands_max = 1,
	.options = remove_options,
	.run = run_remove,
	.more = "One that has paid for a workspace stays, for its statements.",
};

static void rows(struct table *t, const ProtobufCMessage *message)
{
	const Billing__ListResponse *page = (const Billing__ListResponse *)message;

	for (size_t i = 0; i < page->n_accounts; i++)
		add_row(t, page->accounts[i]);
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &billing_list, columns, rows, NULL };

	return listing_print(cli, &listing, e);
}

const struct command cmd_billing_list = {
	.name = "billing list",
	.args = "",
	.help = "list the accounts that pay for workspaces, for the service's administrators",
	.options = plain_options,
	.run = run_list,
	.more = "WORKSPACES is for how many it pays this month; of limits 0 is none. An account whose plan the\n"
		"operator's file has no more is marked: no CVM is made for its workspaces until it has another.",
};

static enum cli_exit run_plans(struct cli *cli, struct err *e)
{
	Billing__PlansRequest request = BILLING__PLANS_REQUEST__INIT;
	const Billing__PlansResponse *list;
	struct table t CLEANUP_TABLE;
	ProtobufCMessage *response;
	enum cli_exit status;

	table_init(&t, columns_of_plan);
	if (table_check(cli, e) < 0)
		return CLI_USAGE;
	status = computation_call(cli, &billing_plans, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	list = (const Billing__PlansResponse *)response;
	for (size_t i = 0; i < list->n_plans; i++) {
		table_text(&t, list->plans[i]->name);
		table_number(&t, list->plans[i]->cvm_hours, NULL);
		table_number(&t, list->plans[i]->cpu_hours, NULL);
		table_number(&t, list->plans[i]->memory_gib_hours, NULL);
	}
	protobuf_c_message_free_unpacked(response, NULL);
	return table_print(&t, cli, "none", e) < 0 ? CLI_FAILED : CLI_OK;
}

const struct command cmd_billing_plans = {
	.name = "billing plans",
	.args = "",
	.help = "list the plans that accounts can have, for the service's administrators",
	.options = plain_options,
	.run = run_plans,
	.more = "The operator's file COMPUTATIONS_MANAGERS says them: lines 'plan NAME cpu-hours=N'. 0 is no limit.",
};
