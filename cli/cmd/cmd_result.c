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
#include "cli/cmd/result_receipt.h"
#include "cli/evidence/receipt_check.h"
#include "common/base/file.h"
#include "common/bundle/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

enum {
	NAMES_MAX = 1000,
	/* Until their size is known: no more comes before the window is opened further, and what has not
	 * come whole is not counted as handed out (rpc_limits_default()). */
	ROOM_FIRST = 4 << 20,
	/* More than can be on its way: windows, and a message in hand. Before that the agent can't take them
	 * for handed out. */
	TAIL = 8 << 20,
};

/* Where the results go: a file without a name until all of it is there. */
struct target {
	char *path;    /* of the result */
	char *partial; /* of the file that is being written, beside it */
	int fd;
	uint64_t room, written;
};

static void target_done(struct target *t)
{
	interrupt_clear();
	if (t->partial)
		unlink(t->partial);
	if (t->fd >= 0)
		close(t->fd);
	free(t->partial);
	free(t->path);
}
#define CLEANUP_TARGET __attribute__((cleanup(target_done)))

static bool exists(const char *path)
{
	struct stat about;

	return lstat(path, &about) == 0;
}

/* The results' name and the receipt's, neither of which is there. */
static int is_free(const char *path, bool *free_, struct err *e)
{
	CLEANUP(free) char *receipt = NULL;

	if (receipt_check_name(path, &receipt, e) < 0)
		return err_code(e);
	*free_ = !exists(path) && !exists(receipt);
	return 0;
}

/* Without -f: results.zip, or the first of results_1.zip, results_2.zip … that is free. */
static int free_name(char **path, struct err *e)
{
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		char name[32];
		bool both;

		snprintf(name, sizeof(name), i ? "results_%u.zip" : "results.zip", i);
		if (is_free(name, &both, e) < 0)
			return err_code(e);
		if (both) {
			*path = strdup(name);
			return *path ? 0 : err_nomem(e);
		}
	}
	return err_set(e, ERR_EXISTS,
		       "results.zip to results_%d.zip are all there: name a file "
		       "with -f",
		       NAMES_MAX - 1);
}

static int target_open(struct target *t, const char *name, struct err *e)
{
	bool both = true;

	if (name && is_free(name, &both, e) < 0)
		return err_code(e);
	if (!both)
		return err_set(e, ERR_EXISTS,
			       "'%s' is there already, or its receipt: results are handed out "
			       "once, so nothing is overwritten; choose another name",
			       name);
	if (name && !(t->path = strdup(name)))
		return err_nomem(e);
	if (!name && free_name(&t->path, e) < 0)
		return err_code(e);
	if (text_format(&t->partial, e, "%s.part-XXXXXX", t->path) < 0)
		return err_code(e);
	t->fd = mkostemp(t->partial, O_CLOEXEC); /* 0600 */
	if (t->fd < 0) {
		err_errno(e, "write beside '%s'", t->path);
		free(t->partial);
		t->partial = NULL;
		return err_code(e);
	}
	return 0;
}

/* Makes room for all of it before it comes: once this machine has received it, the agent does not hand
 * it out again, whether it could be written or not. */
static int reserve(struct cli *cli, struct target *t, uint64_t size, struct err *e)
{
	char text[32];

	errno = size > INT64_MAX ? EFBIG : size ? posix_fallocate(t->fd, 0, (off_t)size) : 0;
	if (!errno) {
		t->room = size;
		return 0;
	}
	progress_size(size, text, sizeof(text));
	err_errno(e, "room for %s of results beside '%s'", text, t->path);
	cli_hint(cli,
		 "the results were not taken, since they are handed out once: name another place "
		 "with -f, or make room");
	return err_code(e);
}

/* They can't be fetched again: better an odd name than none. */
static void target_keep(struct target *t)
{
	fprintf(stderr, "the results are in %s\n", t->partial);
	free(t->partial);
	t->partial = NULL;
}

