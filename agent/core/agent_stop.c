/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/agent_stop.h"

#include "agent/core/agent_listener.h"
#include "agent/core/cvms.h"
#include "agent/jail/runner.h"
#include "agent/journal/journal.h"
#include "agent/upload/restoring.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/rpc/job.h"

#include <stdlib.h>
#include <string.h>

struct wipe {
	struct agent *agent;
	char *dir, *kept;             /* kept NULL: owners may want that it stays */
	agent_stop_undone_fn *undone; /* NULL: a stop was asked for */
	int failed;
	struct err e;
};

static void wipe_free(struct wipe *w)
{
	if (!w)
		return;
	free(w->dir);
	free(w->kept);
	free(w);
}

static void respond(struct agent *agent, const char *id, const char *text)
{
	postbox_stop_response(&agent->postbox, id, text);
	cvms_flush(agent->cvms);
}

static void wipe_work(void *data)
{
	struct wipe *w = data;

	struct err ignored;

	w->failed = dir_remove(w->dir, &w->e);
	/* Whatever becomes of the other folder. */
	if (w->kept && dir_remove(w->kept, w->failed ? &ignored : &w->e) < 0)
		w->failed = err_code(&w->e);
}

void agent_stop_end(struct agent *agent, bool asked)
{
	struct err e;

	agent->stop_wanted = false;
	if (state_step(&agent->state, EVENT_STOP, &e) < 0)
		log_error("stop: %s", e.text);
	cvms_forget_manifest(agent->cvms);
	agent_drop_run(agent);
	if (asked)
		agent_event(agent, "Stopped", "Stopped");
	journal_end(agent->journal, asked ? "stopped" : "failed");
	if (asked)
		respond(agent, agent->computation->manifest->id, "computation stopped");
	computation_unref(TAKE_PTR(agent->computation));
}

static void stop_failed(struct agent *agent, struct err *e)
{
	agent->stop_wanted = false;
	respond(agent, agent->computation->manifest->id, e->text);
	agent_fail(agent, e); /* assets may be left: take no other computation */
}

static void wipe_done(void *data)
{
	struct wipe *w = data;
	struct agent *agent = w->agent;

	agent->wiping = false;
	if (w->failed)
		err_wrap(&w->e, "wipe the computation's folder");
	if (agent->shutting_down) {
		/* agent_done() wipes again, and says what it cannot. */
	} else if (w->undone) {
		w->undone(agent, w->failed ? &w->e : NULL);
	} else if (w->failed) {
		stop_failed(agent, &w->e);
	} else {
		agent_stop_end(agent, true);
	}
	wipe_free(w);
}

/* What owners let be kept stays after a failure alone. */
static int wipe_prepare(struct wipe *w, struct agent *agent, struct err *e)
{
	struct retained *retained = &agent->uploads.retained;

	w->agent = agent;
	w->dir = strdup(agent->dir);
	if (!w->dir)
		return err_nomem(e);
	if ((agent->state == STATE_FAILED || w->undone) && retained->count > 0)
		return 0;
	retained_forget(retained);
	w->kept = strdup(retained->dir);
	return w->kept ? 0 : err_nomem(e);
}

static int wipe(struct agent *agent, agent_stop_undone_fn *undone, struct err *e)
{
	struct wipe *w = calloc(1, sizeof(*w));
	int failed;

	if (!w)
		return err_nomem(e);
	w->undone = undone;
	failed = wipe_prepare(w, agent, e);
	if (!failed)
		failed = rpc_job_start(agent->loop, wipe_work, wipe_done, w, e);
	if (failed)
		wipe_free(w);
	else
		agent->wiping = true;
	return failed;
}

void agent_stop_undo(struct agent *agent, agent_stop_undone_fn *undone)
{
	struct err e;

	if (wipe(agent, undone, &e) < 0)
		undone(agent, &e);
}

void agent_stop_go_on(struct agent *agent)
{
	struct computation *c = agent->computation;
	struct err e;

	if (!agent->stop_wanted || agent->incoming || agent->wiping || agent->shutting_down)
		return;
	uploads_close(&agent->uploads, "the computation was stopped");
	agent_listener_close(TAKE_PTR(agent->listener), "the computation was stopped");
	computation_end(c);
	uploads_drop_kept(c);
	if (agent->runner) {
		runner_stop(agent->runner);
		return;
	}
	if (c->placing == 0 && wipe(agent, NULL, &e) < 0)
		stop_failed(agent, &e);
}

void agent_stop(struct agent *agent, const char *computation_id)
{
	const struct computation *c = agent->computation ? agent->computation : agent->incoming;
	char text[ERR_TEXT_MAX];

	if (!c) {
		respond(agent, computation_id,
			"FAILED_PRECONDITION: there is no computation to stop");
		return;
	}
	if (strcmp(c->manifest->id, computation_id) != 0) {
		snprintf(text, sizeof(text), "NOT_FOUND: this agent's computation is %s",
			 log_quote(c->manifest->id).text);
		respond(agent, computation_id, text);
		return;
	}
	if (agent->stop_wanted)
		return; /* the answer to the first will do */
	agent->stop_wanted = true;
	agent_say(agent, "INFO", "stop was asked for in state %s", state_name(agent->state));
	restoring_stop(&agent->uploads.retained);
	agent_stop_go_on(agent);
}
