/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_journal_audit.c — the service's log of journals' heads, computed from all of its leaves. */
#include "attestation/journal/witness_audit.h"
#include "cli/client/computation_client.h"
#include "cli/client/witness_client.h"
#include "cli/cmd/commands.h"
#include "common/base/log.h"
#include "common/base/timestamp.h"

#include <inttypes.h>
#include <string.h>

struct audit {
	struct witness_audit log;
	struct witness_seen seen;
	bool found[WITNESS_KEPT_LEAVES]; /* of `seen.kept` */
};

/* A leaf that this account saw before is there, and none beside it that says otherwise. */
static int check_kept(struct audit *a, const struct witness_leaf *leaf, struct err *e)
{
	for (size_t i = 0; i < a->seen.kept.count; i++) {
		const struct witness_leaf *kept = &a->seen.kept.leaves[i];

		if (!witness_kept_is_of(kept, leaf->computation, leaf->run) ||
		    kept->head.count != leaf->head.count)
			continue;
		if (memcmp(kept->head.digest, leaf->head.digest, SHA256_LEN) != 0)
			return err_set(e, ERR_DATA_LOSS,
				       "two histories: entry %" PRIu64 " of run %" PRIu64
				       " of a computation had another digest in the log",
				       leaf->head.count, leaf->run);
		a->found[i] = true;
	}
	return 0;
}

static int check_found(const struct audit *a, struct err *e)
{
	for (size_t i = 0; i < a->seen.kept.count; i++)
		if (!a->found[i])
			return err_set(e, ERR_DATA_LOSS,
				       "the log had a head of run %" PRIu64
				       " of a computation, and it is not among the leaves",
				       a->seen.kept.leaves[i].run);
	return 0;
}

static int take_page(struct audit *a, const Computations__WitnessLeavesResponse *page,
		     size_t wanted, struct err *e)
{
	if (page->n_leaves != wanted)
		return err_set(e, ERR_DATA_LOSS,
			       "the service shows %zu leaves where %zu were asked for",
			       page->n_leaves, wanted);
	for (size_t i = 0; i < wanted; i++) {
		const struct span bytes = { page->leaves[i].data, page->leaves[i].len };
		struct witness_leaf leaf;

		if (witness_audit_take(&a->log, bytes, &leaf, e) < 0 || check_kept(a, &leaf, e) < 0)
			return err_code(e);
	}
	return 0;
}

static enum cli_exit refuse(struct err *e)
{
	/* Memory ran out, here. */
	if (e->code != ERR_DATA_LOSS && e->code != ERR_INVALID && e->code != ERR_OUT_OF_RANGE)
		return CLI_FAILED;
	err_wrap(e, "refused");
	return CLI_NOT_GENUINE;
}

static enum cli_exit fetch_page(struct client *client, struct audit *a, size_t wanted,
				struct err *e)
{
	Computations__WitnessLeavesRequest request = COMPUTATIONS__WITNESS_LEAVES_REQUEST__INIT;
	ProtobufCMessage *response;

	request.first = a->log.tree.size;
	request.count = (uint32_t)wanted;
	if (client_call(client, &computation_witness_leaves, &request.base, &response, e) < 0) {
		if (e->code != ERR_OUT_OF_RANGE) {
			computation_hint(client, e);
			return CLI_FAILED;
		}
		err_wrap(e, "the head that it signed is over more leaves");
		return refuse(e);
	}
	int failed = take_page(a, (const Computations__WitnessLeavesResponse *)response, wanted, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return failed ? refuse(e) : CLI_OK;
}

static enum cli_exit read_all(struct client *client, struct audit *a, struct err *e)
{
	size_t wanted;

	witness_audit_begin(&a->log, &a->seen.kept.head, &a->seen.head);
	while ((wanted = witness_audit_wants(&a->log)) != 0) {
		enum cli_exit status = fetch_page(client, a, wanted, e);

		if (status != CLI_OK)
			return status;
	}
	return witness_audit_end(&a->log, e) < 0 || check_found(a, e) < 0 ? refuse(e) : CLI_OK;
}

static void print(struct cli *cli, const struct audit *a, bool was_seen)
{
	char when[TIMESTAMP_TEXT_MAX];

	timestamp_format((int64_t)(a->log.now.time_ms / 1000), when);
	fprintf(cli->out,
		"audited: all %" PRIu64 " leaves have the root that the service signed at %s; ",
		a->log.now.size, when);
	if (was_seen)
		fprintf(cli->out,
			"the first %" PRIu64 " are those that it had, under the same key\n",
			a->log.before.size);
	else
		fprintf(cli->out, "seen for the first time, its key as well\n");
}

static enum cli_exit audit(struct cli *cli, struct client *client, struct audit *a, struct err *e)
{
	enum cli_exit status = witness_ask(client, NULL, 0, &a->seen, e);
	bool was_seen = a->seen.kept.bytes;

	if (status == CLI_FAILED)
		computation_hint(client, e);
	if (status == CLI_OK)
		status = read_all(client, a, e);
	if (status == CLI_OK)
		status = witness_keep(client, &a->seen, e);
	if (status == CLI_OK)
		print(cli, a, was_seen);
	return status;
}

static enum cli_exit run(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	CLEANUP(free) struct audit *a = calloc(1, sizeof(*a));
	enum cli_exit status;

	if (!a) {
		err_nomem(e);
		return CLI_FAILED;
	}
	if (client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	status = audit(cli, &client, a, e);
	witness_seen_done(&a->seen);
	return status;
}

/* clang-format off */
static const struct cli_option options[] = {
	WITNESS_KEY_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_journal_audit = {
	.name = "journal audit",
	.args = "",
	.help = "read the whole log of journals' heads and compute what the service signed",
	.options = options,
	.run = run,
	.more = "Where 'journal witness' has the service prove that its log goes on from the one that this account\n"
		"saw, this reads every leaf: their root is the one that was signed, the first of them are those of\n"
		"the head that was seen before, and each leaf that was seen is among them, with nothing beside it that\n"
		"says otherwise. What is kept, and where, is the same. Memory does not grow with the log.\n"
		"Exit 3: the log was forked or shrunk, its key is another, or leaves are missing, changed or in\n"
		"another order; 1: there is no such service; 2: a wrong call, or what was kept can't be read.",
};
