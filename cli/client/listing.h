/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing.h — a list of the computation service, page after page, as a table.
 */
#pragma once

#include "cli/base/json_out.h"
#include "cli/base/table.h"
#include "cli/client/client.h"

struct listing {
	const struct rpc_method *method;
	const struct table_column *columns;
	/* The rows of one page. */
	void (*rows)(struct table *t, const ProtobufCMessage *page);
	/* The request's field that the command's first operand is; NULL: it takes none. */
	const char *operand;
};

/* A service that always has another page must not make a command endless. */
enum { LISTING_PAGES_MAX = 1024 };

/* What a command with TABLE_OPTIONS does that lists. It asks with those of its options that the request has a
 * field for: --workspace, --sort, --search. A list without pages is one. */
enum cli_exit listing_print(struct cli *cli, const struct listing *listing,
			    struct err *e) MUST_CHECK;

/* The same with a request of the caller's, whose place of a page is filled in here. */
enum cli_exit listing_ask(struct cli *cli, const struct listing *listing, ProtobufCMessage *request,
			  struct err *e) MUST_CHECK;

/* Of one thing by itself, with TABLE_OPTIONS or --json alone: is it to be text, as there is no -o json or yaml?
 * Else the object, which is closed, in that form. */
bool listing_is_for_people(const struct cli *cli);
enum cli_exit listing_object(const struct cli *cli, struct json_out *object,
			     struct err *e) MUST_CHECK;

/* "the service's list has more than 1024 pages" */
int listing_refuse(struct err *e);
