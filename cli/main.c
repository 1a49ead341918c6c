/* SPDX-License-Identifier: Apache-2.0 */
/* cocos-cli — what data owners, algorithm owners and operators type. */
#include "cli/base/command.h"
#include "cli/base/output.h"
#include "cli/base/profile.h"
#include "common/base/log.h"

#include <malloc.h>
#include <signal.h>

enum { CHUNKS_IN_HEAP = 8 << 20 };

static enum cli_exit run(struct cli *cli, struct err *e)
{
	if (output_check_options(cli, e) < 0)
		return e->code == ERR_EXISTS ? CLI_FAILED : CLI_USAGE;
	return profile_run(cli, e);
}

int main(int argc, char **argv)
{
	log_open("cocos-cli");
	/* A peer or a pager that goes away is an error of that write, not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	/* Chunks of a MiB come and go: from the heap, without a page fault for each of their pages. */
	mallopt(M_MMAP_THRESHOLD, CHUNKS_IN_HEAP);
	mallopt(M_TRIM_THRESHOLD, CHUNKS_IN_HEAP);
	return (int)command_main(argc, argv, run);
}
