/* SPDX-License-Identifier: Apache-2.0 */
/* web_first.c — where nobody administers the service yet: how somebody becomes the first who does. */
#include "common/base/log.h"
#include "computations/people/entry.h"
#include "computations/web/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <openssl/crypto.h>

struct first {
	struct service *service;
	bool wanted;
	char secret[ENTRY_TEXT_LEN + 1];
};

/* A log that others may read is no place for it: only a terminal is shown the link. */
static int run(struct store *store, void *data, struct err *e)
{
	struct first *first = data;

	if (entry_first_is_wanted(&store->db, &first->wanted, e) < 0)
		return err_code(e);
	if (!first->wanted || !isatty(STDERR_FILENO))
		return 0;
	return entry_add(&store->db, 0, store_now(), first->secret, e);
}

static void say(const struct first *first)
{
	char origin[WEB_ORIGIN_MAX];
	struct err ignored;

	if (web_origin(first->service, origin, &ignored) < 0)
		return;
	if (*first->secret)
		fprintf(stderr,
			"\nNobody administers this service yet. Whoever opens this link first does, "
			"within %d minutes:\n\n  %s/password/%s\n\n",
			ENTRY_MINUTES, *origin ? origin : "https://(this page's name and port)",
			first->secret);
	else
		log_info("page: nobody administers it yet: 'cocos-cli user add NAME "
			 "--administrator', then 'cocos-cli user link NAME' prints a link where a "
			 "password is chosen");
}

static void done(void *data, const struct err *e)
{
	struct first *first = data;

	if (e)
		log_error("page: is there an administrator? %s", e->text);
	else if (first->wanted)
		say(first);
	OPENSSL_cleanse(first, sizeof(*first));
	free(first);
}

int web_first(struct service *service, struct err *e)
{
	struct first *first = calloc(1, sizeof(*first));
	int failed;

	if (!first)
		return err_nomem(e);
	first->service = service;
	failed = store_queue_add(service->queue, &(struct store_queue_op){ run, done, first }, e);
	if (failed)
		free(first);
	return failed;
}
