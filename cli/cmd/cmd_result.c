/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_result.c — fetches the results, which an agent hands out once: nothing is fetched before
 * there is a place for it, and no file that exists is replaced.
 */
#include "cli/base/interrupt.h"
#include "cli/base/private_key.h"
#include "cli/base/progress.h"
#include "cli/client/agent_client.h"
#include "cli/client/agent_waiting.h"
#include "cli/client/attested.h"
#include "cli/client/retry.h"
#include "cli/cmd/commands.h"
#include "cli/cmd/result_file.h"
#include "cli/cmd/result_receipt.h"
#include "common/base/file.h"
#include "common/bundle/bundle.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

enum {
	/* Until their size is known: no more comes before the window is opened further, and what has not
	 * come whole is not counted as handed out (rpc_limits_default()). */
	ROOM_FIRST = 4 << 20,
	/* More than can be on its way: windows, and a message in hand. Before that the agent can't take them
	 * for handed out. */
	TAIL = 8 << 20,
};

/* Once the last of them may have come, they may not come again: what is there is kept. */
static void hold_tail(const struct result_file *t, uint64_t size, bool *held)
{
	if (*held || size - t->written > TAIL)
		return;
	*held = true;
	interrupt_hold();
	interrupt_remove(NULL);
	interrupt_say(
		"stopped at the end: what has come is in %.200s, and the agent may have handed "
		"them out; 'cocos-cli status' says so",
		t->partial);
}

static int receive(struct cli *cli, struct result_file *t, struct rpc_sync *sync, struct err *e)
{
	struct progress progress;
	uint64_t size = 0;
	bool held = false;
	int failed;

	if (client_announced_size(sync, &size, e) < 0)
		return err_code(e);
	if (size == CLIENT_SIZE_UNKNOWN)
		return err_set(e, ERR_INVALID, "the agent does not say how large the results are");
	if (size > t->room && result_file_reserve(t, cli, size, e) < 0)
		return err_code(e);
	progress_start(&progress, "fetching", size, 0);
	for (;;) {
		ProtobufCMessage *message;
		const Agent__ResultResponse *piece;

		hold_tail(t, size, &held);
		failed = rpc_sync_receive(sync, &message, e);
		if (failed || !message)
			break;
		piece = (const Agent__ResultResponse *)message;
		if (piece->file.len > size - t->written)
			failed = err_set(e, ERR_DATA_LOSS,
					 "more than the %" PRIu64 " bytes that were announced",
					 size);
		else
			failed = fd_write_all(t->fd, piece->file.data, piece->file.len, e);
		t->written += piece->file.len;
		protobuf_c_message_free_unpacked(message, NULL);
		if (failed)
			break;
		progress_update(&progress, t->written);
	}
	progress_end(&progress);
	if (!failed && t->written != size)
		return err_set(e, ERR_DATA_LOSS, "%" PRIu64 " bytes came of %" PRIu64, t->written,
			       size);
	if (!failed && cli->verbose)
		progress_tell(&progress, t->written);
	return failed;
}

struct fetching {
	struct client *client;
	EVP_PKEY *key;
	struct result_file *target;
	struct result_receipt *receipt;
};

/* A transfer that was cut may be repeated. */
static int fetch(void *data, struct err *e)
{
	const struct fetching *f = data;
	struct client *client = f->client;
	struct result_file *t = f->target;
	const struct agent_call call = {
		.method = &agent_result,
		.role = PROOF_ROLE_CONSUMER,
		.key = f->key,
		.role_signature = cli_flag(client->cli, "role-signature"),
	};
	CLEANUP(agent_status_free) Agent__StatusResponse *status = NULL;
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;
	Agent__ResultRequest request = AGENT__RESULT_REQUEST__INIT;
	struct rpc_metadata metadata = { .count = 0 };
	int failed;

	if (ftruncate(t->fd, 0) < 0 || lseek(t->fd, 0, SEEK_SET) < 0)
		return err_errno(e, "'%s'", t->partial);
	t->written = 0;
	interrupt_clear();
	interrupt_remove(t->partial);
	interrupt_say(
		"stopped fetching: nothing was handed out, and the same command fetches all of it");
	if (!call.role_signature && agent_client_status(client, &status, e) < 0)
		return err_code(e);
	if (result_file_reserve(t, client->cli,
				status && status->result_size ? status->result_size : ROOM_FIRST,
				e) < 0)
		return err_code(e);
	if (attested_ready(client, e) < 0 || attested_again(client, e) < 0 ||
	    result_receipt_fetch(f->receipt, client, f->key, call.role_signature, e) < 0)
		return err_code(e);
	failed = agent_client_open(client, &call, status, &metadata, &sync, e);
	rpc_metadata_done(&metadata);
	if (failed || rpc_sync_send(sync, &request.base, e) < 0)
		return err_code(e);
	return receive(client->cli, t, sync, e);
}

