/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/agent.h"

#include "agent/core/cvms.h"
#include "agent/evidence/evidence.h"
#include "agent/jail/runner.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct identity *agent_identity(const struct agent *agent)
{
	return agent->external_bound ? &agent->external : &agent->own;
}

void agent_drop_run(struct agent *agent)
{
	evidence_reset(agent->evidence);
	agent->external_bound = false;
	identity_done(&agent->external);
}

const char *agent_notice(const struct agent *agent)
{
	const struct config_options *o = &agent->config->options;

	if (o->development && !o->tcti && !o->tsm)
		return "development: this agent runs without a TPM, nothing is measured, and "
		       "signatures over the role alone are taken";
	if (o->development)
		return "development: this agent runs outside an image, on devices that its command "
		       "line names, and signatures over the role alone are taken";
	if (agent->config->role_signature)
		return "cocos.role_signature: signatures over the role alone are taken";
	return "";
}

void agent_say(struct agent *agent, const char *level, const char *fmt, ...)
{
	static const struct {
		const char *word;
		enum log_level level;
	} levels[] = { { "ERROR", LOG_LEVEL_ERROR }, { "WARN", LOG_LEVEL_WARN } };
	enum log_level here = LOG_LEVEL_INFO;
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		if (strcmp(level, levels[i].word) == 0)
			here = levels[i].level;
	}
	log_line(here, "%s", text);
	postbox_log(&agent->postbox, agent->computation ? agent->computation->manifest->id : NULL,
		    level, text, strlen(text));
	if (agent->cvms)
		cvms_flush(agent->cvms);
}

void agent_event(struct agent *agent, const char *type, const char *status)
{
	struct computation *c = agent->computation;
	CLEANUP_WRITER struct writer details = writer_up_to(8192);
	bool failure = c && c->failure[0] && strcmp(status, "Failed") == 0;

	if (failure) {
		writer_text(&details, "{\"error\":");
		json_quote(&details, c->failure, strlen(c->failure));
		writer_text(&details, "}");
		writer_u8(&details, 0);
	}
	log_info("event %s: %s", type, status);
	postbox_event(&agent->postbox, c ? c->manifest->id : NULL, type, status,
		      failure && !details.bad ? (const char *)details.bytes : NULL);
	if (agent->cvms)
		cvms_flush(agent->cvms);
}

void agent_fail(struct agent *agent, const struct err *why)
{
	struct computation *c = agent->computation;
	struct err e;

	if (state_step(&agent->state, EVENT_FAILURE, &e) < 0) {
		log_error("%s", why->text);
		return;
	}
	snprintf(c->failure, sizeof(c->failure), "%s", why->text);
	agent_say(agent, "ERROR", "computation failed: %s", why->text);
	uploads_close(&agent->uploads, "the computation has failed");
	if (agent->runner)
		runner_stop(agent->runner);
	agent_event(agent, "Failed", "Failed");
}
