/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/agent.h"

#include "agent/computation/participant.h"
#include "agent/core/agent_journal.h"
#include "agent/core/cvms.h"
#include "agent/evidence/evidence.h"
#include "agent/jail/runner.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "common/manifest/manifest_extension.h"

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
	agent_proof_done(&agent->proof);
	challenges_end(&agent->challenges);
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

/* A line's level, or what the manifest's log_level asks for; what is not known here is INFO. */
static enum log_level level_of(const char *word)
{
	static const struct {
		const char *word;
		enum log_level level;
	} levels[] = { { "ERROR", LOG_LEVEL_ERROR },
		       { "WARN", LOG_LEVEL_WARN },
		       { "WARNING", LOG_LEVEL_WARN },
		       { "DEBUG", LOG_LEVEL_DEBUG } };

	for (size_t i = 0; word && i < ARRAY_LEN(levels); i++)
		if (strcasecmp(word, levels[i].word) == 0)
			return levels[i].level;
	return LOG_LEVEL_INFO;
}

void agent_line(struct agent *agent, const char *level, const char *text, size_t len)
{
	const struct computation *c = agent->computation;

	if (c && level_of(level) > level_of(c->listener.log_level))
		return;
	postbox_log(&agent->postbox, c ? c->manifest->id : NULL, level, text, len);
	if (agent->cvms)
		cvms_flush(agent->cvms);
}

void agent_say(struct agent *agent, const char *level, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_line(level_of(level), "%s", text);
	agent_journal_log(agent, level, text);
	agent_line(agent, level, text, strlen(text));
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
	const char *json = failure && !details.bad ? (const char *)details.bytes : NULL;
	const struct postbox_subject subject = { c ? c->manifest->id : NULL, c ? c->attempt : 0 };

	postbox_event(&agent->postbox, subject, type, status, json);
	agent_journal_event(agent, type, status, json);
	if (agent->cvms)
		cvms_flush(agent->cvms);
}

/* Of a run the reason holds words that the algorithm chose: names in results/, what it printed. */
static bool is_secret(const struct computation *c)
{
	return c && c->run_begun && manifest_logs(c->manifest) != MANIFEST_LOGS_ALL;
}

void agent_fail(struct agent *agent, const struct err *why)
{
	struct computation *c = agent->computation;
	struct err e;

	if (state_step(&agent->state, EVENT_FAILURE, &e) < 0) {
		log_error("%s", is_secret(c) ? e.text : why->text);
		return;
	}
	snprintf(c->reason, sizeof(c->reason), "%s", why->text);
	snprintf(c->failure, sizeof(c->failure), "%s", why->text);
	if (is_secret(c))
		snprintf(c->failure, sizeof(c->failure),
			 "the run failed; the manifest shows why to %s alone ('cocos-cli status "
			 "PRIVATE_KEY')",
			 participant_names(c));
	transcript_last(&c->said, c->last_lines);
	agent_say(agent, "ERROR", "computation failed: %s", c->failure);
	uploads_close(&agent->uploads, "the computation has failed");
	if (agent->runner)
		runner_stop(agent->runner);
	agent_event(agent, "Failed", "Failed");
}