static int extract(const char *path, const char *into, struct err *e)
{
	CLEANUP(close) int dir = -1;

	if (dir_make(into, 0700, e) < 0)
		return err_code(e);
	dir = open(into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(e, "open '%s'", into);
	if (bundle_extract(path, dir, &(struct bundle_limits){ .secret = true }, e) < 0)
		return err_wrap(e, "unpack '%s' into '%s'", path, into);
	return 0;
}

/* The receipt first, so that whatever has the results' name has its receipt, too, if the command ends
 * between the two. Without it they get their name all the same: they come once. */
static int keep(const struct fetching *f, struct err *e)
{
	struct err why;
	bool kept = result_receipt_keep(f->receipt, f->target->path, &why) == 0;

	if (result_file_commit(f->target, e) < 0) {
		result_receipt_left(f->receipt);
		return err_code(e);
	}
	interrupt_clear();
	fprintf(f->client->cli->out, "results saved as %s\n", f->target->path);
	if (!kept) {
		*e = why;
		return err_code(e);
	}
	result_receipt_tell(f->receipt, f->client, f->target->path);
	return 0;
}

static enum cli_exit unpack(struct cli *cli, const char *path, struct err *e)
{
	const char *into = cli_value(cli, "output");

	if (!into)
		return CLI_OK;
	if (extract(path, into, e) < 0) {
		cli_hint(cli, "the results are safe in %s: unpack them into an empty folder", path);
		return CLI_FAILED;
	}
	fprintf(cli->out, "and unpacked into %s\n", into);
	return CLI_OK;
}

static int open_target(struct cli *cli, struct result_file *target, struct err *e)
{
	int failed = result_file_open(target, cli_value(cli, "filename"), e);

	if (err_is(failed, ERR_NOT_FOUND))
		cli_hint(cli, "make the folder first, or name another place with -f");
	return failed;
}

static enum cli_exit run_result(struct cli *cli, struct err *e)
{
	const char *into = cli_value(cli, "output");
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct result_file target CLEANUP_RESULT_FILE = { .fd = -1 };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct result_receipt receipt CLEANUP_RESULT_RECEIPT = { .bytes = NULL };
	struct fetching fetching = { .client = &client, .target = &target, .receipt = &receipt };
	const struct retry retry = { fetch, &fetching, &target.written, "fetching again" };
	struct agent_waiting waiting = { &client, AGENT_WANTED_RESULTS, NULL, NULL };
	enum cli_exit status;
	struct stat about;

	if (agent_waiting_check(cli, e) < 0 ||
	    private_key_load(cli, cli->operands[0], &key, e) < 0 ||
	    attested_open(&client, cli, e) < 0)
		return CLI_USAGE;
	if (into && stat(into, &about) == 0 && !S_ISDIR(about.st_mode)) {
		err_set(e, ERR_EXISTS, "--output '%s' exists and is not a folder", into);
		return CLI_FAILED;
	}
	fetching.key = waiting.key = key;
	if (agent_waiting_run(&waiting, e) < 0 || open_target(cli, &target, e) < 0 ||
	    retry_run(&client, &retry, e) < 0)
		return CLI_FAILED;
	if (result_file_end(&target, e) < 0)
		return CLI_FAILED;
	if (result_receipt_is_of(&receipt, target.fd, e) < 0) {
		result_file_keep(&target);
		return CLI_FAILED;
	}
	if (keep(&fetching, e) < 0)
		return CLI_FAILED;
	status = unpack(cli, target.path, e);
	/* A stop from now on finds it complete. First all is where it belongs, and said: this may take its time. */
	fflush(cli->out);
	if (!cli_flag(cli, "role-signature")) /* for one that may have no such method */
		agent_client_settle(&client);
	return status;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .letter = 'f', .name = "filename", .value = "FILE",
	  .help = "save as (results.zip, or results_1.zip … when that is there)" },
	{ .letter = 'o', .name = "output", .value = "DIR", .help = "and unpack into this folder, for nobody else to read" },
	WAIT_OPTION,
	GRACE_OPTION,
	ROLE_SIGNATURE_OPTION,
	CLIENT_AGENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_result = {
	.name = "result",
	.common = true,
	.args = "PRIVATE_KEY",
	.help = "fetch the results, once for each consumer",
	.operands_min = 1,
	.operands_max = 1,
	.options = options,
	.run = run_result,
};
