/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/agent.h"
#include "agent/jail/jail.h"
#include "agent/keeper/keeper.h"
#include "common/base/log.h"
#include "common/rpc/signals.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* The same program in another process, told by a hidden first argument. */
static const struct {
	const char *word;
	int (*main)(int argc, char **argv);
} halves[] = {
	{ "keeper", keeper_main },
	{ "jail", jail_main },
};

static void on_signal(void *data, int number)
{
	log_info("signal %d: shutting down", number);
	uv_stop(data);
}

/* What is left of handles and jobs ends by itself once all is shut down. */
static void run_out(uv_loop_t *loop)
{
	while (uv_run(loop, UV_RUN_DEFAULT))
		continue;
}

static int serve(const struct config *config, struct err *e)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	struct signals signals;
	uv_loop_t loop;
	int failed;

	if (!agent)
		return err_nomem(e);
	if (uv_loop_init(&loop) != 0) {
		free(agent);
		return err_set(e, ERR_INTERNAL, "no event loop");
	}
	signals_start(&signals, &loop, on_signal, &loop);
	failed = agent_start(agent, &loop, config, e);
	if (!failed)
		uv_run(&loop, UV_RUN_DEFAULT);
	agent_shutdown(agent);
	signals_unref(&signals);
	run_out(&loop);
	agent_done(agent);
	signals_done(&signals);
	if (uv_loop_close(&loop) != 0)
		log_warn("the loop was not empty at the end");
	if (!failed && agent->fatal.code != ERR_OK) {
		*e = agent->fatal;
		failed = err_code(e);
	}
	free(agent);
	return failed;
}

/* Chunks of a MiB come and go: from the heap, without a page fault for each of their pages. What
 * an upload used goes back when the last one ends (service_upload.c). */
static void keep_chunks_in_the_heap(void)
{
	mallopt(M_MMAP_THRESHOLD, 8 << 20);
	mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

static int run(int argc, char **argv)
{
	struct config_options options;
	struct config config = { 0 };
	struct err e;
	int r = config_options_parse(argc, argv, &options, stdout, &e);

	if (r > 0)
		return EXIT_SUCCESS;
	if (r == 0)
		r = config_load(&options, &config, &e);
	if (r == 0)
		r = log_set_level(config.log_level, &e);
	if (r == 0) {
		log_info("cocos-agent " COCOS_VERSION "%s", config.in_image ? " in its image" : "");
		keep_chunks_in_the_heap();
		r = serve(&config, &e);
	}
	config_done(&config);
	if (r < 0)
		log_error("%s", e.text);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	log_open("cocos-agent");
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_LEN(halves); i++) {
		if (argc > 1 && strcmp(argv[1], halves[i].word) == 0)
			return halves[i].main(argc, argv);
	}
	return run(argc, argv);
}
