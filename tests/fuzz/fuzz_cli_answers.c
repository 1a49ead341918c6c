/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands of cocos-cli hear from agent, manager and computation service: answers, streams and failures of
 * the calls that they make. The blocking calls (common/rpc/sync.h) are wrapped; what is below them has the target
 * h2_client.
 *
 * Input: lines, each of which(1) and the length(1) of its answers, then these, as next_answer() reads them; after the
 * last one all are empty.
 * Whatever they say, what is printed is UTF-8 that a terminal does not obey, and the exit status is one of those that
 * are documented.
 */
#include "cli/base/command.h"
#include "common/base/cleanup.h"
#include "common/rpc/sync.h"
#include "tests/fuzz/answers.h"
#include "tests/fuzz/orders_cli.h"
#include "tests/fuzz/printed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { WORDS_MAX = 8, STREAM_MAX = 64, CODES = 17 };

static const char *const lines[][WORDS_MAX] = {
	{ "computation", "list" },
	{ "computation", "list", "-o", "wide" },
	{ "computation", "list", "-o", "json" },
	{ "computation", "list", "-o", "yaml" },
	{ "computation", "show", "c" },
	{ "computation", "show", "c", "--json" },
	{ "computation", "logs", "c" },
	{ "computation", "logs", "c", "--json" },
	{ "cvm", "list" },
	{ "cvm", "list", "-o", "json" },
	{ "cvm", "list", "--workspace", "w", "-o", "wide" },
	{ "cvm", "list", "--workspace", "w", "--json" },
	{ "cvm", "show", "c" },
	{ "cvm", "show", "c", "--json" },
	{ "cvm", "show", "c", "--workspace", "w" },
	{ "cvm", "release", "c" },
	{ "usage" },
	{ "usage", "-o", "wide" },
	{ "usage", "-o", "csv" },
	{ "usage", "-o", "html" },
	{ "usage", "--account", "a", "-o", "html" },
	{ "usage", "--account", "a", "-o", "yaml" },
	{ "vm", "list" },
	{ "vm", "list", "-o", "wide" },
	{ "vm", "list", "--json" },
	{ "vm", "show", "v" },
	{ "vm", "show", "v", "--json" },
	{ "vm", "strays" },
	{ "host", "list", "-o", "wide" },
	{ "host", "list", "--json" },
	{ "host", "show", "h" },
	{ "host", "show", "h", "--json" },
	{ "image", "list", "-o", "wide" },
	{ "image", "list", "--json" },
	{ "billing", "list", "-o", "wide" },
	{ "billing", "list", "--json" },
	{ "billing", "show", "b" },
	{ "billing", "plans" },
	{ "certificate", "list", "-o", "wide" },
	{ "certificate", "list", "--json" },
	{ "workspace", "list", "-o", "wide" },
	{ "workspace", "show", "w" },
	{ "workspace", "show", "w", "--json" },
	{ "workspace", "member", "list", "w", "-o", "wide" },
	{ "invitation", "list", "w", "-o", "wide" },
	{ "webhook", "list", "-o", "wide" },
	{ "webhook", "show", "7" },
	{ "webhook", "deliveries", "7", "-o", "wide" },
	{ "user", "list", "-o", "wide" },
	{ "user", "identities", "u" },
	{ "session", "list", "u", "-o", "wide" },
	{ "token", "list", "u", "-o", "wide" },
	{ "key", "list", "-o", "wide" },
	{ "key", "show", "7" },
	{ "asset", "list", "-o", "wide" },
	{ "asset", "show", "7" },
	{ "role", "list", "c" },
	{ "workflow", "list", "--workspace", "w", "-o", "wide" },
	{ "workflow", "get", "w" },
	{ "workflow", "get", "w", "--json" },
	{ "executor", "list", "--workspace", "w", "-o", "wide" },
	{ "audit", "list" },
	{ "whoami" },
	{ "computation", "rename", "c", "n" },
	{ "computation", "stop", "c", "--json" },
	{ "status" },
	{ "status", "--json" },
};
_Static_assert(ARRAY_LEN(lines) == CLI_LINES, "one input of each kind for each line");

/* ---- the calls ---- */

static struct reader answers;

struct rpc_sync {
	const struct rpc_method *method;
	struct rpc_metadata metadata;
	unsigned messages;
};

/* 1: the stream has ended. */
static int next_answer(const struct rpc_method *method, ProtobufCMessage **message, struct err *e)
{
	static const char *const words[] = { "it says no", "\x1b[2J", "no method 'x'",
					     "certificate required" };
	uint8_t what = reader_u8(&answers);

	if (what & ANSWER_END)
		return 1;
	if (what & ANSWER_FAILED)
		return err_set(e, (enum err_code)(1 + what % (CODES - 1)), "%s",
			       words[what / CODES % ARRAY_LEN(words)]);
	return answer_make(method->response, &answers, message, e);
}

int __wrap_rpc_sync_unary(struct rpc_channel *channel, const struct rpc_method *method,
			  const struct rpc_stream_options *options, const ProtobufCMessage *request,
			  ProtobufCMessage **response, struct err *e);
