/* SPDX-License-Identifier: Apache-2.0 */
/* cocos-cli — what data owners, algorithm owners and operators type. */
#include <signal.h>

#include "cli/command.h"
#include "common/base/log.h"

int main(int argc, char **argv)
{
	log_open("cocos-cli");
	/* A peer or a pager that goes away is an error of that write, not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	return (int)command_main(argc, argv);
}
