/* SPDX-License-Identifier: Apache-2.0 */
/* machine_doubt.c — a CVM of which nobody says whether it is gone. */
#include "computations/core/session.h"
#include "computations/machines/machine_task.h"

#include <string.h>

static const char forgotten[] =
	"its manager knows nothing of it, so nobody knows whether it is gone: look at its host, and "
	"remove it once more with force";
/* What its manager said comes behind it. */
static const char untold[] =
	"its manager can't be asked what it has, so nobody knows whether it is gone: look at its "
	"host, and remove it once more with force";

enum { WORDS_MAX = 200 }; /* bytes of what its manager said */
_Static_assert(sizeof(untold) + WORDS_MAX + sizeof(" ()") <= MACHINE_REASON_MAX,
	       "all of it is kept");

bool machine_is_forgotten(const struct machine *m)
{
	return m->phase == MACHINE_LEAVING && (strcmp(m->reason, forgotten) == 0 ||
					       strncmp(m->reason, untold, sizeof(untold) - 1) == 0);
}

/* Whose agent is connected is there all the same, and a row that is gone never comes back. */
static bool is_connected(const struct machine_task *task)
{
	return *task->row.cvm_id && session_find(task->machines->service, task->row.cvm_id);
}

static bool stays(struct machine_task *task, const char *why)
{
	machine_task_wait(task, true);
	machine_task_stuck(task, why);
	return true;
}

bool machine_doubt_of_unknown(struct machine_task *task)
{
	if (is_connected(task)) {
		machine_task_look_later(task);
		machine_task_stuck(task,
				   "its manager knows nothing of it, and its agent is connected");
		return true;
	}
	if (!*task->row.cvm_id || task->row.phase != MACHINE_LEAVING || task->is_given_up)
		return false;
	return stays(task, forgotten);
}

bool machine_doubt_of_unasked(struct machine_task *task, const struct err *why)
{
	char text[MACHINE_REASON_MAX + 1];

	if (is_connected(task)) {
		machine_task_look_later(task);
		snprintf(text, sizeof(text), "its agent is connected, and its manager says: %.*s",
			 WORDS_MAX, why->text);
		machine_task_stuck(task, text);
		return true;
	}
	if (task->is_given_up)
		return false;
	snprintf(text, sizeof(text), "%s (%.*s)", untold, WORDS_MAX, why->text);
	return stays(task, text);
}
