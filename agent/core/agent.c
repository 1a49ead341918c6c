/* SPDX-License-Identifier: Apache-2.0 */
/* The agent from its start to its end. What happens to a computation: agent_manifest.c,
 * agent_run.c, agent_stop.c. */
#include "agent/core/agent.h"

#include "agent/core/cvms.h"
#include "agent/core/door.h"
#include "agent/evidence/evidence.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <openssl/crypto.h>

static void end_fatally(struct agent *agent, const struct err *e)
{
	if (agent->shutting_down || agent->fatal.code != ERR_OK)
		return;
	agent->fatal = *e;
	uv_stop(agent->loop);
}

static void on_keeper_death(void *data)
{
	struct err e;

	err_set(&e, ERR_UNAVAILABLE, "the keeper ended by itself");
	end_fatally(data, &e);
}

static void on_boot_measured(void *data, bool measured, const struct err *e)
{
	struct agent *agent = data;
	struct err why;

	if (e) {
		why = *e;
		err_wrap(&why, "measure the boot configuration");
		end_fatally(agent, &why);
		return;
	}
	if (keeper_facts(agent->keeper)->fixed)
		log_info("the boot configuration is the one that was fixed at launch");
	if (!measured && !agent->config->options.development) {
		err_set(&why, ERR_INTERNAL, "the boot configuration was not measured");
		end_fatally(agent, &why);
		return;
	}
	if (state_step(&agent->state, EVENT_BOOTED, &why) < 0 ||
	    cvms_start(agent, &agent->cvms, &why) < 0) {
		end_fatally(agent, &why);
		return;
	}
	log_notify("READY=1");
}

static void on_identity_told(void *data, bool measured, const struct err *e)
{
	struct agent *agent = data;
	uint8_t *bytes = NULL;
	size_t len = 0;
	struct err why;

	if (e) {
		why = *e;
		err_wrap(&why, "tell the keeper the identity");
		end_fatally(agent, &why);
		return;
	}
	if (bootconfig_canonical(&agent->config->boot, &bytes, &len, &why) < 0 ||
	    keeper_measure(agent->keeper, KEEPER_EVENT_BOOT, bytes, len, on_boot_measured, agent,
			   &why) < 0)
		end_fatally(agent, &why);
	if (bytes)
		OPENSSL_cleanse(bytes, len);
	free(bytes);
}

static void on_keeper_checked(void *data, bool measured, const struct err *e)
{
	struct agent *agent = data;
	struct err why;

	if (e) {
		why = *e;
		err_wrap(&why, "check TEE and TPM");
		end_fatally(agent, &why);
		return;
	}
	if (keeper_facts(agent->keeper)->platform == EVIDENCE_NONE)
		log_warn("platform NoCC: NOTHING IS MEASURED and there is NO EVIDENCE of this "
			 "agent; attested TLS is refused");
	if (keeper_identity(agent->keeper, agent->own.spki, agent->own.spki_len, on_identity_told,
			    agent, &why) < 0)
		end_fatally(agent, &why);
}

static int lock_work(struct agent *agent, const char *work, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(close) int fd = -1;
	int failed = dir_make(work, 0711, e);

	if (!failed)
		failed = text_format(&path, e, "%s/lock", work);
	if (failed)
		return failed;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, "open '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? err_set(e, ERR_EXISTS, "--work '%s' is in use by another agent",
					 work)
			       : err_errno(e, "lock '%s'", path);
	agent->lock = TAKE_FD(fd);
	return 0;
}

static int start_keeper(struct agent *agent, struct err *e)
{
	const struct config_options *o = &agent->config->options;
	const struct keeper_options options = { .tcti = o->tcti,
						.tsm = o->tsm,
						.securityfs = o->securityfs,
						.development = o->development,
						.vmpl = (unsigned int)agent->config->vmpl };
	int failed = keeper_start(agent->loop, &options, &agent->keeper, e);

	if (failed)
		return failed;
	keeper_on_death(agent->keeper, on_keeper_death, agent);
	return keeper_check(agent->keeper, on_keeper_checked, agent, e);
}

int agent_start(struct agent *agent, uv_loop_t *loop, const struct config *config, struct err *e)
{
	const char *work = config->options.work_dir;
	int failed;

	*agent = (struct agent){ .loop = loop, .config = config, .lock = -1 };
	failed = lock_work(agent, work, e);
	if (!failed)
		failed = text_format(&agent->dir, e, "%s/computation", work);
	if (!failed)
		failed = dir_remove(agent->dir, e);
	if (!failed)
		failed = identity_make(&agent->own, e);
	if (!failed)
		failed = evidence_new(agent, &agent->evidence, e);
	if (!failed)
		failed = start_keeper(agent, e);
	if (agent_notice(agent)[0])
		log_warn("%s", agent_notice(agent));
	return failed;
}

void agent_shutdown(struct agent *agent)
{
	agent->shutting_down = true;
	log_notify("STOPPING=1");
	if (agent->runner)
		runner_free(TAKE_PTR(agent->runner));
	agent_close_calls(agent, "the agent is shutting down");
	door_close(TAKE_PTR(agent->door), "the agent is shutting down");
	if (agent->cvms)
		cvms_free(TAKE_PTR(agent->cvms));
	evidence_free(TAKE_PTR(agent->evidence));
	if (agent->keeper)
		keeper_free(TAKE_PTR(agent->keeper));
	if (agent->computation)
		computation_end(agent->computation);
	if (agent->incoming)
		computation_end(agent->incoming);
}

void agent_done(struct agent *agent)
{
	CLEANUP(free) char *lock = NULL;
	struct err e;

	computation_unref(TAKE_PTR(agent->computation));
	computation_unref(TAKE_PTR(agent->incoming));
	postbox_done(&agent->postbox);
	free(agent->statement);
	identity_done(&agent->own);
	identity_done(&agent->external);
	if (agent->lock >= 0) {
		if (agent->dir && dir_remove(agent->dir, &e) < 0)
			log_error("leftovers: %s", e.text);
		if (text_format(&lock, &e, "%s/lock", agent->config->options.work_dir) == 0)
			unlink(lock);
		close(agent->lock);
	}
	free(agent->dir);
}

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

void agent_ask_state(struct agent *agent, const char *id)
{
	postbox_state_response(&agent->postbox, id, state_name(agent->state));
	cvms_flush(agent->cvms);
}

static void on_asked_evidence(void *data, const uint8_t *token, size_t len, const struct err *e)
{
	struct agent *agent = data;
	char text[ERR_TEXT_MAX + 64] = "";

	if (e)
		snprintf(text, sizeof(text), "%s: %s", err_code_name(e->code), e->text);
	postbox_evidence(&agent->postbox, token, len, text);
	cvms_flush(agent->cvms);
}

void agent_ask_evidence(struct agent *agent, const void *bytes, size_t len, int32_t type)
{
	const struct binding_nonce nonce = { .type = (uint8_t)type, .tee = bytes, .tee_len = len };
	struct err e;

	if (type < 0 || type > UINT8_MAX)
		err_set(&e, ERR_INVALID, "type %d of evidence", (int)type);
	else if (evidence_nonce(agent, &nonce, on_asked_evidence, agent, &e))
		return;
	on_asked_evidence(agent, NULL, 0, &e);
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
