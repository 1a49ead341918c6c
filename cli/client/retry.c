/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/retry.h"

#include "cli/base/text.h"
#include "cli/client/agent_client.h"

#include <unistd.h>

int retry_run(struct client *client, const struct retry *retry, struct err *e)
{
	bool moved = false;

	for (unsigned tries = 1; retry->attempt(retry->data, e) < 0; tries++) {
		moved = moved || *retry->moved > 0;
		/* Only a connection that worked and broke is worth another one. */
		if (e->code != ERR_UNAVAILABLE || !moved || tries == RETRY_MAX) {
			agent_client_hint(client, e);
			return err_code(e);
		}
		fprintf(stderr, "the connection broke (%s); %s\n", text_plain(e->text).text,
			retry->again);
		client->cli->hint[0] = 0;
		sleep(tries);
	}
	return 0;
}
