/* SPDX-License-Identifier: Apache-2.0 */
/* cocos-agent: reads its configuration and serves; or is one of its two other processes, keeper and
 * jail. */
#include "agent/core/config.h"
#include "agent/core/daemon.h"
#include "agent/core/separation.h"
#include "agent/jail/jail.h"
#include "agent/keeper/keeper.h"
#include "agent/process/confine.h"
#include "common/base/log.h"
#include "common/base/written.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The same program in another process, told by a hidden first argument. */
static const struct {
	const char *word;
	int (*main)(int argc, char **argv);
} halves[] = {
	{ "keeper", keeper_main },
	{ "jail", jail_main },
};

/* Chunks of a MiB come and go: from the heap, without a page fault for each of their pages. What
 * an upload used goes back when the last one ends (upload_call.c). */
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
	int failed = config_options_parse(argc, argv, &options, stdout, &e);

	if (failed > 0)
		return written_all("cocos-agent", stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
	if (!failed)
		failed = confine_process(&e);
	/* Before anything is read that the host supplies. */
	if (!failed && access(CONFIG_IMAGE_MARKER, F_OK) == 0)
		failed = separation_make(&options.keeper, &e);
	if (!failed)
		failed = config_load(&options, &config, &e);
	if (!failed && log_set_level(config.log_level, &e) < 0)
		failed = err_wrap(&e, "AGENT_LOG_LEVEL");
	if (!failed) {
		log_info("cocos-agent " COCOS_VERSION "%s", config.in_image ? " in its image" : "");
		keep_chunks_in_the_heap();
		failed = daemon_run(&config, &e);
	}
	config_done(&config);
	if (failed)
		log_error("%s", e.text);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
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
