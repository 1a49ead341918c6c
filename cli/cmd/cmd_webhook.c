/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_webhook.c — who is told of what happens in a workspace of the computation service. */
#include "cli/base/number.h"
#include "cli/base/text.h"
#include "cli/client/listing.h"
#include "cli/client/webhook_client.h"
#include "cli/cmd/commands.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <string.h>

static const struct table_column columns[] = {
	{ "NUMBER", "number", false },
	{ "STATE", "state", false },
	{ "URL", "url", false },
	{ "WAITING", "waiting", false },
	{ "TAKEN", "taken", false },
	{ "REASON", "reason", true },
	{ "EVENTS", "events", true },
	{ "DROPPED", "dropped", true },
	{ "DESCRIPTION", "description", true },
	{ "WORKSPACE", "workspace", true },
	{ "MAKER", "maker", true },
	{ "CREATED", "created", true },
	{ NULL, NULL, false },
};
static const struct table_column columns_of_new[] = {
	{ "NUMBER", "number", false },
	{ "STATE", "state", false },
	{ "URL", "url", false },
	{ "WAITING", "waiting", false },
	{ "TAKEN", "taken", false },
	{ "REASON", "reason", false },
	{ "EVENTS", "events", false },
	{ "DROPPED", "dropped", false },
	{ "DESCRIPTION", "description", false },
	{ "WORKSPACE", "workspace", false },
	{ "MAKER", "maker", false },
	{ "CREATED", "created", false },
	{ "SECRET", "secret", false },
	{ NULL, NULL, false },
};

#define WORKSPACE_OPTION       \
	{ .name = "workspace", \
	  .value = "NAME",     \
	  .help = "that it is in (your only one, or 'default')" }

static void add_row(struct table *t, const Webhooks__Webhook *w)
{
	table_number(t, w->number, NULL);
	table_text(t, w->enabled ? "enabled" : "disabled");
	table_text(t, w->url);
	table_number(t, w->waiting, NULL);
	table_number(t, w->taken, NULL);
	table_text(t, w->reason);
	table_words(t, w->events, w->n_events);
	table_number(t, w->dropped, NULL);
	table_text(t, w->description);
	table_text(t, w->workspace);
	table_text(t, w->maker);
	table_moment(t, people_ms(w->created));
}

static char *lent(const char *text)
{
	return (char *)(uintptr_t)(text ? text : "");
}

static int read_number(const char *text, const char *what, const char *command, uint64_t *number,
		       struct err *e)
{
	if (number_decimal(text, number) && *number)
		return 0;
	return err_set(e, ERR_INVALID, "%s %s: '%s' has them", what, log_quote(text).text, command);
}

/* ---- those that there are ---- */

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	Webhooks__ListRequest request = WEBHOOKS__LIST_REQUEST__INIT;
	const Webhooks__ListResponse *list;
	struct table t CLEANUP_TABLE;
	ProtobufCMessage *response;
	enum cli_exit status;

	table_init(&t, columns);
	if (table_check(cli, e) < 0)
		return CLI_USAGE;
	request.workspace = lent(cli_value(cli, "workspace"));
	status = computation_call(cli, &webhook_list, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	list = (const Webhooks__ListResponse *)response;
	for (size_t i = 0; i < list->n_webhooks; i++)
		add_row(&t, list->webhooks[i]);
	protobuf_c_message_free_unpacked(response, NULL);
	return table_print(&t, cli, "none", e) < 0 ? CLI_FAILED : CLI_OK;
}

