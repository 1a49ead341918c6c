/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/listing.h"

#include "cli/client/computation_client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int listing_refuse(struct err *e)
{
	return err_set(e, ERR_OUT_OF_RANGE, "the service's list has more than %d pages",
		       LISTING_PAGES_MAX);
}

static void *member(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return (char *)(uintptr_t)message + field->offset;
}

/* Where a request says which page it asks for: behind a name or number, or before one if newest come first. */
static const ProtobufCFieldDescriptor *place_of(const ProtobufCMessageDescriptor *request)
{
	const ProtobufCFieldDescriptor *after =
		protobuf_c_message_descriptor_get_field_by_name(request, "after");

	return after ? after : protobuf_c_message_descriptor_get_field_by_name(request, "before");
}

/* What the page says comes next, in the request. `text` holds it where it is text. */
static int turn(const ProtobufCMessage *page, ProtobufCMessage *request, char **text, bool *is_last,
		struct err *e)
{
	const ProtobufCFieldDescriptor *next =
		protobuf_c_message_descriptor_get_field_by_name(page->descriptor, "next");
	const ProtobufCFieldDescriptor *place = place_of(request->descriptor);

	*is_last = !next;
	if (!next)
		return 0;
	assert(place && place->type == next->type);
	if (next->type == PROTOBUF_C_TYPE_UINT64) {
		memcpy(member(request, place), member(page, next), sizeof(uint64_t));
		*is_last = !*(const uint64_t *)member(page, next);
		return 0;
	}
	assert(next->type == PROTOBUF_C_TYPE_STRING);
	free(*text);
	*text = strdup(*(char *const *)member(page, next));
	if (!*text)
		return err_nomem(e);
	*(char **)member(request, place) = *text;
	*is_last = !**text;
	return 0;
}

static int ask_pages(struct client *client, const struct listing *listing,
		     ProtobufCMessage *request, struct table *t, struct err *e)
{
	CLEANUP(free) char *place = NULL;

	for (int pages = 0; pages < LISTING_PAGES_MAX; pages++) {
		ProtobufCMessage *page;
		bool is_last;
		int failed;

		if (client_call(client, listing->method, request, &page, e) < 0)
			return err_code(e);
		listing->rows(t, page);
		failed = turn(page, request, &place, &is_last, e);
		protobuf_c_message_free_unpacked(page, NULL);
		if (failed || is_last)
			return failed;
	}
	return listing_refuse(e);
}

enum cli_exit listing_ask(struct cli *cli, const struct listing *listing, ProtobufCMessage *request,
			  struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct table t CLEANUP_TABLE;

	table_init(&t, listing->columns);
	if (table_check(cli, e) < 0 || client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	if (ask_pages(&client, listing, request, &t, e) < 0) {
		computation_hint(&client, e);
		return CLI_FAILED;
	}
	return table_print(&t, cli, "none", e) < 0 ? CLI_FAILED : CLI_OK;
}

static void fill(ProtobufCMessage *request, const char *name, const char *text)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(request->descriptor, name);

	if (field && text) {
		assert(field->type == PROTOBUF_C_TYPE_STRING);
		*(const char **)member(request, field) = text;
	}
}

enum cli_exit listing_print(struct cli *cli, const struct listing *listing, struct err *e)
{
	static const char *const asked[] = { "workspace", "sort", "search" };
	const ProtobufCMessageDescriptor *type = listing->method->request;
	/* All that it names is lent: only its own bytes are freed. */
	CLEANUP(free) ProtobufCMessage *request = malloc(type->sizeof_message);

	if (!request) {
		err_nomem(e);
		return CLI_FAILED;
	}
	protobuf_c_message_init(type, request);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++)
		if (cli_option_of(cli->command, asked[i]))
			fill(request, asked[i], cli_value(cli, asked[i]));
	if (listing->operand)
		fill(request, listing->operand, cli->operands[0]);
	return listing_ask(cli, listing, request, e);
}

/* ---- one thing ---- */

static const char *format(const struct cli *cli)
{
	const char *said = cli_option_of(cli->command, "output") ? cli_value(cli, "output") : NULL;

	if (cli_flag(cli, "json"))
		return "json";
	return said ? said : "table";
}

bool listing_is_for_people(const struct cli *cli)
{
	return strcmp(format(cli), "json") != 0 && strcmp(format(cli), "yaml") != 0;
}

enum cli_exit listing_object(const struct cli *cli, struct json_out *object, struct err *e)
{
	static const struct table_column none[] = { { NULL, NULL, false } };
	struct table t CLEANUP_TABLE;

	table_init(&t, none);
	if (strcmp(format(cli), "yaml") != 0)
		return json_out_print(object, cli->out, e) < 0 ? CLI_FAILED : CLI_OK;
	table_object(&t, object);
	return table_print_one(&t, cli, e) < 0 ? CLI_FAILED : CLI_OK;
}