/* Writes it to disk, then gives it its name, which has to be free still. */
static int target_commit(struct target *t, struct err *e)
{
	/* What was reserved may be more. */
	if (ftruncate(t->fd, (off_t)t->written) < 0)
		return err_errno(e, "'%s'", t->partial);
	if (fsync(t->fd) < 0)
		return err_errno(e, "fsync '%s'", t->partial);
	if (link(t->partial, t->path) == 0) {
		unlink(t->partial);
	} else if (errno != EPERM && errno != EOPNOTSUPP) {
		err_errno(e, "name the results '%s'", t->path);
		goto keep;
	} else if (exists(t->path) || rename(t->partial, t->path) < 0) {
		err_errno(e, "name the results '%s'", t->path);
		goto keep;
	}
	free(t->partial);
	t->partial = NULL;
	return 0;
keep:
	target_keep(t);
	return err_code(e);
}

/* Once the last of them may have come, they may not come again: what is there is kept. */
static void hold_tail(const struct target *t, uint64_t size, bool *held)
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

static int receive(struct cli *cli, struct target *t, struct rpc_sync *sync, struct err *e)
{
	struct progress progress;
	uint64_t size = 0;
	bool held = false;
	int failed;

	if (client_announced_size(sync, &size, e) < 0)
		return err_code(e);
	if (size == CLIENT_SIZE_UNKNOWN)
		return err_set(e, ERR_INVALID, "the agent does not say how large the results are");
	if (size > t->room && reserve(cli, t, size, e) < 0)
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
	struct target *target;
	struct result_receipt *receipt;
};

/* A transfer that was cut may be repeated. */
static int fetch(void *data, struct err *e)
{
	const struct fetching *f = data;
	struct client *client = f->client;
	struct target *t = f->target;
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
	if (reserve(client->cli, t,
		    status && status->result_size ? status->result_size : ROOM_FIRST, e) < 0)
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

	if (dir_make(into, 0755, e) < 0)
		return err_code(e);
	dir = open(into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(e, "open '%s'", into);
	if (bundle_extract(path, dir, &(struct bundle_limits){ .entries = 0 }, e) < 0)
		return err_wrap(e, "unpack '%s' into '%s'", path, into);
	return 0;
}

static enum cli_exit run_result(struct cli *cli, struct err *e)
{
	const char *into = cli_value(cli, "output");
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct target target CLEANUP_TARGET = { .fd = -1 };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct result_receipt receipt CLEANUP_RESULT_RECEIPT = { .bytes = NULL };
	struct fetching fetching = { .client = &client, .target = &target, .receipt = &receipt };
	const struct retry retry = { fetch, &fetching, &target.written, "fetching again" };
	struct agent_waiting waiting = { &client, AGENT_WANTED_RESULTS, NULL, NULL };
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
	if (agent_waiting_run(&waiting, e) < 0 ||
	    target_open(&target, cli_value(cli, "filename"), e) < 0 ||
	    retry_run(&client, &retry, e) < 0)
		return CLI_FAILED;
	if (result_receipt_is_of(&receipt, target.fd, e) < 0) {
		target_keep(&target);
		return CLI_FAILED;
	}
	if (target_commit(&target, e) < 0)
		return CLI_FAILED;
	interrupt_clear();
	fprintf(cli->out, "results saved as %s\n", target.path);
	if (result_receipt_keep(&receipt, &client, target.path, e) < 0)
		return CLI_FAILED;
	if (into && extract(target.path, into, e) < 0) {
		cli_hint(cli, "the results are safe in %s: unpack them into an empty folder",
			 target.path);
		return CLI_FAILED;
	}
	if (into)
		fprintf(cli->out, "and unpacked into %s\n", into);
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .letter = 'f', .name = "filename", .value = "FILE",
	  .help = "save as (results.zip, or results_1.zip … when that is there)" },
	{ .letter = 'o', .name = "output", .value = "DIR", .help = "and unpack into this folder" },
	WAIT_OPTION,
	ROLE_SIGNATURE_OPTION,
	CLIENT_AGENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_result = {
	.name = "result",
	.args = "PRIVATE_KEY",
	.help = "fetch the results, once for each consumer",
	.operands_min = 1,
	.operands_max = 1,
	.options = options,
	.run = run_result,
};