/* clang-format off */
static const struct cli_option plain_options[] = {
	WORKSPACE_OPTION,
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_webhook_list = {
	.name = "webhook list",
	.args = "",
	.help = "list a workspace's webhooks, for its administrators",
	.options = plain_options,
	.run = run_list,
	.more = "WAITING are deliveries that are to be sent yet, TAKEN those that its receiver has taken, DROPPED\n"
		"events that were left out because 1000 waited already.",
};

/* One call about one webhook, that is answered with it. */
static enum cli_exit ask_one(struct cli *cli, const struct rpc_method *method, struct err *e)
{
	Webhooks__WebhookRequest request = WEBHOOKS__WEBHOOK_REQUEST__INIT;
	struct table t CLEANUP_TABLE;
	ProtobufCMessage *response;
	enum cli_exit status;

	table_init(&t, columns);
	if (table_check(cli, e) < 0 ||
	    read_number(cli->operands[0], "NUMBER", "webhook list", &request.number, e) < 0)
		return CLI_USAGE;
	request.workspace = lent(cli_value(cli, "workspace"));
	status = computation_call(cli, method, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	add_row(&t, (const Webhooks__Webhook *)response);
	protobuf_c_message_free_unpacked(response, NULL);
	return table_print_one(&t, cli, e) < 0 ? CLI_FAILED : CLI_OK;
}

static enum cli_exit run_show(struct cli *cli, struct err *e)
{
	return ask_one(cli, &webhook_show, e);
}

const struct command cmd_webhook_show = {
	.name = "webhook show",
	.args = "NUMBER",
	.help = "show a webhook, for the workspace's administrators",
	.operands_min = 1,
	.operands_max = 1,
	.options = plain_options,
	.run = run_show,
	.more = "Of one that the service has disabled REASON says why: nothing was taken while one delivery was\n"
		"tried 8 times within a day, or its receiver answered 410.",
};

static enum cli_exit run_enable(struct cli *cli, struct err *e)
{
	return ask_one(cli, &webhook_enable, e);
}

const struct command cmd_webhook_enable = {
	.name = "webhook enable",
	.args = "NUMBER",
	.help = "go on with a webhook that is disabled, for the workspace's administrators",
	.operands_min = 1,
	.operands_max = 1,
	.options = plain_options,
	.run = run_enable,
	.more = "What waited for it is sent.",
};

static enum cli_exit run_disable(struct cli *cli, struct err *e)
{
	return ask_one(cli, &webhook_disable, e);
}

const struct command cmd_webhook_disable = {
	.name = "webhook disable",
	.args = "NUMBER",
	.help = "send nothing to a webhook, for the workspace's administrators",
	.operands_min = 1,
	.operands_max = 1,
	.options = plain_options,
	.run = run_disable,
	.more = "What waits for it stays; what happens meanwhile is not told.",
};

static enum cli_exit run_delete(struct cli *cli, struct err *e)
{
	Webhooks__WebhookRequest request = WEBHOOKS__WEBHOOK_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;

	if (read_number(cli->operands[0], "NUMBER", "webhook list", &request.number, e) < 0)
		return CLI_USAGE;
	request.workspace = lent(cli_value(cli, "workspace"));
	status = computation_call(cli, &webhook_delete, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "webhook %" PRIu64 " deleted\n", request.number);
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option delete_options[] = {
	WORKSPACE_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_webhook_delete = {
	.name = "webhook delete",
	.args = "NUMBER",
	.help = "delete a webhook with its deliveries, for the workspace's administrators",
	.operands_min = 1,
	.operands_max = 1,
	.options = delete_options,
	.run = run_delete,
};

/* ---- with a secret ---- */

/* It is printed for this once; wiped behind it. */
static enum cli_exit print_new(struct cli *cli, ProtobufCMessage *response, struct err *e)
{
	const Webhooks__NewWebhook *m = (const Webhooks__NewWebhook *)response;
	struct table t CLEANUP_TABLE;
	int failed;

	table_init(&t, columns_of_new);
	if (m->webhook) {
		add_row(&t, m->webhook);
		table_text(&t, m->secret);
		failed = table_print_one(&t, cli, e);
		if (failed)
			cli_hint(cli,
				 "nobody has its secret: 'cocos-cli webhook rotate %" PRIu64 "'",
				 m->webhook->number);
	} else {
		failed = err_set(e, ERR_INTERNAL, "the service's answer has no webhook");
	}
	explicit_bzero(m->secret, strlen(m->secret));
	protobuf_c_message_free_unpacked(response, NULL);
	if (failed)
		return CLI_FAILED;
	fprintf(stderr,
		"note: the secret is not shown again; its receiver needs it to know deliveries "
		"from others'\n");
	return CLI_OK;
}

static enum cli_exit run_create(struct cli *cli, struct err *e)
{
	Webhooks__CreateRequest request = WEBHOOKS__CREATE_REQUEST__INIT;
	struct people_words events CLEANUP_WORDS = { .count = 0 };
	const char *listed = cli_value(cli, "events");
	struct table t CLEANUP_TABLE;
	ProtobufCMessage *response;
	enum cli_exit status;

	table_init(&t, columns_of_new);
	if (table_check(cli, e) < 0)
		return CLI_USAGE;
	/* Without the option it is all of them: who has said none has said something else. */
	if (listed && !*listed)
		return cli_usage(e, "--events names none: leave it out for all of them");
	if (people_words_read(listed, &events, e) < 0)
		return cli_usage(e, "--events: more than %d events", PEOPLE_WORDS_MAX);
	request.workspace = lent(cli_value(cli, "workspace"));
	request.url = lent(cli->operands[0]);
	request.events = events.words;
	request.n_events = events.count;
	request.description = lent(cli_value(cli, "description"));
	status = computation_call(cli, &webhook_create, &request.base, &response, e);
	return status == CLI_OK ? print_new(cli, response, e) : status;
}

/* For completion: the service judges them. */
static const char *const events_known[] = {
	"computation.created",
	"computation.waiting",
	"computation.running",
	"computation.completed",
	"computation.failed",
	"computation.cancelled",
	"computation.removed",
	"cvm.made",
	"cvm.lost",
	"cvm.removed",
	"usage.warning",
	"usage.limit",
	NULL,
};

/* clang-format off */
static const struct cli_option create_options[] = {
	{ .name = "events", .value = "LIST", .offers = events_known, .help = "with commas between, such as computation.completed,cvm.lost (all)" },
	{ .name = "description", .value = "TEXT", .help = "for people, at most 200 bytes" },
	WORKSPACE_OPTION,
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_webhook_create = {
	.name = "webhook create",
	.args = "URL",
	.help = "tell a receiver what happens in a workspace, for its administrators",
	.operands_min = 1,
	.operands_max = 1,
	.options = create_options,
	.run = run_create,
	.more = "URL is https://HOST[:PORT][/PATH] at a public address, or in a network that the service's operator\n"
		"lists. Each event is a POST of a small JSON object with ids and states, signed as Standard\n"
		"Webhooks has it; what is not answered by 2xx is tried 8 times within a day. Events:\n"
		"computation.created .waiting .running .completed .failed .cancelled .removed, cvm.made .lost\n"
		".removed, usage.warning .limit, statement.ready. A workspace has at most 10 webhooks.",
};

static enum cli_exit run_rotate(struct cli *cli, struct err *e)
{
	Webhooks__WebhookRequest request = WEBHOOKS__WEBHOOK_REQUEST__INIT;
	struct table t CLEANUP_TABLE;
	ProtobufCMessage *response;
	enum cli_exit status;

	table_init(&t, columns_of_new);
	if (table_check(cli, e) < 0 ||
	    read_number(cli->operands[0], "NUMBER", "webhook list", &request.number, e) < 0)
		return CLI_USAGE;
	request.workspace = lent(cli_value(cli, "workspace"));
	status = computation_call(cli, &webhook_rotate, &request.base, &response, e);
	return status == CLI_OK ? print_new(cli, response, e) : status;
}

const struct command cmd_webhook_rotate = {
	.name = "webhook rotate",
	.args = "NUMBER",
	.help = "give a webhook another secret, for the workspace's administrators",
	.operands_min = 1,
	.operands_max = 1,
	.options = plain_options,
	.run = run_rotate,
	.more = "For a day deliveries are signed by the one before as well. If somebody else has that one, delete\n"
		"the webhook and create another.",
};

/* ---- deliveries ---- */

static const struct table_column columns_of_deliveries[] = {
	{ "NUMBER", "number", false },   { "EVENT", "event", false },
	{ "STATE", "state", false },     { "TRIES", "tries", false },
	{ "STATUS", "status", false },   { "PROBLEM", "problem", false },
	{ "CREATED", "created", false }, { "TRIED", "tried", true },
	{ "DUE", "due", true },          { "ID", "id", true },
	{ NULL, NULL, false },
};

static void add_delivery(struct table *t, const Webhooks__Delivery *d)
{
	table_number(t, d->number, NULL);
	table_text(t, d->event);
	table_text(t, d->state);
	table_number(t, d->tries, NULL);
	table_number(t, d->status, NULL);
	table_text(t, d->problem);
	table_moment(t, people_ms(d->created));
	table_moment(t, people_ms(d->tried));
	table_moment(t, people_ms(d->due));
	table_text(t, d->id);
}

static void rows_of_deliveries(struct table *t, const ProtobufCMessage *message)
{
	const Webhooks__DeliveriesResponse *page = (const Webhooks__DeliveriesResponse *)message;

	for (size_t i = 0; i < page->n_deliveries; i++)
		add_delivery(t, page->deliveries[i]);
}

static enum cli_exit run_deliveries(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &webhook_deliveries, columns_of_deliveries,
						rows_of_deliveries, NULL };
	Webhooks__DeliveriesRequest request = WEBHOOKS__DELIVERIES_REQUEST__INIT;

	if (read_number(cli->operands[0], "NUMBER", "webhook list", &request.number, e) < 0)
		return CLI_USAGE;
	request.workspace = lent(cli_value(cli, "workspace"));
	return listing_ask(cli, &listing, &request.base, e);
}

const struct command cmd_webhook_deliveries = {
	.name = "webhook deliveries",
	.args = "NUMBER",
	.help = "list what a webhook was told, newest first, for the workspace's administrators",
	.operands_min = 1,
	.operands_max = 1,
	.options = plain_options,
	.run = run_deliveries,
	.more = "Those that wait, and the last 100 that were taken or have failed. STATUS is HTTP's, of the last try.",
};

static enum cli_exit run_redeliver(struct cli *cli, struct err *e)
{
	Webhooks__RedeliverRequest request = WEBHOOKS__REDELIVER_REQUEST__INIT;
	struct table t CLEANUP_TABLE;
	ProtobufCMessage *response;
	enum cli_exit status;

	table_init(&t, columns_of_deliveries);
	if (table_check(cli, e) < 0 ||
	    read_number(cli->operands[0], "NUMBER", "webhook list", &request.number, e) < 0 ||
	    read_number(cli->operands[1], "DELIVERY", "webhook deliveries NUMBER",
			&request.delivery, e) < 0)
		return CLI_USAGE;
	request.workspace = lent(cli_value(cli, "workspace"));
	status = computation_call(cli, &webhook_redeliver, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	add_delivery(&t, (const Webhooks__Delivery *)response);
	protobuf_c_message_free_unpacked(response, NULL);
	return table_print_one(&t, cli, e) < 0 ? CLI_FAILED : CLI_OK;
}

const struct command cmd_webhook_redeliver = {
	.name = "webhook redeliver",
	.args = "NUMBER DELIVERY",
	.help = "send a webhook's delivery again, for the workspace's administrators",
	.operands_min = 2,
	.operands_max = 2,
	.options = plain_options,
	.run = run_redeliver,
	.more = "At once, under its old id, by which its receiver knows that it is the same.",
};
