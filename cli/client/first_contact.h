/* SPDX-License-Identifier: Apache-2.0 */
/*
 * first_contact.h — what to do when no call comes about, by what the server at that address turns out to be:
 * one table from symptoms to a line.
 */
#pragma once

#include "cli/client/client.h"

/* Of a connection that did not come about: a hint, or NULL where there is nothing better to say than in
 * general. `*where`: the address is the mistake. */
const char *first_contact_line(const struct client *client, const struct err *e, bool *where);

/* Of a server that does not have the method: asks its health service which of our daemons it is. NULL: it does
 * not say. The one that was meant: an older one. */
const char *first_contact_name(struct client *client, bool *is_meant);

/* Asks the server which of our daemons it is, where its health service tells: `*name` as above, may be NULL.
 * Fails where there is no answer, with the hint of client_hint(). */
int first_contact_ask(struct client *client, const char **name, bool *is_meant,
		      struct err *e) MUST_CHECK;