int __wrap_rpc_sync_unary(struct rpc_channel *channel, const struct rpc_method *method,
			  const struct rpc_stream_options *options, const ProtobufCMessage *request,
			  ProtobufCMessage **response, struct err *e)
{
	int failed = next_answer(method, response, e);

	return failed > 0 ? err_set(e, ERR_INTERNAL, "no message") : failed;
}

int __wrap_rpc_sync_open(struct rpc_channel *channel, const struct rpc_method *method,
			 const struct rpc_stream_options *options, struct rpc_sync **sync,
			 struct err *e);
int __wrap_rpc_sync_open(struct rpc_channel *channel, const struct rpc_method *method,
			 const struct rpc_stream_options *options, struct rpc_sync **sync,
			 struct err *e)
{
	*sync = calloc(1, sizeof(**sync));
	assert(*sync);
	(*sync)->method = method;
	return 0;
}

int __wrap_rpc_sync_send(struct rpc_sync *sync, const ProtobufCMessage *message, struct err *e);
int __wrap_rpc_sync_send(struct rpc_sync *sync, const ProtobufCMessage *message, struct err *e)
{
	return 0;
}

void __wrap_rpc_sync_half_close(struct rpc_sync *sync);
void __wrap_rpc_sync_half_close(struct rpc_sync *sync)
{
}

int __wrap_rpc_sync_headers(struct rpc_sync *sync, const struct rpc_metadata **headers,
			    struct err *e);
int __wrap_rpc_sync_headers(struct rpc_sync *sync, const struct rpc_metadata **headers,
			    struct err *e)
{
	*headers = &sync->metadata;
	return 0;
}

int __wrap_rpc_sync_receive(struct rpc_sync *sync, ProtobufCMessage **message, struct err *e);
int __wrap_rpc_sync_receive(struct rpc_sync *sync, ProtobufCMessage **message, struct err *e)
{
	int failed = 1;

	*message = NULL;
	if (reader_left(&answers) && sync->messages++ < STREAM_MAX)
		failed = next_answer(sync->method, message, e);
	return failed > 0 ? 0 : failed;
}

const struct rpc_metadata *__wrap_rpc_sync_trailers(const struct rpc_sync *sync);
const struct rpc_metadata *__wrap_rpc_sync_trailers(const struct rpc_sync *sync)
{
	return &sync->metadata;
}

void __wrap_rpc_sync_free(struct rpc_sync *sync);
void __wrap_rpc_sync_free(struct rpc_sync *sync)
{
	free(sync);
}

int __wrap_rpc_sync_connect(struct rpc_channel *channel, struct err *e);
int __wrap_rpc_sync_connect(struct rpc_channel *channel, struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "nobody is there");
}

/* ---- what is printed ---- */

static enum cli_exit run(struct cli *cli, struct err *e)
{
	return cli->command->run(cli, e);
}

static enum cli_exit type(const char *const *words)
{
	static char program[] = "cocos-cli";
	char *argv[WORDS_MAX + 2] = { program };
	int argc = 1;

	for (; argc <= WORDS_MAX && words[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	return command_main(argc, argv, run);
}

static void try_line(const char *const *words)
{
	FILE *const out = stdout, *const err = stderr;
	char *printed[2] = { NULL, NULL };
	size_t lengths[2];
	enum cli_exit status;

	stdout = open_memstream(&printed[0], &lengths[0]);
	stderr = open_memstream(&printed[1], &lengths[1]);
	assert(stdout && stderr);
	status = type(words);
	fclose(stdout);
	fclose(stderr);
	stdout = out;
	stderr = err;
	assert(status >= CLI_OK && status <= CLI_MALFORMED);
	assert(status == CLI_OK || lengths[1] > 0);
	printed_check(printed[0], lengths[0]);
	printed_check(printed[1], lengths[1]);
	free(printed[0]);
	free(printed[1]);
}

/* Nobody's settings, no colours. Others are for those who measure. */
static void forget_settings(void)
{
	static const char *const own[] = { "AGENT_", "MANAGER_", "COMPUTATIONS_",
					   "COCOS_", "XDG_",     "COLUMNS" };

	for (char **at = environ; *at;) {
		CLEANUP(free) char *name = strndup(*at, strcspn(*at, "="));
		bool ours = false;

		assert(name);
		for (size_t i = 0; i < ARRAY_LEN(own); i++)
			ours |= strncmp(name, own[i], strlen(own[i])) == 0;
		if (ours)
			unsetenv(name); /* the next one has its place */
		else
			at++;
	}
	assert(setenv("HOME", "/proc/nowhere", 1) == 0 && setenv("TERM", "dumb", 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	static bool ready;

	if (!ready)
		forget_settings();
	ready = true;
	for (int i = 0; i < CLI_LINES && reader_left(&r); i++) {
		size_t line = reader_u8(&r) % CLI_LINES, said = reader_u8(&r);

		answers = reader_sub(&r, said < reader_left(&r) ? said : reader_left(&r));
		try_line(lines[line]);
	}
	return 0;
}
